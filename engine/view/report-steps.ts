import type { Entry } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { executionOf, isLookOnly, nearest, parentOf } from './execution-key.ts'
import { closesPreview } from './progress.ts'
import type { ReportedCondition, ReportedQuestion, ReportedStep } from './report.ts'

type Writable<T> = { -readonly [field in keyof T]: T[field] }
type Growing<T> = [T] extends [readonly (infer item)[]] ? item[] : T

/** A step while its entries come in. */
type StepSoFar = { -readonly [field in keyof ReportedStep]: Growing<ReportedStep[field]> }

export interface FoldedSteps {
  readonly steps: readonly ReportedStep[]
  readonly conditions: readonly ReportedCondition[]
  readonly questions: readonly ReportedQuestion[]
}

/** Every execution with all that happened in it; what belongs to none is handed back beside them. */
export function foldSteps(entries: readonly Entry[]): FoldedSteps {
  const steps = new Map<string, StepSoFar>()
  const conditions: ReportedCondition[] = []
  const questions: ReportedQuestion[] = []
  const asked = new Map<string, Writable<ReportedQuestion>>()

  for (const entry of entries) {
    if (entry.type === 'step.began' || entry.type === 'step.ended' || entry.type === 'step.previewed') {
      if (isLookOnly(entry.key)) continue
      const key = executionOf(entry.key)
      const known = steps.get(key) ?? newStep(entry, key)
      steps.set(key, known)
      describe(known, entry)
      continue
    }
    if (!('key' in entry)) continue
    const step = nearest(steps, entry.key)
    if (entry.type === 'condition') {
      const { key, at, word, held, evaluated, message } = entry
      const condition = { key, at, word, held, evaluated, ...(message !== undefined && { message }) }
      ;(step?.conditions ?? conditions).push(condition)
    } else if (entry.type === 'asked') {
      const question = { key: entry.key, asked: entry.at, question: entry.question }
      asked.set(entry.key, question)
      ;(step?.questions ?? questions).push(question)
    } else if (entry.type === 'answered') {
      const question = asked.get(entry.key)
      if (question) question.answer = entry.answer
    } else if (step) touch(step, entry)
  }
  return { steps: depthFirst(steps), conditions, questions }
}

type About = Extract<Entry, { type: 'step.began' | 'step.ended' | 'step.previewed' }>

function newStep(entry: About, key: string): StepSoFar {
  const { step, name } = entry
  const kind = 'kind' in entry ? entry.kind : 'action'
  const none = { tries: [], polls: [], calls: [], conditions: [], questions: [], reopened: [] }
  return { key, step, name, kind, depth: 0, status: 'running', ...none }
}

function describe(step: StepSoFar, entry: About): void {
  if (entry.action !== undefined) step.action = entry.action
  if (entry.type === 'step.ended') {
    finish(step, entry.at, entry.outcome)
    return
  }
  if (entry.effect !== undefined) step.effect = entry.effect
  if (entry.params !== undefined) step.params = entry.params
  if (entry.type === 'step.previewed') {
    step.status = 'previewed'
    if (entry.preview) step.preview = entry.preview
    if (entry.maybe !== undefined) step.maybe = entry.maybe
    return
  }
  step.name = entry.name
  step.began ??= entry.at
  step.status = 'running'
  if (entry.target !== undefined) step.target = entry.target
  if (entry.count !== undefined) step.count = entry.count
  // begun again: what it came to before is in its tries, or why it was opened again
  for (const field of ['ended', 'took', 'result', 'why', 'error'] as const) delete step[field]
}

function finish(step: StepSoFar, at: string, outcome: Outcome): void {
  // in a dry run a change that was only shown may still be closed: it stays one that was only shown
  if (step.status === 'previewed' && closesPreview(outcome)) return
  step.status = outcome.status
  // the last end is the one that counts: a doubt that was settled leaves no error
  delete step.error
  delete step.why
  // undoing comes later and is no part of what the step itself took
  if (outcome.status !== 'rolled_back' || step.ended === undefined) {
    step.ended = at
    step.took = Math.max(0, Date.parse(at) - Date.parse(step.began ?? at))
  }
  if ('result' in outcome && outcome.result !== undefined && outcome.status !== 'rolled_back')
    step.result = outcome.result
  if ('error' in outcome) step.error = outcome.error
  if ('why' in outcome) step.why = outcome.why
}

function touch(step: StepSoFar, entry: Entry): void {
  if (entry.type === 'step.called') step.calls.push({ ...entry.call, at: entry.at })
  else if (entry.type === 'step.reopened') step.reopened.push({ at: entry.at, why: entry.why })
  else if (entry.type === 'step.retried') {
    const message = 'error' in entry.outcome ? entry.outcome.error.message : entry.outcome.status
    step.tries.push({ attempt: entry.attempt, at: entry.at, message, delay: entry.delay })
  } else if (entry.type === 'step.polled') {
    const last = step.polls.at(-1)
    if (last?.seen === entry.seen) step.polls[step.polls.length - 1] = { ...last, to: entry.at, times: last.times + 1 }
    else step.polls.push({ seen: entry.seen, from: entry.at, to: entry.at, times: 1 })
  }
}

/** Items of a loop that ran at the same time stand in their entries one between the other; here each has its own together. */
function depthFirst(steps: ReadonlyMap<string, StepSoFar>): readonly ReportedStep[] {
  const children = new Map<StepSoFar | undefined, StepSoFar[]>()
  for (const step of steps.values()) {
    const parent = nearest(steps, parentOf(step.key))
    const siblings = children.get(parent)
    if (siblings) siblings.push(step)
    else children.set(parent, [step])
  }
  const sorted: ReportedStep[] = []
  const open = (children.get(undefined) ?? []).map((step) => ({ step, depth: 0 })).reverse()
  for (let next = open.pop(); next; next = open.pop()) {
    const { step, depth } = next
    sorted.push({ ...step, depth })
    for (const child of (children.get(step) ?? []).toReversed()) open.push({ step: child, depth: depth + 1 })
  }
  return sorted
}
