import { type ActionContext, type Settled, StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { findServer, serverById, uuid } from './find-server.ts'
import type { Attempt } from './follow.ts'
import { momentOf } from './heartbeat.ts'
import { textAt } from './json-body.ts'
import { gone, idOf, type Operation, resultOf, toTheEnd } from './operation.ts'
import { instanceActions, migrationsOf } from './records.ts'
import { taskOf } from './server-state.ts'
import { type Session, sessionOf, tokenOf } from './session.ts'

/**
 * After a crash: what Nova wrote down tells whether it was asked for since the attempt began, and the same predicates as
 * in a run tell what came of it. What was asked for and came to nothing is left to a person.
 */
export async function settled(
  operation: Operation,
  ctx: ActionContext,
  params: JsonObject,
  signal: AbortSignal,
): Promise<Settled> {
  const session = await sessionOf(ctx, params)
  const wanted = String(params['server'])
  const { server, since, earliest } = await asOf(session, wanted, ctx, signal)
  if (!server) {
    if (
      operation.judge({ seen: gone(wanted), attempt: { server: wanted, params, facts: {}, known: new Set() } }) ===
      'done'
    )
      return { happened: 'yes', result: resultOf(operation, gone(wanted), true) }
    return { happened: 'unknown', why: `there is no server \`${wanted}\` any more` }
  }
  const id = idOf(server)
  const ours = await ownAction(session, operation, id, since, signal)
  if (!ours && earliest < since && (await ownAction(session, operation, id, earliest, signal))) {
    return {
      happened: 'unknown',
      why: 'the clock of this machine and that of the cloud are apart, and it was asked for in between',
    }
  }
  if (!ours) {
    const migrations = operation.migrates && (await migrationsOf(session, id, signal))
    if (taskOf(server) === null && operation.holds?.(server, params, migrations))
      return { happened: 'yes', result: resultOf(operation, { server, migration: migrations?.[0], more: {} }, true) }
    return { happened: 'no' }
  }
  try {
    const attempt: Attempt = {
      server: id,
      params,
      facts: {},
      known: new Set(),
      since,
      request: String(ours['request_id']),
    }
    return { happened: 'yes', result: await toTheEnd(operation, session, attempt, signal) }
  } catch (error) {
    if (!(error instanceof StepFailure) || signal.aborted) throw error
    return { happened: 'unknown', why: `it was asked for, and then: ${error.message}` }
  }
}

/** The newest of this operation that this user asked for since then. */
async function ownAction(session: Session, { action }: Operation, server: string, since: number, signal: AbortSignal) {
  const user = textAt((await tokenOf(session, signal)).about, 'user', 'id')
  return await arrived(session.ctx, signal, async () => {
    const all = await instanceActions(session, server, signal)
    return all.find(
      (one) =>
        one['action'] === action && (momentOf(one['start_time']) ?? 0) >= since && (one['user_id'] ?? user) === user,
    )
  })
}

/**
 * The server, and when the attempt began by the clock of the cloud, whose answers tell the time to the second. How far the
 * clocks are apart is known for now, not for then: `earliest` is the moment for clocks that agreed when it began.
 */
async function asOf(session: Session, wanted: string, ctx: ActionContext, signal: AbortSignal) {
  const began = (date: string | null) => {
    const apart = date === null ? 0 : Date.parse(date) - ctx.clock.now()
    const since = ctx.step.began + apart - 2_000
    return { since, earliest: apart > 5_000 ? ctx.step.began - 2_000 : since }
  }
  try {
    const found = uuid.test(wanted)
      ? await serverById(session, wanted, signal).then(({ body, date }) => ({
          server: (body as { server: JsonObject }).server,
          date,
        }))
      : await findServer(session, wanted, signal)
    return { server: found.server, ...began(found.date) }
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'not_found') return { server: undefined, ...began(null) }
    throw error
  }
}
