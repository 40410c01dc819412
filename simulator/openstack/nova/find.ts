import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import type { NovaServer, NovaState } from './state.ts'
import { existing } from './state.ts'

/** Whether the cell of a server does not answer. */
export const isSilent = ({ silentCells }: Pick<NovaState, 'silentCells'>, { host }: NovaServer): boolean =>
  host !== null && silentCells.has(host)

/** The server of the path. Throws `ApiFailure` 404, also for one of a project the caller has nothing to do with, and 500 where its cell does not answer. */
export function serverOf(world: CloudWorld, request: ApiRequest): NovaServer {
  const server = knownServer(world, request)
  if (!isSilent(world.cloud.nova, server)) return server
  throw new ApiFailure(500, 'Cell cell1 is not responding and hence instance info is not available.')
}

/** The same, though its cell may not answer. */
export function knownServer({ cloud: { nova } }: CloudWorld, { params: { id = '' }, token }: ApiRequest): NovaServer {
  const server = existing(nova).find((one) => one.id === id)
  if (!server || (server.project !== projectOf(token) && !token.roles.includes('admin'))) {
    throw new ApiFailure(404, `Instance ${id} could not be found.`)
  }
  return server
}
