import { shownDuration } from '../duration.ts'
import { Unknown } from '../expression/unknown.ts'
import type { Json } from '../json.ts'
import type { PlannedUntil } from '../plan/plan.ts'
import type { StepIo } from './durable.ts'
import type { Names } from './evaluate.ts'
import { durationIn, judge } from './evaluate.ts'
import type { Outcome } from './outcome.ts'

/**
 * Repeats a read until a condition decides. U1: done, failed and stalled are asked apart, failed first; "no longer in
 * progress" is never taken for done. U2: after a crash the time limit still counts from the first look, but one look is
 * always made. U3: a host that does not answer ends the wait unless the step says that it is waited for. U4: with `stalled_for`,
 * what moved last is what the next looks are compared with, and only time without any movement ends the wait; after a
 * crash that time counts anew.
 */
export async function pollUntil(
  key: string,
  until: PlannedUntil,
  names: Names,
  io: StepIo,
  look: () => Promise<Outcome>,
): Promise<Outcome> {
  const every = durationIn(until.every, names)
  const timeout = durationIn(until.timeout, names)
  if ('error' in every) return { status: 'failed', error: every.error }
  if ('error' in timeout) return { status: 'failed', error: timeout.error }
  const patience = until.stalledFor === undefined ? undefined : durationIn(until.stalledFor, names)
  if (patience && 'error' in patience) return { status: 'failed', error: patience.error }
  const deadline = io.since + timeout.value
  let previous: Json = null
  let movedAt = io.now()
  for (let poll = 1; ; poll++) {
    const outcome = await look()
    const silent = outcome.status === 'unreachable' || outcome.status === 'unknown'
    if (outcome.status !== 'succeeded' && !(silent && until.unreachable === 'wait')) return outcome
    const seen = outcome.status === 'succeeded' ? decided(until, outcome.result, previous, names) : undefined
    if (seen?.outcome) return seen.outcome
    if (outcome.status === 'succeeded') {
      if (seen?.stalled !== true) movedAt = io.now()
      else if (io.now() - movedAt >= (patience?.value ?? 0))
        return stalledOutcome(until, outcome.result, patience?.value)
      if (seen?.stalled !== true || patience === undefined) previous = outcome.result
    }
    const shown = seen?.shown ?? ('error' in outcome ? outcome.error.message : '')
    io.tell({ type: 'step.polled', key, poll, seen: shown })
    if (io.now() + every.value > deadline) {
      const message = `\`${until.done}\` did not come true within ${shownDuration(timeout.value)}${shown === '' ? '' : `: ${shown}`}`
      return {
        status: 'timed_out',
        error: { code: 'timed_out', message },
        ...(outcome.status === 'succeeded' && { result: outcome.result }),
      }
    }
    await io.sleep(every.value)
  }
}

function decided(
  until: PlannedUntil,
  result: Json,
  previous: Json,
  names: Names,
): { readonly outcome?: Outcome; readonly stalled?: boolean; readonly shown: string } {
  const all = { ...names, result, previous }
  const fail = (code: string, message: string): { readonly outcome: Outcome; readonly shown: string } => ({
    outcome: { status: 'failed', error: { code, message }, result },
    shown: '',
  })
  if (until.failed !== undefined) {
    const { held, evaluated } = judge(until.failed, all)
    if (held === true) return fail('until_failed', `\`${until.failed}\` came true`)
    if ('error' in evaluated && !(held instanceof Unknown)) return fail('bad_expression', evaluated.error)
  }
  const { held, evaluated } = judge(until.done, all)
  if (held === true) return { outcome: { status: 'succeeded', result }, shown: '' }
  if ('error' in evaluated && !(held instanceof Unknown)) return fail('bad_expression', evaluated.error)
  const stalled = until.stalled !== undefined && previous !== null && judge(until.stalled, all).held === true
  const operands = 'operands' in evaluated ? evaluated.operands : []
  return { stalled, shown: operands.map(({ text, value }) => `${text} = ${JSON.stringify(value)}`).join(', ') }
}

function stalledOutcome({ stalled }: PlannedUntil, result: Json, patience: number | undefined): Outcome {
  const since = patience === undefined ? '' : ` since ${shownDuration(patience)}`
  const message = `\`${stalled}\` came true: nothing moves any more${since}`
  return { status: 'failed', error: { code: 'until_stalled', message }, result }
}
