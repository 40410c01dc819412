import { shownDuration } from '../duration.ts'
import type { About, Attempt, StepIo } from '../run/durable.ts'
import type { Passing, Recorded } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { isGood, notBegun } from '../run/outcome.ts'
import type { LocalOptions } from './local.ts'

/** One execution: what it is, since when (milliseconds since 1970), how long its groups give it, and what it does. */
export interface Work {
  readonly key: string
  readonly about: About
  readonly attempt: Attempt
  readonly since: number
  readonly left: number
  readonly body: (io: StepIo) => Promise<Outcome>
}

/**
 * The message of `timed_out` where the time of a group around it was over, not its own: said of what was stopped, and with
 * more words of what was not begun. Part of the transcript and of reports, so it is the same wherever it is said.
 */
export const groupOver = 'the time of the group around it was over'

/** Does something under its time limits and the run's cancellation: the first reason to stop is the one that is told. */
export async function limited(
  options: Pick<LocalOptions, 'busy' | 'cancel' | 'clock' | 'perform'>,
  { key, about, attempt, since, left, body }: Work,
  write: (event: Passing | Recorded) => Promise<void>,
): Promise<Outcome> {
  const { clock, cancel, busy } = options
  // it may have come while the beginning was written
  if (!about.shield && cancel.aborted)
    return { status: 'cancelled', error: { code: notBegun, message: 'the run was cancelled before this began', key } }
  const stop = new AbortController()
  const over = new AbortController()
  let reason: Outcome | undefined
  const end = (outcome: Outcome) => {
    reason ??= outcome
    stop.abort(new Error(outcome.status))
  }
  const limit = Math.min(about.timeout ?? Number.POSITIVE_INFINITY, Math.max(0, left))
  // a deadline sleeps beside the work: it must not count as if the work were asleep
  const beside = Number.isFinite(limit) ? busy() : () => undefined
  const timer = Number.isFinite(limit)
    ? clock.sleep(limit, over.signal).then(
        () =>
          end({
            status: 'timed_out',
            error: {
              code: 'timed_out',
              message: limit === about.timeout ? `it took longer than ${shownDuration(limit)}` : groupOver,
            },
          }),
        () => undefined,
      )
    : Promise.resolve()
  const onCancel = () =>
    end({
      status: 'cancelled',
      error: { code: 'cancelled', message: 'the run was cancelled while this was running', key },
    })
  if (!about.shield) cancel.addEventListener('abort', onCancel, { once: true })
  const idle = busy()
  const told: Promise<unknown>[] = []
  const tell: StepIo['tell'] = (event) => {
    const telling = write(event)
    // what could not be written is thrown when the body is over; until then nobody waits for it
    telling.catch(() => stop.abort(new Error('the transcript cannot be written')))
    told.push(telling)
  }
  const io: StepIo = {
    signal: stop.signal,
    since,
    now: () => clock.now(),
    sleep: (ms) => clock.sleep(ms, stop.signal),
    perform: (action, what, params, of = attempt) =>
      options.perform(key, about, of, [action, what, params], tell, stop.signal),
    tell,
  }
  try {
    const outcome = await body(io)
    // what ended well before it could be stopped, ended well
    if (!reason || isGood(outcome)) return outcome
    if (!('error' in outcome && 'error' in reason)) return reason
    // why it was stopped, and what the action says of what it leaves behind
    const { detail, hint } = outcome.error
    return {
      ...reason,
      error: { ...reason.error, ...(hint !== undefined && { hint }), ...(detail !== undefined && { detail }) },
    }
  } catch (error) {
    if (reason && stop.signal.aborted) return reason
    throw error
  } finally {
    idle()
    over.abort()
    cancel.removeEventListener('abort', onCancel)
    await timer
    beside()
    await Promise.all(told)
  }
}
