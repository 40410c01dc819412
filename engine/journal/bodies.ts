/**
 * The bodies of a loop or of parallel branches, so many at a time; in a resumed run those first that were reached before.
 *
 * B1  What had begun is walked to its end, whatever has failed or been cancelled since: the walk replays what is on disk.
 * B2  Nothing new begins before all that had ended has been walked again: how many failed is only known then.
 * B3  Nothing new begins once so many have failed, or the run is cancelled; but clean-up is not touched by cancelling.
 * B4  A body that waits for a person keeps its place, and the others go on. Any other error lets nothing further begin.
 * B5  What was begun is waited for, also where an error is thrown in the end.
 */
import type { Body, SectionResult } from '../run/durable.ts'
import { Parked } from '../run/durable.ts'
import { isGood } from '../run/outcome.ts'

/** How far a body had come when the process before this one ended. */
export type Reached = 'nowhere' | 'begun' | 'ended'

/** How they are walked, and what is known of them. */
export interface BodiesOptions {
  /** How many are walked at the same time, at the most. */
  readonly concurrency: number
  /** So many bodies that did not end well, and no more are begun. */
  readonly stopAfter: number
  readonly walk: (body: Body) => Promise<SectionResult>
  readonly reached: (key: string) => Reached
  /** Whether the run is cancelled by now. */
  readonly cancelled: () => boolean
}

/**
 * The result of each body, in the order in which they were given; undefined for one that was not begun. Throws what stopped
 * a walk, once all that was begun is over: `Parked` only when nothing worse did.
 */
export async function walkBodies(
  bodies: readonly Body[],
  { concurrency, stopAfter, walk, reached, cancelled }: BodiesOptions,
): Promise<readonly (SectionResult | undefined)[]> {
  const results: (SectionResult | undefined)[] = new Array(bodies.length).fill(undefined)
  const all = bodies.map((body, index) => ({ body, index, before: reached(body.key) }))
  const isNew = ({ before }: { readonly before: Reached }) => before === 'nowhere'
  const queue = [...all.filter((each) => !isNew(each)), ...all.filter(isNew)].values()
  const replays: Promise<void>[] = []
  const stopped: unknown[] = []
  let failures = 0
  const walkOne = async (index: number, body: Body): Promise<void> => {
    const result = await walk(body)
    results[index] = result
    if (!isGood(result.outcome)) failures++
  }
  const worker = async (): Promise<void> => {
    for (const { body, index, before } of queue) {
      if (before === 'nowhere') {
        await Promise.allSettled(replays)
        if (failures >= stopAfter || (cancelled() && !body.vars.shield)) return
      }
      if (stopped.some((error) => !(error instanceof Parked))) return
      const walking = walkOne(index, body)
      if (before === 'ended') replays.push(walking)
      try {
        await walking
      } catch (error) {
        // its place is not given to another
        stopped.push(error)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, bodies.length) }, worker))
  const [first] = stopped.toSorted((a, b) => Number(a instanceof Parked) - Number(b instanceof Parked))
  if (first !== undefined) throw first
  return results
}
