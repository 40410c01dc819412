import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { checkBody, isYes } from './action-bodies.ts'
import { computeIsUp, computeOn } from './alive.ts'
import { beginResize, confirmResize, pendingResizeOf, revertResize } from './cold-migration.ts'
import { beginEvacuation } from './evacuation.ts'
import { serverOf } from './find.ts'
import { type Asker, change, recordAction, upsetOf } from './lifecycle.ts'
import { beginLiveMigration } from './live-migration.ts'
import { nameOf } from './names.ts'
import { serverView } from './server-view.ts'
import { shelve, shelveOffload, snapshot, unshelve } from './shelving.ts'
import type { NovaServer, VmState } from './state.ts'
import { begin, type Transition, transitions } from './transitions.ts'

/** One call of an action, checked as far as all actions are alike. */
interface Call {
  readonly world: CloudWorld
  readonly server: NovaServer
  readonly request: ApiRequest
  readonly asker: Asker
  readonly argument: { readonly [name: string]: unknown }
}

interface Action {
  /** States it may begin in; any, unless told. */
  readonly from?: readonly VmState[]
  /** It may begin whatever is under way. */
  readonly anyTask?: true
  /** Only for the role `admin`: the name of the policy, for the refusal. */
  readonly admin?: string
  /** A lock does not keep it. */
  readonly unlocked?: true
  run(call: Call): Reply
}

const accepted: Reply = { status: 202 }
const awake = ['active', 'stopped', 'paused', 'suspended'] as const

/** `POST /servers/{id}/action`: one object with one key, the name of the action. */
export function actOnServer(world: CloudWorld, request: ApiRequest): Reply {
  const entries = Object.entries((request.body ?? {}) as object)
  const [name, argument] = entries[0] ?? []
  if (name === undefined || entries.length > 1) throw new ApiFailure(400, 'Malformed request body')
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) throw new ApiFailure(400, `There is no such action: ${name}`)
  checkBody(name, argument, request.version)
  const server = serverOf(world, request)
  if (action.admin && !request.token.roles.includes('admin')) throw new ApiFailure(403, action.admin)
  if (!action.unlocked) refuseLocked(server, request)
  checkState(server, name.replace(/^os-(?=start|stop)/, ''), action)
  const fields = (typeof argument === 'object' && argument !== null ? argument : {}) as Call['argument']
  return action.run({ world, server, request, asker: askerOf(request), argument: fields })
}

function checkState(
  server: NovaServer,
  name: string,
  { from, during, anyTask }: Pick<Action, 'from' | 'anyTask'> & { readonly during?: readonly string[] | undefined },
): void {
  if (from && !from.includes(server.vmState)) throw conflict(server, name, 'vm_state', server.vmState)
  const free = anyTask || server.taskState === null || during?.includes(server.taskState)
  if (!free) throw conflict(server, name, 'task_state', server.taskState)
}

/** An action that is one of the plain ways from a state to another. */
const plain = (transition: Transition, answer: Reply = accepted): Action => ({
  from: transition.from,
  run: (call) => {
    go(call, transition)
    return answer
  },
})

function go({ world, server, asker }: Call, transition: Transition): void {
  if (server.host === null) throw new ApiFailure(409, `Instance ${server.id} is not ready`)
  world.effect(`openstack.server.${transition.action}`, nameOf(server), { host: server.host })
  begin(world, server, transition, asker)
}

const way = (name: string) => transitions[name] as Transition

const actions: { readonly [name: string]: Action } = {
  ...Object.fromEntries(
    ['os-start', 'os-stop', 'pause', 'unpause', 'suspend', 'resume', 'unrescue'].map((name) => [
      name,
      plain(way(name)),
    ]),
  ),
  reboot: {
    anyTask: true,
    run(call) {
      const transition = way(`reboot.${String(call.argument['type']).toUpperCase()}`)
      checkState(call.server, 'reboot', { from: transition.from, during: transition.during })
      go(call, transition)
      return accepted
    },
  },
  rescue: {
    from: way('rescue').from,
    run(call) {
      const { server, request } = call
      if (server.image === '' && request.version < 87) {
        throw new ApiFailure(400, `Instance ${server.id} cannot be rescued: Cannot rescue a volume-backed instance`)
      }
      go(call, way('rescue'))
      return json(200, { adminPass: server.id.replaceAll('-', '').slice(0, 12) })
    },
  },
  rebuild: {
    from: way('rebuild').from,
    run(call) {
      const { world, server, request, argument } = call
      const image = String(argument['imageRef'])
      if (!world.cloud.glance.images.some(({ id }) => id === image)) {
        throw new ApiFailure(400, 'Cannot find image for rebuild')
      }
      if (server.image === '' && request.version < 93) {
        throw new ApiFailure(400, 'Unable to rebuild with a different image for a volume-backed server.')
      }
      const transition = way('rebuild')
      go(
        call,
        server.vmState === 'stopped' ? { ...transition, end: { vmState: 'stopped', powerState: 4 } } : transition,
      )
      if (server.image !== '') server.image = image
      if (typeof argument['name'] === 'string') Object.assign(server, { name: argument['name'] })
      const shown = { ...serverView(world, server, request), adminPass: server.id.replaceAll('-', '').slice(0, 12) }
      return json(202, { server: shown }, { Location: `${request.origin}/v2.1/servers/${server.id}` })
    },
  },
  lock: {
    anyTask: true,
    unlocked: true,
    run({ world, server, asker, argument }) {
      const reason = argument['locked_reason']
      change(server, world.clock.now(), { locked: true, lockedReason: reason === undefined ? null : String(reason) })
      recordAction(world, server, 'lock', asker)
      world.effect('openstack.server.lock', nameOf(server), { reason })
      return accepted
    },
  },
  unlock: {
    anyTask: true,
    unlocked: true,
    run({ world, server, asker }) {
      change(server, world.clock.now(), { locked: false, lockedReason: null })
      recordAction(world, server, 'unlock', asker)
      world.effect('openstack.server.unlock', nameOf(server))
      return accepted
    },
  },
  resize: {
    from: ['active', 'stopped'],
    run({ world, server, asker, argument }) {
      refuseUnserved(world, server)
      const wanted = String(argument['flavorRef']).split('/').at(-1)
      const flavor = world.cloud.nova.flavors.find(({ id }) => id === wanted)
      if (!flavor) throw new ApiFailure(400, `Flavor ${wanted} could not be found.`)
      if (flavor.id === server.flavor.id) throw new ApiFailure(400, 'When resizing, instances must change flavor!')
      world.effect('openstack.server.resize', nameOf(server), { flavor: flavor.name, host: server.host })
      beginResize(world, server, asker, { flavor })
      return accepted
    },
  },
  migrate: {
    from: ['active', 'stopped'],
    admin: 'os_compute_api:os-migrate-server:migrate',
    run({ world, server, asker, argument }) {
      refuseUnserved(world, server)
      const host = hostIn(world, argument)
      if (host !== null && host === server.host) {
        throw new ApiFailure(400, 'Cannot migrate to the host where the server exists.')
      }
      world.effect('openstack.server.migrate', nameOf(server), { host: server.host, to: host })
      beginResize(world, server, asker, { host })
      return accepted
    },
  },
  confirmResize: {
    from: ['resized'],
    run({ world, server, asker }) {
      if (upsetOf(world, server, 'unconfirmed')) {
        throw new ApiFailure(403, "Policy doesn't allow os_compute_api:servers:confirm_resize to be performed.")
      }
      const migration = pendingResizeOf(world, server)
      if (!migration) throw new ApiFailure(400, 'Instance has not been resized.')
      world.effect('openstack.server.confirm_resize', nameOf(server), { host: server.host })
      confirmResize(world, server, migration, asker)
      return { status: 204 }
    },
  },
  revertResize: {
    from: ['resized'],
    run({ world, server, asker }) {
      const migration = pendingResizeOf(world, server)
      if (!migration) throw new ApiFailure(400, 'Instance has not been resized.')
      world.effect('openstack.server.revert_resize', nameOf(server), { host: server.host })
      revertResize(world, server, migration, asker)
      return accepted
    },
  },
  'os-migrateLive': {
    from: ['active', 'paused'],
    admin: 'os_compute_api:os-migrate-server:migrate_live',
    run({ world, server, asker, argument, request }) {
      const host = hostIn(world, argument)
      // before 2.30 a host that is named is not discussed with the scheduler
      const force = host !== null && (request.version < 30 || isYes(argument['force']))
      if (host === null && isYes(argument['force'])) {
        throw new ApiFailure(400, "Can't force to a non-provided destination")
      }
      world.effect('openstack.server.live_migrate', nameOf(server), { host: server.host, to: host })
      const refusal = beginLiveMigration(world, server, asker, { host, force, wait: request.version < 34 })
      if (refusal !== undefined) throw new ApiFailure(400, refusal)
      return accepted
    },
  },
  evacuate: {
    from: ['active', 'stopped', 'error'],
    anyTask: true,
    unlocked: true,
    admin: 'os_compute_api:os-evacuate',
    run({ world, server, asker, argument, request }) {
      const host = typeof argument['host'] === 'string' ? argument['host'] : null
      const force = host !== null && (request.version < 29 || isYes(argument['force']))
      if (host === null && isYes(argument['force'])) {
        throw new ApiFailure(400, "Can't force to a non-provided destination")
      }
      if (host !== null && !computeOn(world, host)) throw new ApiFailure(404, `Compute host ${host} not found.`)
      if (host !== null && host === server.host) throw new ApiFailure(400, "The target host can't be the same one.")
      if (computeIsUp(world, server.host)) {
        throw new ApiFailure(400, `Compute service of ${server.host} is still in use.`)
      }
      world.effect('openstack.server.evacuate', nameOf(server), { host: server.host, to: host })
      beginEvacuation(world, server, asker, { host, force, stopped: request.version >= 95 })
      return request.version < 14
        ? json(200, { adminPass: server.id.replaceAll('-', '').slice(0, 12) })
        : { status: 200 }
    },
  },
  shelve: {
    from: awake,
    run({ world, server, asker }) {
      world.effect('openstack.server.shelve', nameOf(server), { host: server.host })
      shelve(world, server, asker)
      return accepted
    },
  },
  shelveOffload: {
    from: ['shelved'],
    admin: 'os_compute_api:os-shelve:shelve_offload',
    run({ world, server, asker }) {
      world.effect('openstack.server.shelve_offload', nameOf(server), { host: server.host })
      shelveOffload(world, server, asker)
      return accepted
    },
  },
  unshelve: {
    from: ['shelved', 'shelved_offloaded'],
    run({ world, server, asker, argument, request }) {
      const host = request.version >= 91 ? hostIn(world, argument) : null
      if (host !== null && !request.token.roles.includes('admin')) {
        throw new ApiFailure(403, 'os_compute_api:os-shelve:unshelve_to_host')
      }
      world.effect('openstack.server.unshelve', nameOf(server), { to: host })
      unshelve(world, server, asker, host)
      return accepted
    },
  },
  createImage: {
    from: awake,
    run({ world, server, asker, argument, request }) {
      const { name, metadata } = argument as { name: string; metadata?: { readonly [key: string]: string } }
      const image = snapshot(world, server, asker, { name, ...(metadata && { metadata }) })
      world.effect('openstack.server.create_image', nameOf(server), { image: image.id, name: image.name })
      const location = { Location: `${request.origin}/images/${image.id}` }
      return request.version >= 45 ? json(202, { image_id: image.id }) : { status: 202, headers: location }
    },
  },
  'os-resetState': {
    anyTask: true,
    admin: 'os_compute_api:os-admin-actions:reset_state',
    run({ world, server, asker, argument }) {
      const state = argument['state'] === 'active' ? 'active' : 'error'
      change(server, world.clock.now(), { vmState: state, taskState: null })
      recordAction(world, server, 'resetState', asker)
      world.effect('openstack.server.reset_state', nameOf(server), { state })
      return accepted
    },
  },
  'os-getConsoleOutput': {
    anyTask: true,
    unlocked: true,
    run({ world, server, argument }) {
      if (server.host === null) throw new ApiFailure(409, `Instance ${server.id} is not ready`)
      const on = server.powerState === 1 && !server.guestOff
      const lines = on ? world.cloud.consoleOf(server).split('\n') : []
      const length = Number(argument['length'] ?? -1)
      return json(200, { output: (length >= 0 ? lines.slice(Math.max(0, lines.length - length)) : lines).join('\n') })
    },
  },
}

export const askerOf = ({ id, token }: ApiRequest): Asker => ({
  requestId: id,
  user: token.user,
  project: projectOf(token),
})

export function refuseLocked(server: NovaServer, { token }: ApiRequest): void {
  if (server.locked && !token.roles.includes('admin')) throw new ApiFailure(409, `Instance ${server.id} is locked`)
}

/** A move begins only from a host that Nova believes in. */
function refuseUnserved(world: CloudWorld, server: NovaServer): void {
  if (!computeIsUp(world, server.host)) throw new ApiFailure(409, 'Service is unavailable at this time.')
}

/** The host of a body. Throws `ApiFailure` 400 for one that is no compute host. */
function hostIn(world: CloudWorld, argument: Call['argument']): string | null {
  const host = argument['host']
  if (typeof host !== 'string') return null
  if (!computeOn(world, host)) throw new ApiFailure(400, `Compute host ${host} could not be found.`)
  return host
}

export const conflict = ({ id }: NovaServer, action: string, what: string, state: string | null) =>
  new ApiFailure(
    409,
    state === null
      ? `Instance ${id} is in an invalid state for '${action}'`
      : `Cannot '${action}' instance ${id} while it is in ${what} ${state}`,
  )
