/** The virtual network of one host, as its tools show it; the cloud says what there is. */
export interface Wiring {
  /** Names of the network namespaces. */
  namespaces(): readonly string[]
  /** Devices that are made of software, in a namespace or, without one, on the host itself. */
  links(namespace?: string): readonly VirtualLink[]
  /** Bridges of Open vSwitch; `undefined` where it is not used. */
  switches(): readonly Switch[] | undefined
  /** Processes that no unit starts: the DHCP servers. */
  processes(): readonly { readonly pid: number; readonly user: string; readonly command: string }[]
  /** The network interfaces of a virtual machine, by its libvirt name. */
  interfacesOf(guest: string): readonly GuestInterface[]
  /** The frames with DHCP in them that pass a device between two moments, the later one included. */
  passing(device: string, namespace: string | undefined, from: number, to: number): readonly Frame[]
  /** `ovn-nbctl`, `ovn-sbctl` and `ovn-appctl`: the answer, or `undefined` where there is no OVN. */
  ovn(program: string, args: readonly string[]): { readonly out: string; readonly code: number } | undefined
}

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
  }[]
}

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
}

/** A host without virtual networks. */
export const noWiring: Wiring = {
  namespaces: () => [],
  links: () => [],
  switches: () => undefined,
  processes: () => [],
  interfacesOf: () => [],
  passing: () => [],
  ovn: () => undefined,
}
