import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { second } from '../time.ts'
import { checkObject } from './action-bodies.ts'
import { computeIsUp } from './alive.ts'
import { createServer } from './create.ts'
import { isSilent, knownServer, serverOf } from './find.ts'
import { beginEvent, change, onHost, recordAction, succeed } from './lifecycle.ts'
import { dropHolds } from './moves.ts'
import { nameOf } from './names.ts'
import { groupOf } from './schedule.ts'
import { actOnServer, askerOf, refuseLocked } from './server-actions.ts'
import { listServers } from './server-list.ts'
import { serverQuery, unrehearsed } from './server-query.ts'
import { instanceNameOf, serverView, silentServer } from './server-view.ts'
import type { NovaServer } from './state.ts'

export function serverRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/servers',
      query: serverQuery,
      unrehearsed,
      handle: (request) => listServers(world, request, 'short'),
    },
    {
      method: 'GET',
      path: '/servers/detail',
      query: serverQuery,
      unrehearsed,
      handle: (request) => listServers(world, request, 'full'),
    },
    { method: 'POST', path: '/servers', handle: (request) => createServer(world, request) },
    { method: 'GET', path: '/servers/:id', handle: (request) => show(world, request) },
    { method: 'DELETE', path: '/servers/:id', handle: (request) => remove(world, request) },
    {
      method: 'POST',
      path: '/servers/:id/remote-consoles',
      since: 6,
      handle: (request) => openConsole(world, request),
    },
    { method: 'POST', path: '/servers/:id/action', handle: (request) => actOnServer(world, request) },
  ]
}

function show(world: CloudWorld, request: ApiRequest): Reply {
  const server = request.version < 69 ? serverOf(world, request) : knownServer(world, request)
  if (isSilent(world.cloud.nova, server)) return json(200, { server: silentServer(server, 'shown') })
  const group = groupOf(world, server)
  const groups = request.version >= 71 && { server_groups: group ? [group.id] : [] }
  return json(200, { server: { ...serverView(world, server, request), ...groups } })
}

function remove(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  refuseLocked(server, request)
  const record = recordAction(world, server, 'delete', askerOf(request))
  world.effect('openstack.server.delete', nameOf(server))
  change(server, world.clock.now(), { taskState: 'deleting' })
  const gone = () => {
    release(world, server)
    succeed(world, record)
  }
  // one without a host that answers is taken off the books at once; its guest stays where it is
  if (server.host === null || !computeIsUp(world, server.host)) {
    if (server.host !== null) leaveBehind(world, server, server.host)
    gone()
    return { status: 204 }
  }
  beginEvent(world, record, 'compute_terminate_instance', server.host)
  onHost(world, server.host, () => world.clock.after(3 * second, gone))
  return { status: 204 }
}

function leaveBehind({ cloud: { nova } }: CloudWorld, server: NovaServer, host: string): void {
  const running = server.powerState === 1 && !server.guestOff
  nova.orphans.push({ host, uuid: server.id, name: instanceNameOf(server), running })
}

function release(world: CloudWorld, server: NovaServer): void {
  const { nova, neutron, cinder } = world.cloud
  change(server, world.clock.now(), { vmState: 'deleted', taskState: null, powerState: 0, claimed: undefined })
  dropHolds(nova.holds, (hold) => hold.server === server.id)
  dropHolds(neutron.ports, (port) => port.device_id === server.id)
  for (const volume of cinder.volumes) {
    const others = volume.attachments.filter((one) => one.server !== server.id)
    if (others.length === volume.attachments.length) continue
    Object.assign(volume, { attachments: others, updatedAt: world.clock.now() })
    if (others.length === 0) volume.status = 'available'
  }
  const ended = server.volumes.filter(({ deleteOnTermination }) => deleteOnTermination).map(({ id }) => id)
  dropHolds(cinder.volumes, ({ id }) => ended.includes(id))
}

const consoles: { readonly [protocol: string]: string } = { vnc: 'novnc', spice: 'spice-html5', serial: 'serial' }

function openConsole(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  const { remote_console: asked } = (request.body ?? {}) as { remote_console?: unknown }
  const words = { types: ['string'], required: true } as const
  const properties = {
    protocol: { ...words, values: ['vnc', 'spice', 'rdp', 'serial', ...(request.version >= 8 ? ['mks'] : [])] },
    type: words,
  }
  checkObject('remote_console', asked, { properties }, request.version)
  const { protocol, type } = asked as { protocol: string; type: string }
  if (server.host === null) throw new ApiFailure(409, `Instance ${server.id} is not ready`)
  if (consoles[protocol] !== type) throw new ApiFailure(400, `Unavailable console type ${type}.`)
  const url = `http://127.0.0.1:6080/vnc_lite.html?path=%3Ftoken%3D${world.random.uuid()}`
  return json(200, { remote_console: { protocol, type, url } })
}
