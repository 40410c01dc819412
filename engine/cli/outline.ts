import type { JsonObject } from '../json.ts'
import type { PlannedRunbook, PlannedStep } from '../plan/plan.ts'
import { textFor } from '../run/evaluate.ts'
import type { OutlineStep } from '../run/event.ts'

/** The steps of a plan in order, for views; names are rendered as far as the inputs go. */
export function outlineOf(runbook: PlannedRunbook, inputs: JsonObject): readonly OutlineStep[] {
  const outline: OutlineStep[] = []
  const visit = (steps: readonly PlannedStep[], depth: number): void => {
    for (const step of steps) {
      const kind = step.loop ? 'loop' : step.kind
      outline.push({
        step: step.address,
        name: textFor(step.name, { inputs }),
        kind,
        ...(step.kind === 'action' && { action: step.action, effect: step.effect }),
        depth,
      })
      if (step.kind === 'block') for (const group of [step.steps, step.rescue, step.always]) visit(group, depth + 1)
      if (step.kind === 'parallel') visit(step.branches, depth + 1)
      if (step.kind === 'runbook') visit(step.runbook.steps, depth + 1)
    }
  }
  visit(runbook.steps, 0)
  return outline
}
