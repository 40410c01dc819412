import { Unknown } from '../expression/unknown.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import type { PlannedCall } from '../plan/plan.ts'
import { validatorOf } from '../schema.ts'
import { renderDeep, TemplateError } from '../template/template.ts'
import type { Engine } from './engine.ts'
import { type Found, judge, type Names, namesIn, sayFailed } from './evaluate.ts'
import { began, limitsOf, told, underLocks, type Walked } from './interpret.ts'
import { needsOf } from './needs.ts'
import { isGood, type Outcome } from './outcome.ts'
import { type Scope, undoVars, varsOf, viewOf } from './scope.ts'

/** Another runbook as one step: its own inputs and names, its outputs the result. */
export async function runCall(engine: Engine, step: PlannedCall, scope: Scope, key: string): Promise<Walked> {
  const names = namesIn(engine, scope)
  const at = await began(engine, step, key, names)
  const given = inputsFor(step, names)
  const limit = await limitsOf(engine, step, scope, key)
  let outcome: Outcome
  if ('error' in given) outcome = { status: 'failed', error: given.error }
  else if ('error' in limit) outcome = { status: 'failed', error: limit.error }
  else {
    const vars = { ...varsOf({ ...scope, limits: limit.value }, new Set()), inputs: given.value, names: {} }
    const section = await underLocks(engine, step.runbook, { path: step.address, part: 'runbook', key, vars })
    outcome = section.outcome
    scope.undo.push(...section.undo)
    if (isGood(outcome) && step.rollback.length > 0) {
      const undo = undoVars(scope, step.id, viewOf(outcome, at), needsOf(step, engine.registry))
      scope.undo.push({ key, path: step.address, vars: undo })
    }
    if (isGood(outcome)) outcome = verified(step, outcome, names)
  }
  await told(engine, step, key, names, outcome)
  return { outcome, view: viewOf(outcome, at) }
}

function verified(step: PlannedCall, outcome: Outcome, names: Names): Outcome {
  const result = outcome.status === 'succeeded' ? outcome.result : null
  for (const condition of step.verify) {
    const { held, evaluated } = judge(condition.that, { ...names, result })
    if (held !== true && !(held instanceof Unknown))
      return {
        status: 'failed',
        error: { code: 'verify_failed', message: sayFailed(condition, evaluated, { ...names, result }) },
      }
  }
  return outcome
}

function inputsFor(step: PlannedCall, names: Names): Found<JsonObject> {
  try {
    const given = renderDeep(step.with, names)
    const values: { [name: string]: Json } = {}
    for (const [name, schema] of Object.entries(step.runbook.inputs)) {
      const value = (isObject(given) ? given[name] : undefined) ?? (schema['default'] as Json | undefined)
      if (value === undefined)
        return { error: { code: 'missing_input', message: `\`${step.runbook.name}\` needs the input \`${name}\`` } }
      const [misfit] = value instanceof Unknown ? [] : validatorOf(schema)(value)
      if (misfit)
        return {
          error: { code: 'bad_input', message: `the input \`${name}\` of \`${step.runbook.name}\` ${misfit.message}` },
        }
      values[name] = value
    }
    return { value: values }
  } catch (error) {
    if (error instanceof TemplateError) return { error: { code: 'missing_value', message: error.message } }
    throw error
  }
}
