import type { Facts } from './facts.ts'
import type { Leaf } from './runbook.ts'
import { behaviourOf } from './world.ts'

/** What a step came to, as far as others depend on it. */
export type State = 'ok' | 'skipped' | 'failed' | 'refused' | 'cancelled'

/** Whether what undoes a step has to run when the run has failed. */
export type Need = 'must' | 'may' | 'never'

/** What is around a step. */
export interface Around {
  /** Whether cancelling does not touch it. */
  readonly shield: boolean
  /** A group around it has a time limit. */
  readonly limited: boolean
}

/** What a step is judged by, and where what is wrong goes. */
export interface Judging {
  readonly cancelled: boolean
  readonly facts: Facts
  /** No process of the story was killed. */
  readonly uncut: boolean
  readonly wrong: string[]
}

/**
 * What a step that does something came to, from how often it was touched, how each touch ended and what was said of it:
 * it was done unless something stopped it, it was tried as often as it says, nobody was left in doubt, and the transcript
 * tells no other end.
 */
export function leafEnd(
  leaf: Leaf,
  what: string,
  around: Around,
  { cancelled, facts, uncut, wrong }: Judging,
): { readonly state: State; readonly need: Need } {
  const all = facts.touches.get(what) ?? []
  const told = facts.told.get(what)
  const found = judged()
  if (told && (found.state === 'ok') !== (told.status === 'succeeded') && all.length > 0)
    wrong.push(`told: the transcript says that ${what} ended ${told.status}, and it was ${found.state}`)
  return found

  function judged(): { readonly state: State; readonly need: Need } {
    const last = all.at(-1)
    const stops = cancelled && !around.shield
    const effect = all.some((touch) => touch.effect !== undefined)
    const changes = leaf.action !== 'read'
    const sees = leaf.action === 'settled' && !leaf.blind && !leaf.lookFails
    // it may have begun in a process that died before anybody noticed
    const unseen =
      changes &&
      ((facts.begins.get(what) ?? 0) > new Set(all.map(({ attempt }) => attempt)).size ||
        all.some(({ end, attempt }) => end === undefined && !facts.recorded.has(attempt)))
    // what may have happened; where it can be seen, only what did
    const midway: Need = !changes ? 'may' : effect ? 'must' : sees ? 'never' : 'may'
    const decision = facts.decisions
      .get(what)
      ?.findLast(
        ({ n, kind, said }) => n > (last?.n ?? 0) && ((kind === 'settled' && said !== 'unknown') || kind === 'doubt'),
      )
    if (decision?.said === 'abort') return { state: 'failed', need: 'never' }
    if (decision?.said === 'done') return { state: 'ok', need: 'must' }
    if (decision?.said === 'yes')
      return { state: leaf.verify && behaviourOf(leaf, what) === 'bad' ? 'failed' : 'ok', need: 'must' }
    if (decision) {
      const lost = last?.end?.how === 'unknown' || last?.end?.how === 'broke'
      const gaveUp = decision.said === 'no' && lost && all.length > 1
      const over = told?.status === 'timed_out' || (gaveUp && told?.status === 'failed')
      if (stops) return { state: over ? 'failed' : 'cancelled', need: 'never' }
      if (around.limited || gaveUp) return { state: 'failed', need: 'never' }
      wrong.push(`missing: ${what} was to be done, since it had not happened`)
      return { state: 'failed', need: 'may' }
    }
    const how = last && facts.recorded.has(last.attempt) ? last.end?.how : undefined
    if (!last || how === undefined) {
      if (leaf.inDoubt === 'fail' && told?.status === 'unknown') return { state: 'failed', need: 'never' }
      if (stops) return { state: 'cancelled', need: last ? midway : unseen ? 'may' : 'never' }
      if (around.limited) return { state: 'failed', need: last ? midway : unseen ? 'may' : 'never' }
      wrong.push(last ? `missing: ${what} was cut off, and never looked at again` : `missing: ${what} was never done`)
      return { state: 'failed', need: 'may' }
    }
    if (how === 'ok') return { state: 'ok', need: 'must' }
    if (last.stopped !== undefined && how !== 'bad')
      return { state: last.stopped === 'cancelled' ? 'cancelled' : 'failed', need: midway }
    switch (how) {
      case 'bad':
        if (leaf.until !== undefined)
          return { state: last.stopped === 'cancelled' || stops ? 'cancelled' : 'failed', need: 'may' }
        if (leaf.verify && last.stopped !== undefined)
          return { state: last.stopped === 'cancelled' ? 'cancelled' : 'failed', need: midway }
        return leaf.verify ? { state: 'failed', need: 'must' } : { state: 'ok', need: 'must' }
      case 'misfit':
        return { state: 'failed', need: 'must' }
      case 'failed':
      case 'unreachable': {
        const retried = leaf.attempts === undefined || stops || around.limited || leaf.timeout !== undefined
        if (!retried && uncut && all.length < (leaf.attempts ?? 1))
          wrong.push(`retry: ${what} was tried ${all.length} times`)
        if (leaf.until === 'wait' && how === 'unreachable' && stops && told?.status !== 'timed_out')
          return { state: 'cancelled', need: 'may' }
        // it was to be tried again, and the run was cancelled before it was
        const again = stops && leaf.attempts !== undefined && told?.status === 'cancelled'
        return {
          state: again ? 'cancelled' : 'failed',
          need: effect && changes ? 'must' : leaf.until || unseen ? 'may' : 'never',
        }
      }
      case 'unknown':
      case 'broke': {
        const free = !changes || leaf.action === 'again' || leaf.inDoubt !== undefined
        if (!free) wrong.push(`doubt: nobody was asked what became of ${what}`)
        if (stops && free && leaf.inDoubt !== 'fail')
          return { state: told?.status === 'cancelled' ? 'cancelled' : 'failed', need: 'may' }
        return { state: 'failed', need: leaf.action === 'again' || leaf.until ? 'may' : 'never' }
      }
      case 'timed_out':
        return { state: 'failed', need: midway }
      case 'stopped':
        return { state: 'failed', need: midway }
    }
  }
}
