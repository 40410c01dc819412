import type { AddedPort, Mirror } from '../hosts/wiring.ts'

/** How the virtual networks are made. */
export type Backend = 'openvswitch' | 'linuxbridge' | 'ovn'

/** What can be broken between a guest and its DHCP server, besides what agents, interfaces and the API say themselves. */
export type BreakKind =
  | 'namespace_missing'
  | 'dnsmasq_dead'
  | 'host_file_stale'
  | 'dead_vlan'
  | 'untagged'
  | 'tap_missing'
  | 'plugged_elsewhere'
  | 'not_in_bridge'
  | 'tunnel_down'
  | 'wrong_nic'
  | 'lost'
  | 'guest_asks_wrong'
  | 'guest_silent'
  | 'guest_static'
  | 'guest_keeps_address'
  | 'arp_responder'
  | 'crowded'
  | 'console_silent'
  | 'console_stale'
  | 'console_renewing'
  | 'guest_without_driver'
  | 'guest_does_not_boot'
  | 'rogue'
  | 'ovn_no_options'
  | 'ovn_no_flow'
  | 'ovn_drops'
  | 'ovn_unbound'
  | 'ovn_no_address'
  | 'ovn_elsewhere'
  | 'ovn_disconnected'

/** One thing that is broken, since when, and where; it ends by what mends it. */
export interface Break {
  readonly kind: BreakKind
  readonly at: number
  readonly host?: string
  readonly network?: string
  readonly port?: string
  /** `lost`: the hop it was last seen at, on its way, and what does not get further. */
  readonly after?: string
  readonly message?: Message
  /** `dead_vlan`, `untagged`, `not_in_bridge`: the agent leaves the port as it is, whatever is done to the agent. */
  readonly lasting?: boolean
  /** `plugged_elsewhere`: the device that the guest has instead, if any. */
  readonly device?: string
  /** `guest_keeps_address`: its lease is nearly over, so it asks whenever it can. */
  readonly renews?: boolean
  /** `rogue`: what it says of itself. */
  readonly address?: string
}

export type Message = 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK'

/** What there is between guests and DHCP servers that no API shows. */
export interface PathState {
  backend: Backend
  /** With Open vSwitch: a Linux bridge for each port, where security groups are kept by iptables. */
  hybrid: boolean
  readonly breaks: Break[]
  /** `agent/network` to when the agent was last given the network. */
  readonly handed: Map<string, number>
  /** `host/port` to when the DHCP server on that host gave the guest its address, as its file of leases was last read. */
  readonly given: Map<string, number>
  /** When guests saw their link come back: they ask for an address then. */
  readonly plugged: { readonly port: string; readonly at: number }[]
  /** Host to the interface that carries its physical networks, where networks are not made of tunnels. */
  readonly uplinks: Map<string, string>
  /** What somebody has added to the bridges of hosts by hand. */
  readonly added: { readonly host: string; readonly bridge: string; readonly port: AddedPort }[]
  readonly mirrors: { readonly host: string; readonly bridge: string; readonly mirror: Mirror }[]
  /** Hosts whose DHCP agent runs in a container, to the root folder that its processes are shown to have. */
  readonly contained: Map<string, string>
  /** Bridges of Open vSwitch besides those that Neutron makes. */
  readonly bridges: { readonly host: string; readonly name: string }[]
}

export const createPathState = (): PathState => ({
  backend: 'openvswitch',
  hybrid: false,
  breaks: [],
  handed: new Map(),
  given: new Map(),
  plugged: [],
  uplinks: new Map(),
  added: [],
  mirrors: [],
  contained: new Map(),
  bridges: [],
})
