import { uuidOf } from '../../random.ts'
import type { Topology } from '../../topology.ts'
import { projectIdOf, userIdOf } from '../keystone/state.ts'
import { type Resident, residentsOf } from '../population.ts'
import { day, hour, minute, second } from '../time.ts'
import type {
  Flavor,
  Hypervisor,
  InstanceAction,
  Migration,
  NovaServer,
  NovaServiceRecord,
  NovaState,
} from './state.ts'

const flavorRows = [
  ['g1.tiny', 1, 1024, 10],
  ['g1.small', 2, 4096, 20],
  ['g1.medium', 4, 8192, 40],
  ['g1.large', 8, 16_384, 80],
] as const

/** How long the cloud's processes have been running when the rehearsal begins. */
const upSince = 30 * day

/** Nova of a healthy cloud, some weeks old. */
export function buildNova(topology: Topology, startAt: number): NovaState {
  const flavors = flavorRows.map(
    ([name, vcpus, ram, disk]): Flavor => ({
      id: uuidOf(`flavor/${name}`),
      name,
      vcpus,
      ram,
      disk,
      description: null,
    }),
  )
  const residents = residentsOf(topology)
  const servers = residents.map((resident, index) => serverOf(resident, index, flavors, startAt))
  return {
    services: servicesOf(topology, startAt),
    hypervisors: hypervisorsOf(topology, servers),
    flavors,
    servers,
    migrations: migrationsOf(servers, topology, startAt),
    actions: servers.flatMap(actionsOf),
    aggregates: [
      {
        id: 1,
        uuid: uuidOf('aggregate/general'),
        name: 'general',
        hosts: topology.computes,
        metadata: {},
        zone: null,
        createdAt: startAt - 200 * day,
      },
    ],
    groups: [],
    holds: [],
    orphans: [],
    upsets: [],
    silentCells: new Set(),
    mute: new Set(),
    plans: [],
    queued: [],
    quotas: new Map(),
  }
}

function servicesOf({ controllers, computes }: Topology, startAt: number): NovaServiceRecord[] {
  const rows = [
    ...controllers.flatMap((host) => ['nova-scheduler', 'nova-conductor'].map((binary) => ({ host, binary }))),
    ...computes.map((host) => ({ host, binary: 'nova-compute' })),
  ]
  return rows.map(({ host, binary }, index) => ({
    host,
    unit: binary,
    every: 10 * second,
    phase: (index * 1_700) % (10 * second),
    started: startAt - upSince,
    id: index + 1,
    uuid: uuidOf(`nova/service/${binary}/${host}`),
    binary,
    zone: binary === 'nova-compute' ? 'nova' : 'internal',
    disabled: false,
    disabledReason: null,
    forcedDown: false,
    touchedAt: 0,
  }))
}

function hypervisorsOf({ computes }: Topology, servers: readonly NovaServer[]): Hypervisor[] {
  const needed = servers.reduce((sum, { flavor }) => sum + flavor.ram, 0)
  // room for the servers of one lost host everywhere else, however large the cloud is
  const memoryMb = Math.max(128 * 1024, Math.ceil((needed * 2) / computes.length / 65_536) * 65_536)
  const vcpus = Math.max(32, memoryMb / 4096)
  return computes.map((host, index) => ({
    id: index + 1,
    uuid: hypervisorIdOf(host),
    host,
    address: `10.77.0.${21 + index}`,
    vcpus,
    memoryMb,
    reservedMb: 8192,
    diskGb: Math.max(40_960, servers.length * 200),
    cpuRatio: 4,
  }))
}

const hypervisorIdOf = (host: string): string => uuidOf(`hypervisor/${host}`)
export const serverIdOf = (name: string): string => uuidOf(`server/${name}`)
export const volumeIdOf = (name: string): string => uuidOf(`volume/${name}`)
export const imageIdOf = (name: string): string => uuidOf(`image/${name}`)

function serverOf(resident: Resident, index: number, flavors: readonly Flavor[], startAt: number): NovaServer {
  const { name, tenant, stopped, bootsFromVolume, dataVolume, age, host } = resident
  const createdAt = startAt - age * day - index * 97 * second
  const flavor = flavors.find((one) => one.name === resident.flavor) as Flavor
  return {
    id: serverIdOf(name),
    number: index + 1,
    name,
    project: projectIdOf(tenant),
    user: userIdOf(`${tenant}-owner`),
    flavor,
    image: bootsFromVolume ? '' : imageIdOf('debian-12'),
    host,
    zone: 'nova',
    createdAt,
    updatedAt: stopped ? startAt - 4 * day : createdAt + 12 * second,
    launchedAt: createdAt + 12 * second,
    vmState: stopped ? 'stopped' : 'active',
    taskState: null,
    powerState: stopped ? 4 : 1,
    volumes: [
      ...(bootsFromVolume ? [{ id: volumeIdOf(`${name}-root`), device: '/dev/vda', deleteOnTermination: true }] : []),
      ...(dataVolume ? [{ id: volumeIdOf(`${name}-data`), device: '/dev/vdb', deleteOnTermination: false }] : []),
    ],
    metadata: {},
    fault: null,
    locked: false,
    lockedReason: null,
    description: null,
    tags: [],
    keyName: null,
  }
}

function actionsOf(server: NovaServer): InstanceAction[] {
  const made = (action: string, event: string, at: number): InstanceAction => ({
    server: server.id,
    requestId: `req-${uuidOf(`action/${action}/${server.id}`)}`,
    action,
    user: server.user,
    project: server.project,
    startedAt: at,
    updatedAt: at + 10 * second,
    message: null,
    events: [
      {
        event,
        startedAt: at + second,
        finishedAt: at + 10 * second,
        result: 'Success',
        host: server.host,
        details: null,
      },
    ],
  })
  return [
    made('create', 'compute__do_build_and_run_instance', server.createdAt),
    ...(server.vmState === 'stopped' ? [made('stop', 'compute_stop_instance', server.updatedAt - 10 * second)] : []),
  ]
}

/** Old ones, all well: somebody emptied a host for a night, some weeks ago. */
function migrationsOf(servers: readonly NovaServer[], { computes }: Topology, startAt: number): Migration[] {
  const moved = servers.filter(({ host, vmState }) => host === computes[0] && vmState === 'active').slice(0, 4)
  return moved.map((server, index) => ({
    id: index + 1,
    uuid: uuidOf(`migration/${index + 1}`),
    server: server.id,
    kind: 'live-migration',
    status: 'completed',
    source: computes[1] ?? 'cmp2',
    destination: server.host,
    flavor: flavorRows.findIndex(([name]) => name === server.flavor.name) + 1,
    user: userIdOf('admin'),
    project: projectIdOf('admin'),
    createdAt: startAt - 6 * day - 3 * hour + index * minute,
    updatedAt: startAt - 6 * day - 3 * hour + index * minute + 40 * second,
  }))
}
