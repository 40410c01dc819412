import { StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { textAt } from './json-body.ts'
import { orMissing } from './missing.ts'
import type { Session } from './session.ts'
import { byId, type Kind, shown, statusOf } from './volume-kind.ts'

/** What a status means for a wait. What is neither is a failure: `not under way` alone is never success. */
export interface Ends {
  readonly good: readonly string[]
  readonly busy: readonly string[]
}

const firstPause = 1_000
const longestPause = 10_000

/** Looks until the status is a good one. Throws `volume_in_error` and its like when it is neither good nor under way. */
export async function reached(
  session: Session,
  kind: Kind,
  id: string,
  ends: Ends,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { ctx } = session
  for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 1.5)) {
    const now = await byId(session, kind, id, signal)
    const status = statusOf(now)
    if (ends.good.includes(status)) return now
    if (!ends.busy.includes(status)) throw cameToNothing(kind, now)
    ctx.progress(`${kind.noun} \`${shown(now)}\` is \`${status}\``)
    await ctx.clock.sleep(pause, signal)
  }
}

function cameToNothing({ noun }: Kind, now: JsonObject): StepFailure {
  const why = textAt(now, 'fail_reason')
  return new StepFailure(
    `${noun}_in_error`,
    `${noun} \`${shown(now)}\` is \`${statusOf(now)}\`${why ? `: ${why}` : ''}`,
    {
      hint: 'the log of the service that looks after it tells more',
      detail: { id: now['id'] ?? null, status: now['status'] ?? null },
    },
  )
}

export async function gone(session: Session, kind: Kind, id: string, signal: AbortSignal): Promise<void> {
  const { ctx } = session
  for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 1.5)) {
    const now = await orMissing(() => byId(session, kind, id, signal))
    if (now === undefined || statusOf(now) === 'deleted') return
    if (statusOf(now) !== 'deleting') throw cameToNothing(kind, now)
    await ctx.clock.sleep(pause, signal)
  }
}
