import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import type { NeutronState } from './state.ts'

const limits: { readonly [resource: string]: number } = {
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  router: 10,
  floatingip: 50,
  rbac_policy: 10,
  security_group: 10,
  security_group_rule: 100,
}

export function quotaRoutes(neutron: NeutronState): Route[] {
  return [
    { method: 'GET', path: '/quotas/:project', handle: (request) => show(neutron, request, (limit) => limit) },
    // the suffix is part of the name of this one: without it Neutron has no such path
    {
      method: 'GET',
      path: '/quotas/:project/details.json',
      handle: (request) => show(neutron, request, (limit, used) => ({ limit, used, reserved: 0 })),
    },
  ]
}

function show(
  neutron: NeutronState,
  { params: { project = '' }, token }: ApiRequest,
  view: (limit: number, used: number) => unknown,
): Reply {
  if (project !== projectOf(token) && !token.roles.includes('admin')) throw new ApiFailure(403, 'get_quota')
  const own = neutron.quotas.get(project) ?? {}
  const used = usedBy(neutron, project)
  const rows = Object.entries(limits).map(([name, usual]) => [name, view(own[name] ?? usual, used[name] ?? 0)])
  return json(200, { quota: Object.fromEntries(rows) })
}

function usedBy(neutron: NeutronState, project: string): { readonly [resource: string]: number } {
  const count = (all: readonly { readonly project_id: string }[]) =>
    all.filter(({ project_id }) => project_id === project).length
  const groups = neutron.securityGroups.filter((group) => group.project === project).length
  return {
    network: count(neutron.networks),
    subnet: count(neutron.subnets),
    port: count(neutron.ports),
    router: count(neutron.routers),
    floatingip: count(neutron.floatingips),
    security_group: groups,
    security_group_rule: groups * 4,
  }
}
