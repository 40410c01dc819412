import { createPathState } from '../../data-path/state.ts'
import { uuidOf } from '../../random.ts'
import type { Topology } from '../../topology.ts'
import { projectIdOf, type Tenant, tenants } from '../keystone/state.ts'
import { serverIdOf } from '../nova/build.ts'
import { residentsOf } from '../population.ts'
import { day, zulu } from '../time.ts'
import { agentsOf } from './agents.ts'
import { addPort } from './ports.ts'
import type { Network, NeutronState, Port, Router, Subnet } from './state.ts'

/** Servers that can be reached from outside. */
const published = ['web-1', 'web-2', 'bastion-1', 'dashboard-1']

/** Neutron of a healthy cloud: every project has a network behind a highly available router. */
export function buildNeutron(topology: Topology, startAt: number): NeutronState {
  const createdAt = startAt - 120 * day
  const neutron: NeutronState = {
    networks: [],
    subnets: [],
    ports: [],
    routers: [],
    floatingips: [],
    securityGroups: [],
    agents: agentsOf(topology, startAt),
    dhcp: new Map(),
    l3: new Map(),
    given: new Map(),
    quotas: new Map(),
    path: createPathState(),
  }
  const outside = network(neutron, {
    name: 'public',
    project: projectIdOf('admin'),
    cidr: '203.0.113.0/24',
    pool: ['203.0.113.10', '203.0.113.250'],
    external: true,
    dhcp: false,
    segment: 100,
    createdAt,
  })
  for (const [index, tenant] of (Object.keys(tenants) as Tenant[]).entries()) {
    addTenant(neutron, tenant, index, { topology, outside, createdAt, startAt })
  }
  return neutron
}

interface Plan {
  readonly topology: Topology
  readonly outside: Subnet
  readonly createdAt: number
  readonly startAt: number
}

function addTenant(neutron: NeutronState, tenant: Tenant, index: number, plan: Plan): void {
  const { topology, outside, createdAt, startAt } = plan
  const project = projectIdOf(tenant)
  const group = uuidOf(`security-group/${tenant}/default`)
  neutron.securityGroups.push({ id: group, project, createdAt })
  const net = `10.${10 * (index + 1)}`
  const residents = residentsOf(topology).filter((one) => one.tenant === tenant)
  const prefix = prefixFor(residents.length)
  const inside = network(neutron, {
    name: `${tenant}-net`,
    project,
    cidr: `${net}.0.0/${prefix}`,
    pool: [`${net}.0.2`, `${net}.${2 ** (24 - prefix) - 1}.254`],
    external: false,
    dhcp: true,
    segment: 1000 + index,
    createdAt,
  })
  const agents = neutron.agents.filter(({ agent_type }) => agent_type === 'DHCP agent')
  const serving = [agents[index % agents.length], agents[(index + 1) % agents.length]].flatMap((agent) => agent ?? [])
  neutron.dhcp.set(
    inside.network_id,
    [...new Set(serving)].map((agent) => agent.id),
  )
  for (const { host } of new Set(serving)) {
    const device = dhcpDeviceOf(host, inside.network_id)
    addPort(neutron, {
      name: `dhcp/${tenant}/${host}`,
      subnet: inside,
      owner: 'network:dhcp',
      device,
      host,
      project,
      at: createdAt,
    })
  }
  const router = addRouter(neutron, tenant, index, { inside, outside, createdAt })
  for (const resident of residents) {
    const at = startAt - resident.age * day
    const port = addPort(neutron, {
      name: `server/${resident.name}`,
      subnet: inside,
      owner: 'compute:nova',
      device: serverIdOf(resident.name),
      host: resident.host,
      project,
      at,
      securityGroups: [group],
      status: resident.stopped ? 'DOWN' : 'ACTIVE',
    })
    if (port && published.includes(resident.name)) addFloatingIp(neutron, outside, { port, router, at })
  }
}

/** Room for twice as many servers as there are, in four times the usual size at least and a whole `10.x` at most. */
const prefixFor = (servers: number): number => Math.min(22, Math.max(16, 32 - Math.ceil(Math.log2(servers * 2 + 16))))

/** The device of a DHCP port names its agent's host and the network. */
export const dhcpDeviceOf = (host: string, network: string): string => `dhcp${uuidOf(`dhcp-device/${host}`)}-${network}`

interface Interior {
  readonly inside: Subnet
  readonly outside: Subnet
  readonly createdAt: number
}

function addRouter(neutron: NeutronState, tenant: Tenant, index: number, plan: Interior): Router {
  const { inside, outside, createdAt } = plan
  const project = projectIdOf(tenant)
  const id = uuidOf(`router/${tenant}`)
  const agents = neutron.agents.filter(({ agent_type }) => agent_type === 'L3 agent')
  const active = agents[index % agents.length]
  const port = (name: string, subnet: Subnet, owner: string, rest: { address?: string; project: string }) =>
    addPort(neutron, { name, subnet, owner, device: id, host: active?.host ?? '', at: createdAt, ...rest })
  const gateway = port(`gateway/${tenant}`, outside, 'network:router_gateway', { project: '' })
  const address = inside.gateway_ip ?? ''
  port(`interface/${tenant}`, inside, 'network:ha_router_replicated_interface', { address, project })
  const router: Router = {
    id,
    name: `${tenant}-router`,
    tenant_id: project,
    admin_state_up: true,
    status: 'ACTIVE',
    external_gateway_info: {
      network_id: outside.network_id,
      external_fixed_ips: gateway?.fixed_ips ?? [],
      enable_snat: true,
    },
    description: '',
    availability_zones: ['nova'],
    availability_zone_hints: [],
    routes: [],
    flavor_id: null,
    distributed: false,
    ha: true,
    tags: [],
    created_at: zulu(createdAt),
    updated_at: zulu(createdAt),
    revision_number: 6,
    project_id: project,
  }
  neutron.routers.push(router)
  neutron.l3.set(
    id,
    agents.map((agent) => ({ agent: agent.id, state: agent === active ? 'active' : 'standby' })),
  )
  const hidden = network(neutron, {
    name: `HA network tenant ${project}`,
    project: '',
    cidr: '169.254.192.0/18',
    pool: ['169.254.192.1', '169.254.255.254'],
    external: false,
    dhcp: false,
    segment: 2000 + index,
    createdAt,
  })
  for (const { host } of agents) {
    addPort(neutron, {
      name: `ha/${tenant}/${host}`,
      subnet: hidden,
      owner: 'network:router_ha_interface',
      device: id,
      host,
      project: '',
      at: createdAt,
    })
  }
  return router
}

interface NewNetwork {
  readonly name: string
  readonly project: string
  readonly cidr: string
  readonly pool: readonly [string, string]
  readonly external: boolean
  readonly dhcp: boolean
  readonly segment: number
  readonly createdAt: number
}

function network(neutron: NeutronState, wanted: NewNetwork): Subnet {
  const { name, project, external, createdAt } = wanted
  const id = uuidOf(`network/${name}`)
  const subnet: Subnet = {
    id: uuidOf(`subnet/${name}`),
    name: name.startsWith('HA') ? name.replace('network', 'subnet') : `${name}-v4`,
    tenant_id: project,
    network_id: id,
    ip_version: 4,
    subnetpool_id: null,
    enable_dhcp: wanted.dhcp,
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    gateway_ip: name.startsWith('HA') ? null : wanted.cidr.replace(/\.0\/\d+$/, '.1'),
    cidr: wanted.cidr,
    allocation_pools: [{ start: wanted.pool[0], end: wanted.pool[1] }],
    host_routes: [],
    dns_nameservers: wanted.dhcp ? ['192.0.2.53'] : [],
    description: '',
    service_types: [],
    tags: [],
    created_at: zulu(createdAt),
    updated_at: zulu(createdAt),
    revision_number: 0,
    project_id: project,
  }
  const added: Network = {
    id,
    name,
    tenant_id: project,
    admin_state_up: true,
    mtu: external ? 1500 : 1450,
    status: 'ACTIVE',
    subnets: [subnet.id],
    shared: false,
    availability_zone_hints: [],
    availability_zones: wanted.dhcp ? ['nova'] : [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    'router:external': external,
    description: '',
    port_security_enabled: true,
    tags: [],
    created_at: zulu(createdAt),
    updated_at: zulu(createdAt),
    revision_number: 2,
    project_id: project,
    'provider:network_type': external ? 'vlan' : 'vxlan',
    'provider:physical_network': external ? 'physnet1' : null,
    'provider:segmentation_id': wanted.segment,
  }
  neutron.networks.push(added)
  neutron.subnets.push(subnet)
  return subnet
}

/** A public address in front of a server's port, or of none. */
export function addFloatingIp(
  neutron: NeutronState,
  outside: Subnet,
  { port, router, at, name }: { port?: Port; router?: Router; at: number; name?: string },
): boolean {
  const id = uuidOf(`floatingip/${name ?? port?.id ?? at}`)
  const owner = { name: `floatingip/${id}`, owner: 'network:floatingip', device: id, host: '', project: '', at }
  const outer = addPort(neutron, { ...owner, subnet: outside, status: 'N/A' })
  if (!outer) return false
  const project = port?.project_id ?? projectIdOf('admin')
  neutron.floatingips.push({
    id,
    tenant_id: project,
    floating_ip_address: outer.fixed_ips[0]?.ip_address ?? '',
    floating_network_id: outside.network_id,
    router_id: router?.id ?? null,
    port_id: port?.id ?? null,
    fixed_ip_address: port?.fixed_ips[0]?.ip_address ?? null,
    status: port ? 'ACTIVE' : 'DOWN',
    description: '',
    tags: [],
    created_at: zulu(at),
    updated_at: zulu(at),
    revision_number: 1,
    project_id: project,
  })
  return true
}
