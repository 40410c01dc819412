import type { Schema } from '../json.ts'
import type { Source, Span } from '../source.ts'
import type { Located, LocatedMap } from './tree.ts'

/** A runbook as it was written, as plain data with a place on everything. What a part means is decided by later stages. */
export interface Runbook {
  readonly source: Source
  readonly name: Text
  readonly title: string
  readonly description: string
  readonly inputs: readonly Input[]
  readonly locks: readonly Text[]
  readonly preconditions: readonly Condition[]
  readonly steps: readonly Step[]
  readonly outputs: readonly Named[]
}

/** A text with its place: a template, an expression, a name. */
export interface Text {
  readonly text: string
  readonly span: Span
}

export interface Named {
  readonly name: string
  readonly nameSpan: Span
  readonly value: Text
}

export interface Input {
  readonly name: string
  readonly span: Span
  /** As written, without `secret` and `default`. */
  readonly schema: Schema
  readonly node: LocatedMap
  readonly secret: boolean
  readonly required: boolean
}

export interface Condition {
  readonly that: Text
  readonly message?: Text
}

interface StepCommon {
  readonly id: Text
  /** The whole step, and where to point at it. */
  readonly node: LocatedMap
  readonly span: Span
  readonly name?: Text
  readonly when?: Text
  readonly loop?: Loop
  readonly retry?: {
    readonly attempts: number
    readonly delay?: Text
    readonly backoff: number
    readonly maxDelay?: Text
  }
  readonly timeout?: Text
  readonly verify: readonly Condition[]
  readonly onFailure: 'abort' | 'continue' | 'pause'
  readonly rollback: readonly Step[]
}

export interface Loop {
  readonly kind: 'items' | 'hosts'
  /** items: the list, an expression or a literal; hosts: the targets. */
  readonly over: Text | { readonly literal: Located; readonly span: Span }
  readonly as: Text
  readonly key?: Text
  readonly maxParallel?: Text
  readonly batches: readonly Text[]
  readonly maxFailures?: Text
  readonly guards: readonly Condition[]
  readonly guardSteps: readonly Step[]
}

export interface ActionStep extends StepCommon {
  readonly kind: 'action'
  readonly action: Text
  readonly with: Located | undefined
  readonly effect?: Text
  readonly until?: Until
  readonly inDoubt: 'ask' | 'rerun' | 'fail'
}

export interface Until {
  readonly span: Span
  readonly done: Text
  readonly failed?: Text
  readonly stalled?: Text
  readonly stalledFor?: Text
  readonly unreachable: 'fail' | 'wait'
  readonly every?: Text
  readonly timeout?: Text
}

export interface LetStep extends StepCommon {
  readonly kind: 'let'
  readonly values: readonly Named[]
}

export interface BlockStep extends StepCommon {
  readonly kind: 'block'
  readonly steps: readonly Step[]
  readonly rescue: readonly Step[]
  readonly always: readonly Step[]
}

export interface ParallelStep extends StepCommon {
  readonly kind: 'parallel'
  readonly branches: readonly Step[]
  readonly maxParallel?: Text
}

export interface CallStep extends StepCommon {
  readonly kind: 'runbook'
  readonly runbook: Text
  readonly with: Located | undefined
}

export type Step = ActionStep | LetStep | BlockStep | ParallelStep | CallStep

/** The groups of steps inside a step, in the order they are written. */
export function groupsOf(step: Step): readonly {
  readonly word: 'block' | 'rescue' | 'always' | 'parallel' | 'rollback' | 'guards'
  readonly steps: readonly Step[]
}[] {
  const guards =
    step.loop && step.loop.guardSteps.length > 0 ? [{ word: 'guards' as const, steps: step.loop.guardSteps }] : []
  const rollback = [
    ...guards,
    ...(step.rollback.length > 0 ? [{ word: 'rollback' as const, steps: step.rollback }] : []),
  ]
  if (step.kind === 'block')
    return [
      { word: 'block' as const, steps: step.steps },
      { word: 'rescue' as const, steps: step.rescue },
      { word: 'always' as const, steps: step.always },
      ...rollback,
    ]
  if (step.kind === 'parallel') return [{ word: 'parallel', steps: step.branches }, ...rollback]
  return rollback
}

/** Every step below, outermost first, in the order of the text. */
export function* everyStep(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step
    for (const group of groupsOf(step)) yield* everyStep(group.steps)
  }
}
