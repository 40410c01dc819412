import type { Action, Preview } from '../action/contract.ts'
import { asks } from '../action/contract.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PlannedAction } from '../plan/plan.ts'
import { endOf, verified } from './action-step.ts'
import type { About } from './durable.ts'
import type { Engine } from './engine.ts'
import type { Names } from './evaluate.ts'
import { durationIn, judge, textFor } from './evaluate.ts'
import type { Walked } from './interpret.ts'
import { about } from './key.ts'
import type { Outcome } from './outcome.ts'
import type { Scope } from './scope.ts'
import { viewOf } from './scope.ts'

/**
 * A step in a dry run. D1: a read is really made; nothing else is. D2: what a step that was not done would have given is
 * *unknown*, and so is what depends on it. D3: a read after a change that was not made shows the world before it, so it
 * is made and shown, but decides nothing. D4: an action that does not say what it does stops the dry run.
 */
export async function dryAction(
  engine: Engine,
  step: PlannedAction,
  action: Action,
  scope: Scope,
  key: string,
  params: JsonObject,
  names: Names,
): Promise<Walked> {
  const name = textFor(step.name, names)
  const missing = unknownIn(params)
  const timeout = step.timeout === undefined ? undefined : durationIn(step.timeout, names)
  if (timeout && 'error' in timeout && timeout.error.code !== 'unknown_value')
    return end({ status: 'failed', error: timeout.error })
  const limit = timeout && 'value' in timeout ? timeout.value : undefined
  const declared = asks(action) || action.effect !== undefined
  if (!declared)
    return end({
      status: 'failed',
      error: {
        code: 'effect_not_declared',
        message: `\`${step.action}\` does not say whether it changes anything, so it cannot be rehearsed`,
      },
    })
  if (asks(action)) return shown(undefined, scope.maybe ?? missing?.why)
  if (scope.maybe !== undefined) return shown(undefined, scope.maybe)
  if (missing && step.effect === 'read') return shown(undefined, missing.why)
  if (step.effect !== 'read') {
    const preview =
      action.plan && !missing
        ? await engine.durable.run(about(key, 'plan'), facts(true), (io) => io.perform(step.action, 'plan', params))
        : undefined
    if (preview && preview.outcome.status !== 'succeeded' && engine.pending.change === undefined)
      return end(preview.outcome)
    if (preview?.outcome.status === 'succeeded')
      return shown(preview.outcome.result as unknown as Preview, missing?.why)
    return shown(undefined, missing?.why ?? (preview && whyNot(preview.outcome)))
  }
  const ran = await engine.durable.run(key, facts(false), (io) => io.perform(step.action, 'run', params))
  return read(ran.outcome, ran.startedAt)

  /** It cannot be done as things stand; what comes before it may change that. */
  function whyNot(outcome: Outcome): string | undefined {
    if (!('error' in outcome)) return undefined
    return `now it would fail (${outcome.error.message}), unless \`${engine.pending.change}\` changes that`
  }

  function facts(quiet: boolean): About {
    return {
      step: step.address,
      name,
      action: step.action,
      effect: 'read',
      repeatable: true,
      params,
      shield: false,
      quiet,
      ...(limit !== undefined && { timeout: limit }),
      limits: scope.limits,
      ...(scope.target !== undefined && { target: scope.target }),
    }
  }

  async function shown(preview: Preview | undefined, maybe: string | undefined): Promise<Walked> {
    const at = await engine.durable.event({
      type: 'step.previewed',
      key,
      step: step.address,
      name,
      action: step.action,
      effect: step.effect,
      params,
      ...(preview && { preview }),
      ...(maybe !== undefined && { maybe }),
      ...(asks(action) && { asks: true }),
    })
    // no changes means that there is nothing to do, except of a command, which cannot tell
    const nothing = preview?.changes.length === 0 && !(!asks(action) && action.effectFromStep)
    if (step.effect !== 'read' && !nothing) engine.pending.change ??= key
    return unknown(`the result of \`${key}\`, which a dry run does not do`, at)
  }

  function read(outcome: Outcome, at: string): Walked {
    const before = engine.pending.change
    if (before !== undefined && outcome.status !== 'succeeded') engine.pending.failed.push(key)
    if (before !== undefined) return unknown(`\`${key}\` is read after \`${before}\`, which a dry run does not do`, at)
    if (outcome.status !== 'succeeded') return { outcome, view: viewOf(outcome, at) }
    const ready =
      step.until === undefined ||
      judge(step.until.done, { ...names, result: outcome.result, previous: null }).held === true
    if (!ready) return unknown(`\`${key}\` would be waited for`, at)
    const checked = verified(step, outcome, names, () => undefined, key)
    return { outcome: checked, view: viewOf(checked, at) }
  }

  function unknown(why: string, at: string): Walked {
    const result = new Unknown(why) as unknown as Json
    const outcome: Outcome = { status: 'succeeded', result }
    return { outcome, view: { ...viewOf(outcome, at), status: new Unknown(why) as unknown as Json } }
  }

  async function end(outcome: Outcome): Promise<Walked> {
    await engine.durable.event(endOf(step, key, name, outcome))
    return { outcome, view: viewOf(outcome, undefined) }
  }
}
