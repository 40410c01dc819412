import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { serverOf } from './find.ts'
import { begin, change, recordAction, transitions } from './lifecycle.ts'
import type { NovaServer } from './state.ts'

/** `POST /servers/{id}/action`: one object with one key, the name of the action. */
export function actOnServer(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  const [name, argument] = Object.entries((request.body ?? {}) as object)[0] ?? []
  if (name === undefined) throw new ApiFailure(400, 'There is no such action: None. Available actions: []')
  const done = immediate[name]
  if (done) return done(world, server, request, argument)
  const key = name === 'reboot' ? `reboot.${rebootKind(argument)}` : name
  const transition = transitions[key]
  if (!transition) throw new ApiFailure(400, `There is no such action: ${name}.`)
  refuseLocked(server, request)
  // a hard reboot is what gets a server out of a task that never ends
  const busy = server.taskState !== null && !(key === 'reboot.HARD' && server.taskState.startsWith('reboot'))
  if (busy) throw conflict(server, transition.action, 'task_state', server.taskState)
  if (!transition.from.includes(server.vmState)) throw conflict(server, transition.action, 'vm_state', server.vmState)
  world.effect(`openstack.server.${transition.action}`, nameOf(server), { host: server.host })
  begin(world, server, transition, askerOf(request))
  return { status: 202 }
}

type Immediate = (world: CloudWorld, server: NovaServer, request: ApiRequest, argument: unknown) => Reply

/** Actions that are over when the call returns. */
const immediate: { readonly [name: string]: Immediate } = {
  lock(world, server, request, argument) {
    const reason = (argument as { locked_reason?: unknown } | null)?.locked_reason
    change(server, world.clock.now(), { locked: true, lockedReason: reason === undefined ? null : String(reason) })
    recordAction(world, server, 'lock', askerOf(request))
    world.effect('openstack.server.lock', nameOf(server), { reason })
    return { status: 202 }
  },
  unlock(world, server, request) {
    change(server, world.clock.now(), { locked: false, lockedReason: null })
    recordAction(world, server, 'unlock', askerOf(request))
    world.effect('openstack.server.unlock', nameOf(server))
    return { status: 202 }
  },
  'os-resetState'(world, server, { token }, argument) {
    if (!token.roles.includes('admin')) throw new ApiFailure(403, 'os_compute_api:os-admin-actions:reset_state')
    const state = (argument as { state?: unknown } | null)?.state
    if (state !== 'active' && state !== 'error')
      throw new ApiFailure(400, `Invalid input for field/attribute state. Value: ${state}.`)
    change(server, world.clock.now(), { vmState: state, taskState: null })
    world.effect('openstack.server.reset_state', nameOf(server), { state })
    return { status: 202 }
  },
  'os-getConsoleOutput'(_world, server) {
    if (server.vmState !== 'active') throw new ApiFailure(404, `Instance ${server.id} is not ready`)
    return json(200, { output: `Debian GNU/Linux 12 ${server.name} ttyS0\n\n${server.name} login: ` })
  },
}

export const nameOf = ({ name, id }: NovaServer): string => `${name} (${id})`

export const askerOf = ({ id, token }: ApiRequest) => ({ requestId: id, user: token.user, project: projectOf(token) })

function rebootKind(argument: unknown): string {
  const kind = String((argument as { type?: unknown } | null)?.type).toUpperCase()
  if (kind === 'SOFT' || kind === 'HARD') return kind
  throw new ApiFailure(400, "Invalid input for field/attribute reboot. Value: {}. 'type' is a required property")
}

function refuseLocked(server: NovaServer, { token }: ApiRequest): void {
  if (server.locked && !token.roles.includes('admin')) throw new ApiFailure(409, `Instance ${server.id} is locked`)
}

const conflict = ({ id }: NovaServer, action: string, what: string, state: string | null) =>
  new ApiFailure(409, `Cannot '${action}' instance ${id} while it is in ${what} ${state}`)
