import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import type { NovaServer } from './state.ts'
import { existing } from './state.ts'

/** The server of the path. Throws `ApiFailure` 404, also for one of a project the caller has nothing to do with. */
export function serverOf({ cloud: { nova } }: CloudWorld, { params: { id = '' }, token }: ApiRequest): NovaServer {
  const server = existing(nova).find((one) => one.id === id)
  if (!server || (server.project !== projectOf(token) && !token.roles.includes('admin'))) {
    throw new ApiFailure(404, `Instance ${id} could not be found.`)
  }
  return server
}
