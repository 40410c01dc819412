import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { addPort } from '../neutron/ports.ts'
import type { Subnet } from '../neutron/state.ts'
import { second } from '../time.ts'
import { beginEvent, change, fail, onHost, recordAction, succeed, upsetOf } from './lifecycle.ts'
import { nameOf } from './names.ts'
import { hostsFor, noValidHost } from './schedule.ts'
import { askerOf } from './server-actions.ts'
import { serverLinks } from './server-view.ts'
import type { Flavor, InstanceAction, NovaServer, ServerGroup } from './state.ts'

interface Wanted {
  readonly name: string
  readonly flavor: Flavor
  readonly image: string
  readonly subnets: readonly Subnet[]
  readonly host: string | undefined
  readonly group: ServerGroup | undefined
  readonly metadata: { readonly [key: string]: string }
  readonly description: string | null
  readonly userData: string | undefined
}

/** `POST /servers`: accepted at once, built over the next seconds. */
export function createServer(world: CloudWorld, request: ApiRequest): Reply {
  const { nova } = world.cloud
  const now = world.clock.now()
  const wanted = wantedIn(world, request)
  const server: NovaServer = {
    id: world.random.uuid(),
    number: nova.servers.length + 1,
    name: wanted.name,
    project: projectOf(request.token),
    user: request.token.user,
    flavor: wanted.flavor,
    image: wanted.image,
    host: null,
    zone: 'nova',
    createdAt: now,
    updatedAt: now,
    launchedAt: null,
    vmState: 'building',
    taskState: 'scheduling',
    powerState: 0,
    volumes: [],
    metadata: { ...wanted.metadata },
    fault: null,
    locked: false,
    lockedReason: null,
    description: wanted.description,
    tags: [],
    keyName: null,
    ...(wanted.userData !== undefined && { userData: wanted.userData }),
  }
  nova.servers.push(server)
  wanted.group?.members.push(server.id)
  const record = recordAction(world, server, 'create', askerOf(request))
  world.effect('openstack.server.create', nameOf(server), { flavor: wanted.flavor.name })
  world.clock.after(second, () => place(world, server, wanted, record))
  const location = `${request.origin}/v2.1/servers/${server.id}`
  const { id } = server
  const body = {
    id,
    links: serverLinks(id, request.origin),
    'OS-DCF:diskConfig': 'MANUAL',
    security_groups: [{ name: 'default' }],
    adminPass: id.replaceAll('-', '').slice(0, 12),
  }
  return json(202, { server: body }, { Location: location })
}

function wantedIn(world: CloudWorld, { body, version, token }: ApiRequest): Wanted {
  const { server: asked } = (body ?? {}) as { server?: { [field: string]: unknown } }
  if (!asked) throw new ApiFailure(400, "Invalid input for field/attribute server. 'server' is a required property")
  const name = asked['name']
  if (typeof name !== 'string' || name === '')
    throw new ApiFailure(400, "Invalid input for field/attribute server. 'name' is a required property")
  const flavor = world.cloud.nova.flavors.find(({ id }) => id === String(asked['flavorRef']).split('/').at(-1))
  if (!flavor) throw new ApiFailure(400, `Flavor ${asked['flavorRef']} could not be found.`)
  if (version >= 37 && asked['networks'] === undefined) {
    throw new ApiFailure(400, "Invalid input for field/attribute server. 'networks' is a required property")
  }
  const host = asked['host']
  if (host !== undefined && version < 74)
    throw new ApiFailure(400, "Additional properties are not allowed ('host' was unexpected)")
  if (host !== undefined && !token.roles.includes('admin'))
    throw new ApiFailure(403, 'compute:servers:create:requested_destination')
  return {
    name,
    flavor,
    image: typeof asked['imageRef'] === 'string' ? asked['imageRef'] : '',
    subnets: subnetsFor(world, asked['networks'], projectOf(token)),
    host: typeof host === 'string' ? host : undefined,
    group: groupIn(world, body),
    metadata: (asked['metadata'] ?? {}) as { [key: string]: string },
    userData: typeof asked['user_data'] === 'string' ? asked['user_data'] : undefined,
    description: typeof asked['description'] === 'string' ? asked['description'] : null,
  }
}

/** The group a scheduler hint names; the hints stand beside the server. */
function groupIn({ cloud: { nova } }: CloudWorld, body: unknown): ServerGroup | undefined {
  const all = (body ?? {}) as { readonly [key: string]: { readonly group?: unknown } | undefined }
  const wanted = (all['os:scheduler_hints'] ?? all['OS-SCH-HNT:scheduler_hints'])?.group
  if (wanted === undefined) return undefined
  const group = nova.groups.find(({ id }) => id === wanted)
  if (!group) throw new ApiFailure(400, `Instance group ${wanted} could not be found.`)
  return group
}

function subnetsFor({ cloud: { neutron } }: CloudWorld, networks: unknown, project: string): Subnet[] {
  if (networks === 'none') return []
  const own = neutron.networks.filter(
    ({ project_id, 'router:external': external }) => project_id === project && !external,
  )
  const ids = Array.isArray(networks)
    ? networks.map((entry) => String((entry as { uuid?: unknown }).uuid))
    : own.slice(0, 1).map(({ id }) => id)
  return ids.map((id) => {
    const subnet = neutron.subnets.find(({ network_id }) => network_id === id)
    if (!subnet) throw new ApiFailure(400, `Network ${id} could not be found.`)
    return subnet
  })
}

function place(world: CloudWorld, server: NovaServer, wanted: Wanted, record: InstanceAction): void {
  if (server.vmState === 'deleted') return
  const now = world.clock.now()
  const { flavor } = server
  const [host] = hostsFor(world, { flavor, server, group: wanted.group, host: wanted.host })
  if (host === undefined) {
    const message = noValidHost()
    const fault = { code: 500, message, created: now, details: `nova.exception.NoValidHost: ${message}` }
    change(server, now, { vmState: 'error', taskState: null, fault, neverPlaced: true })
    beginEvent(world, record, 'conductor_schedule_and_build_instances', null)
    fail(world, record, message)
    return
  }
  beginEvent(world, record, 'compute__do_build_and_run_instance', host)
  change(server, now, { host, taskState: 'networking' })
  for (const [index, subnet] of wanted.subnets.entries()) {
    addPort(world.cloud.neutron, {
      name: `server/${server.id}/${index}`,
      subnet,
      owner: 'compute:nova',
      device: server.id,
      host,
      project: server.project,
      at: now,
      status: 'BUILD',
    })
  }
  world.clock.after(4 * second, () =>
    whileBuilding(server, () => change(server, world.clock.now(), { taskState: 'spawning' })),
  )
  onHost(world, host, () =>
    world.clock.after(9 * second, () => whileBuilding(server, () => finish(world, server, record))),
  )
}

function whileBuilding({ vmState }: NovaServer, then: () => void): void {
  if (vmState === 'building') then()
}

function finish(world: CloudWorld, server: NovaServer, record: InstanceAction): void {
  const now = world.clock.now()
  const upset = upsetOf(world, server, 'spawn')
  if (upset) {
    const { message } = upset
    const fault = { code: 500, message, created: now, details: message }
    change(server, now, { vmState: 'error', taskState: null, fault })
    fail(world, record, message)
    return
  }
  change(server, now, { vmState: 'active', taskState: null, powerState: 1, launchedAt: now })
  const wired = upsetOf(world, server, 'unwired') ? 'DOWN' : 'ACTIVE'
  for (const port of world.cloud.neutron.ports) if (port.device_id === server.id) port.status = wired
  succeed(world, record)
}
