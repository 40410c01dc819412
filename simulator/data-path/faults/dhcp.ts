import type { Fault } from '../../fault.ts'
import type { Agent, Port } from '../../openstack/neutron/state.ts'
import type { World } from '../../world.ts'
import { agentLogOf } from '../contained.ts'
import { networkOf, serversOf } from '../model.ts'
import type { BreakKind } from '../state.ts'
import { breakIt, fault, silence } from './fault.ts'

/** A fault that is the same break on every host with a DHCP server for the server's network. */
const onDhcpHosts = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(name, summary, (world, port) => {
    for (const { host } of serversOf(world, networkOf(world, port))) {
      const about = kind === 'host_file_stale' ? { port: port.id } : {}
      breakIt(world, { kind, host, network: port.network_id, ...about })
    }
  })

/** What can be wrong with the DHCP servers of a network, and the agents that run them. */
export const dhcpFaults: readonly Fault[] = [
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
        world.estate.machines.get(host)?.files.append(agentLogOf(world, host), line)
      }
    },
  ),
  onDhcpHosts('network.host_file_stale', 'The DHCP servers do not know a server of the network', 'host_file_stale'),
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
  fault('network.no_dhcp_agent', 'No DHCP agent has the network of a server', ({ cloud: { neutron } }, port) => {
    neutron.dhcp.set(port.network_id, [])
  }),
  fault('network.dhcp_agents_down', 'The DHCP agents of the network of a server report no more', (world, port) => {
    for (const agent of dhcpAgentsOf(world, port)) silence(world, agent)
  }),
  fault(
    'network.dhcp_agents_switched_off',
    'The DHCP agents of the network of a server are switched off',
    (world, port) => {
      for (const agent of dhcpAgentsOf(world, port)) agent.admin_state_up = false
    },
  ),
  fault(
    'network.zone_wanted',
    'The network of a server wants DHCP agents of one availability zone',
    (world, port, { zone }) => {
      networkOf(world, port).availability_zone_hints = [String(zone)]
    },
    { zone: { type: 'string', description: 'Which', default: 'nova' } },
  ),
]

const dhcpAgentsOf = ({ cloud: { neutron } }: World, { network_id }: Port): readonly Agent[] =>
  neutron.agents.filter(({ id }) => neutron.dhcp.get(network_id)?.includes(id))
