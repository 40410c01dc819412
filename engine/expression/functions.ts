import type { Schema } from '../json.ts'
import { listFunctions } from './list-functions.ts'
import { numberFunctions } from './number-functions.ts'
import { textFunctions } from './text-functions.ts'
import { timeFunctions } from './time-functions.ts'
import type { Kind, Value } from './value.ts'
import type { Work } from './work.ts'

/** A function of the language. `f(x, y)` and `x.f(y)` are the same call. */
export interface Signature {
  /** The kinds that each argument may be; none means any. */
  readonly takes: readonly (readonly Kind[])[]
  /** How many of them must be given. */
  readonly needs: number
  readonly gives: (args: readonly Schema[]) => Schema
  /** Its answer does not rest on what is inside its arguments. */
  readonly shallow: boolean
  /** What to say to somebody who gives it something else. */
  readonly hint: string | undefined
  readonly run: (args: readonly Value[], work: Work) => Value
}

const all: ReadonlyMap<string, Signature> = new Map(
  Object.entries({ ...textFunctions, ...listFunctions, ...numberFunctions, ...timeFunctions }),
)

export function functionNamed(name: string): Signature | undefined {
  return all.get(name)
}

/** Functions that are part of the language's form, not of the table. */
const formNames = [
  'has',
  'orValue',
  'hasValue',
  'or',
  'value',
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
  'sort_by',
  'group_by',
] as const

export function functionNames(): readonly string[] {
  return [...all.keys(), ...formNames]
}
