import { StepFailure } from '../../engine/action/contract.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, objectIn, partOf } from './call.ts'
import { momentOf } from './heartbeat.ts'
import { objectsIn, textAt } from './json-body.ts'
import { segment } from './list.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'
import { computeVersions, type Microversions } from './versions.ts'

/** 2.58 gives pages and `updated_at`; events since 2.51 are for everybody. */
const instanceActionVersions: Microversions = { min: '2.58', max: '2.100' }

/** What was done to a server, newest first, without events. */
export async function instanceActions(session: Session, server: string, signal: AbortSignal) {
  const { items } = await listAll(
    session,
    {
      service: 'compute',
      path: `/servers/${segment(server)}/os-instance-actions`,
      query: { limit: pageSize },
      collection: 'instanceActions',
      microversion: instanceActionVersions,
    },
    signal,
  )
  return items.toSorted((a, b) => startOf(b) - startOf(a))
}

/** One thing that was done, with its events. Throws `not_found`. */
export async function instanceAction(
  session: Session,
  server: string,
  request: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const path = `/servers/${segment(server)}/os-instance-actions/${segment(request)}`
  return partOf(
    await call(session, { service: 'compute', path, microversion: instanceActionVersions }, signal),
    'instanceAction',
  )
}

const startOf = (action: JsonObject): number => momentOf(action['start_time']) ?? 0

/** What is known of an instance action: whether it is over, and what went wrong with it. */
export function stateOf(action: JsonObject): { readonly over: boolean; readonly error: string | undefined } {
  const events = objectsIn(action['events'])
  const wrong = events.filter((event) => event['result'] === 'Error')
  const said = wrong.map((event) => textAt(event, 'details') ?? lastLine(textAt(event, 'traceback'))).find(Boolean)
  const failed = wrong.length > 0 || textAt(action, 'message') !== undefined
  return {
    over: events.length > 0 && events.every((event) => textAt(event, 'finish_time') !== undefined),
    error: failed ? (said ?? textAt(action, 'message') ?? 'Error') : undefined,
  }
}

/** Before version 2.84 an event tells its reason only as a trace, to an administrator. */
const lastLine = (trace: string | undefined): string | undefined => trace?.trim().split('\n').at(-1)

/**
 * The migrations of a server, newest first; none for who may not see them. They are the only place that tells of a live
 * migration that broke off.
 */
export async function migrationsOf(
  session: Session,
  server: string,
  signal: AbortSignal,
): Promise<readonly JsonObject[] | undefined> {
  try {
    const { items } = await listAll(
      session,
      {
        service: 'compute',
        path: '/os-migrations',
        query: { instance_uuid: server, limit: pageSize },
        collection: 'migrations',
        microversion: computeVersions,
      },
      signal,
    )
    const own = items.filter((item) => item['instance_uuid'] === server)
    return own.toSorted((a, b) => Number(b['id']) - Number(a['id']))
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'forbidden') return undefined
    throw error
  }
}

/** How far a live migration is, while it runs. */
export async function progressOf(session: Session, server: string, migration: Json, signal: AbortSignal) {
  const path = `/servers/${segment(server)}/migrations`
  const answer = await call(session, { service: 'compute', path, microversion: computeVersions }, signal)
  return objectsIn(objectIn(answer)['migrations']).find((one) => one['id'] === migration)
}
