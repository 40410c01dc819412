import type { PlannedAction, PlannedRunbook } from '../plan/plan.ts'

/** Whether a text of the runbook, or the step's own `verify`, may read this field of its result: judged by their words. */
export function mayReadField(runbook: PlannedRunbook, step: PlannedAction, field: string): boolean {
  const named = new RegExp(`\\b${field}\\b`)
  const whole = /\bresult\b(?!\s*\??[.[])/
  const reads = (text: string) => /\bresult\b/.test(text) && (named.test(text) || whole.test(text))
  return (
    step.verify.some(({ that, message }) => reads(that) || reads(message ?? '')) ||
    textsIn(runbook).some((text) => text.includes(`steps.${step.id}.`) && reads(text))
  )
}

/** Whether a text of the runbook may read the result of the step. */
export function mayReadResult(runbook: PlannedRunbook, { id }: PlannedAction): boolean {
  return textsIn(runbook).some((text) => text.includes(`steps.${id}.result`))
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
