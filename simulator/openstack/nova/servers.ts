import type { CloudWorld } from '../cloud.ts'
import { type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { second } from '../time.ts'
import { createServer } from './create.ts'
import { serverOf } from './find.ts'
import { change, recordAction } from './lifecycle.ts'
import { actOnServer, askerOf, nameOf } from './server-actions.ts'
import { listServers } from './server-list.ts'
import { serverQuery } from './server-query.ts'
import { serverView } from './server-view.ts'

export function serverRoutes(world: CloudWorld): Route[] {
  return [
    { method: 'GET', path: '/servers', query: serverQuery, handle: (request) => listServers(world, request, 'short') },
    {
      method: 'GET',
      path: '/servers/detail',
      query: serverQuery,
      handle: (request) => listServers(world, request, 'full'),
    },
    { method: 'POST', path: '/servers', handle: (request) => createServer(world, request) },
    { method: 'GET', path: '/servers/:id', handle: (request) => show(world, request) },
    { method: 'DELETE', path: '/servers/:id', handle: (request) => remove(world, request) },
    { method: 'POST', path: '/servers/:id/action', handle: (request) => actOnServer(world, request) },
  ]
}

function show(world: CloudWorld, request: ApiRequest): Reply {
  const view = serverView(world, serverOf(world, request), request)
  return json(200, { server: { ...view, ...(request.version >= 71 && { server_groups: [] }) } })
}

function remove(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  recordAction(world, server, 'delete', askerOf(request))
  world.effect('openstack.server.delete', nameOf(server))
  change(server, world.clock.now(), { taskState: 'deleting' })
  world.clock.after(3 * second, () => {
    change(server, world.clock.now(), { vmState: 'deleted', taskState: null, powerState: 0 })
    const { ports } = world.cloud.neutron
    for (let index = ports.length - 1; index >= 0; index -= 1) {
      if (ports[index]?.device_id === server.id) ports.splice(index, 1)
    }
  })
  return { status: 204 }
}
