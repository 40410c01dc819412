import type { Schema } from '../json.ts'
import type { Signature } from './functions.ts'
import type { Kind, Value } from './value.ts'
import type { Work } from './work.ts'

interface Extra {
  readonly needs?: number
  readonly shallow?: boolean
  readonly hint?: string
}

/** Describes a function; `A` must be what `takes` lets through, which is checked before `run`. */
export function define<A extends readonly (Value | undefined)[]>(
  takes: readonly (Kind | readonly Kind[])[],
  gives: Schema | ((args: readonly Schema[]) => Schema),
  run: (args: A, work: Work) => Value,
  { needs = takes.length, shallow = false, hint }: Extra = {},
): Signature {
  return {
    takes: takes.map((kinds) => (typeof kinds === 'string' ? [kinds] : kinds)),
    needs,
    gives: typeof gives === 'function' ? gives : () => gives,
    shallow,
    hint,
    run: run as unknown as Signature['run'],
  }
}
