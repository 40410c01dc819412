/** One made-up runbook and what comes between, put to all that must be true. */
import fc from 'fast-check'
import { problemsOf, told } from './oracles.ts'
import type { Made, Wildness } from './runbook.ts'
import { madeRunbook } from './runbook.ts'
import { unannounced, unshowable } from './safety.ts'
import { unfinished, unlike } from './structure.ts'
import type { Interrupt, Mending, Story } from './world.ts'
import { tell, writtenDown } from './world.ts'

export interface Trial {
  readonly made: Made
  /** Each a story of its own: what comes between, where of how much happens, from 0 to 1. */
  readonly cuts: readonly (readonly (Omit<Interrupt, 'after'> & { readonly part: number })[])[]
  readonly unsure: boolean
  readonly mend: Mending
  readonly tame: boolean
  /** Interrupted anywhere: what it all had to come to is not judged then, for much of it leaves no mark. */
  readonly anywhere: boolean
}

/** Interrupts come mostly at the ends of a run, where there is most to see; or anywhere alike. */
export function trials({ anywhere = false, ...wildness }: Wildness & { anywhere?: boolean }): fc.Arbitrary<Trial> {
  const part = anywhere
    ? fc.noBias(fc.integer({ min: 0, max: 9_999 })).map((each) => each / 10_000)
    : fc.double({ min: 0, max: 1, noNaN: true })
  const cut = fc.record({
    kind: wildness.tame
      ? fc.constantFrom('kill' as const, 'power' as const)
      : fc.constantFrom('kill' as const, 'power' as const, 'cancel' as const),
    part,
    kept: part,
    torn: fc.boolean(),
  })
  return fc.record({
    made: madeRunbook(wildness),
    cuts: fc.array(fc.array(cut, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    unsure: wildness.tame ? fc.constant(false) : fc.boolean(),
    mend: fc.constantFrom('at once', 'by halves'),
    tame: fc.constant(wildness.tame),
    anywhere: fc.constant(anywhere),
  })
}

export interface Tally {
  runbooks: number
  stories: number
  touches: number
  /** Stories in which a process died or was cancelled. */
  interrupted: number
  /** Stories that did not end well. */
  bad: number
  /** Stories of runs that had failed, were mended and resumed. */
  mended: number
}

/** What is wrong, told; nothing when all is well. */
export async function faultsOf(
  { made, cuts, unsure, mend, tame, anywhere }: Trial,
  tally?: Tally,
): Promise<string | undefined> {
  const written = writtenDown(made)
  const count = (story: Story) => {
    if (tally) {
      tally.stories++
      tally.touches += story.touches.length
      if (story.cancelled || story.processes.some(({ killed }) => killed)) tally.interrupted++
      if (story.processes.at(-1)?.exit !== 0) tally.bad++
    }
    return story
  }
  const mendIt = async (story: Story, interrupts: readonly Interrupt[]) => {
    if (story.processes.at(-1)?.exit !== 1) return undefined
    const mended = count(await tell({ made, interrupts, unsure, mend, written }))
    if (mended.mends.length === 0) return undefined
    if (tally) tally.mended++
    const wrong = [...problemsOf(mended, { structure: false }), ...unshowable(mended, 4), ...unfinished(mended)]
    return wrong.length > 0 ? told(mended, ['it was mended', ...wrong, JSON.stringify(interrupts)]) : undefined
  }
  if (tally) tally.runbooks++
  const whole = count(await tell({ made, interrupts: [], unsure, written }))
  const found = [...problemsOf(whole), ...unshowable(whole, 2)]
  if (found.length > 0) return told(whole, found)
  const after = await mendIt(whole, [])
  if (after !== undefined) return after
  const dry = count(await tell({ made, interrupts: [], dry: true, written }))
  const hidden = unannounced(dry, whole)
  if (hidden.length > 0) return told(dry, hidden)
  for (const cut of cuts) {
    const interrupts = cut.map(({ part, ...more }): Interrupt => ({ ...more, after: Math.floor(part * whole.things) }))
    const story = count(await tell({ made, interrupts, unsure, written }))
    const wrong = [
      ...problemsOf(story, { structure: !anywhere }),
      ...unshowable(story, 3),
      ...(tame ? unlike(whole, story) : []),
    ]
    if (wrong.length > 0) return told(story, [...wrong, JSON.stringify(interrupts)])
    const then = await mendIt(story, interrupts)
    if (then !== undefined) return then
    const stepwise = count(await tell({ made, interrupts, unsure, mend, stepwise: true, written }))
    const amiss = [...problemsOf(stepwise, { structure: false }), ...unshowable(stepwise, 2)]
    if (amiss.length > 0) return told(stepwise, ['step by step', ...amiss, JSON.stringify(interrupts)])
  }
  return undefined
}
