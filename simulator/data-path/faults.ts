import type { Fault } from '../fault.ts'
import { bindingOf } from '../openstack/neutron/ports.ts'
import type { Agent, Port } from '../openstack/neutron/state.ts'
import type { FieldSchema } from '../parameters.ts'
import { uuidOf } from '../random.ts'
import type { World } from '../world.ts'
import { dataNic, layer2Unit, networkOf, patchPort, physicalBridge, serversOf } from './model.ts'
import type { Backend, Break, BreakKind, Message } from './state.ts'

const server: FieldSchema = { type: 'string', description: 'The server it is about, by name', default: 'web-1' }

type Params = Parameters<Fault['apply']>[1]

function fault(
  name: Fault['name'],
  summary: string,
  apply: (world: World, port: Port, params: Params) => void,
  properties: { readonly [name: string]: FieldSchema } = {},
): Fault {
  return {
    name,
    summary,
    params: { type: 'object', properties: { server, ...properties }, additionalProperties: false },
    apply: (world, params) => apply(world, portOf(world, params['server']), params),
  }
}

/** A fault that is one break about the server's port on its own host. */
const onCompute = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(name, summary, (world, port) => {
    breakIt(world, { kind, port: port.id, host: port['binding:host_id'] })
  })

const lasting: FieldSchema = {
  type: 'boolean',
  description: 'Whether it stays so though the agent is restarted',
  default: false,
}

/** A fault of the wiring of a port on its host, that the agent mends when it is restarted, or does not. */
const ofWiring = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(
    name,
    summary,
    (world, port, params) => {
      const about = { port: port.id, host: port['binding:host_id'] }
      breakIt(world, { kind, ...about, lasting: params['lasting'] === true })
    },
    { lasting },
  )

/** A fault that is the same break on every host with a DHCP server for the server's network. */
const onDhcpHosts = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(name, summary, (world, port) => {
    for (const { host } of serversOf(world, networkOf(world, port))) {
      const about = kind === 'host_file_stale' ? { port: port.id } : {}
      breakIt(world, { kind, host, network: port.network_id, ...about })
    }
  })

/** What can be wrong between a guest and its DHCP server. */
export const dataPathFaults: readonly Fault[] = [
  {
    name: 'network.backend',
    summary: 'The virtual networks are made by Linux bridges or by OVN instead of the Open vSwitch agent',
    params: {
      type: 'object',
      properties: {
        backend: {
          type: 'string',
          description: 'What makes them',
          enum: ['openvswitch', 'linuxbridge', 'ovn'],
          default: 'linuxbridge',
        },
        hybrid: {
          type: 'boolean',
          description: 'With Open vSwitch: a Linux bridge for each port, with the security groups in iptables',
          default: false,
        },
      },
      additionalProperties: false,
    },
    apply: (world, { backend, hybrid }) => rebuild(world, backend as Backend, hybrid === true),
  },
  {
    name: 'network.bridge_added',
    summary: 'A host has a further bridge of Open vSwitch, which a script may have made that nobody runs at boot',
    params: {
      type: 'object',
      properties: {
        host: { type: 'string', description: 'The host' },
        bridge: { type: 'string', description: 'What it is called', default: 'br-ex' },
        from_boot: {
          type: 'string',
          description: 'Whether it is there from the next boot of the host on',
          enum: ['there', 'gone'],
          default: 'there',
        },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, estate }, { host, bridge, from_boot }) {
      const machine = estate.machines.get(String(host))
      if (!machine) throw new Error(`no simulated host is called \`${String(host)}\``)
      const made = { host: machine.name, name: String(bridge) }
      const { bridges } = cloud.neutron.path
      bridges.push(made)
      machine.power.onBoot(() => {
        if (from_boot === 'gone') bridges.splice(bridges.indexOf(made), 1)
      })
    },
  },
  onDhcpHosts(
    'network.namespace_missing',
    'The namespaces of a network have vanished from the hosts of its DHCP agents',
    'namespace_missing',
  ),
  fault(
    'network.dnsmasq_dead',
    'The DHCP servers of a network have died, and their agents have said so',
    (world, port) => {
      for (const { host } of serversOf(world, networkOf(world, port))) {
        breakIt(world, { kind: 'dnsmasq_dead', host, network: port.network_id })
        const at = new Date(world.clock.now() - 60_000).toISOString().replace('T', ' ').slice(0, 23)
        const line = `${at} 2731 ERROR neutron.agent.linux.external_process [-] dnsmasq for dhcp with uuid ${port.network_id} not found. The process should not have died\n`
        world.estate.machines.get(host)?.files.append('/var/log/neutron/dhcp-agent.log', line)
      }
    },
  ),
  onDhcpHosts('network.host_file_stale', 'The DHCP servers do not know a server of the network', 'host_file_stale'),
  fault(
    'network.dead_vlan',
    'The port of a server, or those of its DHCP servers, are in the VLAN for ports that belong nowhere',
    (world, port, { whose, lasting: stays }) => {
      const ports = whose === 'dhcp' ? serversOf(world, networkOf(world, port)).map((served) => served.port) : [port]
      for (const { id, 'binding:host_id': host } of ports)
        breakIt(world, { kind: 'dead_vlan', port: id, host, lasting: stays === true })
    },
    {
      whose: { type: 'string', description: 'Whose', enum: ['guest', 'dhcp'], default: 'guest' },
      lasting,
    },
  ),
  ofWiring('network.port_untagged', 'The port of a server is in no VLAN: its agent has not wired it', 'untagged'),
  fault(
    'network.plugged_elsewhere',
    'libvirt has given a guest another device than that of its port, or none, though that one is there',
    (world, port, { device }) => {
      const about = { port: port.id, host: port['binding:host_id'] }
      breakIt(world, { kind: 'plugged_elsewhere', ...about, device: String(device) })
    },
    { device: { type: 'string', description: 'The device that it has; none when empty', default: '' } },
  ),
  onCompute('network.tap_missing', 'The device of a server on its host is gone', 'tap_missing'),
  ofWiring('network.not_in_bridge', 'The device of a server is in no bridge', 'not_in_bridge'),
  fault('network.tunnel_down', 'The host of a server has no tunnel to others', (world, port) => {
    breakIt(world, { kind: 'tunnel_down', host: port['binding:host_id'] })
  }),
  fault(
    'network.mirrored',
    'Somebody watches the bridge of the host of a server with a mirror of their own',
    (world, port, { name }) => {
      const about = { host: port['binding:host_id'], bridge: 'br-int' }
      const { added, mirrors } = world.cloud.neutron.path
      added.push({ ...about, port: { name: String(name), ids: {}, up: true } })
      mirrors.push({ ...about, mirror: { name: String(name), ids: {}, from: [patchPort], to: String(name) } })
    },
    { name: { type: 'string', description: 'What it and its port are called', default: 'span0' } },
  ),
  fault('network.wrong_nic', 'The address that tunnels of a host end at is on no interface', (world, port) => {
    const host = port['binding:host_id']
    breakIt(world, { kind: 'wrong_nic', host })
    const machine = world.estate.machines.get(host)
    const index = machine?.nics.findIndex(({ name }) => name === 'eno2') ?? -1
    const nic = machine?.nics[index]
    if (machine && nic) machine.nics[index] = { ...nic, address: nic.address.replace('10.78.', '10.79.') }
  }),
  fault('network.nic_down', 'The interface that carries the tunnels of a host has no link', (world, port) => {
    const nic = world.estate.machines.get(port['binding:host_id'])?.nics.find(({ name }) => name === 'eno2')
    if (nic) nic.up = false
  }),
  fault(
    'network.message_lost',
    'Something between the hosts, or on one of them, drops a message of DHCP, and no tool shows it',
    (world, port, { after, message }) => {
      breakIt(world, { kind: 'lost', port: port.id, after: String(after), message: message as Message })
    },
    {
      after: {
        type: 'string',
        description: 'Where it is seen last, on its way',
        enum: ['tap', 'qbr', 'qvb', 'qvo', 'compute_int', 'compute_nic', 'network_nic', 'network_int', 'dhcp'],
        default: 'compute_nic',
      },
      message: {
        type: 'string',
        description: 'Which',
        enum: ['DISCOVER', 'OFFER', 'REQUEST', 'ACK'],
        default: 'DISCOVER',
      },
    },
  ),
  onCompute('network.nak', 'A guest asks for an address that its network does not have', 'guest_asks_wrong'),
  onCompute('network.guest_silent', 'A guest starts and never asks for an address', 'guest_silent'),
  onCompute('network.console_silent', 'A guest writes nothing of DHCP on its console', 'console_silent'),
  onCompute(
    'network.console_stale',
    'The console shows a lease from an earlier day, and nothing since',
    'console_stale',
  ),
  onCompute(
    'network.console_renewing',
    'The console shows a lease, and after it how the guest fares now',
    'console_renewing',
  ),
  onCompute(
    'network.guest_keeps_address',
    'A guest still has the address of an earlier lease, whoever serves its network now',
    'guest_keeps_address',
  ),
  fault(
    'network.config_drive',
    'A server was built with a config drive',
    ({ cloud, ...world }, port, { addresses }) => {
      const found = cloud.nova.servers.find(({ id }) => id === port.device_id)
      if (found) found.configDrive = true
      const about = { port: port.id, host: port['binding:host_id'] }
      if (addresses !== false) breakIt({ cloud, ...world }, { kind: 'guest_static', ...about })
    },
    {
      addresses: { type: 'boolean', description: 'Whether its guest sets its addresses from it', default: true },
    },
  ),
  fault('network.crowded', 'The other guests of a network ask for addresses all the time', (world, port) => {
    breakIt(world, { kind: 'crowded', network: port.network_id, port: port.id })
  }),
  onCompute('network.guest_without_driver', 'A guest finds no network device', 'guest_without_driver'),
  onCompute('network.guest_does_not_boot', 'A guest finds nothing to start from', 'guest_does_not_boot'),
  fault('network.rogue_dhcp', 'Another server of the network answers DHCP as well', (world, port) => {
    const { neutron } = world.cloud
    const rogue = neutron.ports.find(
      (one) =>
        one.network_id === port.network_id &&
        one.device_owner === 'compute:nova' &&
        one['binding:host_id'] !== port['binding:host_id'],
    )
    if (!rogue) throw new Error('the network has no other server on another host')
    const address = rogue.fixed_ips[0]?.ip_address ?? ''
    breakIt(world, { kind: 'rogue', network: port.network_id, port: rogue.id, address })
  }),
  onCompute('network.ovn_no_options', 'OVN has no DHCP options for a port', 'ovn_no_options'),
  onCompute('network.ovn_no_flow', 'OVN has DHCP options for a port, and nobody has made flows of them', 'ovn_no_flow'),
  onCompute('network.ovn_drops', 'A rule of OVN drops what a guest asks', 'ovn_drops'),
  onCompute('network.ovn_unbound', 'No chassis of OVN has claimed a port', 'ovn_unbound'),
  onCompute('network.ovn_elsewhere', 'The chassis of another host has claimed a port', 'ovn_elsewhere'),
  onCompute('network.ovn_no_address', 'OVN does not know the address of a port', 'ovn_no_address'),
  fault('network.ovn_disconnected', 'The host of a server has lost the southbound database of OVN', (world, port) => {
    breakIt(world, { kind: 'ovn_disconnected', host: port['binding:host_id'] })
  }),
  fault('network.port_switched_off', 'The port of a server is administratively down', (_world, port) => {
    Object.assign(port, { admin_state_up: false, status: 'DOWN' })
  }),
  fault('network.port_not_bound', 'The port of a server could not be bound on its host', (world, port) => {
    Object.assign(port, { status: 'DOWN', 'binding:vif_type': 'binding_failed', 'binding:vif_details': {} })
    // and what could not be bound was not plugged either
    breakIt(world, { kind: 'tap_missing', port: port.id, host: port['binding:host_id'] })
  }),
  fault(
    'network.port_bound_elsewhere',
    'The port of a server is bound on another host than the server is on',
    (world, port) => {
      const other = world.topology.computes.find((host) => host !== port['binding:host_id'])
      port['binding:host_id'] = other ?? ''
    },
  ),
  fault('network.port_without_address', 'The port of a server has no address', (_world, port) => {
    port.fixed_ips = []
  }),
  fault('network.port_dhcp_disabled', 'The port of a server says that DHCP must not serve it', (_world, port) => {
    port.extra_dhcp_opts = [{ opt_name: 'dhcp_disabled', opt_value: 'true', ip_version: 4 }]
  }),
  fault(
    'network.port_direct',
    'The port of a server is a virtual function, not a device of the host',
    (_world, port) => {
      Object.assign(port, { 'binding:vif_type': 'hw_veb', 'binding:vnic_type': 'direct' })
    },
  ),
  fault('network.subnet_without_dhcp', 'DHCP is switched off on the subnet of a server', ({ cloud }, port) => {
    const { subnets, ports } = cloud.neutron
    for (const subnet of subnets) if (subnet.network_id === port.network_id) subnet.enable_dhcp = false
    const left = ports.filter((one) => one.network_id !== port.network_id || one.device_owner !== 'network:dhcp')
    ports.splice(0, ports.length, ...left)
  }),
  fault(
    'network.segment_mismatch',
    'The network of a server is on a physical network that its host does not have',
    (world, port) => {
      Object.assign(networkOf(world, port), {
        'provider:network_type': 'vlan',
        'provider:physical_network': 'physnet9',
        'provider:segmentation_id': 900,
      })
    },
  ),
  fault(
    'network.several_segments',
    'The network of a server has several segments, one of which its host has',
    (world, port) => {
      const network = networkOf(world, port)
      const segmentOf = (type: string, physical: string | null, id: number) => ({
        'provider:network_type': type,
        'provider:physical_network': physical,
        'provider:segmentation_id': id,
      })
      const { 'provider:segmentation_id': vni } = network
      network.segments = [segmentOf('vlan', 'physnet9', 900), segmentOf('vxlan', null, vni ?? 0)]
    },
  ),
  fault(
    'network.on_vlan',
    'The network of a server is a VLAN of a physical network, which every host is told the interface for',
    (world, port, { nic }) => {
      const { agents, path } = world.cloud.neutron
      Object.assign(networkOf(world, port), {
        'provider:network_type': 'vlan',
        'provider:physical_network': 'physnet1',
        'provider:segmentation_id': 100,
      })
      const unit = layer2Unit[path.backend]
      for (const [index, agent] of agents.entries()) {
        if (agent.unit !== unit) continue
        // the host of the server may have been told another one than the rest
        const told = agent.host === port['binding:host_id'] ? String(nic) : dataNic
        path.uplinks.set(agent.host, told)
        const mapped =
          path.backend === 'linuxbridge'
            ? { interface_mappings: { physnet1: told } }
            : { bridge_mappings: { physnet1: physicalBridge } }
        agents[index] = { ...agent, configurations: { ...agent.configurations, ...mapped } }
      }
    },
    { nic: { type: 'string', description: 'That of the host of the server', default: dataNic } },
  ),
  fault('network.ipv6_only', 'The network of a server has subnets of IPv6 only', ({ cloud: { neutron } }, port) => {
    const subnet = neutron.subnets.find(({ network_id }) => network_id === port.network_id)
    if (!subnet) return
    const addressOf = (index: number) => `fd00:10::${(index + 2).toString(16)}`
    const pools = { allocation_pools: [{ start: 'fd00:10::2', end: 'fd00:10::ffff' }] }
    Object.assign(subnet, { ip_version: 6, cidr: 'fd00:10::/64', gateway_ip: 'fd00:10::1', ...pools })
    for (const [index, one] of neutron.ports.filter(({ network_id }) => network_id === port.network_id).entries())
      one.fixed_ips = one.fixed_ips.map((ip) => ({ ...ip, ip_address: addressOf(index) }))
  }),
  fault(
    'network.zone_wanted',
    'The network of a server wants DHCP agents of one availability zone',
    (world, port, { zone }) => {
      networkOf(world, port).availability_zone_hints = [String(zone)]
    },
    { zone: { type: 'string', description: 'Which', default: 'nova' } },
  ),
  fault(
    'network.dhcp_agents_switched_off',
    'The DHCP agents of the network of a server are switched off',
    (world, port) => {
      for (const agent of dhcpAgentsOf(world, port)) agent.admin_state_up = false
    },
  ),
  fault('network.allocation_failed', 'Nova could not get a network for a new server', (world, port) => {
    const { nova, neutron } = world.cloud
    const found = nova.servers.find(({ id }) => id === port.device_id)
    const message = 'Build of instance aborted: Failed to allocate the network(s), not rescheduling.'
    const at = world.clock.now() - 300_000
    if (!found) return
    const fault = { code: 500, message, created: at, details: 'nova.exception.BuildAbortException' }
    Object.assign(found, { vmState: 'error', powerState: 0, taskState: null, fault, updatedAt: at })
    const create = nova.actions.find(({ server, action }) => server === found.id && action === 'create')
    if (create) create.message = 'Error'
    for (const event of create?.events ?? []) Object.assign(event, { result: 'Error', details: message })
    neutron.ports.splice(neutron.ports.indexOf(port), 1)
  }),
  fault('network.build_failed', 'A new server could not be built, and not because of its network', (world, port) => {
    const { nova } = world.cloud
    const found = nova.servers.find(({ id }) => id === port.device_id)
    const message = 'No valid host was found. There are not enough hosts available.'
    const at = world.clock.now() - 300_000
    const fault = { code: 500, message, created: at, details: '' }
    if (found) Object.assign(found, { vmState: 'error', powerState: 0, taskState: null, fault, updatedAt: at })
  }),
  fault('network.server_stopped', 'A server is not running', ({ cloud }, port) => {
    const found = cloud.nova.servers.find(({ id }) => id === port.device_id)
    if (found) Object.assign(found, { vmState: 'stopped', powerState: 4, taskState: null })
  }),
  fault('network.server_without_port', 'A server runs and has no port', ({ cloud: { neutron } }, port) => {
    neutron.ports.splice(neutron.ports.indexOf(port), 1)
  }),
  fault('network.pool_exhausted', 'Every address of the network of a server is taken', (world, port) => {
    const { neutron } = world.cloud
    const subnet = neutron.subnets.find(({ network_id }) => network_id === port.network_id)
    if (!subnet) return
    const [pool] = subnet.allocation_pools
    const [address = pool?.end ?? ''] = neutron.ports.flatMap(({ fixed_ips }) =>
      fixed_ips.filter(({ subnet_id }) => subnet_id === subnet.id).map(({ ip_address }) => ip_address),
    )
    // the pool shrinks to what is taken: the same as ports for every other address, and a smaller world
    Object.assign(subnet, { allocation_pools: [{ start: address, end: address }] })
    port.fixed_ips = []
  }),
  fault('network.no_dhcp_agent', 'No DHCP agent has the network of a server', ({ cloud: { neutron } }, port) => {
    neutron.dhcp.set(port.network_id, [])
  }),
  fault('network.dhcp_agents_down', 'The DHCP agents of the network of a server report no more', (world, port) => {
    for (const agent of dhcpAgentsOf(world, port)) silence(world, agent)
  }),
  fault(
    'network.layer2_agent_down',
    'What wires ports on the host of a server reports no more',
    (world, port, { returns }) => {
      const { neutron } = world.cloud
      const unit = layer2Unit[neutron.path.backend]
      const agent = neutron.agents.find((one) => one.unit === unit && one.host === port['binding:host_id'])
      if (agent) silence(world, agent, returns !== false)
    },
    { returns: { type: 'boolean', description: 'Whether it reports again once it is restarted', default: true } },
  ),
]

function portOf({ cloud: { neutron, nova } }: World, name: unknown): Port {
  const found = nova.servers.find((one) => one.name === name)
  const port = neutron.ports.find((one) => one.device_id === found?.id)
  if (port) return port
  throw new Error(`there is no server \`${String(name)}\` with a port`)
}

function breakIt({ cloud, clock }: World, what: Omit<Break, 'at'>): void {
  cloud.neutron.path.breaks.push({ ...what, at: clock.now() })
}

const dhcpAgentsOf = ({ cloud: { neutron } }: World, { network_id }: Port): readonly Agent[] =>
  neutron.agents.filter(({ id }) => neutron.dhcp.get(network_id)?.includes(id))

function silence({ clock }: World, agent: Agent, returns = true): void {
  const now = clock.now()
  agent.silent = { from: now - 20 * 60_000, noticed: returns ? now : Number.POSITIVE_INFINITY }
}

const agentTypes: { readonly [backend in Backend]: string } = {
  openvswitch: 'Open vSwitch agent',
  linuxbridge: 'Linux bridge agent',
  ovn: 'OVN Controller agent',
}

/** Every port, agent and unit becomes what another backend would have made. */
function rebuild(world: World, backend: Backend, hybrid: boolean): void {
  const { neutron } = world.cloud
  const before = layer2Unit[neutron.path.backend]
  Object.assign(neutron.path, { backend, hybrid })
  for (const port of neutron.ports) Object.assign(port, bindingOf(neutron, port['binding:host_id']))
  const unit = layer2Unit[backend]
  if (unit === before) return
  const made = neutron.agents
    .filter((agent) => backend !== 'ovn' || agent.unit === before)
    .map((agent) =>
      agent.unit === before
        ? {
            ...agent,
            id: uuidOf(`agent/${unit}/${agent.host}`),
            agent_type: agentTypes[backend],
            binary: unit,
            unit,
            configurations: configurationOf(backend, agent),
          }
        : agent,
    )
  neutron.agents.splice(0, neutron.agents.length, ...made)
  // with OVN there is no DHCP agent, and the ports that it would have are not there
  if (backend === 'ovn') {
    neutron.dhcp.clear()
    const left = neutron.ports.filter(({ device_owner }) => device_owner !== 'network:dhcp')
    neutron.ports.splice(0, neutron.ports.length, ...left)
  }
  for (const machine of world.estate.machines.values()) {
    const [old, now] = [machine.units.find(before), machine.units.find(unit)]
    if (!old || !now) continue
    const { startedAt, since, mainPid } = old
    Object.assign(now, { enabled: true, active: 'active', sub: 'running', startedAt, since, mainPid })
    Object.assign(old, { enabled: false, active: 'inactive', sub: 'dead', startedAt: undefined, mainPid: 0 })
  }
}

function configurationOf(backend: Backend, { configurations }: Agent): Agent['configurations'] {
  const { tunneling_ip, bridge_mappings } = configurations
  if (backend === 'ovn') return { chassis_name: '', bridge_mappings: '' }
  return {
    bridge_mappings: {},
    devices: 0,
    extensions: [],
    interface_mappings: Object.keys(bridge_mappings as object).length > 0 ? { physnet1: 'eno1' } : {},
    l2_population: true,
    tunnel_types: ['vxlan'],
    tunneling_ip,
  }
}
