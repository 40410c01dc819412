import type { Json, JsonObject } from '../json.ts'
import type { Limit, Undo, Vars } from './durable.ts'
import type { Outcome } from './outcome.ts'

/** What the steps of one runbook can see, and what they leave. One per walk of a body: nothing is shared between branches. */
export interface Scope {
  readonly inputs: JsonObject
  /** Views of the steps that have ended, by id. */
  readonly steps: { [id: string]: Json }
  /** Loop items, targets, `failure`. */
  readonly names: JsonObject
  readonly shield: boolean
  /** Of the groups around it. */
  readonly limits: readonly Limit[]
  readonly target: string | undefined
  /** What is to be undone, oldest first. */
  readonly undo: Undo[]
  readonly maybe: string | undefined
}

export function scopeOf(vars: Vars): Scope {
  return {
    inputs: vars.inputs,
    steps: { ...vars.steps },
    names: vars.names,
    shield: vars.shield,
    limits: vars.limits ?? [],
    target: vars.target,
    undo: [],
    maybe: vars.maybe,
  }
}

/** The scope as data, with the steps that a body needs. */
export function varsOf(scope: Scope, needed: ReadonlySet<string>, more: JsonObject = {}, target = scope.target): Vars {
  const steps = Object.fromEntries(Object.entries(scope.steps).filter(([id]) => needed.has(id)))
  return {
    inputs: scope.inputs,
    steps,
    names: { ...scope.names, ...more },
    shield: scope.shield,
    ...(scope.limits.length > 0 && { limits: scope.limits }),
    ...(target !== undefined && { target }),
    ...(scope.maybe !== undefined && { maybe: scope.maybe }),
  }
}

/** What a step leaves to be undone: its scope as data, with the step as it ended. */
export function undoVars(scope: Scope, id: string, view: JsonObject, needed: ReadonlySet<string>): Vars {
  return varsOf({ ...scope, steps: { ...scope.steps, [id]: view } }, new Set([...needed, id]))
}

/** `steps.ID`: how it ended, and its result when it has one. */
export function viewOf(outcome: Outcome, startedAt: string | undefined, more: JsonObject = {}): JsonObject {
  return {
    status: outcome.status,
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...('error' in outcome && { error: outcome.error as unknown as Json }),
    ...(outcome.status === 'skipped' && { error: { code: 'skipped', message: outcome.why } }),
    ...((outcome.status === 'succeeded' || outcome.status === 'rolled_back') && { result: outcome.result }),
    ...more,
  }
}
