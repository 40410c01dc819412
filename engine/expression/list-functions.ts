import { define } from './define.ts'
import { BadValue } from './failure.ts'
import type { Signature } from './functions.ts'
import { compareForOrder } from './order.ts'
import { anything, eitherOf, itemOf, kindsOf, listOf, memberOf, number, text } from './shape.ts'
import type { Value } from './value.ts'
import { Duration, Instant, kindOf } from './value.ts'
import type { Work } from './work.ts'
import { spend } from './work.ts'

type List = readonly Value[]
type Mapping = { readonly [key: string]: Value }

export const listFunctions: { readonly [name: string]: Signature } = {
  size: define([['array', 'object', 'string']], number, ([value]: [List | Mapping | string]) => sizeOf(value), {
    shallow: true,
  }),
  sort: define(
    ['array'],
    ([list = anything]) => list,
    ([list]: [List], work) => sorted(list, (item) => item, work),
  ),
  distinct: define(
    ['array'],
    ([list = anything]) => list,
    ([list]: [List], work) => distinct(list, work),
  ),
  flatten: define(
    ['array'],
    ([list = anything]) => listOf(flatItem(itemOf(list))),
    ([list]: [List], work) => {
      for (const item of list) spend(work, Array.isArray(item) ? item.length + 1 : 1)
      return list.flat(1) as List
    },
  ),
  slice: define(
    ['array', 'number', 'number'],
    ([list = anything]) => list,
    ([list, from, to]: [List, number, number?], work) => {
      if (from < 0 || (to ?? 0) < 0) throw new BadValue('value', '`slice` counts from 0')
      spend(work, list.length >> 3)
      return list.slice(from, to)
    },
    { needs: 2, shallow: true },
  ),
  keys: define(['object'], listOf(text), ([map]: [Mapping], work) => counted(Object.keys(map), work), {
    shallow: true,
  }),
  values: define(
    ['object'],
    ([map = anything]) => listOf(memberOf(map)),
    ([map]: [Mapping], work) => counted(Object.values(map), work),
    { shallow: true },
  ),
}

function flatItem(item: ReturnType<typeof itemOf>) {
  const kinds = kindsOf(item)
  if (!kinds) return anything
  return kinds.includes('array') ? eitherOf([itemOf(item), ...(kinds.length > 1 ? [anything] : [])]) : item
}

function counted<T extends List>(list: T, work: Work): T {
  spend(work, list.length)
  return list
}

function sizeOf(value: List | Mapping | string): number {
  // a text is counted in characters, as people count
  if (typeof value === 'string') return /^[\u0000-\ud7ff]*$/.test(value) ? value.length : [...value].length
  return Array.isArray(value) ? value.length : Object.keys(value).length
}

/** A sorted copy, equals in their old order. Throws where two keys have no order. */
export function sorted(list: List, keyOf: (item: Value, index: number) => Value, work: Work): List {
  spend(work, Math.ceil(list.length * Math.log2(list.length + 1)))
  const keyed = list.map((item, index) => ({ item, key: keyOf(item, index) }))
  const first = keyed[0]?.key
  // a list of one with a key that has no order fails as a longer one would
  if (first !== undefined) for (const { key } of keyed) compareForOrder(key, first)
  return keyed.toSorted((a, b) => compareForOrder(a.key, b.key)).map(({ item }) => item)
}

function distinct(list: List, work: Work): List {
  const seen = new Set<string>()
  return list.filter((item) => {
    const mark = markOf(item, work)
    return !seen.has(mark) && seen.add(mark)
  })
}

/** A text that is the same for equal values, and only for them. */
function markOf(value: Value, work: Work): string {
  spend(work, 1)
  if (value instanceof Instant || value instanceof Duration) return `${kindOf(value)} ${value.ms}`
  if (Array.isArray(value)) return `[${value.map((item) => markOf(item, work)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value as Mapping).map(([key, part]) => `${JSON.stringify(key)}:${markOf(part, work)}`)
  return `{${entries.sort().join()}}`
}
