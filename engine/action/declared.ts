import type { Schema } from '../json.ts'
import type { Action, Effect } from './contract.ts'
import { asks } from './contract.ts'

/** What an action says of itself: all that a check asks of it. Every `Action` is one. */
export interface Declared {
  readonly name: string
  readonly effect: Effect
  readonly effectFromStep?: boolean
  readonly params: Schema
  readonly result: Schema
  /** There when it asks a person (`asks`). */
  readonly question?: unknown
}

/** What all actions say of themselves, by name. */
export type Declarations = ReadonlyMap<string, Declared>

/** A declaration as plain data, with its schemas as a text: a runbook uses a few of very many actions. */
export interface WrittenDeclaration extends Omit<Declared, 'params' | 'result'> {
  readonly schemas: string
}

/** Of an action, as it is written into the program. */
export function writtenDeclaration(action: Action): WrittenDeclaration {
  const { name, effect, params, result } = action
  const schemas = JSON.stringify({ params, result })
  if (asks(action)) return { name, effect, question: true, schemas }
  return { name, effect, ...(action.effectFromStep && { effectFromStep: true }), schemas }
}

/** The declaration again; its schemas are read when they are first asked for. */
export function readDeclaration({ schemas: text, ...rest }: WrittenDeclaration): Declared {
  let schemas: Pick<Declared, 'params' | 'result'> | undefined
  const read = () => {
    schemas ??= JSON.parse(text) as Pick<Declared, 'params' | 'result'>
    return schemas
  }
  return {
    ...rest,
    get params() {
      return read().params
    },
    get result() {
      return read().result
    },
  }
}
