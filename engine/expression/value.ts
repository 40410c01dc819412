import type { Json } from '../json.ts'
import { BadValue } from './failure.ts'
import { Unknown } from './unknown.ts'
import type { Work } from './work.ts'
import { spend } from './work.ts'

/** A point in time. It leaves an expression as RFC 3339 text in UTC. */
export class Instant {
  /** Milliseconds since 1970; the fraction keeps microseconds apart. */
  readonly ms: number
  constructor(ms: number) {
    if (!(Math.abs(ms) <= 8.64e15)) throw new BadValue('value', 'the time is out of range')
    this.ms = ms
  }
  toString(): string {
    return new Date(Math.floor(this.ms)).toISOString()
  }
}

/** A length of time. It leaves an expression as seconds with an `s`: `5400s`, the text that `duration()` reads. */
export class Duration {
  readonly ms: number
  constructor(ms: number) {
    if (!Number.isFinite(ms)) throw new BadValue('value', 'the duration is out of range')
    this.ms = ms
  }
  toString(): string {
    return `${Number((this.ms / 1000).toFixed(6))}s`
  }
}

/** What `.?` gives: a value or none, until `orValue` decides. */
export class Optional {
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

/** What expressions compute with: JSON, times, and what is not known yet. */
export type Value =
  | Json
  | Instant
  | Duration
  | Optional
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value }

export type Kind =
  | 'null'
  | 'boolean'
  | 'number'
  | 'string'
  | 'array'
  | 'object'
  | 'time'
  | 'duration'
  | 'optional'
  | 'unknown'

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    default:
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'array'
      if (value instanceof Unknown) return 'unknown'
      if (value instanceof Instant) return 'time'
      if (value instanceof Duration) return 'duration'
      return value instanceof Optional ? 'optional' : 'object'
  }
}

/** Kinds as people call them. */
export const kindWords: { readonly [kind in Kind]: string } = {
  null: '`null`',
  boolean: 'true or false',
  number: 'a number',
  string: 'a text',
  array: 'a list',
  object: 'a mapping',
  time: 'a time',
  duration: 'a duration',
  optional: 'a value that may be missing',
  unknown: 'a value that is not known yet',
}

/** A field of a mapping, its own only: nothing of a prototype is ever seen. */
export function ownField(value: object, field: string | number): Value | undefined {
  return Object.hasOwn(value, field) ? (value as { readonly [key: string]: Value })[field] : undefined
}

/** Deep equality; values of different kinds are not equal. Unknown where the answer rests on an unknown part. */
export function equal(a: Value, b: Value, work: Work): boolean | Unknown {
  spend(work, 1)
  if (a instanceof Unknown) return a
  if (b instanceof Unknown) return b
  if (a === b && typeof a !== 'object') return true
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  switch (kind) {
    case 'array':
      return equalLists(a as readonly Value[], b as readonly Value[], work)
    case 'object':
      return equalMaps(a as Mapping, b as Mapping, work)
    case 'time':
    case 'duration':
      return (a as Instant).ms === (b as Instant).ms
    default:
      return a === b
  }
}

type Mapping = { readonly [key: string]: Value }

function equalLists(a: readonly Value[], b: readonly Value[], work: Work): boolean | Unknown {
  if (a.length !== b.length) return false
  return every(a.length, (index) => equal(a[index] as Value, b[index] as Value, work))
}

function equalMaps(a: Mapping, b: Mapping, work: Work): boolean | Unknown {
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length || !keys.every((key) => Object.hasOwn(b, key))) return false
  return every(keys.length, (index) =>
    equal(a[keys[index] as string] as Value, b[keys[index] as string] as Value, work),
  )
}

/** One difference settles it, whatever else is unknown. */
function every(count: number, same: (index: number) => boolean | Unknown): boolean | Unknown {
  let unknown: Unknown | undefined
  for (let index = 0; index < count; index++) {
    const answer = same(index)
    if (answer === false) return false
    if (answer instanceof Unknown) unknown ??= answer
  }
  return unknown ?? true
}

/** The first unknown part of a value, counted as work. */
export function unknownPart(value: Value, work: Work): Unknown | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Unknown) return value
  if (value instanceof Instant || value instanceof Duration) return undefined
  if (value instanceof Optional) return value.value === undefined ? undefined : unknownPart(value.value, work)
  const parts: readonly Value[] = Array.isArray(value) ? value : Object.values(value)
  spend(work, parts.length)
  for (const part of parts) {
    const found = unknownPart(part, work)
    if (found) return found
  }
  return undefined
}
