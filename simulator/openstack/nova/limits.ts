import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { quotaUseOf } from './places-and-limits.ts'

/** Quotas under the names `limits` has for them, and until which microversion each was told. */
const rows = [
  { limit: 'instances', as: 'maxTotalInstances' },
  { limit: 'cores', as: 'maxTotalCores' },
  { limit: 'ram', as: 'maxTotalRAMSize' },
  { limit: 'metadata_items', as: 'maxServerMeta' },
  { limit: 'metadata_items', as: 'maxImageMeta', until: 38 },
  { limit: 'injected_files', as: 'maxPersonality', until: 56 },
  { limit: 'injected_file_content_bytes', as: 'maxPersonalitySize', until: 56 },
  { limit: 'key_pairs', as: 'maxTotalKeypairs' },
  { limit: 'server_groups', as: 'maxServerGroups' },
  { limit: 'server_group_members', as: 'maxServerGroupMembers' },
  { limit: 'floating_ips', as: 'maxTotalFloatingIps', until: 35 },
  { limit: 'security_groups', as: 'maxSecurityGroups', until: 35 },
  { limit: 'security_group_rules', as: 'maxSecurityGroupRules', until: 35 },
  { used: 'ram', as: 'totalRAMUsed' },
  { used: 'cores', as: 'totalCoresUsed' },
  { used: 'instances', as: 'totalInstancesUsed' },
  { used: 'floating_ips', as: 'totalFloatingIpsUsed', until: 35 },
  { used: 'security_groups', as: 'totalSecurityGroupsUsed', until: 35 },
  { used: 'server_groups', as: 'totalServerGroupsUsed' },
] as const

/** `limits`: what the caller's project may have and has; an administrator may ask for another one by `tenant_id`. */
export function limitRoute(world: CloudWorld): Route {
  return {
    method: 'GET',
    path: '/limits',
    query: { since: 75, names: ['tenant_id'] },
    handle: (request) => limits(world, request),
  }
}

function limits(world: CloudWorld, { query, token, version }: ApiRequest): Reply {
  const project = query.get('tenant_id') ?? projectOf(token)
  if (project !== projectOf(token) && !token.roles.includes('admin')) {
    throw new ApiFailure(403, 'os_compute_api:limits:other_project')
  }
  const { limitOf, used } = quotaUseOf(world, project)
  const told = rows.filter((row) => version <= ('until' in row ? row.until : 1000))
  const absolute = told.map((row) => [row.as, 'limit' in row ? limitOf(row.limit) : (used[row.used] ?? 0)])
  return json(200, { limits: { rate: [], absolute: Object.fromEntries(absolute) } })
}
