import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { micro } from '../time.ts'
import { health } from './alive.ts'
import { existing } from './state.ts'

/** Aggregates, availability zones and quotas. */
export function placeAndLimitRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/os-aggregates',
      admin: 'os_compute_api:os-aggregates:index',
      handle: ({ version }) => json(200, { aggregates: aggregates(world, version) }),
    },
    { method: 'GET', path: '/os-availability-zone', handle: () => json(200, { availabilityZoneInfo: zones(world) }) },
    {
      method: 'GET',
      path: '/os-availability-zone/detail',
      admin: 'os_compute_api:os-availability-zone:detail',
      handle: () => json(200, { availabilityZoneInfo: zonesInDetail(world) }),
    },
    {
      method: 'GET',
      path: '/os-quota-sets/:project',
      unrehearsed: ['user_id'],
      handle: (request) => quota(world, request, 'limits'),
    },
    { method: 'GET', path: '/os-quota-sets/:project/defaults', handle: (request) => quota(world, request, 'limits') },
    {
      method: 'GET',
      path: '/os-quota-sets/:project/detail',
      unrehearsed: ['user_id'],
      handle: (request) => quota(world, request, 'detail'),
    },
  ]
}

const aggregates = ({ cloud: { nova } }: CloudWorld, version: number) =>
  nova.aggregates.map(({ id, uuid, name, hosts, metadata, zone, createdAt }) => ({
    id,
    ...(version >= 41 && { uuid }),
    name,
    hosts,
    metadata,
    availability_zone: zone,
    created_at: micro(createdAt),
    updated_at: null,
    deleted: false,
    deleted_at: null,
  }))

function zones({ cloud: { nova } }: CloudWorld) {
  const computes = nova.services.filter(({ binary }) => binary === 'nova-compute')
  return [...new Set(computes.map(({ zone }) => zone))].map((zoneName) => {
    const available = computes.some(({ zone, disabled }) => zone === zoneName && !disabled)
    return { zoneName, zoneState: { available }, hosts: null }
  })
}

function zonesInDetail(world: CloudWorld) {
  const names = new Set(['internal', 'nova', ...world.cloud.nova.services.map(({ zone }) => zone)])
  return [...names].map((zoneName) => {
    const hosts: { [host: string]: { [binary: string]: object } } = {}
    const services = world.cloud.nova.services.filter(({ zone }) => zone === zoneName)
    for (const service of services) {
      const { seenAt, up } = health(world, service)
      const shown = { available: up, active: !service.disabled, updated_at: micro(seenAt) }
      hosts[service.host] = { ...hosts[service.host], [service.binary]: shown }
    }
    return { zoneName, zoneState: { available: services.some(({ disabled }) => !disabled) }, hosts }
  })
}

/** Limits, and until which microversion Nova still kept each of them. */
const limits = [
  { resource: 'cores', limit: 400 },
  { resource: 'fixed_ips', limit: -1, until: 35 },
  { resource: 'floating_ips', limit: 10, until: 35 },
  { resource: 'injected_file_content_bytes', limit: 10_240, until: 56 },
  { resource: 'injected_file_path_bytes', limit: 255, until: 56 },
  { resource: 'injected_files', limit: 5, until: 56 },
  { resource: 'instances', limit: 200 },
  { resource: 'key_pairs', limit: 100 },
  { resource: 'metadata_items', limit: 128 },
  { resource: 'ram', limit: 1_024_000 },
  { resource: 'security_group_rules', limit: 20, until: 35 },
  { resource: 'security_groups', limit: 10, until: 35 },
  { resource: 'server_group_members', limit: 10 },
  { resource: 'server_groups', limit: 10 },
] as const

function quota(world: CloudWorld, { params, token, version }: ApiRequest, extent: 'limits' | 'detail'): Reply {
  const { project = '' } = params
  if (project !== projectOf(token) && !token.roles.includes('admin')) {
    throw new ApiFailure(403, 'os_compute_api:os-quota-sets:show')
  }
  const { limitOf, used } = quotaUseOf(world, project)
  const kept = limits.filter((row) => version <= ('until' in row ? row.until : 1000))
  const rows = kept.map(({ resource }) => {
    const limit = limitOf(resource)
    return [resource, extent === 'limits' ? limit : { limit, in_use: used[resource] ?? 0, reserved: 0 }]
  })
  return json(200, { quota_set: { id: project, ...Object.fromEntries(rows) } })
}

export type Limited = (typeof limits)[number]['resource']

/** What a project may have of each resource, and what it has. */
export function quotaUseOf(
  { cloud: { nova } }: CloudWorld,
  project: string,
): { limitOf(resource: Limited): number; readonly used: { readonly [resource: string]: number } } {
  const own = nova.quotas.get(project) ?? {}
  const usual = Object.fromEntries(limits.map(({ resource, limit }) => [resource, limit]))
  const servers = existing(nova).filter((server) => server.project === project)
  return {
    limitOf: (resource) => own[resource] ?? usual[resource] ?? -1,
    used: {
      instances: servers.length,
      cores: servers.reduce((sum, { flavor }) => sum + flavor.vcpus, 0),
      ram: servers.reduce((sum, { flavor }) => sum + flavor.ram, 0),
    },
  }
}
