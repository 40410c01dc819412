import type { Effect } from '../action/contract.ts'
import type { Call, CheckResult, RunBegan, RunEnded, RunEvent } from '../run/event.ts'
import type { Status } from '../run/outcome.ts'
import { checkResultOf } from './verdict.ts'

/**
 * What the terminal views know of a run: what is open, and counts of what is done. It is kept small (an execution is
 * forgotten when it ends), so that ten thousand items cost what a hundred cost.
 */
export interface Progress {
  began: RunBegan | undefined
  ended: RunEnded | undefined
  /** Questions the run went to sleep with. */
  parked: readonly string[]
  /** Milliseconds since 1970, of the last event. */
  now: number
  since: number
  readonly open: Map<string, OpenExecution>
  /** Open loops, by key. */
  readonly loops: Map<string, OpenLoop>
  readonly counts: Map<Status, number>
  readonly checks: CheckResult[]
  /** Steps of the dry run that would change something, and those that only perhaps would. */
  previews: number
  maybes: number
  /** Changes of which nobody knows whether they happened. */
  readonly inDoubt: Set<string>
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
  tries: number
  polls: number
  /** The latest of: progress, what a poll saw, a line of output. */
  latest: string
  question: string | undefined
  waitsFor: string | undefined
  lastCall: Call | undefined
  /** Whether a line has said that it began. */
  told: boolean
}

export interface OpenLoop {
  readonly key: string
  readonly count: number | undefined
  done: number
  readonly bad: Map<string, number>
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
    loops: new Map(),
    counts: new Map(),
    checks: [],
    previews: 0,
    maybes: 0,
    inDoubt: new Set(),
  }
}

/**
 * Takes one event in. A view that wants to tell of an end asks for the execution before, with `open`.
 */
export function advance(progress: Progress, event: RunEvent): void {
  progress.now = Date.parse(event.at) || progress.now
  if (event.type === 'run.began') {
    progress.began = event
    progress.since = progress.now
  } else if (event.type === 'run.ended') progress.ended = event
  else if (event.type === 'run.parked') progress.parked = event.questions.map(({ key }) => key)
  else if (event.type === 'run.resumed') crashed(progress)
  else if (event.type === 'step.began') begin(progress, event)
  else if (event.type === 'step.ended') finish(progress, event)
  else if (event.type === 'step.previewed') {
    if (event.maybe === undefined) progress.previews++
    else progress.maybes++
  } else if ('key' in event) touch(progress, event)
}

function begin(progress: Progress, event: Extract<RunEvent, { type: 'step.began' }>): void {
  const before = progress.open.get(event.key)
  progress.inDoubt.delete(event.key)
  progress.open.set(event.key, {
    key: event.key,
    step: event.step,
    name: event.name,
    kind: event.kind,
    action: event.action,
    effect: event.effect,
    target: event.target,
    since: before?.since ?? progress.now,
    tries: before?.tries ?? 1,
    polls: 0,
    latest: '',
    question: undefined,
    waitsFor: undefined,
    lastCall: undefined,
    told: before?.told ?? false,
  })
  if (event.kind === 'loop')
    progress.loops.set(event.key, { key: event.key, count: event.count, done: 0, bad: new Map(), running: new Map() })
  else itemOf(progress, event.key)?.running.set(event.key, event.target ?? itemName(event.key))
}

function finish(progress: Progress, event: Extract<RunEvent, { type: 'step.ended' }>): void {
  const { key, outcome } = event
  progress.open.delete(key)
  if (event.kind === 'loop') progress.loops.delete(key)
  else {
    const loop = itemOf(progress, key)
    if (loop) {
      loop.running.delete(key)
      loop.done++
      if (outcome.status !== 'succeeded') loop.bad.set(outcome.status, (loop.bad.get(outcome.status) ?? 0) + 1)
    }
  }
  progress.counts.set(outcome.status, (progress.counts.get(outcome.status) ?? 0) + 1)
  if (outcome.status === 'unknown') progress.inDoubt.add(key)
  else progress.inDoubt.delete(key)
  const check = checkResultOf(event.action, outcome)
  if (check) progress.checks.push(check)
}

/** What was open when the run was cut off is open no more; it begins again, or its end is found. */
function crashed(progress: Progress): void {
  for (const [key, { effect }] of progress.open)
    if (effect !== undefined && effect !== 'read') progress.inDoubt.add(key)
  progress.parked = []
  progress.ended = undefined
}

function touch(progress: Progress, event: RunEvent & { readonly key: string }): void {
  const execution = openAt(progress, event.key)
  if (!execution) return
  if (event.type === 'step.retried') execution.tries++
  else if (event.type === 'step.polled') Object.assign(execution, { polls: event.poll, latest: event.seen })
  else if (event.type === 'step.progress' || event.type === 'step.output')
    execution.latest = lastLine(event.text, execution.latest)
  else if (event.type === 'step.called') execution.lastCall = event.call
  else if (event.type === 'step.waiting') execution.waitsFor = event.why
  else if (event.type === 'asked') execution.question = event.question.message
  else if (event.type === 'answered') execution.question = undefined
  if (event.type !== 'step.waiting') execution.waitsFor = undefined
}

/** The execution a key belongs to: a question or a timer may have a key inside that of its step. */
export function openAt({ open }: Progress, key: string): OpenExecution | undefined {
  for (let end = key.length; end > 0; end = Math.max(key.lastIndexOf('/', end - 1), key.lastIndexOf('[', end - 1))) {
    const found = open.get(key.slice(0, end))
    if (found) return found
  }
  return undefined
}

/** The open loop this key is an item of, if it is one. */
export function itemOf({ loops }: Progress, key: string): OpenLoop | undefined {
  if (!key.endsWith(']')) return undefined
  for (let at = key.lastIndexOf('['); at > 0; at = key.lastIndexOf('[', at - 1)) {
    const loop = loops.get(key.slice(0, at))
    if (loop) return loop
  }
  return undefined
}

/** The outermost open loop this key stands in that is too long to be listed. */
export function foldedInto({ loops }: Progress, key: string): OpenLoop | undefined {
  for (let at = key.indexOf('['); at > 0; at = key.indexOf('[', at + 1)) {
    const loop = loops.get(key.slice(0, at))
    if (loop && (loop.count ?? 0) > listed) return loop
  }
  return undefined
}

/** `9f3c` of `drain[9f3c]`. */
export function itemName(key: string): string {
  return key.endsWith(']') ? key.slice(key.lastIndexOf('[') + 1, -1) : key
}

/** `, 1 failed, 2 skipped`. */
export function badCounts({ bad }: OpenLoop): string {
  return [...bad].map(([status, count]) => `, ${count} ${status.replace('_', ' ')}`).join('')
}

export function badCount({ bad }: OpenLoop): number {
  return [...bad.values()].reduce((sum, count) => sum + count, 0)
}

function lastLine(text: string, otherwise: string): string {
  return text.split('\n').findLast((line) => line.trim() !== '') ?? otherwise
}
