import type { Fault } from '../../fault.ts'
import { uuidOf } from '../../random.ts'
import type { World } from '../../world.ts'
import type { CloudState } from '../cloud.ts'
import { projectIdOf, userIdOf } from '../keystone/state.ts'
import { allocationsOf, providersOf, sum } from '../placement/state.ts'
import { hour, minute, second } from '../time.ts'
import { change } from './lifecycle.ts'
import { beginLiveMigration } from './live-migration.ts'
import { addMigration } from './moves.ts'
import type { NovaServer, NovaServiceRecord, Upset, UserMoment, VmState } from './state.ts'
import { existing } from './state.ts'
import { serversOn } from './usage.ts'
import { startByUser } from './users.ts'

const host = { type: 'string', description: 'The compute host, as Nova names it' } as const
const count = { type: 'integer', description: 'How many servers', minimum: 1, default: 1 } as const

const server = { type: 'string', description: 'The server, by name or id' } as const
const times = { type: 'integer', description: 'How often; always unless told', minimum: 1 } as const
const message = (usual: string) =>
  ({ type: 'string', description: 'What the host says about it', default: usual }) as const

export const novaFaults: readonly Fault[] = [
  {
    name: 'nova.compute_down',
    summary: 'A compute service runs but reports no more; Nova shows it as down',
    params: {
      type: 'object',
      properties: {
        host,
        minutes: { type: 'integer', description: 'How long ago it was last heard of', minimum: 2, default: 20 },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, minutes }) {
      const now = clock.now()
      computeOn(cloud, host).silent = { from: now - Number(minutes) * minute, noticed: now }
    },
  },
  {
    name: 'nova.old_release',
    summary: 'Nova is of an old release: it speaks no newer version than this',
    params: {
      type: 'object',
      properties: {
        minor: { type: 'integer', description: 'The second number of it: 67 for 2.67', minimum: 1, maximum: 95 },
      },
      required: ['minor'],
      additionalProperties: false,
    },
    apply({ cloud }, { minor }) {
      cloud.nova.newest = Number(minor)
    },
  },
  {
    name: 'nova.cell_down',
    summary:
      'The database of the cell of a host does not answer: of its servers and its service Nova knows next to nothing',
    params: { type: 'object', properties: { host }, required: ['host'], additionalProperties: false },
    apply({ cloud }, { host }) {
      cloud.nova.silentCells.add(computeOn(cloud, host).host)
    },
  },
  {
    name: 'nova.compute_disabled',
    summary: 'Somebody took a compute host out of service',
    params: {
      type: 'object',
      properties: {
        host,
        reason: { type: 'string', description: 'The reason they left; none unless told' },
        since: { type: 'integer', description: 'How many hours ago', minimum: 0, default: 48 },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, reason, since }) {
      const service = computeOn(cloud, host)
      service.disabled = true
      service.disabledReason = reason === undefined ? null : String(reason)
      service.touchedAt = clock.now() - Number(since) * hour
    },
  },
  {
    name: 'nova.host_in_zone',
    summary: 'A compute host is in an availability zone of its own, and still in the aggregates that it was in',
    params: {
      type: 'object',
      properties: { host, zone: { type: 'string', description: 'The zone', default: 'west' } },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host: name, zone: wanted }) {
      const service = computeOn(cloud, name)
      const zone = String(wanted)
      const { host } = service
      service.zone = zone
      for (const server of serversOn(cloud.nova, host)) server.zone = zone
      cloud.nova.aggregates.push({
        ...{
          id: cloud.nova.aggregates.length + 1,
          uuid: uuidOf(`aggregate/${zone}/${host}`),
          name: zone,
          hosts: [host],
        },
        ...{ metadata: { availability_zone: zone }, zone, createdAt: clock.now() },
      })
    },
  },
  {
    name: 'nova.servers_in_error',
    summary: 'Servers are in status ERROR, each with the fault that put it there',
    params: { type: 'object', properties: { count }, additionalProperties: false },
    apply({ cloud, clock }, { count }) {
      const at = clock.now() - 25 * minute
      for (const server of running(cloud).slice(0, Number(count))) {
        const message = 'internal error: qemu unexpectedly closed the monitor'
        const details = `libvirt.libvirtError: ${message}`
        const fault = { code: 500, message, created: at, details }
        Object.assign(server, { vmState: 'error', powerState: 4, taskState: null, fault, updatedAt: at })
      }
    },
  },
  {
    name: 'nova.servers_stuck',
    summary: 'Servers have been in the middle of a task for hours',
    params: {
      type: 'object',
      properties: {
        count,
        task_state: { type: 'string', description: 'The task', default: 'powering-off' },
        hours: { type: 'integer', description: 'For how long', minimum: 1, default: 3 },
      },
      additionalProperties: false,
    },
    apply({ cloud, clock }, { count, task_state, hours }) {
      for (const server of running(cloud).slice(-Number(count))) {
        Object.assign(server, { taskState: String(task_state), updatedAt: clock.now() - Number(hours) * hour })
      }
    },
  },
  {
    name: 'nova.failed_migration',
    summary: 'A live migration broke off; the server is still where it was',
    params: {
      type: 'object',
      properties: {
        host: { ...host, description: 'The host it should have left; the first one with a server unless told' },
        status: {
          type: 'string',
          description: 'How it ended',
          enum: ['error', 'failed', 'cancelled'],
          default: 'error',
        },
      },
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, status }) {
      const server = running(cloud).find((one) => host === undefined || one.host === host)
      if (!server?.host) throw new Error(`no server runs on \`${host}\``)
      const { migrations, hypervisors, flavors } = cloud.nova
      const id = migrations.length + 1
      migrations.push({
        id,
        uuid: uuidOf(`migration/${id}`),
        server: server.id,
        kind: 'live-migration',
        status: String(status),
        source: server.host,
        destination: hypervisors.find((one) => one.host !== server.host)?.host ?? null,
        flavor: flavors.findIndex((one) => one.id === server.flavor.id) + 1,
        user: userIdOf('admin'),
        project: projectIdOf('admin'),
        createdAt: clock.now() - 2 * hour,
        updatedAt: clock.now() - 2 * hour + 4 * minute,
      })
    },
  },
  {
    name: 'nova.migration_under_way',
    summary: 'A live migration that somebody else began is under way; it takes as long as other faults make it take',
    params: {
      type: 'object',
      properties: { server, to: { ...host, description: 'The host it moves to' } },
      required: ['server', 'to'],
      additionalProperties: false,
    },
    apply(world, { server: name, to }) {
      const found = serverNamed(world.cloud, name)
      const asker = { requestId: `req-${world.random.uuid()}`, user: userIdOf('admin'), project: projectIdOf('admin') }
      const refused = beginLiveMigration(world, found, asker, { host: String(to), force: false, wait: true })
      if (refused !== undefined) throw new Error(`\`${found.name}\` cannot move to \`${to}\`: ${refused}`)
    },
  },
  {
    name: 'nova.server_in_flight',
    summary: 'A server that was given to a host before anybody took that out of service begins to come up there later',
    params: {
      type: 'object',
      properties: {
        host,
        name: { type: 'string', description: 'Its name', default: 'latecomer' },
        comes: { type: 'integer', description: 'After how many seconds it is seen there', minimum: 1, default: 30 },
        takes: { type: 'integer', description: 'How many seconds it is built', minimum: 1, default: 70 },
        ends: {
          type: 'string',
          description: 'Whether it comes up there, or is given to another host in the end',
          enum: ['here', 'elsewhere'],
          default: 'here',
        },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply(world, { host, name, comes, takes, ends }) {
      const { cloud, clock } = world
      const { host: on } = computeOn(cloud, host)
      const [like] = cloud.nova.servers
      const other = cloud.nova.hypervisors.find((one) => one.host !== on)?.host
      if (!like || other === undefined) throw new Error('it takes a server and a second host')
      const made: NovaServer = {
        ...like,
        ...{ id: uuidOf(`server/${name}`), number: cloud.nova.servers.length + 1, name: String(name), host: null },
        ...{ createdAt: clock.now(), updatedAt: clock.now(), launchedAt: null, volumes: [], metadata: {}, tags: [] },
        ...{ vmState: 'building', taskState: 'scheduling', powerState: 0 },
      }
      cloud.nova.servers.push(made)
      clock.after(Number(comes) * second, () => {
        change(made, clock.now(), { host: on, taskState: 'spawning' })
        clock.after(Number(takes) * second, () => {
          const at = ends === 'here' ? on : other
          const now = clock.now()
          change(made, now, { host: at, vmState: 'active', taskState: null, powerState: 1, launchedAt: now })
          world.effect('rehearsal.server_built', made.name, { host: at })
        })
      })
    },
  },
  {
    name: 'nova.migration_stalls',
    summary: 'The guest writes to its memory faster than the network carries it: its live migrations never end',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'stalls', params),
  },
  {
    name: 'nova.migration_precheck_fails',
    summary: 'Live migrations are accepted, and then the target finds that it cannot take the server',
    params: upsetting({ message: message("Unacceptable CPU info: CPU doesn't have compatibility") }),
    apply: ({ cloud }, params) => upset(cloud, 'precheck', params),
  },
  {
    name: 'nova.migration_breaks',
    summary: 'Live migrations break off half way; the record of the action tells nothing of it',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'breaks', params),
  },
  {
    name: 'nova.migration_slow',
    summary: 'Live migrations take many times as long as usual',
    params: {
      type: 'object',
      properties: {
        server: { ...server, description: 'The server, by name or id; every server unless told' },
        factor: { type: 'number', description: 'How many times as long', minimum: 1, default: 20 },
      },
      additionalProperties: false,
    },
    apply: ({ cloud }, params) => upset(cloud, 'slow', params),
  },
  {
    name: 'nova.disks_on_hosts',
    summary: 'The disks of servers that boot from an image are on their host alone: a live migration copies them first',
    params: {
      type: 'object',
      properties: {
        server: { ...server, description: 'The server, by name or id; every server unless told' },
        mib_per_second: {
          type: 'number',
          description: 'How much of them is copied in a second',
          minimum: 1,
          default: 400,
        },
      },
      additionalProperties: false,
    },
    apply: ({ cloud }, { mib_per_second: factor, ...params }) => upset(cloud, 'local', { ...params, factor }),
  },
  {
    name: 'nova.confirm_forbidden',
    summary: 'A policy of the cloud lets nobody confirm that a server has moved switched off',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'unconfirmed', params),
  },
  {
    name: 'nova.guest_crashed',
    summary: 'The guest of a server has ended, and Nova has not noticed yet',
    params: { type: 'object', properties: { server }, required: ['server'], additionalProperties: false },
    apply({ cloud }, { server: name }) {
      serverNamed(cloud, name).guestOff = true
    },
  },
  {
    name: 'nova.spawn_fails',
    summary: 'Servers that are created end in status ERROR on their host',
    params: {
      type: 'object',
      properties: {
        server: { ...server, description: 'Its name; every new server unless told' },
        message: message('internal error: qemu unexpectedly closed the monitor'),
        times,
      },
      additionalProperties: false,
    },
    apply: ({ cloud }, params) => upset(cloud, 'spawn', params),
  },
  {
    name: 'nova.ports_not_wired',
    summary: 'The ports of servers that are created stay DOWN, and Nova does not wait for them',
    params: {
      type: 'object',
      properties: { server: { ...server, description: 'Its name; every new server unless told' }, times },
      additionalProperties: false,
    },
    apply: ({ cloud }, params) => upset(cloud, 'unwired', params),
  },
  {
    name: 'nova.guest_slow_to_stop',
    summary:
      'The guest of a server does not end when it is asked to: Nova switches it off when its shutdown time is over',
    params: {
      type: 'object',
      properties: {
        server,
        seconds: { type: 'integer', description: 'How long its shutdown time is', minimum: 1, default: 60 },
      },
      required: ['server'],
      additionalProperties: false,
    },
    apply({ cloud }, { server: name, seconds }) {
      serverNamed(cloud, name).shutdown = Number(seconds) * second
    },
  },
  {
    name: 'nova.no_capacity',
    summary: 'The other hosts are nearly full: the last servers of a host do not fit anywhere else',
    params: {
      type: 'object',
      properties: {
        host,
        short: { type: 'integer', description: 'How many of its running servers do not fit', minimum: 1, default: 1 },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud }, { host, short }) {
      computeOn(cloud, host)
      fillOthers(cloud, String(host), Number(short))
    },
  },
  {
    name: 'nova.user_starts_server',
    summary: 'A user starts a stopped server of theirs in the middle of the work, if Nova lets them',
    params: {
      type: 'object',
      properties: {
        server,
        when: {
          type: 'string',
          description: 'When: now, or when its host is disabled, goes down, or has its compute service back',
          enum: ['now', 'disabled', 'reboot', 'back'],
          default: 'reboot',
        },
      },
      required: ['server'],
      additionalProperties: false,
    },
    apply(world, { server: name, when }) {
      const found = serverNamed(world.cloud, name)
      if (when === 'now') startByUser(world, found)
      else world.cloud.nova.plans.push({ server: found.id, when: when as UserMoment, done: false })
    },
  },
  {
    name: 'nova.service_not_back',
    summary: 'The compute service of a host is not heard of after its next start, until it is started once more',
    params: { type: 'object', properties: { host }, required: ['host'], additionalProperties: false },
    apply({ cloud }, { host }) {
      cloud.nova.mute.add(computeOn(cloud, host).host)
    },
  },
  {
    name: 'nova.service_renamed',
    summary: 'After its next boot a host calls itself otherwise, and a second compute service appears in Nova',
    params: {
      type: 'object',
      properties: { host, name: { type: 'string', description: 'What it then calls itself' } },
      required: ['host', 'name'],
      additionalProperties: false,
    },
    apply({ cloud, estate, clock }, { host, name }) {
      const service = computeOn(cloud, host)
      const { services } = cloud.nova
      estate.machines.get(service.host)?.power.onBoot(() => {
        const id = Math.max(...services.map((one) => one.id)) + 1
        const uuid = uuidOf(`nova/service/nova-compute/${name}`)
        services.push({ ...service, host: String(name), id, uuid, started: clock.now(), disabled: false })
      })
    },
  },
  {
    name: 'nova.orphan_domain',
    summary: 'A guest runs on a host that Nova knows nothing of',
    params: { type: 'object', properties: { host }, required: ['host'], additionalProperties: false },
    apply({ cloud }, { host }) {
      const { host: on } = computeOn(cloud, host)
      cloud.nova.orphans.push({ host: on, uuid: uuidOf(`orphan/${on}`), name: 'instance-0000beef', running: true })
    },
  },
  {
    name: 'nova.servers_kept_apart',
    summary: 'Servers are in a group that must stay apart: no two of them on one host',
    params: {
      type: 'object',
      properties: {
        servers: {
          type: 'array',
          items: { type: 'string' },
          description: 'The servers, by name or id; a running one of each compute host unless told',
        },
      },
      additionalProperties: false,
    },
    apply({ cloud }, { servers }) {
      const members = Array.isArray(servers)
        ? servers.map((name) => serverNamed(cloud, name))
        : cloud.nova.hypervisors.flatMap(({ host }) => running(cloud).find((one) => one.host === host) ?? [])
      addGroup(cloud, 'apart', 'anti-affinity', members)
    },
  },
  {
    name: 'nova.servers_kept_together',
    summary: 'Servers are in a group that must stay together, so the scheduler moves none of them away from the others',
    params: {
      type: 'object',
      properties: {
        servers: { type: 'array', items: { type: 'string' }, description: 'The servers, by name or id', minItems: 1 },
      },
      required: ['servers'],
      additionalProperties: false,
    },
    apply({ cloud }, { servers }) {
      const members = (servers as readonly string[]).map((name) => serverNamed(cloud, name))
      addGroup(cloud, 'together', 'affinity', members)
    },
  },
  {
    name: 'nova.server_state',
    summary: 'A server is in a state of its own',
    params: {
      type: 'object',
      properties: {
        server,
        state: {
          type: 'string',
          description: 'The state, as Nova keeps it',
          enum: ['active', 'stopped', 'paused', 'suspended', 'rescued', 'resized', 'shelved_offloaded', 'error'],
          default: 'active',
        },
        locked: { type: 'boolean', description: 'Whether its owner has locked it', default: false },
        locked_reason: {
          type: 'string',
          description: 'Why it is locked, as whoever did it wrote; nothing unless told',
        },
        task: { type: 'string', description: 'What is being done to it; nothing unless told' },
        task_seconds: { type: 'number', description: 'For how many seconds more; without end unless told', minimum: 0 },
      },
      required: ['server'],
      additionalProperties: false,
    },
    apply(world, { server: name, state, locked, locked_reason, task, task_seconds }) {
      const found = serverNamed(world.cloud, name)
      putInState(world, found, state as VmState)
      found.locked = locked === true
      if (locked_reason !== undefined) found.lockedReason = String(locked_reason)
      if (task === undefined) return
      found.taskState = String(task)
      if (task_seconds === undefined) return
      world.clock.after(Number(task_seconds) * second, () => {
        if (found.taskState === task) change(found, world.clock.now(), { taskState: null })
      })
    },
  },
  {
    name: 'nova.flavor_spec',
    summary: 'The flavor of a server says more than how large it is: a device, processors of its own',
    params: {
      type: 'object',
      properties: {
        server,
        name: { type: 'string', description: 'The extra spec: `hw:cpu_policy`, `resources:VGPU`' },
        value: { type: 'string', description: 'What it says', default: '1' },
      },
      required: ['server', 'name'],
      additionalProperties: false,
    },
    apply({ cloud }, { server: name, name: spec, value }) {
      const found = serverNamed(cloud, name)
      // as a server keeps it: the copy it was made with
      found.flavor = { ...found.flavor, extraSpecs: { ...found.flavor.extraSpecs, [String(spec)]: String(value) } }
    },
  },
]

function computeOn({ nova }: CloudState, host: unknown): NovaServiceRecord {
  const service = nova.services.find((one) => one.binary === 'nova-compute' && one.host === host)
  if (!service) throw new Error(`there is no compute host \`${host}\``)
  return service
}

const running = ({ nova }: CloudState): NovaServer[] => nova.servers.filter(({ vmState }) => vmState === 'active')

function upsetting(more: Fault['params']['properties']): Fault['params'] {
  return {
    type: 'object',
    properties: { server, ...more, times },
    required: ['server'],
    additionalProperties: false,
  }
}

function addGroup(
  { nova }: CloudState,
  name: string,
  policy: 'affinity' | 'anti-affinity',
  members: readonly NovaServer[],
): void {
  const [first] = members
  if (!first) throw new Error('no server runs that could be in a group')
  nova.groups.push({
    id: uuidOf(`group/${members.map(({ id }) => id).join()}`),
    name,
    policy,
    rules: {},
    project: first.project,
    user: first.user,
    members: members.map(({ id }) => id),
  })
}

/** New servers may be named before they exist. */
function upset(cloud: CloudState, kind: Upset['kind'], params: { readonly [name: string]: unknown }): void {
  const name = params['server']
  if (name !== undefined && !['spawn', 'unwired'].includes(kind)) serverNamed(cloud, name)
  cloud.nova.upsets.push({
    kind,
    server: name === undefined ? undefined : String(name),
    message: String(params['message'] ?? ''),
    factor: Number(params['factor'] ?? 1),
    left: Number(params['times'] ?? Number.POSITIVE_INFINITY),
  })
}

function serverNamed({ nova }: CloudState, name: unknown): NovaServer {
  const found = existing(nova).find((one) => one.name === name || one.id === name)
  if (!found) throw new Error(`there is no server \`${name}\``)
  return found
}

/** One other host has room for all running servers but the smallest, as often as told; the rest have none. */
function fillOthers(cloud: CloudState, host: string, short: number): void {
  const sizes = serversOn(cloud.nova, host)
    .filter(({ vmState }) => vmState === 'active')
    .map(({ flavor }) => flavor.ram)
    .sort((a, b) => a - b)
  if (sizes.length < short) throw new Error(`only ${sizes.length} servers run on \`${host}\``)
  const total = (list: readonly number[]) => list.reduce((sum, ram) => sum + ram, 0)
  let room = total(sizes) - total(sizes.slice(0, short))
  for (const provider of providersOf(cloud).filter((one) => one.host !== host)) {
    const used = sum(allocationsOf(cloud).filter((one) => one.host === provider.host))['MEMORY_MB'] ?? 0
    const free = provider.memoryMb - provider.reservedMb - used
    const left = Math.min(room, free)
    room = 0
    if (free <= left) continue
    cloud.placement.leftovers.push({
      consumer: uuidOf(`crowd/${provider.host}`),
      host: provider.host,
      resources: { MEMORY_MB: free - left },
      project: projectIdOf('ci'),
      user: userIdOf('ci-owner'),
    })
  }
}

const powerStates: { readonly [state in VmState]?: NovaServer['powerState'] } = {
  active: 1,
  rescued: 1,
  resized: 1,
  paused: 3,
}

function putInState(world: World, server: NovaServer, state: VmState): void {
  const { cloud, clock, random } = world
  if (state === 'resized') {
    const source = cloud.nova.hypervisors.find(({ host }) => host !== server.host)
    if (!source || server.host === null) throw new Error('a resize needs a second host')
    const { user, project } = server
    const asker = { requestId: `req-${random.uuid()}`, user, project }
    const { host } = server
    server.host = source.host
    const migration = addMigration(world, server, { kind: 'migration', status: 'finished', destination: host, asker })
    server.host = host
    cloud.nova.holds.push({
      consumer: migration.uuid,
      server: server.id,
      host: source.host,
      flavor: server.flavor,
    })
  }
  const fault =
    state === 'error'
      ? { code: 500, message: 'internal error', created: clock.now(), details: 'libvirt.libvirtError: internal error' }
      : null
  Object.assign(server, { vmState: state, taskState: null, powerState: powerStates[state] ?? 4, fault })
  if (state === 'shelved_offloaded') server.host = null
}
