import type { Frame } from '../hosts/wiring.ts'
import { isBound } from '../openstack/neutron/binding.ts'
import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import {
  breaksOf,
  broken,
  dataNic,
  deviceOf,
  localVlan,
  networkOf,
  patchOf,
  type Served,
  serversOf,
  subnetsOf,
  tunnelAddress,
} from './model.ts'
import type { Message } from './state.ts'

/** A place where a frame can be seen. */
export interface Hop {
  /** `tap`, `qbr`, `compute_int`, `compute_nic`, `network_nic`, `network_int`, `dhcp`. */
  readonly name: string
  readonly host: string
  readonly device: string
  readonly namespace?: string
}

/** A frame at a hop. */
export interface Sighting {
  readonly hop: Hop
  readonly frame: Omit<Frame, 'at'>
}

/** What comes of it when a guest asks for an address, as everything stands now. */
export interface Exchange {
  readonly sightings: readonly Sighting[]
  readonly outcome:
    | { readonly is: 'lease'; readonly address: string; readonly server: string }
    | { readonly is: 'refused' | 'no_answer' | 'not_asked' }
}

/** A way between a guest and one DHCP server: its hops, and whether a frame gets from one to the next. */
interface Way {
  readonly hops: readonly Hop[]
  readonly passes: readonly boolean[]
  readonly server: Server
}

interface Server {
  readonly mac: string
  readonly address: string
  readonly offers: string | undefined
  /** How long it thinks; the guest takes the first. */
  readonly rank: number
}

const broadcast = 'ff:ff:ff:ff:ff:ff'

/** Plays one DHCP exchange through. */
export function exchange(world: World, port: Port): Exchange {
  const about = { port: port.id, host: port['binding:host_id'], network: port.network_id }
  const silent = (['guest_silent', 'guest_static', 'guest_without_driver', 'guest_does_not_boot'] as const).some(
    (kind) => broken(world, kind, about),
  )
  const unplugged = (['tap_missing', 'plugged_elsewhere'] as const).some((kind) => broken(world, kind, about))
  if (silent || !isBound(port) || unplugged) return { sightings: [], outcome: { is: 'not_asked' } }
  const ways = world.cloud.neutron.path.backend === 'ovn' ? [ovnWay(world, port)] : waysOf(world, port)
  const sightings: Sighting[] = []
  const send = (way: Way, message: Message, direction: 'up' | 'down', more: Partial<Frame> = {}): boolean => {
    const { seen, arrived } = travel(world, way, { message, direction, port })
    for (const hop of seen) {
      const up = direction === 'up'
      const ends = { from: up ? port.mac_address : way.server.mac, to: up ? broadcast : port.mac_address }
      const frame = { message, client: port.mac_address, ...ends, ...more }
      const shown = { hop, frame: { ...frame, ...wrappedAt(world, port, hop, way, direction) } }
      if (!sightings.some((one) => sameSighting(one, shown))) sightings.push(shown)
    }
    return arrived
  }
  if (broken(world, 'guest_asks_wrong', about)) {
    const refused = ways.filter((way) => send(way, 'REQUEST', 'up') && way.server.offers !== undefined)
    const told = refused.filter((way) => send(way, 'NAK', 'down', { server: way.server.address }))
    return { sightings, outcome: { is: told.length > 0 ? 'refused' : 'no_answer' } }
  }
  const asked = ways.filter((way) => send(way, 'DISCOVER', 'up') && way.server.offers !== undefined)
  const offered = asked.filter((way) => {
    const { address: server, offers: address = '' } = way.server
    return send(way, 'OFFER', 'down', { server, address })
  })
  const [chosen] = offered.toSorted((a, b) => a.server.rank - b.server.rank)
  if (!chosen) return { sightings, outcome: { is: 'no_answer' } }
  const { address: server, offers: address = '' } = chosen.server
  const heard = ways.filter((way) => send(way, 'REQUEST', 'up', { server, address })).includes(chosen)
  const leased = heard && send(chosen, 'ACK', 'down', { server, address })
  return { sightings, outcome: leased ? { is: 'lease', address, server } : { is: 'no_answer' } }
}

/** Whether what a guest sends gets to one of its DHCP servers, be it answered there or not; with OVN, off its host. */
export function reaches(world: World, port: Port): boolean {
  const about = { port: port.id, host: port['binding:host_id'] }
  const apart = (['tap_missing', 'plugged_elsewhere', 'ovn_unbound', 'ovn_elsewhere'] as const).some((kind) =>
    broken(world, kind, about),
  )
  if (!isBound(port) || !port.admin_state_up || apart) return false
  if (world.cloud.neutron.path.backend === 'ovn') return true
  return waysOf(world, port).some(({ passes }) => passes.every(Boolean))
}

function sameSighting(a: Sighting, b: Sighting): boolean {
  const key = ({ hop, frame }: Sighting) =>
    [hop.host, hop.namespace, hop.device, frame.message, frame.from, frame.server, frame.tunnel?.to].join(' ')
  return key(a) === key(b)
}

interface Journey {
  readonly message: Message
  readonly direction: 'up' | 'down'
  readonly port: Port
}

function travel(world: World, way: Way, { message, direction, port }: Journey): { seen: Hop[]; arrived: boolean } {
  const order = direction === 'up' ? way.hops : way.hops.toReversed()
  const seen: Hop[] = []
  for (const [index, hop] of order.entries()) {
    seen.push(hop)
    const link = direction === 'up' ? index : way.hops.length - 2 - index
    const lost = breaksOf(world, 'lost').some(
      (one) => one.port === port.id && one.after === hop.name && one.message === message,
    )
    if (index < order.length - 1 && (lost || way.passes[link] === false)) return { seen, arrived: false }
    if (lost) return { seen, arrived: false }
  }
  return { seen, arrived: true }
}

function wrappedAt(
  world: World,
  port: Port,
  hop: Hop,
  way: Way,
  direction: 'up' | 'down',
): Pick<Frame, 'tunnel' | 'vlan'> {
  const network = networkOf(world, port)
  if (hop.name.endsWith('_int')) return { vlan: localVlan(world, network) }
  if (!hop.name.endsWith('_nic')) return {}
  if (network['provider:network_type'] === 'vlan') return { vlan: network['provider:segmentation_id'] ?? 0 }
  if (network['provider:network_type'] !== 'vxlan') return {}
  const here = tunnelAddress(world, port['binding:host_id'])
  const there = tunnelAddress(world, way.hops.at(-1)?.host ?? '')
  const vni = network['provider:segmentation_id'] ?? 0
  return { tunnel: direction === 'up' ? { from: here, to: there, vni } : { from: there, to: here, vni } }
}

const ovnSilences = [
  'ovn_no_options',
  'ovn_no_address',
  'ovn_no_flow',
  'ovn_drops',
  'ovn_unbound',
  'ovn_elsewhere',
  'ovn_disconnected',
] as const

function ovnWay(world: World, port: Port): Way {
  const about = { port: port.id, host: port['binding:host_id'] }
  const subnet = subnetsOf(world, networkOf(world, port)).find(({ enable_dhcp }) => enable_dhcp)
  const hop = { name: 'tap', host: about.host, device: deviceOf('tap', port) }
  // the answer comes from the flows on the host itself: no frame leaves it
  const answers = subnet && port.admin_state_up && !ovnSilences.some((kind) => broken(world, kind, about))
  const offers = answers ? port.fixed_ips[0]?.ip_address : undefined
  const server = { mac: 'fa:16:3e:00:00:01', address: subnet?.gateway_ip ?? '', offers, rank: 1 }
  return { hops: [hop], passes: [], server }
}

function waysOf(world: World, port: Port): Way[] {
  const servers = serversOf(world, networkOf(world, port)).map((served, index) => wayTo(world, port, served, index))
  const rogues = breaksOf(world, 'rogue').filter(({ network }) => network === port.network_id)
  return [...servers, ...rogues.flatMap((rogue) => wayToRogue(world, port, rogue))]
}

function wayTo(world: World, port: Port, { host, port: dhcp }: Served, index: number): Way {
  const network = networkOf(world, port)
  const { backend } = world.cloud.neutron.path
  const end: Hop = {
    name: 'dhcp',
    host,
    device: deviceOf(backend === 'linuxbridge' ? 'ns-' : 'tap', dhcp),
    namespace: `qdhcp-${network.id}`,
  }
  const about = { host, network: network.id, port: port.id }
  const reached =
    !broken(world, 'tunnel_down', { host }) &&
    !broken(world, 'namespace_missing', about) &&
    !broken(world, 'dead_vlan', { host, port: dhcp.id }) &&
    !broken(world, 'not_in_bridge', { host, port: dhcp.id })
  const disabled = port.extra_dhcp_opts.some((one) => one.opt_name === 'dhcp_disabled')
  const answers =
    !disabled &&
    !broken(world, 'dnsmasq_dead', about) &&
    !broken(world, 'host_file_stale', about) &&
    port.fixed_ips.length > 0
  return {
    ...outwards(world, port, host, end, reached),
    server: {
      mac: dhcp.mac_address,
      address: dhcp.fixed_ips[0]?.ip_address ?? '',
      offers: answers ? port.fixed_ips[0]?.ip_address : undefined,
      rank: index + 1,
    },
  }
}

function wayToRogue(world: World, port: Port, { port: at, address = '' }: { port?: string; address?: string }): Way[] {
  const stranger = world.cloud.neutron.ports.find(({ id }) => id === at)
  if (!stranger) return []
  const host = stranger['binding:host_id']
  const end: Hop = { name: 'rogue', host, device: deviceOf('tap', stranger) }
  const server = { mac: stranger.mac_address, address, offers: address.replace(/\.\d+$/, '.77'), rank: 0 }
  return [{ ...outwards(world, port, host, end, true), server }]
}

/** From the guest's device over both hosts' interfaces to an end on another host, or straight to one on its own. */
function outwards(world: World, port: Port, there: string, end: Hop, reached: boolean): Pick<Way, 'hops' | 'passes'> {
  const here = port['binding:host_id']
  const own = guestHops(world, port)
  const about = { host: here, port: port.id }
  const wired =
    port.admin_state_up &&
    !(['not_in_bridge', 'dead_vlan', 'untagged'] as const).some((kind) => broken(world, kind, about))
  const inner = own.map((_, index) => (index < own.length - 1 ? true : wired))
  if (here === there)
    return { hops: [...own, end], passes: inner.map((pass, i) => pass && (i < own.length - 1 || reached)) }
  const nics = [
    { name: 'compute_nic', host: here, device: dataNic },
    { name: 'network_nic', host: there, device: dataNic },
  ]
  const leaves = !broken(world, 'tunnel_down', { host: here }) && nicWorks(world, here)
  const between = nicWorks(world, here) && nicWorks(world, there)
  const inside = own.slice(1).map(() => true)
  if (world.cloud.neutron.path.backend !== 'openvswitch') {
    return { hops: [...own, ...nics, end], passes: [...inside, wired && leaves, between, reached] }
  }
  const [mine, other] = [here, there].map((host, index) => ({
    name: index === 0 ? 'compute_int' : 'network_int',
    host,
    device: patchOf(networkOf(world, port)),
  })) as [Hop, Hop]
  const arrives = !broken(world, 'tunnel_down', { host: there })
  return {
    hops: [...own, mine, ...nics, other, end],
    passes: [...inside, wired, leaves, between, arrives, reached],
  }
}

function nicWorks(world: World, host: string): boolean {
  const uplink = world.cloud.neutron.path.uplinks.get(host) ?? dataNic
  const up = world.estate.machines.get(host)?.nics.find(({ name }) => name === uplink)?.up ?? false
  return up && !broken(world, 'wrong_nic', { host })
}

/** The devices between a guest and the bridge of its host. */
function guestHops(world: World, port: Port): readonly Hop[] {
  const { backend, hybrid } = world.cloud.neutron.path
  const names = backend === 'openvswitch' && hybrid ? ['tap', 'qbr', 'qvb', 'qvo'] : ['tap']
  return names.map((name) => ({ name, host: port['binding:host_id'], device: deviceOf(name, port) }))
}
