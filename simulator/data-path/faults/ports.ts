import type { Fault } from '../../fault.ts'
import { dataNic, layer2Unit, networkOf, physicalBridge } from '../model.ts'
import { breakIt, fault } from './fault.ts'

/** What Neutron and Nova say of a port and its network. */
export const portFaults: readonly Fault[] = [
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
]
