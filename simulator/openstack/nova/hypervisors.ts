import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { isOn, nextLink, pageOf } from '../http/paging.ts'
import { health } from './alive.ts'
import type { Hypervisor } from './state.ts'
import { serversOn, usedOn } from './usage.ts'

const admin = 'os_compute_api:os-hypervisors:list'
const query = { since: 53, names: ['limit', 'marker', 'hypervisor_hostname_pattern', 'with_servers'] }

/** `os-hypervisors`; capacity is in it only before 2.88, later it is Placement's alone. */
export function hypervisorRoutes(world: CloudWorld): Route[] {
  return [
    { method: 'GET', path: '/os-hypervisors', admin, query, handle: (request) => list(world, request, 'short') },
    { method: 'GET', path: '/os-hypervisors/detail', admin, query, handle: (request) => list(world, request, 'full') },
    { method: 'GET', path: '/os-hypervisors/statistics', admin, until: 87, handle: () => statistics(world) },
    { method: 'GET', path: '/os-hypervisors/:id', admin, handle: (request) => one(world, request) },
  ]
}

type Extent = 'short' | 'full'

function list(world: CloudWorld, request: ApiRequest, extent: Extent): Reply {
  const { query, version } = request
  const pattern = version >= 53 ? (query.get('hypervisor_hostname_pattern') ?? '') : ''
  const found = world.cloud.nova.hypervisors
    .filter(({ host }) => host.includes(pattern) && !world.cloud.nova.silentCells.has(host))
    .map((hypervisor) => ({ id: idOf(hypervisor, version), hypervisor }))
  if (pattern !== '' && found.length === 0) {
    throw new ApiFailure(404, `No hypervisor matching '${pattern}' could be found.`)
  }
  const page = pageOf(found, request, { max: 1000 })
  const withServers = version >= 53 && isOn(query, 'with_servers')
  return json(200, {
    hypervisors: page.items.map(({ hypervisor }) => view(world, hypervisor, { version, extent, withServers })),
    ...(version >= 33 && nextLink('hypervisors', page)),
  })
}

function one(world: CloudWorld, { params: { id = '' }, query, version }: ApiRequest): Reply {
  const hypervisor = world.cloud.nova.hypervisors.find((one) => String(idOf(one, version)) === id)
  if (!hypervisor) throw new ApiFailure(404, `Hypervisor with ID '${id}' could not be found.`)
  const withServers = version >= 53 && isOn(query, 'with_servers')
  return json(200, { hypervisor: view(world, hypervisor, { version, extent: 'full', withServers }) })
}

const idOf = ({ id, uuid }: Hypervisor, version: number) => (version >= 53 ? uuid : id)

interface Manner {
  readonly version: number
  readonly extent: Extent
  readonly withServers: boolean
}

function view(world: CloudWorld, hypervisor: Hypervisor, { version, extent, withServers }: Manner): object {
  const { nova } = world.cloud
  const service = nova.services.find(({ host, binary }) => host === hypervisor.host && binary === 'nova-compute')
  const up = service !== undefined && health(world, service).up
  const servers = serversOn(nova, hypervisor.host)
  return {
    id: idOf(hypervisor, version),
    hypervisor_hostname: hypervisor.host,
    state: up ? 'up' : 'down',
    status: service?.disabled ? 'disabled' : 'enabled',
    ...(extent === 'full' && {
      ...(version < 88 && capacityOf(world, hypervisor, version)),
      hypervisor_type: 'QEMU',
      hypervisor_version: 7_002_009,
      host_ip: hypervisor.address,
      service: {
        id: version >= 53 ? service?.uuid : service?.id,
        host: hypervisor.host,
        disabled_reason: service?.disabledReason ?? null,
      },
      ...(version >= 88 && { uptime: up ? uptimeOf(world, hypervisor.host) : null }),
    }),
    ...(withServers && servers.length > 0 && { servers: servers.map(({ id, name }) => ({ uuid: id, name })) }),
  }
}

function capacityOf({ cloud: { nova } }: CloudWorld, hypervisor: Hypervisor, version: number): object {
  const used = usedOn(nova, hypervisor.host)
  const cpu = { arch: 'x86_64', model: 'Cascadelake-Server', vendor: 'Intel', topology: {}, features: [] }
  return {
    vcpus: hypervisor.vcpus,
    memory_mb: hypervisor.memoryMb,
    local_gb: hypervisor.diskGb,
    vcpus_used: used.vcpus,
    memory_mb_used: used.memoryMb + hypervisor.reservedMb,
    local_gb_used: used.diskGb,
    free_ram_mb: hypervisor.memoryMb - hypervisor.reservedMb - used.memoryMb,
    free_disk_gb: hypervisor.diskGb - used.diskGb,
    current_workload: 0,
    running_vms: serversOn(nova, hypervisor.host).length,
    disk_available_least: hypervisor.diskGb - used.diskGb,
    cpu_info: version >= 28 ? cpu : JSON.stringify(cpu),
  }
}

/** As the `uptime` command of the host prints it. */
function uptimeOf({ cloud: { nova }, clock, estate }: CloudWorld, host: string): string {
  const service = nova.services.find((one) => one.host === host && one.binary === 'nova-compute')
  const since = estate.unit(host, 'nova-compute')?.since ?? service?.started ?? clock.now()
  const minutes = Math.floor((clock.now() - since) / 60_000)
  const days = Math.floor(minutes / 1440)
  const rest = `${Math.floor((minutes % 1440) / 60)}:${String(minutes % 60).padStart(2, '0')}`
  const time = new Date(clock.now()).toISOString().slice(11, 19)
  return ` ${time} up ${days} days, ${rest},  0 users,  load average: 1.12, 1.08, 1.05\n`
}

function statistics(world: CloudWorld): Reply {
  const views = world.cloud.nova.hypervisors.map((one) => capacityOf(world, one, 87) as { [key: string]: number })
  const total = (key: string) => views.reduce((sum, view) => sum + (view[key] ?? 0), 0)
  const keys = ['vcpus', 'memory_mb', 'local_gb', 'vcpus_used', 'memory_mb_used', 'local_gb_used', 'free_ram_mb']
  const more = ['free_disk_gb', 'current_workload', 'running_vms', 'disk_available_least']
  const sums = Object.fromEntries([...keys, ...more].map((key) => [key, total(key)]))
  return json(200, { hypervisor_statistics: { count: views.length, ...sums } })
}
