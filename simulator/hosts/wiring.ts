/** The virtual network of one host, as its tools show it; the cloud says what there is. */
export interface Wiring {
  /** Names of the network namespaces. */
  namespaces(): readonly string[]
  /** Devices that are made of software, in a namespace or, without one, on the host itself. */
  links(namespace?: string): readonly VirtualLink[]
  /** Bridges of Open vSwitch; `undefined` where it is not used. */
  switches(): readonly Switch[] | undefined
  /** Changes a bridge of Open vSwitch; what is asked is possible, for whoever asks has looked. */
  changeSwitch(bridge: string, change: SwitchChange): void
  /** Processes that no unit starts: the DHCP servers. */
  processes(): readonly { readonly pid: number; readonly user: string; readonly command: string }[]
  /** The network interfaces of a virtual machine, by its libvirt name. */
  interfacesOf(guest: string): readonly GuestInterface[]
  /** The frames with DHCP in them that pass a device between two moments, the later one included. */
  passing(device: string, namespace: string | undefined, from: number, to: number): readonly Frame[]
  /** The MAC address that is answered with for an address, asked from inside a namespace. */
  answers(namespace: string, address: string, question: Question): string | undefined
  /** `ovn-nbctl`, `ovn-sbctl` and `ovn-appctl`: the answer, or `undefined` where there is no OVN. */
  ovn(program: string, args: readonly string[]): { readonly out: string; readonly code: number } | undefined
}

/** ARP to everybody, ARP to the one who is meant, or an echo request. */
export type Question = 'arp_broadcast' | 'arp' | 'echo'

export interface VirtualLink {
  readonly name: string
  readonly mac: string
  readonly up: boolean
  readonly mtu: number
  readonly kind: 'bridge' | 'vxlan' | 'tun' | 'veth' | 'openvswitch'
  readonly master?: string
  readonly vni?: number
  readonly address?: string
  readonly prefix?: number
}

export interface Switch {
  readonly name: string
  readonly ports: readonly {
    readonly name: string
    readonly tag?: number
    readonly type?: string
    readonly options?: { readonly [name: string]: string }
    readonly ids?: { readonly [name: string]: string }
  }[]
  readonly mirrors: readonly Mirror[]
}

/** A port that somebody adds: a device of the host is made for it. */
export interface AddedPort {
  readonly name: string
  readonly ids: { readonly [name: string]: string }
  up: boolean
}

/** Whatever passes some ports of a bridge is sent out at another one as well. */
export interface Mirror {
  readonly name: string
  readonly ids: { readonly [name: string]: string }
  readonly from: readonly string[]
  readonly to: string
}

export type SwitchChange =
  | { readonly is: 'port'; readonly port: AddedPort }
  | { readonly is: 'no_port'; readonly name: string }
  | { readonly is: 'mirror'; readonly mirror: Mirror }
  | { readonly is: 'no_mirror'; readonly name: string }
  | { readonly is: 'up'; readonly name: string; readonly up: boolean }

export interface GuestInterface {
  readonly device: string
  readonly type: string
  readonly source: string
  readonly model: string
  readonly mac: string
}

export interface Frame {
  readonly at: number
  readonly message: 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK'
  /** The guest it is about. */
  readonly client: string
  readonly from: string
  readonly to: string
  /** The DHCP server that speaks or is spoken to; none in a DISCOVER. */
  readonly server?: string
  readonly address?: string
  /** Between the hosts it travels inside of a tunnel. */
  readonly tunnel?: { readonly from: string; readonly to: string; readonly vni: number }
  /** Inside of a bridge it carries the number that the host gives its network. */
  readonly vlan?: number
}

/** A host without virtual networks. */
export const noWiring: Wiring = {
  namespaces: () => [],
  links: () => [],
  switches: () => undefined,
  changeSwitch: () => {},
  processes: () => [],
  interfacesOf: () => [],
  passing: () => [],
  answers: () => undefined,
  ovn: () => undefined,
}
