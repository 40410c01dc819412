import type { CloudWorld } from '../openstack/cloud.ts'
import { tunnelAddressOf } from '../openstack/neutron/agents.ts'
import { works } from '../openstack/neutron/binding.ts'
import { dhcpDeviceOf } from '../openstack/neutron/build.ts'
import type { Agent, Network, Port, Subnet } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import type { Backend, Break, BreakKind } from './state.ts'

/** The unit that wires ports on each host, by backend. */
export const layer2Unit: { readonly [backend in Backend]: string } = {
  openvswitch: 'neutron-openvswitch-agent',
  linuxbridge: 'neutron-linuxbridge-agent',
  ovn: 'ovn-controller',
}

/** The interface that carries tunnels and physical networks. */
export const dataNic = 'eno2'

/** What joins the bridge of the guests and that of the tunnels: no device of the host, so only a mirror shows what passes it. */
export const patchPort = 'patch-tun'

/** The bridge of Open vSwitch that a physical network is at, and what joins it and that of the guests. */
export const physicalBridge = 'br-ex'
export const physicalPatch = `int-${physicalBridge}`

/** What a network leaves the bridge of the guests by. */
export const patchOf = (network: Network): string =>
  network['provider:physical_network'] === null ? patchPort : physicalPatch

/** The name of a port's device: a prefix, and as much of the id as a name has room for. */
export const deviceOf = (prefix: string, { id }: { readonly id: string }): string => `${prefix}${id.slice(0, 11)}`

/** Whether something of a kind is broken here and now: what has been mended since counts no more. */
export function broken(
  world: World,
  kind: BreakKind,
  where: Partial<Pick<Break, 'host' | 'network' | 'port'>>,
): boolean {
  return breaksOf(world, kind).some((one) =>
    (['host', 'network', 'port'] as const).every((key) => one[key] === undefined || one[key] === where[key]),
  )
}

export function breaksOf(world: World, kind: BreakKind): readonly Break[] {
  return world.cloud.neutron.path.breaks.filter((one) => one.kind === kind && !mended(world, one))
}

function mended(world: World, one: Break): boolean {
  const unit = layer2Unit[world.cloud.neutron.path.backend]
  switch (one.kind) {
    case 'namespace_missing':
    case 'dnsmasq_dead':
    case 'host_file_stale':
      return handedAgain(world, one) || startedAfter(world, one.host, 'neutron-dhcp-agent', one.at)
    case 'dead_vlan':
    case 'untagged':
    case 'not_in_bridge':
      return (
        (one.lasting !== true && startedAfter(world, one.host, unit, one.at)) ||
        rebootedAfter(world, one) ||
        servedAgain(world, one)
      )
    case 'tap_missing':
    case 'plugged_elsewhere':
      return rebootedAfter(world, one)
    case 'tunnel_down':
    case 'ovn_unbound':
    case 'ovn_elsewhere':
    case 'ovn_disconnected':
      return startedAfter(world, one.host, unit, one.at)
    default:
      return false
  }
}

/** An agent that works makes everything anew for a network it is given. */
function handedAgain(world: World, { host, network, at }: Break): boolean {
  const agent = dhcpAgentOn(world, host)
  if (!agent || !works(world, agent)) return false
  return (world.cloud.neutron.path.handed.get(`${agent.id}/${network}`) ?? 0) > at
}

/** A DHCP agent plugs its port again when it is given the network again. */
function servedAgain(world: World, one: Break): boolean {
  const port = world.cloud.neutron.ports.find(({ id }) => id === one.port)
  return port?.device_owner === 'network:dhcp' && handedAgain(world, { ...one, network: port.network_id })
}

const startedAfter = ({ estate }: World, host: string | undefined, name: string, at: number): boolean => {
  const unit = estate.unit(host ?? '', name)
  return unit?.running === true && unit.since > at
}

/** Nova plugs a server's ports again when it starts it anew. */
function rebootedAfter({ cloud: { nova, neutron } }: World, { port, at }: Break): boolean {
  const server = neutron.ports.find(({ id }) => id === port)?.device_id
  return nova.actions.some(
    (one) => one.server === server && one.action === 'reboot' && one.startedAt > at && finished(one.events),
  )
}

export const finished = (
  events: readonly { readonly finishedAt: number | null; readonly result: unknown }[],
): boolean => events.some(({ finishedAt, result }) => finishedAt !== null && result === 'Success')

export const dhcpAgentOn = ({ cloud: { neutron } }: CloudWorld, host: string | undefined): Agent | undefined =>
  neutron.agents.find((one) => one.agent_type === 'DHCP agent' && one.host === host)

export interface Served {
  readonly host: string
  readonly port: Port
}

/** The DHCP servers a network should have: one for each of its agents, where a subnet wants DHCP. */
export function serversOf(world: World, network: Network): readonly Served[] {
  const { neutron } = world.cloud
  if (neutron.path.backend === 'ovn' || !subnetsOf(world, network).some(({ enable_dhcp }) => enable_dhcp)) return []
  return (neutron.dhcp.get(network.id) ?? []).flatMap((id) => {
    // one that is switched off puts away what it has
    const host = neutron.agents.find((one) => one.id === id && one.admin_state_up)?.host ?? ''
    const port = neutron.ports.find((one) => one.device_id === dhcpDeviceOf(host, network.id))
    return port ? [{ host, port }] : []
  })
}

export const subnetsOf = ({ cloud: { neutron } }: CloudWorld, { id }: Network): readonly Subnet[] =>
  neutron.subnets.filter(({ network_id }) => network_id === id)

export const networkOf = ({ cloud: { neutron } }: CloudWorld, { network_id }: Port): Network =>
  neutron.networks.find(({ id }) => id === network_id) as Network

export const tunnelAddress = ({ topology }: World, host: string): string => tunnelAddressOf(topology, host)

/** The number a host's agent gives a network on its own bridge. */
export const localVlan = ({ cloud: { neutron } }: CloudWorld, { id }: Network): number =>
  neutron.networks.findIndex((one) => one.id === id) + 1

/** With OVN: the ports of the metadata agent of a host, one in each network that has a guest there. */
export function metadataOn(world: World, host: string): readonly Port[] {
  const networks = new Set(guestPortsOn(world, host).map(({ network_id }) => network_id))
  return world.cloud.neutron.ports.filter(
    ({ network_id, device_owner }) => device_owner === 'network:distributed' && networks.has(network_id),
  )
}

/** Ports of servers that run on a host. */
export function guestPortsOn({ cloud: { neutron, nova } }: World, host: string): readonly Port[] {
  const running = new Set(nova.servers.filter((one) => one.host === host && one.powerState === 1).map(({ id }) => id))
  return neutron.ports.filter((port) => running.has(port.device_id) && port['binding:host_id'] !== '')
}
