import type { Machine, Nic } from '../machine/machine.ts'
import type { VirtualLink } from '../wiring.ts'

/** A network interface as `ip` tells of it. */
export interface Link {
  readonly index: number
  readonly name: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly state: string
  readonly type: string
  readonly mac: string
  readonly broadcast: string
  readonly address: string
  readonly prefix: number
  readonly nic?: Nic
  readonly virtual?: VirtualLink
}

export function linksOf(
  { nics: all }: Machine,
  namespace: string | undefined,
  virtual: readonly VirtualLink[],
): Link[] {
  const nics = namespace === undefined ? all : []
  const loopback: Link = {
    index: 1,
    name: 'lo',
    flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
    mtu: 65_536,
    state: 'UNKNOWN',
    type: 'loopback',
    mac: '00:00:00:00:00:00',
    broadcast: '00:00:00:00:00:00',
    address: '127.0.0.1',
    prefix: 8,
  }
  return [
    loopback,
    ...nics.map((nic, index) => ({
      index: index + 2,
      name: nic.name,
      flags: nic.up ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] : ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
      mtu: 1500,
      state: nic.up ? 'UP' : 'DOWN',
      type: 'ether',
      mac: nic.mac,
      broadcast: 'ff:ff:ff:ff:ff:ff',
      address: nic.address,
      prefix: nic.prefix,
      nic,
    })),
    ...virtual.map((link, index) => ({
      index: index + 2 + nics.length,
      name: link.name,
      flags: link.up ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] : ['BROADCAST', 'MULTICAST'],
      mtu: link.mtu,
      // Open vSwitch tells the kernel nothing of the state of its own ports
      state: !link.up ? 'DOWN' : link.kind === 'openvswitch' || link.kind === 'tun' ? 'UNKNOWN' : 'UP',
      type: 'ether',
      mac: link.mac,
      broadcast: 'ff:ff:ff:ff:ff:ff',
      address: link.address ?? '',
      prefix: link.prefix ?? 0,
      virtual: link,
    })),
  ]
}
