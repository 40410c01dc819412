import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { isOn } from '../http/paging.ts'
import { projectOf } from '../keystone/state.ts'
import { python } from '../python.ts'
import { checkObject, invalid, notOneOf, unexpected } from './action-bodies.ts'
import { dropHolds } from './moves.ts'
import type { GroupPolicy, ServerGroup } from './state.ts'
import { existing } from './state.ts'

/** `os-server-groups`: servers that are to stand together, or apart. */
export function serverGroupRoutes(world: CloudWorld): Route[] {
  const { groups } = world.cloud.nova
  const groupOf = ({ params: { id = '' }, token }: ApiRequest): ServerGroup => {
    const found = groups.find((one) => one.id === id)
    if (!found || (found.project !== projectOf(token) && !token.roles.includes('admin'))) {
      throw new ApiFailure(404, `Instance group ${id} could not be found.`)
    }
    return found
  }
  return [
    {
      method: 'GET',
      path: '/os-server-groups',
      query: { since: 75, names: ['all_projects', 'limit', 'offset'] },
      handle: (request) => {
        const { query, token } = request
        const all = query.has('all_projects') && isOn(query, 'all_projects') && token.roles.includes('admin')
        const found = groups.filter(({ project }) => all || project === projectOf(token))
        const offset = Number(query.get('offset') ?? 0)
        const shown = found.slice(offset, offset + Number(query.get('limit') ?? 1000))
        return json(200, { server_groups: shown.map((group) => view(world, group, request)) })
      },
    },
    { method: 'POST', path: '/os-server-groups', handle: (request) => create(world, request) },
    {
      method: 'GET',
      path: '/os-server-groups/:id',
      handle: (request) => json(200, { server_group: view(world, groupOf(request), request) }),
    },
    {
      method: 'DELETE',
      path: '/os-server-groups/:id',
      handle: (request) => {
        const group = groupOf(request)
        dropHolds(groups, (one) => one === group)
        world.effect('openstack.server_group.delete', `${group.name} (${group.id})`)
        return { status: 204 }
      },
    },
  ]
}

const policies: readonly GroupPolicy[] = ['anti-affinity', 'affinity', 'soft-anti-affinity', 'soft-affinity']

function create(world: CloudWorld, request: ApiRequest): Reply {
  const { body, version, token } = request
  const { server_group: asked } = (body ?? {}) as { server_group?: unknown }
  const properties = {
    name: { types: ['string'], required: true },
    policies: { types: ['object'], required: true, until: 63 },
    policy: { types: ['string'], values: policies, required: true, since: 64 },
    rules: { types: ['object'], since: 64 },
  } as const
  checkObject('server_group', asked, { properties }, version)
  const wanted = asked as { name: string; policy?: GroupPolicy; policies?: GroupPolicy[]; rules?: object }
  const policy = wanted.policy ?? onlyPolicy(wanted.policies ?? [], version)
  const group: ServerGroup = {
    id: world.random.uuid(),
    name: wanted.name,
    policy,
    rules: checkedRules(policy, wanted.rules ?? {}),
    project: projectOf(token),
    user: token.user,
    members: [],
  }
  world.cloud.nova.groups.push(group)
  world.effect('openstack.server_group.create', `${group.name} (${group.id})`, { policy })
  return json(200, { server_group: view(world, group, request) })
}

function onlyPolicy(given: readonly GroupPolicy[], version: number): GroupPolicy {
  const known = policies.slice(0, version < 15 ? 2 : 4)
  const [policy] = given
  if (policy === undefined) throw invalid('policies', given, `${python(given)} is too short`)
  if (!known.includes(policy)) throw invalid('0', policy, notOneOf(policy, known))
  if (given.length > 1) throw invalid('policies', given, `${python(given)} is too long`)
  return policy
}

function checkedRules(policy: GroupPolicy, rules: object): ServerGroup['rules'] {
  const { max_server_per_host: most, ...more } = rules as { readonly [rule: string]: unknown }
  const strange = Object.keys(more)
  if (strange.length > 0) throw invalid('rules', rules, unexpected(strange))
  if (most === undefined) return {}
  if (Number(most) < 1) throw invalid('max_server_per_host', most, `${python(most)} is less than the minimum of 1`)
  if (policy !== 'anti-affinity') throw new ApiFailure(400, 'Only anti-affinity policy supports rules.')
  return { max_server_per_host: Number(most) }
}

function view({ cloud: { nova } }: CloudWorld, group: ServerGroup, { version }: ApiRequest): object {
  const { id, name, policy, rules, project, user } = group
  const members = existing(nova)
    .filter((server) => group.members.includes(server.id))
    .map((server) => server.id)
  return {
    id,
    name,
    members,
    ...(version < 64 ? { policies: [policy], metadata: {} } : { policy, rules }),
    ...(version >= 13 && { project_id: project, user_id: user }),
  }
}
