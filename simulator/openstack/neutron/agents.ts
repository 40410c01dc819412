import { uuidOf } from '../../random.ts'
import type { Topology } from '../../topology.ts'
import { day, second } from '../time.ts'
import type { Agent } from './state.ts'

interface Kind {
  readonly agent_type: string
  readonly binary: string
  readonly topic: string
  readonly zone: string | null
}

const openvswitch: Kind = {
  agent_type: 'Open vSwitch agent',
  binary: 'neutron-openvswitch-agent',
  topic: 'N/A',
  zone: null,
}
const ofNetworkHosts: readonly Kind[] = [
  { agent_type: 'DHCP agent', binary: 'neutron-dhcp-agent', topic: 'dhcp_agent', zone: 'nova' },
  { agent_type: 'L3 agent', binary: 'neutron-l3-agent', topic: 'l3_agent', zone: 'nova' },
  { agent_type: 'Metadata agent', binary: 'neutron-metadata-agent', topic: 'N/A', zone: null },
]
/** What OVN shows of a chassis that routes to the outside. */
const gateway: Kind = {
  agent_type: 'OVN Controller Gateway agent',
  binary: 'ovn-controller',
  topic: 'N/A',
  zone: null,
}

/** The agents of the network hosts (the controllers) and the layer-2 agent everywhere. */
export function agentsOf({ controllers, computes }: Topology, startAt: number): Agent[] {
  const rows = [
    ...controllers.flatMap((host) => [openvswitch, ...ofNetworkHosts].map((kind) => ({ host, kind }))),
    ...computes.map((host) => ({ host, kind: openvswitch })),
  ]
  return rows.map(({ host, kind }, index) => agentOf(host, kind, index, startAt, { controllers, computes }))
}

/** An agent of a network host on another host. */
export function strayAgent(host: string, agentType: string, count: number, startAt: number): Agent {
  const kind = [...ofNetworkHosts, gateway].find(({ agent_type }) => agent_type === agentType)
  if (!kind) throw new Error(`no agent is called \`${agentType}\``)
  return agentOf(host, kind, count, startAt, { controllers: [], computes: [host] })
}

function agentOf(
  host: string,
  kind: Kind,
  index: number,
  startAt: number,
  topology: Pick<Topology, 'controllers' | 'computes'>,
): Agent {
  return {
    host,
    unit: kind.binary,
    every: 30 * second,
    phase: (index * 3_700) % (30 * second),
    started: startAt - 30 * day,
    id: uuidOf(`agent/${kind.binary}/${host}`),
    ...kind,
    admin_state_up: true,
    createdAt: startAt - 200 * day,
    configurations: configurationOf(kind, host, tunnelAddressOf(topology, host)),
  }
}

/** The address a host's tunnels end at: that of its second interface. */
export function tunnelAddressOf({ controllers, computes }: Pick<Topology, 'controllers' | 'computes'>, host: string) {
  const compute = computes.indexOf(host)
  return `10.78.0.${compute === -1 ? 11 + controllers.indexOf(host) : 21 + compute}`
}

function configurationOf({ binary }: Kind, host: string, tunnelAddress: string): { [key: string]: unknown } {
  switch (binary) {
    case 'neutron-dhcp-agent':
      return {
        dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
        dhcp_lease_duration: 86_400,
        log_agent_heartbeats: false,
      }
    case 'neutron-l3-agent':
      return {
        agent_mode: 'legacy',
        extensions: [],
        handle_internal_only_routers: true,
        interface_driver: 'openvswitch',
        log_agent_heartbeats: false,
      }
    case 'neutron-metadata-agent':
      return {
        log_agent_heartbeats: false,
        metadata_proxy_socket: '/var/lib/neutron/metadata_proxy',
        nova_metadata_host: host,
        nova_metadata_port: 8775,
      }
    default:
      return {
        arp_responder_enabled: true,
        bridge_mappings: host.startsWith('ctl') ? { physnet1: 'br-ex' } : {},
        datapath_type: 'system',
        devices: 0,
        extensions: [],
        integration_bridge: 'br-int',
        l2_population: true,
        tunnel_types: ['vxlan'],
        tunneling_ip: tunnelAddress,
      }
  }
}
