import { RunbookError } from '../error.ts'
import type { Action } from './contract.ts'

/** The actions of a run, by name. */
export type Registry = ReadonlyMap<string, Action>

/** All actions of a run, by name; two of one name are refused. */
export function registryOf<A extends { readonly name: string }>(actions: Iterable<A>): ReadonlyMap<string, A> {
  const registry = new Map<string, A>()
  for (const action of actions) {
    if (registry.has(action.name))
      throw new RunbookError('duplicate_action', `two plugins define the action \`${action.name}\``)
    registry.set(action.name, action)
  }
  return registry
}
