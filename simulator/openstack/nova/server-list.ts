import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { fits, isOn, momentIn, nextLink, pageOf } from '../http/paging.ts'
import { projectOf } from '../keystone/state.ts'
import { isSilent } from './find.ts'
import { portsOf, serverView, shortServer, silentServer } from './server-view.ts'
import type { NovaServer } from './state.ts'
import { statuses, statusOf } from './status.ts'

/** `GET /servers` and `/servers/detail`: filtered, sorted, in pages. */
export function listServers(world: CloudWorld, request: ApiRequest, extent: 'short' | 'full'): Reply {
  const known = world.cloud.nova.servers.filter(unless(world, request))
  const found = known.filter(visible(world, request)).sort(order(request))
  const page = pageOf(found, request, { max: 1000 })
  return json(200, {
    servers: page.items.map((one) => (extent === 'full' ? listed(world, one, request) : shortServer(one, request))),
    ...nextLink('servers', page),
  })
}

/** Servers of a cell that does not answer are listed only by those who look for all there are. */
function unless({ cloud: { nova } }: CloudWorld, { query, version }: ApiRequest): (server: NovaServer) => boolean {
  const whole = ['limit', 'marker', 'all_tenants', 'project_id', 'tenant_id', 'user_id']
  const narrowed = [...query.keys()].some((name) => !whole.includes(name))
  return (server) => !isSilent(nova, server) || (version >= 69 && !narrowed)
}

/** Lists do not look for the faults of servers that never had a host; asking for one of these shows it. */
function listed(world: CloudWorld, server: NovaServer, request: ApiRequest): object {
  if (isSilent(world.cloud.nova, server)) return silentServer(server, 'listed')
  return serverView(world, server.neverPlaced ? { ...server, fault: null } : server, request)
}

function visible(world: CloudWorld, { query, token, version }: ApiRequest): (server: NovaServer) => boolean {
  const admin = token.roles.includes('admin')
  const allTenants = query.has('all_tenants') && isOn(query, 'all_tenants')
  if (allTenants && !admin) throw new ApiFailure(403, 'os_compute_api:servers:index:get_all_tenants')
  const since = momentIn(query, 'changes-since')
  const before = version >= 66 ? momentIn(query, 'changes-before') : undefined
  const wantedStatuses = query.getAll('status').map((status) => status.toUpperCase())
  const nowhere = wantedStatuses.length > 0 && !wantedStatuses.some((status) => statuses.has(status))
  if (nowhere && version >= 38) throw new ApiFailure(400, 'Invalid status value')
  const name = query.get('name')
  const wanted = name === null ? undefined : regexOf(name)
  return (server) => {
    const deletedWanted = since !== undefined || (admin && isOn(query, 'deleted'))
    if (server.vmState === 'deleted' && !deletedWanted) return false
    if (!allTenants && server.project !== projectOf(token)) return false
    if (since !== undefined && server.updatedAt < since) return false
    if (before !== undefined && server.updatedAt > before) return false
    if (wantedStatuses.length > 0 && !wantedStatuses.includes(statusOf(server))) return false
    if (wanted && !wanted.test(server.name)) return false
    return fitsFields(world, server, query, { admin, allTenants, version })
  }
}

function fitsFields(
  world: CloudWorld,
  server: NovaServer,
  query: URLSearchParams,
  { admin, allTenants, version }: { admin: boolean; allTenants: boolean; version: number },
): boolean {
  // what a caller may not see, a caller may not filter by: the filter is ignored
  const adminFields =
    !admin ||
    (fits(query, 'host', server.host) &&
      fits(query, 'node', server.host) &&
      fits(query, 'task_state', server.taskState) &&
      fits(query, 'vm_state', server.vmState) &&
      fits(query, 'power_state', server.powerState) &&
      fits(query, 'uuid', server.id) &&
      fits(query, 'user_id', server.user))
  const projects =
    !allTenants || (fits(query, 'project_id', server.project) && fits(query, 'tenant_id', server.project))
  const locked = version < 73 || !query.has('locked') || isOn(query, 'locked') === server.locked
  const ip = query.get('ip')
  const addresses = ip === null ? [] : portsOf(world, server).flatMap(({ fixed_ips }) => fixed_ips)
  return (
    adminFields &&
    projects &&
    locked &&
    fits(query, 'image', server.image) &&
    fits(query, 'flavor', server.flavor.id) &&
    fits(query, 'availability_zone', server.zone) &&
    (ip === null || addresses.some(({ ip_address }) => regexOf(ip).test(ip_address)))
  )
}

function regexOf(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw new ApiFailure(400, `Invalid filter: ${text}`)
  }
}

const sortable: { readonly [key: string]: (server: NovaServer) => string | number } = {
  created_at: ({ createdAt }) => createdAt,
  updated_at: ({ updatedAt }) => updatedAt,
  display_name: ({ name }) => name,
  uuid: ({ id }) => id,
  host: ({ host }) => host ?? '',
  vm_state: ({ vmState }) => vmState,
}

function order({ query }: ApiRequest): (a: NovaServer, b: NovaServer) => number {
  const keys = query.getAll('sort_key')
  const directions = query.getAll('sort_dir')
  for (const key of keys) {
    if (!sortable[key]) throw new ApiFailure(400, `Invalid input for query parameters sort_key. Value: ${key}.`)
  }
  const rules = (keys.length > 0 ? keys : ['created_at']).map((key, index) => ({
    of: sortable[key] ?? sortable['created_at'],
    sign: (directions[index] ?? directions.at(-1) ?? 'desc') === 'asc' ? 1 : -1,
  }))
  return (a, b) => {
    for (const { of, sign } of rules) {
      const [left, right] = [of?.(a) ?? '', of?.(b) ?? '']
      if (left !== right) return left < right ? -sign : sign
    }
    return a.id < b.id ? 1 : -1
  }
}
