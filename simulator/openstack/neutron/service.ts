import { uuidOf } from '../../random.ts'
import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, json, type Reply, type Route, type Service } from '../http/api.ts'
import { healthRoute, healthyUnnamed } from '../http/health.ts'
import { middlewareUnauthorized } from '../http/webob.ts'
import { zulu } from '../time.ts'
import { agentView } from './agent-view.ts'
import { availabilityOf } from './availability.ts'
import { agentOf, changeRoutes, wantedFields } from './changes.ts'
import { extensions } from './extensions.ts'
import { find, list, type Manner, seenBy } from './list.ts'
import { quotaRoutes } from './quotas.ts'
import type { Network, Port, Subnet } from './state.ts'

/** Neutron v2.0, with an agent-based backend. */
export function neutronService(world: CloudWorld): Service {
  const { neutron } = world.cloud
  const network = { plural: 'networks', shared }
  const router = { plural: 'routers' }
  const agents = () => neutron.agents.map((agent) => agentView(world, agent))
  const agentsIn = (ids: readonly string[]) => agents().filter(({ id }) => ids.includes(id))
  const api: Route[] = [
    get('/agents', (request) => list(request, agents(), { plural: 'agents' }), 'get_agent'),
    get('/agents/:id', (request) => one('agent', find(request, agents(), { plural: 'agents' })), 'get_agent'),
    {
      method: 'PUT',
      path: '/agents/:id',
      admin: 'update_agent',
      handle: (request) => {
        const agent = agentOf(world, request)
        const wanted = wantedFields(request, 'agent', ['admin_state_up', 'description'], agent)
        Object.assign(agent, wanted)
        world.effect('openstack.network_agent.update', `${agent.agent_type} on ${agent.host}`, wanted)
        return json(200, { agent: agentView(world, agent) })
      },
    },
    get('/networks', (request) => list(request, neutron.networks.map(networkView), { plural: 'networks', shared })),
    get('/networks/:id', (request) =>
      one('network', seenBy(request, 'networks', networkView(find(request, neutron.networks, network)))),
    ),
    get(
      '/networks/:id/dhcp-agents',
      (request) => {
        // a network nobody knows has no agents: that is an empty answer, not an error
        const found = agentsIn(neutron.dhcp.get(request.params['id'] ?? '') ?? [])
        return json(200, { agents: found.map((agent) => ({ ...agent, resource_versions: {} })) })
      },
      'get_dhcp-agents',
    ),
    ...plain('subnet', neutron.subnets, { plural: 'subnets' }),
    ...plain('port', neutron.ports, ports),
    ...plain('router', neutron.routers, { plural: 'routers' }),
    ...plain('floatingip', neutron.floatingips, { plural: 'floatingips' }),
    get(
      '/routers/:id/l3-agents',
      (request) => {
        const { id, ha } = find(request, neutron.routers, router)
        const hosting = neutron.l3.get(id) ?? []
        const state = (agent: string) => (ha ? hosting.find((one) => one.agent === agent)?.state : null)
        const found = agentsIn(hosting.map(({ agent }) => agent))
        return json(200, {
          agents: found.map((agent) => ({ ...agent, resource_versions: {}, ha_state: state(agent.id) })),
        })
      },
      'get_l3-agents',
    ),
    get('/security-groups', (request) =>
      list(request, neutron.securityGroups.map(groupView), { plural: 'security_groups' }),
    ),
    get('/security-groups/:id', (request) =>
      one('security_group', find(request, neutron.securityGroups.map(groupView), { plural: 'security_groups' })),
    ),
    get('/security-group-rules', (request) => {
      const rules = neutron.securityGroups.flatMap((group) => groupView(group).security_group_rules)
      return list(request, rules, { plural: 'security_group_rules' })
    }),
    ...changeRoutes(world),
    get(
      '/network-ip-availabilities',
      (request) => {
        const versions = request.query.getAll('ip_version').map(Number)
        const rows = neutron.networks.map((one) => ({ ...availabilityOf(neutron, one, versions), id: one.id }))
        const answer = list(request, rows, { plural: 'network_ip_availabilities', more: { ip_version: versionsOf } })
        const body = answer.body as { network_ip_availabilities: { id?: string }[] }
        return json(200, { network_ip_availabilities: body.network_ip_availabilities.map(({ id: _, ...row }) => row) })
      },
      'get_network_ip_availability',
    ),
    get(
      '/network-ip-availabilities/:id',
      (request) => one('network_ip_availability', availabilityOf(neutron, find(request, neutron.networks, network))),
      'get_network_ip_availability',
    ),
    get('/extensions', () => json(200, { extensions })),
    ...quotaRoutes(neutron),
  ]
  return {
    name: 'neutron',
    routes: [
      {
        method: 'GET',
        path: '/',
        open: true,
        handle: ({ origin }) => ({ ...json(200, { versions: [version(origin)] }), idHeaders: [] }),
      },
      healthRoute(healthyUnnamed),
      ...api.map((route) => ({ ...route, path: `/v2.0${route.path}` })),
    ],
    failure,
    guarded: below,
    unknownPath: ({ path }) =>
      below.test(path)
        ? failure(new ApiFailure(404, 'The resource could not be found.'))
        : { ...json(404, { code: 404, title: 'Not Found', description: null }), idHeaders: [] },
    unauthorized: middlewareUnauthorized,
  }
}

const below = /^\/v2\.0(\/|$)/

const shared = (one: object): boolean => {
  const network = one as Network
  return network.shared || network['router:external']
}

const ports: Manner = {
  plural: 'ports',
  more: {
    // `fixed_ips=ip_address=10.10.0.4`
    fixed_ips: ({ fixed_ips }: Port) =>
      fixed_ips.flatMap((ip) => [`ip_address=${ip.ip_address}`, `subnet_id=${ip.subnet_id}`, `subnet=${ip.subnet_id}`]),
  },
}

function get(path: string, handle: Route['handle'], admin?: string): Route {
  return { method: 'GET', path, handle, ...(admin && { admin }) }
}

function plain(
  singular: string,
  all: readonly { readonly id: string; readonly project_id: string }[],
  manner: Manner,
): Route[] {
  return [
    get(`/${manner.plural}`, (request) => list(request, all, manner)),
    get(`/${manner.plural}/:id`, (request) =>
      one(singular, seenBy(request, manner.plural, find(request, all, manner))),
    ),
  ]
}

const one = (singular: string, found: object): Reply => json(200, { [singular]: found })

const version = (origin: string) => ({
  id: 'v2.0',
  status: 'CURRENT',
  links: [{ rel: 'self', href: `${origin}/v2.0/` }],
})

function groupView({ id, project, createdAt }: { id: string; project: string; createdAt: number }) {
  const times = { created_at: zulu(createdAt), updated_at: zulu(createdAt), project_id: project }
  const rule = (direction: string, ethertype: string) => ({
    id: uuidOf(`rule/${id}/${direction}/${ethertype}`),
    tenant_id: project,
    security_group_id: id,
    ethertype,
    direction,
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_ip_prefix: null,
    remote_address_group_id: null,
    normalized_cidr: null,
    remote_group_id: direction === 'ingress' ? id : null,
    standard_attr_id: 1,
    description: null,
    tags: [],
    revision_number: 0,
    ...times,
  })
  return {
    id,
    name: 'default',
    stateful: true,
    tenant_id: project,
    description: 'Default security group',
    shared: false,
    security_group_rules: ['ingress', 'egress'].flatMap((way) => ['IPv4', 'IPv6'].map((type) => rule(way, type))),
    tags: [],
    revision_number: 1,
    ...times,
  }
}

/** `{ NeutronError: { type, message, detail } }` for everything Neutron itself refuses. */
function failure({ status, message, kind }: ApiFailure): Reply {
  const told = status === 403 ? `rule:${message} is disallowed by policy` : message
  const type = kind ?? (status === 404 ? 'HTTPNotFound' : status === 400 ? 'HTTPBadRequest' : 'HTTPInternalServerError')
  return json(status, { NeutronError: { type, message: told, detail: '' } })
}

/** Where a network has several segments, it is not said of the network itself what it is made of. */
function networkView(network: Network): Omit<Network, keyof Segment> & Partial<Segment> {
  if (!network.segments) return network
  const {
    'provider:network_type': _type,
    'provider:physical_network': _physical,
    'provider:segmentation_id': _id,
    ...rest
  } = network
  return rest
}

type Segment = Pick<Network, 'provider:network_type' | 'provider:physical_network' | 'provider:segmentation_id'>

const versionsOf = ({
  subnet_ip_availability: rows,
}: {
  readonly subnet_ip_availability: readonly Pick<Subnet, 'ip_version'>[]
}) => rows.map(({ ip_version }) => String(ip_version))
