import { asks } from '../action/contract.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PlannedAction } from '../plan/plan.ts'
import { dryAction } from './dry.ts'
import type { About, Attempt, Ran, StepIo } from './durable.ts'
import type { Engine } from './engine.ts'
import type { Names } from './evaluate.ts'
import { durationIn, judge, namesIn, sayFailed, textFor } from './evaluate.ts'
import type { Recorded } from './event.ts'
import type { Walked } from './interpret.ts'
import { cancelled } from './interpret.ts'
import { about, tryKey } from './key.ts'
import { needsOf } from './needs.ts'
import type { Outcome } from './outcome.ts'
import { isGood, notBegun } from './outcome.ts'
import { paramsOf } from './params.ts'
import { createAnswerOutcome, settledOf } from './question.ts'
import { mayReadField, mayReadResult } from './reads.ts'
import type { Scope } from './scope.ts'
import { undoVars, viewOf } from './scope.ts'
import { pollUntil } from './until.ts'

/** One execution of an action: its parameters, its tries, what becomes of an unknown end, its undo. */
export async function runAction(engine: Engine, step: PlannedAction, scope: Scope, key: string): Promise<Walked> {
  const names = namesIn(engine, scope)
  const action = engine.registry.get(step.action)
  const name = textFor(step.name, names)
  if (!action)
    return refuse({ status: 'failed', error: { code: 'no_action', message: `no action is called \`${step.action}\`` } })
  const found = paramsOf(step, action, scope.target, names)
  if ('error' in found) return refuse({ status: 'failed', error: found.error })
  const params = found.value
  if (engine.durable.dry) return dryAction(engine, step, action, scope, key, params, names)
  const unknown = unknownIn(params)
  if (unknown) return refuse({ status: 'failed', error: { code: 'unknown_value', message: unknown.why } })
  // what had begun before steps were asked about is not asked about now
  const past = engine.durable.has(key) && !engine.durable.has(about(key, 'step'))
  // clean-up is not asked about; a rescue is, until the run is cancelled
  const rescues = 'failure' in scope.names && !engine.durable.cancelled
  if (engine.stepwise && (!scope.shield || rescues) && !past) {
    const question = stepQuestion(name, step, params)
    const answer = await engine.durable.ask(about(key, 'step'), step.address, question, { shield: scope.shield })
    if (!answer) return refuse(cancelled(key))
    const said = 'value' in answer ? answer.value : 'stop'
    if (said === 'skip') return refuse({ status: 'skipped', why: 'a person skipped it' })
    if (said !== 'run')
      return refuse({ status: 'failed', error: { code: 'refused', message: 'a person stopped the run here' } })
  }
  if (asks(action)) {
    const at = await engine.durable.event({
      type: 'step.began',
      key,
      step: step.address,
      kind: 'action',
      action: step.action,
      name,
    })
    const answer = await engine.durable.ask(key, step.address, action.question(params), { shield: scope.shield })
    const said = answer ? createAnswerOutcome(action, params, answer) : cancelled(key)
    const outcome = verified(step, said, names, () => undefined, key)
    await ended(outcome)
    return { outcome, view: viewOf(outcome, at) }
  }
  return tries()

  async function tries(): Promise<Walked> {
    const repeatable = step.effect === 'read' || step.idempotent
    const timeout = step.timeout === undefined ? undefined : durationIn(step.timeout, names)
    if (timeout && 'error' in timeout) return refuse({ status: 'failed', error: timeout.error })
    const limits =
      step.retry && timeout
        ? [...scope.limits, { since: await engine.durable.now(about(key, 'from')), ms: timeout.value }]
        : scope.limits
    const facts: About = {
      step: step.address,
      name,
      action: step.action,
      effect: step.effect,
      repeatable,
      params,
      shield: scope.shield,
      ...(scope.target !== undefined && { target: scope.target }),
      ...(timeout && !step.until && { timeout: timeout.value }),
      limits,
    }
    let startedAt: string | undefined
    let doubt: Attempt | undefined
    for (let attempt = 1; ; attempt++) {
      const at = tryKey(key, attempt)
      const ran = await engine.durable.run(at, facts, (io) => once(at, io))
      startedAt ??= ran.startedAt
      const known = ran.outcome.status === 'unknown' ? await settle(at, facts, ran) : ran
      const { outcome } = known
      // done again without asking: what came before may have been done too
      if (step.effect !== 'read' && outcome.status !== 'unknown') doubt = known.cut ?? doubt
      if (step.effect !== 'read' && stoppedMidway(outcome)) doubt = known.attempt ?? doubt
      // a retry of a change is made only when it is known that nothing happened
      const again =
        !isGood(outcome) &&
        step.retry &&
        attempt < step.retry.attempts &&
        mayRetry(outcome, repeatable) &&
        !(engine.durable.cancelled && !scope.shield)
      const delay = again && step.retry ? pauseBefore(attempt, step.retry, names) : undefined
      if (
        again &&
        typeof delay === 'number' &&
        (limits.length === 0 || delay < (await engine.durable.left(about(at, 'left'), limits)))
      ) {
        await engine.durable.event({ type: 'step.retried', key: at, attempt, outcome, delay })
        if ((await engine.durable.sleep(about(at, 'delay'), delay, { shield: scope.shield })) === 'done') continue
      }
      if (step.rollback.length > 0 && (happened(outcome) || doubt !== undefined)) {
        const result = 'result' in outcome && outcome.result !== undefined ? { result: outcome.result } : {}
        scope.undo.push({
          key,
          path: step.address,
          vars: undoVars(scope, step.id, viewOf(outcome, startedAt, result), needsOf(step, engine.registry)),
          ...(!happened(outcome) && doubt !== undefined && { doubt }),
        })
      }
      return { outcome, view: viewOf(outcome, startedAt) }
    }
  }

  async function once(at: string, io: StepIo): Promise<Outcome> {
    const look = () => io.perform(step.action, 'run', params)
    const outcome = step.until ? await pollUntil(at, step.until, names, io, look) : await look()
    return verified(step, wholeEnough(outcome), names, io.tell, at)
  }

  /** A success of which something reads what was not kept whole has no right to the name: a beginning must not pass for it. */
  function wholeEnough(outcome: Outcome): Outcome {
    if (outcome.status !== 'succeeded' || !action || asks(action)) return outcome
    const field = action.cut?.(outcome.result, params).find((name) => mayReadField(engine.runbook, step, name))
    if (field === undefined) return outcome
    const message = `\`${field}\` was not kept whole, and something reads it`
    return { status: 'failed', error: { code: 'output_cut', message }, result: outcome.result }
  }

  /** Begun, and the end not seen: the action looks whether it happened; else a person says. What is done again may be in doubt again. */
  async function settle(at: string, facts: About, ran: Ran, repeated = false): Promise<Ran> {
    const found =
      step.inDoubt === 'fail' && !ran.reopened
        ? 'leave'
        : step.inDoubt === 'rerun' || facts.repeatable
          ? 'again'
          : await ask(at, facts, ran)
    if (found === 'leave') return ran
    if (found === 'not yet' && repeated && 'error' in ran.outcome && ran.outcome.error.code !== 'in_doubt') {
      // what is lost each time before it happens would be begun for ever
      const error = { ...ran.outcome.error, message: `${ran.outcome.error.message}; looked since: it did not happen` }
      const outcome: Outcome = { status: 'failed', error }
      await ended(outcome)
      return { ...ran, outcome }
    }
    if (typeof found !== 'string') {
      await ended(found)
      return { ...ran, outcome: found }
    }
    const again = about(at, 'again')
    const unasked = step.inDoubt === 'rerun' || facts.repeatable
    const ranAgain = await engine.durable.run(again, facts, (io) => once(again, io))
    const next = unasked && ran.attempt ? { ...ranAgain, cut: ran.attempt } : ranAgain
    if (next.outcome.status !== 'unknown') return next
    // what is done again without asking could be cut off for ever by the same thing; that the process ended is another
    return unasked && next.outcome.error.code !== 'in_doubt' ? next : settle(again, facts, next, true)
  }

  /** Whether it happened: what the step came to then, or that it is to be done, or to be left in doubt. */
  async function ask(
    at: string,
    facts: About,
    { outcome, attempt, reopened }: Ran,
  ): Promise<Outcome | 'again' | 'not yet' | 'leave'> {
    let seen: string | undefined
    if (action && !asks(action) && action.settled) {
      const looked = await engine.durable.run(
        about(at, 'settled'),
        { ...facts, effect: 'read', repeatable: true, quiet: true },
        (io) => io.perform(step.action, 'settled', params, attempt),
      )
      const said = settledOf(looked.outcome)
      if (said.happened === 'yes')
        return verified(step, { status: 'succeeded', result: said.result ?? null }, names, () => undefined, at)
      if (said.happened === 'no') return 'not yet'
      seen = said.why
    }
    const question = doubtQuestion(key, name, step, outcome, seen)
    const answer = await engine.durable.ask(about(at, 'doubt'), step.address, question, { inDoubt: true })
    const decision = answer && 'value' in answer ? answer.value : 'abort'
    const given = reopened && 'result' in reopened ? reopened.result : undefined
    if (decision === 'done') return { status: 'succeeded', result: given ?? (await vouched(at)) }
    return decision === 'again' ? 'again' : 'leave'
  }

  /** What the step gave, from the person who says that it happened: asked only when somebody reads it. */
  async function vouched(at: string): Promise<Json> {
    if (!action || !mayReadResult(engine.runbook, step)) return null
    const message = `what did \`${key}\` give? Other steps read its result`
    const answer = await engine.durable.ask(
      about(at, 'result'),
      step.address,
      { kind: 'input', message, schema: action.result },
      { inDoubt: true },
    )
    return answer && 'value' in answer ? answer.value : null
  }

  async function refuse(outcome: Outcome): Promise<Walked> {
    await ended(outcome)
    return { outcome, view: viewOf(outcome, undefined) }
  }

  async function ended(outcome: Outcome): Promise<void> {
    await engine.durable.event(endOf(step, key, name, outcome))
  }
}

function stepQuestion(name: string, step: PlannedAction, params: JsonObject) {
  return {
    kind: 'choose' as const,
    message: `next: ${name} (${step.action}, ${step.effect})`,
    table: [params],
    options: [
      { value: 'run', label: 'run it' },
      { value: 'skip', label: 'skip it' },
      { value: 'stop', label: 'stop the run here' },
    ],
  }
}

/** With what the look found, for whoever decides has to begin somewhere. */
function doubtQuestion(key: string, name: string, step: PlannedAction, outcome: Outcome, seen: string | undefined) {
  const what = `\`${key}\` (${name}; ${step.action})`
  const why = 'error' in outcome ? outcome.error.message : 'it began and its end was not recorded'
  const looked = seen === undefined ? '' : `; looked since: ${seen}`
  const options = happened(outcome)
    ? { done: 'it is right as it is: go on after it', again: 'do it once more', abort: 'end the run here' }
    : {
        done: 'it happened: go on after it',
        again: 'it did not happen: do it now',
        abort: 'I do not know: end the run here',
      }
  return {
    kind: 'choose' as const,
    message: `${happened(outcome) ? `what is to become of ${what}?` : `did ${what} happen?`} ${why}${looked}`,
    options: Object.entries(options).map(([value, label]) => ({ value, label })),
  }
}

function happened(outcome: Outcome): boolean {
  return outcome.status === 'succeeded' || ('error' in outcome && outcome.result !== undefined)
}

/** Time ran out, or the run was cancelled, while it was being done. */
function stoppedMidway(outcome: Outcome): boolean {
  if (outcome.status !== 'timed_out' && outcome.status !== 'cancelled') return false
  return outcome.error.code !== notBegun
}

function mayRetry(outcome: Outcome, repeatable: boolean): boolean {
  if (outcome.status === 'cancelled' || ('error' in outcome && outcome.error.code === 'refused')) return false
  return repeatable || outcome.status === 'unreachable' || (outcome.status === 'failed' && !happened(outcome))
}

/** No jitter: a resumed run waits as long as the first one did. */
function pauseBefore(
  attempt: number,
  { delay, backoff, maxDelay }: NonNullable<PlannedAction['retry']>,
  names: Names,
): number {
  const first = durationIn(delay, names)
  const longest = durationIn(maxDelay, names)
  if ('error' in first || 'error' in longest) return 1_000
  return Math.min(first.value * backoff ** (attempt - 1), longest.value)
}

/** `verify` on a result. What was done stays done: the outcome keeps the result. */
export function verified(
  step: PlannedAction,
  outcome: Outcome,
  names: Names,
  tell: StepIo['tell'],
  key: string,
): Outcome {
  if (outcome.status !== 'succeeded') return outcome
  const all = { ...names, result: outcome.result }
  for (const condition of step.verify) {
    const { held, evaluated } = judge(condition.that, all)
    if (held === true || held instanceof Unknown) continue
    const message = sayFailed(condition, evaluated, all)
    tell({ type: 'condition', key, word: 'verify', held: false, evaluated, message })
    return { status: 'failed', error: { code: 'verify_failed', message }, result: outcome.result }
  }
  return outcome
}

/** What the transcript says of an action that has ended without a try of its own. */
export function endOf(step: PlannedAction, key: string, name: string, outcome: Outcome): Recorded {
  return { type: 'step.ended', key, step: step.address, kind: 'action', action: step.action, name, outcome }
}
