import { StepFailure } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import { call, partOf, type Query, type ServiceAnswer } from './call.ts'
import { segment } from './list.ts'
import { onlyNamed } from './only-named.ts'
import { type Listed, listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'
import { computeVersions } from './versions.ts'

/** How a parameter names a server. */
export const serverParam: Schema = text('Its id, or its exact name where only one server has it', { minLength: 1 })

/** The server with this id or with exactly this name. Throws `not_found`, `ambiguous`. */
export async function findServer(
  session: Session,
  idOrName: string,
  signal: AbortSignal,
): Promise<{ server: JsonObject; date: string | null }> {
  if (uuid.test(idOrName)) {
    const found = await serverById(session, idOrName, signal)
    return { server: partOf(found, 'server'), date: found.date }
  }
  const { items, first } = await serversNamed(session, idOrName, signal)
  const named = items.filter(({ name }) => name === idOrName)
  return { server: onlyNamed(named, 'server', idOrName), date: first.date }
}

export const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

export function serverById(session: Session, id: string, signal: AbortSignal): Promise<ServiceAnswer> {
  return call(session, { service: 'compute', path: `/servers/${segment(id)}`, microversion: computeVersions }, signal)
}

/** In every project; for a user who may not look there, in the project of the cloud. */
export async function serversNamed(session: Session, name: string, signal: AbortSignal): Promise<Listed> {
  const list = (query: Query) =>
    listAll(
      session,
      {
        service: 'compute',
        path: '/servers/detail',
        query: { limit: pageSize, ...query, ...nameQuery(name) },
        collection: 'servers',
        microversion: computeVersions,
      },
      signal,
    )
  try {
    return await list({ all_tenants: 1 })
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'forbidden') return await list({})
    throw error
  }
}

/** Nova reads a name as a regular expression: one that would be read so is not sent, and compared here alone. */
export function nameQuery(name: string): { readonly name?: string } {
  return /^[\w .:@-]+$/.test(name) ? { name } : {}
}
