import type { JsonObject } from '../json.ts'
import type { PlannedStep } from '../plan/plan.ts'
import { asks } from '../action/contract.ts'
import type { Attempt, SectionResult, Undo } from './durable.ts'
import type { Engine } from './engine.ts'
import { namesIn, textFor } from './evaluate.ts'
import { errorOf, sequence } from './interpret.ts'
import { about, firstRound } from './key.ts'
import { isGood, type Outcome } from './outcome.ts'
import { paramsOf } from './params.ts'
import { type Look, settledOf } from './question.ts'
import { type Scope, scopeOf, viewOf } from './scope.ts'

/**
 * Undoes what was done, last first. Goes on when one fails, and tells of each. What was stopped midway is undone too, unless
 * its action sees that it did not happen.
 */
export async function undoAll(
  engine: Engine,
  undo: SectionResult['undo'],
): Promise<{
  readonly undone: boolean
  readonly failed: readonly { readonly key: string; readonly message: string }[]
}> {
  const failed: { readonly key: string; readonly message: string }[] = []
  const undone = new Set<string>()
  for (const { key, path, vars, doubt } of undo.toReversed()) {
    const step = engine.steps.get(path)
    if (!step) continue
    // a person had it tried again, and that is undone: one undo sets back both
    const first = firstRound(key)
    if (doubt && undone.has(first)) continue
    // the time that the step and its groups had was for doing, and is long over
    const { limits: _over, ...kept } = vars
    const scope = scopeOf({ ...kept, shield: true })
    const undoKey = about(key, 'undo')
    const told = {
      key: undoKey,
      step: path,
      kind: 'block' as const,
      name: `undo ${textFor(step.name, namesIn(engine, scope))}`,
    }
    await engine.durable.event({ type: 'step.began', ...told })
    const outcome = await undoOne(engine, step, scope, undoKey, doubt)
    await engine.durable.event({ type: 'step.ended', ...told, outcome })
    if (outcome.status === 'rolled_back') undone.add(first)
    if (!isGood(outcome)) failed.push({ key, message: errorOf(outcome).message })
  }
  return { undone: undone.size > 0, failed }
}

async function undoOne(
  engine: Engine,
  step: PlannedStep,
  scope: Scope,
  key: string,
  doubt: Undo['doubt'],
): Promise<Outcome> {
  if (doubt) {
    const { happened, result } = await look(engine, step, scope, key, doubt)
    if (happened === 'no') return { status: 'skipped', why: 'it did not happen' }
    if (happened === 'yes') {
      const { started_at: at } = scope.steps[step.id] as JsonObject
      scope.steps[step.id] = viewOf({ status: 'succeeded', result: result ?? null }, at as string | undefined)
    }
  }
  const bad = await sequence(engine, step.rollback, scope, key)
  return bad ?? { status: 'rolled_back', result: null }
}

/** Whether what was stopped midway happened, where its action can tell. */
async function look(engine: Engine, step: PlannedStep, scope: Scope, key: string, attempt: Attempt): Promise<Look> {
  const action = step.kind === 'action' ? engine.registry.get(step.action) : undefined
  if (step.kind !== 'action' || !action || asks(action) || !action.settled) return {}
  const names = namesIn(engine, scope)
  const params = paramsOf(step, action, scope.target, names)
  if ('error' in params) return {}
  const { outcome } = await engine.durable.run(
    about(key, 'settled'),
    {
      step: step.address,
      name: textFor(step.name, names),
      action: step.action,
      effect: 'read',
      repeatable: true,
      params: params.value,
      limits: [],
      shield: true,
      quiet: true,
    },
    (io) => io.perform(step.action, 'settled', params.value, attempt),
  )
  return settledOf(outcome)
}
