import type { Effect, Question } from '../action/contract.ts'
import type { Call, CheckResult, RunBegan, RunEnded, RunEvent, StepBegan, StepEnded } from '../run/event.ts'
import type { Outcome, Status } from '../run/outcome.ts'
import { isGood } from '../run/outcome.ts'
import { executionOf, isLookOnly, itemName, nearest, parentOf } from './execution-key.ts'
import { checkResultOf } from './verdict.ts'

/**
 * What the terminal views know of a run: what is open, and counts of what is done. It is kept small (an execution that
 * went well is forgotten when it ends), so that ten thousand items cost what a hundred cost. All keys are of executions.
 */
export interface Progress {
  began: RunBegan | undefined
  ended: RunEnded | undefined
  /** Keys of the questions the run went to sleep with. */
  parked: readonly { readonly key: string; readonly question: Question }[]
  /** Milliseconds since 1970, of the last event. */
  now: number
  since: number
  readonly open: Map<string, OpenExecution>
  /** Executions that ended badly: they may be tried again, or turn out to have gone well. */
  readonly bad: Map<string, { readonly execution: OpenExecution | undefined; readonly status: Status }>
  readonly loops: Map<string, OpenLoop>
  readonly counts: Map<Status, number>
  readonly checks: Map<string, CheckResult>
  /** Steps a dry run has shown: those that would act, those that perhaps would, and those that would only look or ask. */
  readonly previews: Map<string, 'would' | 'might' | 'look' | 'ask'>
  /** Changes of which nobody knows whether they happened. */
  readonly inDoubt: Set<string>
  /** Whether a change has begun, of the run or of its clean-up. */
  changes: boolean
  /** Whether it was cancelled: what is left is cleaning up. */
  cancelled: boolean
}

export interface OpenExecution {
  readonly key: string
  readonly step: string
  readonly name: string
  readonly kind: string
  readonly action: string | undefined
  readonly effect: Effect | undefined
  readonly target: string | undefined
  readonly since: number
  readonly tries: number
  polls: number
  /** The latest of: progress, what a poll saw, a line of output. */
  latest: string
  question: string | undefined
  waitsFor: string | undefined
  lastCall: Call | undefined
}

export interface OpenLoop {
  readonly key: string
  readonly count: number | undefined
  done: number
  /** Items that did not simply succeed, by status. */
  readonly bad: Map<Status, number>
  readonly running: Map<string, string>
}

/** Above this, the items of a loop are counted instead of listed. */
export const listed = 20

export function newProgress(): Progress {
  return {
    began: undefined,
    ended: undefined,
    parked: [],
    now: 0,
    since: 0,
    open: new Map(),
    bad: new Map(),
    loops: new Map(),
    counts: new Map(),
    checks: new Map(),
    previews: new Map(),
    inDoubt: new Set(),
    changes: false,
    cancelled: false,
  }
}

/** Takes one event in. A view that tells of an end looks at the execution before. */
export function advance(progress: Progress, event: RunEvent): void {
  progress.now = Date.parse(event.at) || progress.now
  if (event.type === 'run.began') {
    progress.began = event
    progress.since = progress.now
  } else if (event.type === 'run.ended') progress.ended = event
  else if (event.type === 'run.parked') progress.parked = event.questions
  else if (event.type === 'run.cancelled') progress.cancelled = true
  else if (event.type === 'run.resumed') resumed(progress)
  else if (event.type === 'step.began') begin(progress, event)
  else if (event.type === 'step.ended') finish(progress, event)
  else if (event.type === 'step.retried') again(progress, event.key, 1)
  else if (event.type === 'step.reopened') again(progress, event.key, 0)
  else if (event.type === 'step.previewed') progress.previews.set(executionOf(event.key), previewed(event))
  else if ('key' in event) touch(progress, event)
}

/** Whether the run ends or goes to sleep here; where a resumed run once did, it only says again. */
export function isEnd(event: RunEvent): boolean {
  return (event.type === 'run.ended' || event.type === 'run.parked') && event.replayed !== true
}

function begin(progress: Progress, event: StepBegan): void {
  if (isLookOnly(event.key)) return
  const key = executionOf(event.key)
  const before = progress.open.get(key)
  const { step, name, kind, action, effect, target, count } = event
  const fresh = { polls: 0, latest: '', question: undefined, waitsFor: undefined, lastCall: undefined }
  const facts = { key, step, name, kind, action, effect, target, since: before?.since ?? progress.now }
  progress.inDoubt.delete(key)
  progress.changes ||= effect === 'change' || effect === 'destructive'
  progress.open.set(key, { ...facts, tries: before?.tries ?? 1, ...fresh })
  itemOf(progress, key)?.running.set(key, target ?? itemName(key))
  if (kind === 'loop') progress.loops.set(key, { key, count, done: 0, bad: new Map(), running: new Map() })
}

function finish(progress: Progress, event: StepEnded): void {
  if (isLookOnly(event.key)) return
  const key = executionOf(event.key)
  const { outcome } = event
  const execution = progress.open.get(key) ?? progress.bad.get(key)?.execution
  takeBack(progress, key)
  progress.open.delete(key)
  progress.loops.delete(key)
  progress.inDoubt.delete(key)
  const loop = itemOf(progress, key)
  if (loop) {
    loop.running.delete(key)
    loop.done++
    if (outcome.status !== 'succeeded') add(loop.bad, outcome.status, 1)
  }
  if (isShownOnly(progress, event)) return
  add(progress.counts, outcome.status, 1)
  if (!isGood(outcome)) progress.bad.set(key, { execution, status: outcome.status })
  if (outcome.status === 'unknown') progress.inDoubt.add(key)
  const check = checkResultOf(event.action, outcome)
  if (check) progress.checks.set(key, check)
}

/** An end that was not the last word is counted no more. */
function takeBack(progress: Progress, key: string): OpenExecution | undefined {
  const before = progress.bad.get(key)
  if (!before) return undefined
  progress.bad.delete(key)
  add(progress.counts, before.status, -1)
  const loop = itemOf(progress, key)
  if (loop) {
    loop.done--
    add(loop.bad, before.status, -1)
  }
  return before.execution
}

function again(progress: Progress, retried: string, tries: number): void {
  const key = executionOf(retried)
  const execution = takeBack(progress, key)
  progress.inDoubt.delete(key)
  if (!execution) return
  progress.open.set(key, {
    ...execution,
    tries: execution.tries + tries,
    waitsFor: tries > 0 ? 'to try again' : undefined,
  })
  itemOf(progress, key)?.running.set(key, execution.target ?? itemName(key))
}

/** What was open when the run was cut off begins again, or its end is found: until then a change is in doubt. */
function resumed(progress: Progress): void {
  for (const [key, { kind, effect }] of progress.open)
    if (kind === 'action' && effect !== undefined && effect !== 'read') progress.inDoubt.add(key)
  progress.parked = []
  progress.ended = undefined
}

function touch(progress: Progress, event: RunEvent & { readonly key: string }): void {
  const execution = nearest(progress.open, event.key)
  if (!execution) return
  execution.waitsFor = undefined
  if (event.type === 'step.polled') Object.assign(execution, { polls: event.poll, latest: event.seen })
  else if (event.type === 'step.progress' || event.type === 'step.output')
    execution.latest = lastLine(event.text, execution.latest)
  else if (event.type === 'step.called') execution.lastCall = event.call
  else if (event.type === 'asked') execution.question = event.question.message
  else if (event.type === 'answered') execution.question = undefined
}

/** Whether this only closes a step that a dry run has shown; its outcome is unknown by nature. */
export function isShownOnly({ previews }: Progress, { key, outcome }: StepEnded): boolean {
  return previews.has(executionOf(key)) && closesPreview(outcome)
}

/** What a step that was only shown would do to the world. */
export function previewed({
  effect,
  maybe,
  asks,
}: {
  readonly effect?: Effect
  readonly maybe?: string
  readonly asks?: boolean
}): 'would' | 'might' | 'look' | 'ask' {
  if (asks) return 'ask'
  if (effect === 'read') return 'look'
  return maybe === undefined ? 'would' : 'might'
}

export function closesPreview({ status }: Outcome): boolean {
  return status === 'succeeded' || status === 'skipped' || status === 'unknown'
}

/** The open loop this execution is an item of, if it is one. */
export function itemOf({ loops }: Progress, execution: string): OpenLoop | undefined {
  return execution.endsWith(']') ? loops.get(parentOf(execution)) : undefined
}

/** The outermost open loop a key stands in that is too long to be listed. */
export function foldedInto({ loops }: Progress, key: string): OpenLoop | undefined {
  let folded: OpenLoop | undefined
  if (loops.size === 0) return folded
  for (let at = parentOf(executionOf(key)); at !== ''; at = parentOf(at)) {
    const loop = loops.get(at)
    if (loop && (loop.count ?? 0) > listed) folded = loop
  }
  return folded
}

export function itemsText(count: number): string {
  return `${count} item${count === 1 ? '' : 's'}`
}

/** `, 1 failed, 2 skipped`. */
export function badCounts({ bad }: OpenLoop): string {
  return [...bad].map(([status, count]) => `, ${count} ${status.replace('_', ' ')}`).join('')
}

export function badCount({ bad }: OpenLoop): number {
  return [...bad.values()].reduce((sum, count) => sum + count, 0)
}

function add(counts: Map<Status, number>, status: Status, more: number): void {
  const count = (counts.get(status) ?? 0) + more
  if (count === 0) counts.delete(status)
  else counts.set(status, count)
}

function lastLine(text: string, otherwise: string): string {
  return text.split('\n').findLast((line) => line.trim() !== '') ?? otherwise
}
