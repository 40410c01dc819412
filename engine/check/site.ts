import type { Runbook, Step } from '../document/runbook.ts'
import { groupsOf } from '../document/runbook.ts'

/** One step of the way from the runbook to a place in it. */
export interface Frame {
  /** The step whose group this is; undefined for the runbook itself. */
  readonly owner: Step | undefined
  readonly word: 'steps' | 'block' | 'rescue' | 'always' | 'parallel' | 'rollback' | 'guards'
  readonly index: number
  readonly step: Step
}

/** The way from the runbook to a step, outermost first; its last frame is the step. */
export type Site = readonly Frame[]

/** Every step with its site, in the order of the text. */
export function* everySite({ steps }: Pick<Runbook, 'steps'>): Generator<Site> {
  yield* below([], undefined, 'steps', steps)
}

function* below(above: Site, owner: Step | undefined, word: Frame['word'], steps: readonly Step[]): Generator<Site> {
  for (const [index, step] of steps.entries()) {
    const site = [...above, { owner, word, index, step }]
    yield site
    for (const group of groupsOf(step)) yield* below(site, step, group.word, group.steps)
  }
}

/** Whether what stands at `from` undoes the step at `to`: then it sees the one execution that it undoes. */
export function undoes(from: Site, to: Site): boolean {
  return to.every((frame, index) => from[index]?.step === frame.step) && from[to.length]?.word === 'rollback'
}

export type Reading =
  | { readonly may: 'read' }
  | { readonly may: 'perhaps'; readonly because: string }
  | { readonly may: 'not'; readonly because: 'later' | 'sibling' | 'loop' | 'undo' }

const order = { steps: 0, block: 1, parallel: 1, rescue: 2, always: 3, guards: 3, rollback: 4 } as const

/** Whether what stands at `from` may read the step at `to`: before it, surely done, not in another branch or loop. */
export function readingOf(from: Site, to: Site): Reading {
  const split = to.findIndex((frame, index) => from[index]?.step !== frame.step)
  if (split < 0) {
    // a step around us, or we ourselves: only its undo may look at it
    return undoes(from, to) ? { may: 'read' } : { may: 'not', because: 'later' }
  }
  const target = to[split]
  const here = from[split]
  if (!target) return { may: 'read' }
  if (!here) return { may: 'not', because: 'later' }
  if (target.word === here.word) {
    if (target.word === 'parallel') return { may: 'not', because: 'sibling' }
    if (target.index > here.index) return { may: 'not', because: 'later' }
  } else if (order[target.word] > order[here.word]) return { may: 'not', because: 'later' }
  const around = to.slice(split, -1)
  if (around.some(({ step }) => step.loop)) return { may: 'not', because: 'loop' }
  if (to.slice(split).some(({ word }, index) => word === 'rollback' && index > 0))
    return { may: 'not', because: 'undo' }
  return maybe(to, split, here)
}

/** Reasons for which a step that comes before may have no result. */
function maybe(to: Site, split: number, here: Frame): Reading {
  const perhaps = (because: string): Reading => ({ may: 'perhaps', because })
  for (const { step, word } of to.slice(split)) {
    // a loop that was reached has its items, however they ended; its `when` and its failures are theirs
    if (step.loop && step === to.at(-1)?.step) continue
    if (step.when) return perhaps(`\`${step.id.text}\` has a \`when\``)
    if (step.onFailure === 'continue') return perhaps(`\`${step.id.text}\` may fail and let the run go on`)
    if (word === 'rescue' && here.word !== 'rescue') return perhaps(`\`${step.id.text}\` is part of a \`rescue\``)
  }
  for (const { step } of to.slice(split, -1)) {
    if (step.kind === 'block' && step.rescue.length > 0)
      return perhaps(`the block \`${step.id.text}\` may have been rescued before it`)
  }
  const first = to[split]
  if (first?.word !== 'block' || here.word === 'block') return { may: 'read' }
  if (here.word !== 'rollback') return perhaps('the block may have failed before it')
  // only a block that is done is undone
  const mended = here.owner?.kind === 'block' && here.owner.rescue.length > 0
  return mended ? perhaps('the block may have been rescued before it') : { may: 'read' }
}
