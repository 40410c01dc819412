import type { Runbook, Step, Text } from '../document/runbook.ts'
import { groupsOf } from '../document/runbook.ts'
import { failedEndings } from '../expression/expression.ts'

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

/** What is read after the last step stands behind it in the outermost sequence. */
export function afterAll({ steps }: Pick<Runbook, 'steps'>): Site {
  const last = steps.at(-1)
  return last ? [{ owner: undefined, word: 'steps', index: steps.length, step: { ...last } }] : []
}

/** The endings but a good one that a step may have had where it is read. */
export function endingsOf(from: Site, to: Site, asked: readonly Text[]): readonly string[] {
  if (readingOf(from, to).may !== 'perhaps' || isAskedAgain(to, asked)) return []
  return ['skipped', ...(mayHaveFailed(from, to) ? failedEndings : [])]
}

/** The same of an item of a loop: its `when` passed it over, or it failed and the loop let the run go on. */
export function itemEndingsOf(from: Site, to: Site): readonly string[] {
  if (!mayHaveFailed(from, to)) return []
  return [...(to.at(-1)?.step.when ? ['skipped'] : []), ...failedEndings]
}

/** What stands round the reader asks the very questions that decided over the step. */
function isAskedAgain(to: Site, asked: readonly Text[]): boolean {
  const questions = to.flatMap(({ step }) => (step.when ? [step.when.text] : []))
  const tolerated = to.some(({ step, word }) => step.onFailure !== 'abort' || word === 'rescue')
  const again = (text: string) => asked.some((each) => each.text === text || each.text.startsWith(`${text} && `))
  return !tolerated && questions.length > 0 && questions.every(again)
}

/** The frames to a step from where the way of its reader parts from it. */
function wayTo(from: Site, to: Site): { readonly way: Site; readonly here: Frame | undefined; readonly split: number } {
  const split = to.findIndex((frame, index) => from[index]?.step !== frame.step)
  return split < 0 ? { way: [], here: undefined, split: 0 } : { way: to.slice(split), here: from[split], split }
}

/** Whether a step may have failed where it is read: the run was let go on, or what reads it mends or cleans up. */
function mayHaveFailed(from: Site, to: Site): boolean {
  const { way, here, split } = wayTo(from, to)
  if (!here) return false
  const lets = way.some(({ step }) => step.onFailure !== 'abort')
  return lets || rescuedRound(way) !== undefined || leftOnTheWay(to, split, here) !== undefined
}

/** A block on the way whose `block` part may have been left, and the run went on; its `always` is done in any case. */
function rescuedRound(way: Site): Step | undefined {
  return way.find(
    ({ step }, index) => step.kind === 'block' && step.rescue.length > 0 && way[index + 1]?.word === 'block',
  )?.step
}

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
    if (step.onFailure !== 'abort') return perhaps(`\`${step.id.text}\` may fail and let the run go on`)
    if (word === 'rescue' && here.word !== 'rescue') return perhaps(`\`${step.id.text}\` is part of a \`rescue\``)
  }
  const rescued = rescuedRound(to.slice(split))
  if (rescued) return perhaps(`the block \`${rescued.id.text}\` may have been rescued before it`)
  const left = leftOnTheWay(to, split, here)
  return left === undefined ? { may: 'read' } : perhaps(left)
}

/** Why the block that both stand in may have been left before the step, where one mends or cleans up after the other. */
function leftOnTheWay(to: Site, split: number, here: Frame): string | undefined {
  if (to[split]?.word !== 'block' || here.word === 'block') return undefined
  if (here.word !== 'rollback') return 'the block may have failed before it'
  // only a block that is done is undone
  const mended = here.owner?.kind === 'block' && here.owner.rescue.length > 0
  return mended ? 'the block may have been rescued before it' : undefined
}
