import { StepFailure } from '../../engine/action/contract.ts'
import { shownDuration } from '../../engine/duration.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { findServer } from './find-server.ts'
import { momentOf } from './heartbeat.ts'
import { textAt } from './json-body.ts'
import { orMissing } from './missing.ts'
import { instanceAction, migrationsOf, stateOf } from './records.ts'
import { cellIsDown, hostOf, sayState, taskOf, vmStateOf } from './server-state.ts'
import type { Session } from './session.ts'

/** Something that was asked for and is waited for. */
export interface Attempt {
  /** Its id. */
  readonly server: string
  /** The server before; after a crash nobody knows. */
  readonly before?: JsonObject
  readonly params: JsonObject
  /** What was found out before, and what the answer to the request told. */
  readonly facts: JsonObject
  /** The migrations that were there before, by number. */
  readonly known: ReadonlySet<number>
  /** After a crash: when it began, by the clock of the cloud, milliseconds since 1970. */
  readonly since?: number
  /** The request, as `os-instance-actions` names it. */
  readonly request?: string
}

/** One look at the cloud. */
export interface Seen {
  readonly server: JsonObject
  /** The newest of this attempt. */
  readonly migration: JsonObject | undefined
  /** What Nova wrote down of the request. */
  readonly action?: JsonObject
  /** What else the operation looks at. */
  readonly more: JsonObject
}

export interface Look {
  readonly seen: Seen
  readonly attempt: Attempt
}

/**
 * What a look says. `waiting`: it is under way. `idle`: it is not done and nothing seems to be going on, which may be an
 * instant between two states, or a failure that shows nowhere.
 */
export type Verdict = 'done' | 'waiting' | 'idle' | StepFailure

export type Judge = (look: Look) => Verdict

export interface Followed {
  readonly judge: Judge
  /** The types of the migration that tells of it, and whether it begins one of its own or is about the one named `migration`. */
  readonly migrates?: { readonly types: readonly string[]; readonly own: boolean; readonly named?: boolean }
  /** Only the record of the request tells that it is over. */
  readonly proof?: boolean
  /** Looks at more; gets what it gave for the look before. */
  readonly look?: (session: Session, look: Look, signal: AbortSignal) => Promise<JsonObject>
  /** How long it may be idle before it has come to nothing, in milliseconds. */
  readonly grace?: number
  /** What it is called when it comes to nothing. */
  readonly failure?: string
  readonly limit?: (server: JsonObject) => number
  /** The longest pause between two looks, in milliseconds. */
  readonly pace?: number
}

const minute = 60_000
const usualLimit = 10 * minute
const usualGrace = 15_000
const firstPause = 1_000
const usualPace = 5_000
/** A cloud that does not answer is asked again for this long. */
const patience = 3 * minute

/**
 * Looks again and again until the operation has succeeded or failed: each a predicate of its own. What was asked for is
 * never given up because a look failed, and what is not seen to be done is never said to be.
 * Throws `server_in_error`, `no_valid_host`, what the operation's judge says, `operation_failed` (or the operation's own
 * code), `not_over`, `lost_sight`, `interrupted`.
 */
export async function follow(session: Session, it: Followed, attempt: Attempt, signal: AbortSignal): Promise<Seen> {
  const { clock, progress } = session.ctx
  const began = clock.now()
  const limit = it.limit?.(attempt.before ?? {}) ?? usualLimit
  let more: JsonObject = {}
  let last: Seen | undefined
  let lastSeen = began
  let idleSince: number | undefined
  let pause = firstPause
  try {
    for (;;) {
      const seen = await tolerantly(
        () => lookOnce(session, it, attempt, more, signal),
        () => clock.now() - lastSeen,
      )
      if (seen) {
        last = seen
        lastSeen = clock.now()
        more = seen.more
        const verdict = overall(it, { seen, attempt })
        if (verdict === 'done') return seen
        if (verdict instanceof StepFailure) throw await explained(session, { seen, attempt }, verdict, signal)
        idleSince = verdict === 'idle' ? (idleSince ?? clock.now()) : undefined
        if (idleSince !== undefined) {
          const nothing = await cameToNothing(session, it, { seen, attempt }, clock.now() - idleSince, signal)
          if (nothing) throw nothing
        }
        progress(sayLook(seen))
      }
      if (clock.now() - began + pause > limit) throw notOver(attempt, last, limit)
      await clock.sleep(pause, signal)
      pause = Math.min(pause * 1.5, it.pace ?? usualPace)
    }
  } catch (error) {
    // the engine says why it stopped; what was seen last goes with it
    if (!signal.aborted) throw error
    throw new StepFailure('interrupted', 'it was no longer waited for', {
      status: 'unknown',
      detail: detailOf(attempt, last),
      cause: error,
    })
  }
}

/** A look that may fail: nothing, while there is still patience. The change was asked for, so giving up leaves it in doubt. */
async function tolerantly(look: () => Promise<Seen>, silence: () => number): Promise<Seen | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const passing = error.status !== 'failed' || ['server_error', 'rate_limited'].includes(error.code)
    if (passing && silence() < patience) return undefined
    throw new StepFailure('lost_sight', `it was asked for, and could not be followed: ${error.message}`, {
      status: 'unknown',
      hint: error.hint,
      detail: { code: error.code },
      cause: error,
    })
  }
}

async function lookOnce(
  session: Session,
  it: Followed,
  attempt: Attempt,
  more: JsonObject,
  signal: AbortSignal,
): Promise<Seen> {
  // the migration first: when it says `completed`, the server that is read after it is the one it left
  const migration = it.migrates && (await migrationOf(session, it.migrates, attempt, signal))
  const action = it.proof ? await recordOf(session, attempt, signal) : undefined
  const server = (await serverOrGone(session, attempt.server, signal)) ?? { id: attempt.server, status: 'DELETED' }
  const seen: Seen = { server, migration, more, ...(action && { action }) }
  return it.look ? { ...seen, more: await it.look(session, { seen, attempt }, signal) } : seen
}

/** The server, or nothing where it no longer exists. */
export async function serverOrGone(session: Session, id: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  return (await orMissing(() => findServer(session, id, signal)))?.server
}

/** The newest migration that was not there before: an older one that is `completed` says nothing of this one. */
async function migrationOf(
  session: Session,
  { types, own, named }: NonNullable<Followed['migrates']>,
  { server, known, since, params }: Attempt,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const all = (await migrationsOf(session, server, signal)) ?? []
  return all.find(
    (one) =>
      types.includes(String(one['migration_type'])) &&
      (!named || one['id'] === params['migration']) &&
      (!own || (!known.has(Number(one['id'])) && (momentOf(one['created_at']) ?? 0) >= (since ?? 0))),
  )
}

async function recordOf(session: Session, attempt: Attempt, signal: AbortSignal): Promise<JsonObject | undefined> {
  if (attempt.request === undefined) return undefined
  try {
    return await instanceAction(session, attempt.server, attempt.request, signal)
  } catch (error) {
    if (error instanceof StepFailure && ['not_found', 'forbidden'].includes(error.code)) return undefined
    throw error
  }
}

/** An error that the server did not have before ends every operation. */
function overall({ judge }: Followed, look: Look): Verdict {
  const { server } = look.seen
  if (cellIsDown(server)) return 'waiting'
  const failed = vmStateOf(server) === 'error' && taskOf(server) === null
  const before = look.attempt.before
  const verdict = judge(look)
  if (verdict === 'done' || !failed || (before && vmStateOf(before) === 'error')) return verdict
  const said = textAt(server, 'fault', 'message')
  return new StepFailure('server_in_error', `the server went into ERROR${said === undefined ? '' : `: ${said}`}`, {
    hint: 'look where its guest really is before you reset its state',
    detail: { ...detailOf(look.attempt, look.seen), fault: server['fault'] ?? null },
  })
}

/** What Nova wrote down says more than the server does. */
async function explained(
  session: Session,
  { seen, attempt }: Look,
  failure: StepFailure,
  signal: AbortSignal,
): Promise<StepFailure> {
  const record = seen.action ?? (await recordOf(session, attempt, signal).catch(() => undefined))
  const said = record && stateOf(record).error
  const code = noHost.test(said ?? '') || noHost.test(failure.message) ? 'no_valid_host' : failure.code
  const message = said === undefined || failure.message.includes(said) ? failure.message : `${failure.message}: ${said}`
  return new StepFailure(code, message, {
    status: failure.status,
    hint: code === 'no_valid_host' ? noHostHint : failure.hint,
    detail: { ...(failure.detail as JsonObject | undefined), ...detailOf(attempt, seen) },
    cause: failure.cause,
  })
}

const noHost = /no valid host/i
export const noHostHint = 'no enabled host has room for it and fits it: `openstack.allocation_candidate.list` tells'

/** Idle, and either Nova wrote down that it failed, or it has been idle for too long. */
async function cameToNothing(
  session: Session,
  it: Followed,
  { seen, attempt }: Look,
  idle: number,
  signal: AbortSignal,
): Promise<StepFailure | undefined> {
  const record = seen.action ?? (await recordOf(session, attempt, signal))
  const { over = false, error } = record ? stateOf(record) : {}
  const grace = it.grace ?? usualGrace
  if (!(over && error !== undefined) && idle < grace) return undefined
  const code = noHost.test(error ?? '') ? 'no_valid_host' : (it.failure ?? 'operation_failed')
  const message =
    error === undefined
      ? `nothing came of it: the server is ${sayState(seen.server)}, and has been for ${shownDuration(idle)}`
      : `it failed, and the server is ${sayState(seen.server)}: ${error}`
  return new StepFailure(code, message, {
    hint: code === 'no_valid_host' ? noHostHint : 'look again: it may have been changed by somebody else',
    detail: detailOf(attempt, seen),
  })
}

function notOver(attempt: Attempt, last: Seen | undefined, limit: number): StepFailure {
  const state = last ? `the server is ${sayState(last.server)}` : 'it was never seen'
  return new StepFailure('not_over', `it was not over within ${shownDuration(limit)}: ${state}`, {
    status: 'timed_out',
    hint: 'it may still happen: does nova-compute on its host work?',
    detail: detailOf(attempt, last),
  })
}

/** What is known of it, for `failure.detail`. */
export function detailOf(attempt: Attempt, seen: Seen | undefined): JsonObject {
  const facts: { [name: string]: Json } = { server: attempt.server }
  if (attempt.request !== undefined) facts['request'] = attempt.request
  if (!seen) return facts
  return {
    ...facts,
    status: seen.server['status'] ?? null,
    task_state: taskOf(seen.server),
    host: hostOf(seen.server),
    ...(seen.migration && {
      migration: seen.migration['id'] ?? null,
      migration_status: seen.migration['status'] ?? null,
    }),
  }
}

function sayLook({ server, migration, more }: Seen): string {
  const host = hostOf(server)
  const words = [sayState(server), ...(host === null ? [] : [`on ${host}`])]
  if (migration) words.push(`migration ${String(migration['status'])}`)
  if (typeof more['remaining'] === 'number') words.push(`${Math.round(more['remaining'] / 2 ** 20)} MiB left`)
  return words.join(', ')
}
