import type { Hosts } from '../action/contract.ts'
import type { Registry } from '../action/registry.ts'
import type { JsonObject } from '../json.ts'
import type { PlannedRunbook, PlannedStep } from '../plan/plan.ts'
import type { Durable } from './durable.ts'
import { stepsIn } from './needs.ts'

/** All that a walk stands on. Nothing here changes while it goes on, but for what a dry run has seen so far. */
export interface Engine {
  readonly runbook: PlannedRunbook
  readonly registry: Registry
  readonly durable: Durable
  readonly hosts: Hosts
  /** `run` in expressions and templates. */
  readonly run: JsonObject
  /** A person lets each step begin. */
  readonly stepwise: boolean
  readonly steps: ReadonlyMap<string, PlannedStep>
  /** Dry run: the first thing that would have been changed, what is read after it may be other then; and what of that failed. */
  readonly pending: { change: string | undefined; readonly failed: string[] }
}

/** Every step of a plan by its address, those of called runbooks too. */
export function stepsByAddress(runbook: PlannedRunbook): ReadonlyMap<string, PlannedStep> {
  const found = new Map<string, PlannedStep>()
  const visit = (steps: readonly PlannedStep[]): void => {
    for (const step of steps) {
      found.set(step.address, step)
      visit(stepsIn(step))
      if (step.kind === 'runbook') visit(step.runbook.steps)
    }
  }
  visit(runbook.steps)
  return found
}
