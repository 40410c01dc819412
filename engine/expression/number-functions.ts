import { define } from './define.ts'
import { BadValue } from './failure.ts'
import type { Signature } from './functions.ts'
import { compareForOrder } from './order.ts'
import { anything, eitherOf, isOnly, itemOf, number } from './shape.ts'
import type { Value } from './value.ts'
import { type Duration, type Instant, kindOf, kindWords } from './value.ts'
import type { Work } from './work.ts'
import { spend } from './work.ts'

type Convertible = number | string | Instant | Duration
const convertible = ['number', 'string', 'time', 'duration'] as const

export const numberFunctions: { readonly [name: string]: Signature } = {
  number: define([convertible], number, ([value]: [Convertible]) => numberOf(value)),
  double: define([convertible], number, ([value]: [Convertible]) => numberOf(value)),
  int: define([convertible], number, ([value]: [Convertible]) => Math.trunc(numberOf(value))),
  round: define(['number', 'number'], number, ([value, digits]: [number, number?]) => round(value, digits ?? 0), {
    needs: 1,
  }),
  floor: define(['number'], number, ([value]: [number]) => Math.floor(value)),
  ceil: define(['number'], number, ([value]: [number]) => Math.ceil(value)),
  abs: define(['number'], number, ([value]: [number]) => Math.abs(value)),
  percent: define(['number', 'number'], number, ([part, whole]: [number, number]) => {
    if (whole === 0)
      throw new BadValue('value', '`percent` of a whole that is 0', 'ask first whether there is anything to count')
    return (part * 100) / whole
  }),
  sum: define(['array'], number, ([list]: [readonly Value[]], work) => sum(list, work)),
  min: extreme('min', -1),
  max: extreme('max', 1),
}

/** A text must be a number and nothing else; a time counts in seconds since 1970, a duration in seconds. */
function numberOf(value: Convertible): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return value.ms / 1000
  if (/^\s*[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?\s*$/.test(value)) return Number(value)
  throw new BadValue(
    'value',
    '`number` was given a text that is no number',
    'cut the number out first, with `split` or `replace`, and `trim`',
  )
}

/** Half goes away from zero, as people round. */
function round(value: number, digits: number): number {
  if (!Number.isInteger(digits) || digits < 0 || digits > 12)
    throw new BadValue('value', '`round` takes 0 to 12 digits')
  const factor = 10 ** digits
  return (Math.sign(value) * Math.round(Math.abs(value) * factor)) / factor
}

function sum(list: readonly Value[], work: Work): number {
  spend(work, list.length)
  return list.reduce<number>((total, item) => {
    if (typeof item === 'number') return total + item
    throw new BadValue(
      'type',
      `\`sum\` was given a list with ${kindWords[kindOf(item)]} in it`,
      'pick the numbers first: `sum(list.map(item, item.size))`',
    )
  }, 0)
}

/** `max(list)` or `max(a, b, …)`. */
function extreme(name: string, sign: number): Signature {
  const takes = Array.from({ length: 8 }, () => [] as const)
  const gives: Signature['gives'] = ([first = anything, ...others]) => {
    if (others.length > 0) return eitherOf([first, ...others])
    return isOnly(first, 'array') ? itemOf(first) : anything
  }
  return define(
    takes,
    gives,
    (args: readonly Value[], work) => {
      const [first] = args
      if (args.length === 1 && !Array.isArray(first))
        throw new BadValue(
          'type',
          `\`${name}\` takes a list or several values, not ${kindWords[kindOf(first ?? null)]}`,
        )
      const list = args.length === 1 ? (first as readonly Value[]) : args
      spend(work, list.length)
      if (list.length === 0) throw new BadValue('value', `\`${name}\` of an empty list`, 'ask `size(list) > 0` first')
      return list.reduce((best, item) => (compareForOrder(item, best) * sign > 0 ? item : best))
    },
    { needs: 1 },
  )
}
