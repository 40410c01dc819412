/**
 * The walk over a plan.
 *
 * I1  The walk is a function of the plan and what the Durable has recorded. No clock, randomness or environment decides.
 * I2  An execution is named by its structure (`drain[9f3c]/abort`), never by its order of arrival.
 * I3  What begins is on disk before its effect; what ended is on disk before a change that follows it.
 * I4  A change that began and did not end is *unknown*: it is looked up, or a person is asked; it is never repeated by itself.
 * I5  A recorded step whose action or parameters differ is a divergence: the walk stops.
 * I6  Once cancelled, nothing new begins but `rescue`, `always` and `rollback`; what had ended replays as it ended.
 * I7  `Parked` passes through everything: no clean-up runs while a person may still answer.
 * I8  What was done, or was stopped midway, is undone in reverse order of structure, and only when the run as a whole has failed.
 */
import { Unknown } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PlannedLet, PlannedRunbook, PlannedStep } from '../plan/plan.ts'
import { runAction } from './action-step.ts'
import { runCall } from './call-step.ts'
import type { Body, Limit, SectionResult } from './durable.ts'
import type { Engine } from './engine.ts'
import {
  durationIn,
  type Found,
  judge,
  namesIn,
  sayFailed,
  shownBriefly,
  textFor,
  textOf,
  valueIn,
} from './evaluate.ts'
import type { RunEnded, RunError } from './event.ts'
import { runBlock, runParallel } from './groups.ts'
import { about, roundKey, within } from './key.ts'
import { runLoop } from './loop.ts'
import { stepsIn } from './needs.ts'
import { isGood, type Outcome } from './outcome.ts'
import { type Scope, scopeOf, viewOf } from './scope.ts'
import { undoAll } from './undo.ts'

export type Ending = Pick<RunEnded, 'status' | 'error' | 'outputs'>

/** Walks a plan to its end. Throws `Parked` and `Diverged`; every other failure is part of the ending. */
export async function interpret(engine: Engine, inputs: JsonObject): Promise<Ending> {
  const root: Body = { path: '', part: 'runbook', key: '', vars: { inputs, steps: {}, names: {}, shield: false } }
  const { outcome, undo } = await underLocks(engine, engine.runbook, root)
  if (isGood(outcome))
    return { status: 'succeeded', outputs: (outcome.status === 'succeeded' ? outcome.result : {}) as JsonObject }
  const { undone, failed } = await undoAll(engine, undo)
  const error = errorOf(outcome)
  const status =
    outcome.status === 'cancelled'
      ? 'cancelled'
      : 'error' in outcome && outcome.error.code === 'refused'
        ? 'refused'
        : 'failed'
  if (failed.length > 0)
    return {
      status,
      error: {
        ...error,
        message: [error.message, ...notUndone(failed)].join('; and '),
        hint: 'mend what kept it from being undone, and resume the run: it undoes the rest and does nothing else',
      },
    }
  return { status: undone && status === 'failed' ? 'rolled_back' : status, error }
}

/** What was not undone: what failed for the same reason is told once, a host that is gone has many. */
function notUndone(failed: readonly { readonly key: string; readonly message: string }[]): string[] {
  const keysOf = new Map<string, string[]>()
  for (const { key, message } of failed) keysOf.set(message, [...(keysOf.get(message) ?? []), `\`${key}\``])
  return [...keysOf].map(([message, keys]) => {
    const others = keys.length > 3 ? ` and ${keys.length - 3} more` : ''
    return `undoing ${keys.slice(0, 3).join(', ')}${others} failed: ${message}`
  })
}

/** Walks a part of the plan, here or in another process. */
export async function interpretBody(engine: Engine, body: Body): Promise<SectionResult> {
  const scope = scopeOf(body.vars)
  if (body.part === 'runbook') {
    const called = engine.steps.get(body.path)
    const planned = called?.kind === 'runbook' ? called.runbook : engine.runbook
    const outcome = await walkRunbook(engine, planned, scope, body.key)
    return { outcome, view: {}, undo: scope.undo }
  }
  const step = engine.steps.get(body.path)
  if (!step) throw new Error(`the plan has no step ${body.path}`)
  if (body.part === 'item') {
    const { outcome, view } = await walkOnce(engine, step, scope, body.key)
    return { outcome, view, undo: scope.undo }
  }
  const before = new Set(Object.keys(scope.steps))
  const outcome = await walkStep(engine, step, scope, body.key)
  const view = Object.fromEntries(Object.entries(scope.steps).filter(([id]) => !before.has(id)))
  return { outcome, view, undo: scope.undo }
}

export async function underLocks(engine: Engine, runbook: PlannedRunbook, body: Body): Promise<SectionResult> {
  if (runbook.locks.length === 0 || engine.durable.dry) return interpretBody(engine, body)
  const names = namesIn(engine, scopeOf(body.vars))
  const locks: string[] = []
  for (const template of runbook.locks) {
    const found = textOf(template, names)
    if ('error' in found) return { outcome: { status: 'failed', error: found.error }, view: {}, undo: [] }
    if (!(found.value instanceof Unknown)) locks.push(found.value)
  }
  return engine.durable.locked(about(body.key, 'locks'), [...new Set(locks)].toSorted(), body)
}

async function walkRunbook(engine: Engine, runbook: PlannedRunbook, scope: Scope, key: string): Promise<Outcome> {
  const names = () => namesIn(engine, scope)
  for (const condition of runbook.preconditions) {
    const { held, evaluated } = judge(condition.that, names())
    if (held === true || held instanceof Unknown) continue
    const message = sayFailed(condition, evaluated, names())
    await engine.durable.event({
      type: 'condition',
      key: key === '' ? 'run' : key,
      word: 'precondition',
      held: false,
      evaluated,
      message,
    })
    return { status: 'failed', error: { code: 'precondition_failed', message } }
  }
  const bad = await sequence(engine, runbook.steps, scope, key)
  if (bad) return bad
  const outputs: { [name: string]: Json } = {}
  for (const [name, text] of Object.entries(runbook.outputs)) {
    const found = valueIn(text, names())
    if ('error' in found)
      return { status: 'failed', error: { ...found.error, message: `the output \`${name}\`: ${found.error.message}` } }
    outputs[name] = found.value as Json
  }
  return { status: 'succeeded', result: outputs }
}

/** Steps in order; the outcome that ended them early, if one did. */
export async function sequence(
  engine: Engine,
  steps: readonly PlannedStep[],
  scope: Scope,
  prefix: string,
): Promise<Outcome | undefined> {
  for (const step of steps) {
    const key = within(prefix, step.id)
    if (engine.durable.cancelled && !scope.shield && !engine.durable.has(key)) {
      notReached(steps.slice(steps.indexOf(step)), scope, 'the run was cancelled before it')
      return cancelled(key)
    }
    const outcome = await walkStep(engine, step, scope, prefix)
    if (!isGood(outcome) && (step.onFailure !== 'continue' || outcome.status === 'cancelled')) {
      notReached(steps.slice(steps.indexOf(step) + 1), scope, `\`${step.id}\` ended ${outcome.status} before it`)
      return blame(outcome, key)
    }
  }
  return undefined
}

export function cancelled(key: string): Outcome {
  return { status: 'cancelled', error: { code: 'cancelled', message: 'the run was cancelled', key } }
}

/** Steps that were passed over, and all inside them: they can be asked how they ended, like any other. */
export function notReached(steps: readonly PlannedStep[], scope: Scope, why: string): void {
  for (const step of steps) {
    scope.steps[step.id] ??= viewOf({ status: 'skipped', why }, undefined, step.loop ? { items: [] } : {})
    if (!step.loop) notReached(stepsIn(step), scope, why)
  }
}

/** A failure keeps the name of the execution where it began. */
export function blame(outcome: Outcome, key: string): Outcome {
  return 'error' in outcome && outcome.error.key === undefined
    ? { ...outcome, error: { ...outcome.error, key } }
    : outcome
}

async function walkStep(engine: Engine, step: PlannedStep, scope: Scope, prefix: string): Promise<Outcome> {
  const key = within(prefix, step.id)
  for (let round = 1; ; round++) {
    const at = roundKey(key, round)
    const { outcome, view } = step.loop
      ? await runLoop(engine, step, scope, at)
      : await walkOnce(engine, step, scope, at)
    scope.steps[step.id] = view
    if (isGood(outcome) || step.onFailure !== 'pause' || outcome.status === 'cancelled' || engine.durable.dry)
      return outcome
    const decision = await afterFailure(engine, step, at, outcome)
    if (decision === 'abort') return outcome
    if (decision === 'continue')
      return { status: 'skipped', why: `it ended ${outcome.status}, and a person let the run go on` }
  }
}

async function afterFailure(
  engine: Engine,
  step: PlannedStep,
  key: string,
  outcome: Outcome,
): Promise<'retry' | 'continue' | 'abort'> {
  const message = `\`${key}\` ended ${outcome.status}: ${errorOf(outcome).message}`
  const options = [
    { value: 'retry', label: 'try the step again' },
    { value: 'continue', label: 'go on without it' },
    { value: 'abort', label: 'end the run' },
  ]
  const answer = await engine.durable.ask(about(key, 'paused'), step.address, { kind: 'choose', message, options })
  return answer && 'value' in answer && (answer.value === 'retry' || answer.value === 'continue')
    ? answer.value
    : 'abort'
}

export interface Walked {
  readonly outcome: Outcome
  readonly view: JsonObject
}

/** One execution of a step, its loop aside. */
async function walkOnce(engine: Engine, step: PlannedStep, outer: Scope, key: string): Promise<Walked> {
  const asked = step.when === undefined ? undefined : whether(engine, step.when, outer)
  if (asked && 'error' in asked) {
    const outcome: Outcome = { status: 'failed', error: asked.error }
    await told(engine, step, key, namesIn(engine, outer), outcome)
    return { outcome, view: viewOf(outcome, undefined) }
  }
  if (asked && asked.value === false) {
    const outcome: Outcome = { status: 'skipped', why: `\`${step.when}\` is false` }
    notReached(stepsIn(step), outer, outcome.why)
    await told(engine, step, key, namesIn(engine, outer), outcome)
    return { outcome, view: viewOf(outcome, undefined) }
  }
  const unsure = asked?.value instanceof Unknown ? asked.value : undefined
  const scope = unsure ? { ...outer, maybe: `if \`${step.when}\`: ${unsure.why}` } : outer
  const walked = await walkKind(engine, step, scope, key)
  if (!unsure || isGood(walked.outcome)) return walked
  // dry run: it may be skipped as well, so that it would fail decides nothing
  const result = unsure as unknown as Json
  const outcome: Outcome = { status: 'succeeded', result }
  return { outcome, view: { ...viewOf(outcome, undefined), status: result } }
}

function walkKind(engine: Engine, step: PlannedStep, scope: Scope, key: string): Promise<Walked> {
  switch (step.kind) {
    case 'action':
      return runAction(engine, step, scope, key)
    case 'let':
      return runLet(engine, step, scope, key)
    case 'block':
      return runBlock(engine, step, scope, key)
    case 'parallel':
      return runParallel(engine, step, scope, key)
    case 'runbook':
      return runCall(engine, step, scope, key)
    default:
      throw new TypeError(`unknown step: ${JSON.stringify(step satisfies never)}`)
  }
}

function whether(engine: Engine, when: string, scope: Scope): Found<boolean | Unknown> {
  const found = valueIn(when, namesIn(engine, scope))
  if ('error' in found || found.value instanceof Unknown) return found as Found<Unknown>
  return typeof found.value === 'boolean'
    ? { value: found.value }
    : {
        error: {
          code: 'not_boolean',
          message: `\`${when}\` came to ${shownBriefly(found.value)}, which is not true or false`,
        },
      }
}

export async function began(
  engine: Engine,
  step: PlannedStep,
  key: string,
  names: { readonly [name: string]: unknown },
): Promise<string> {
  return engine.durable.event({
    type: 'step.began',
    key,
    step: step.address,
    kind: step.kind,
    name: textFor(step.name, names),
  })
}

export async function told(
  engine: Engine,
  step: PlannedStep,
  key: string,
  names: { readonly [name: string]: unknown },
  outcome: Outcome,
): Promise<void> {
  await engine.durable.event({
    type: 'step.ended',
    key,
    step: step.address,
    kind: step.kind,
    ...(step.kind === 'action' && { action: step.action }),
    name: textFor(step.name, names),
    outcome,
  })
}

async function runLet(engine: Engine, step: PlannedLet, scope: Scope, key: string): Promise<Walked> {
  const values: { [name: string]: Json } = {}
  let outcome: Outcome = { status: 'succeeded', result: values }
  for (const [name, text] of Object.entries(step.values)) {
    const found = valueIn(text, namesIn(engine, scope, values))
    if ('error' in found) {
      outcome = { status: 'failed', error: { ...found.error, message: `\`${name}\`: ${found.error.message}` } }
      break
    }
    values[name] = found.value as Json
  }
  await told(engine, step, key, namesIn(engine, scope), outcome)
  const { result: _values, ...ending } = viewOf(outcome, undefined)
  return { outcome, view: { ...values, ...ending } }
}

/** The limits of what is inside a group: its own, and those around it. */
export async function limitsOf(
  engine: Engine,
  step: PlannedStep,
  scope: Scope,
  key: string,
): Promise<Found<readonly Limit[]>> {
  if (step.timeout === undefined) return { value: scope.limits }
  const found = durationIn(step.timeout, namesIn(engine, scope))
  if ('error' in found) return found
  const since = await engine.durable.now(about(key, 'from'))
  return { value: [...scope.limits, { since, ms: found.value }] }
}

export function errorOf(outcome: Outcome): RunError {
  if ('error' in outcome) {
    const { code, message, hint, key } = outcome.error
    return { code, message, ...(hint !== undefined && { hint }), ...(key !== undefined && { key }) }
  }
  return { code: outcome.status, message: outcome.status === 'skipped' ? outcome.why : outcome.status }
}
