import type { VirtualLink } from '../hosts/wiring.ts'
import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { broken, deviceOf, guestPortsOn, metadataOn, networkOf, subnetsOf } from './model.ts'
import { servedOn } from './served.ts'

export function innerLinks(world: World, host: string, namespace: string): VirtualLink[] {
  const { backend } = world.cloud.neutron.path
  const found = servedOn(world, host).find(({ network }) => namespace === `qdhcp-${network.id}`)
  if (!found) {
    return metadataOn(world, host)
      .filter(({ network_id }) => namespace === `ovnmeta-${network_id}`)
      .map((port) => innerLink(world, port, `tap${port.network_id.slice(0, 10)}1`, 'veth'))
  }
  const { port } = found
  const name = deviceOf(backend === 'linuxbridge' ? 'ns-' : 'tap', port)
  return [innerLink(world, port, name, backend === 'linuxbridge' ? 'veth' : 'openvswitch')]
}

function innerLink(world: World, port: Port, name: string, kind: VirtualLink['kind']): VirtualLink {
  const network = networkOf(world, port)
  const [ip] = port.fixed_ips
  return {
    name,
    mac: port.mac_address,
    up: true,
    mtu: network.mtu,
    kind,
    ...(ip && { address: ip.ip_address, prefix: Number(subnetsOf(world, network)[0]?.cidr.split('/')[1]) }),
  }
}

export const bridgeOf = (world: World, port: Port): string => {
  const { backend, hybrid } = world.cloud.neutron.path
  if (backend === 'linuxbridge') return `brq${port.network_id.slice(0, 11)}`
  return backend === 'openvswitch' && hybrid ? deviceOf('qbr', port) : 'br-int'
}

export function hostLinks(world: World, host: string): VirtualLink[] {
  const { backend } = world.cloud.neutron.path
  return backend === 'linuxbridge' ? bridgedLinks(world, host) : switchedLinks(world, host)
}

const link = (kind: VirtualLink['kind'], name: string, mac: string, more: Partial<VirtualLink> = {}): VirtualLink => ({
  kind,
  name,
  mac,
  up: true,
  mtu: 1450,
  ...more,
})

/** A tap as the host sees it: QEMU's address differs from the guest's in its first byte. */
const outer = ({ mac_address }: Port): string => mac_address.replace(/^fa/, 'fe')

function bridgedLinks(world: World, host: string): VirtualLink[] {
  const guests = guestPortsOn(world, host).filter((port) => port['binding:host_id'] === host)
  const served = servedOn(world, host)
  const networks = new Map([
    ...guests.map((port) => [port.network_id, networkOf(world, port)] as const),
    ...served.map(({ network }) => [network.id, network] as const),
  ])
  const bridges = [...networks.values()].flatMap((network) => {
    const bridge = `brq${network.id.slice(0, 11)}`
    const vni = network['provider:segmentation_id'] ?? 0
    const tunnel = broken(world, 'tunnel_down', { host })
      ? []
      : [link('vxlan', `vxlan-${vni}`, '3e:11:22:33:44:55', { master: bridge, vni })]
    return [link('bridge', bridge, '3e:11:22:33:44:55'), ...tunnel]
  })
  const taps = [...guests, ...served.map(({ port }) => port)].flatMap((port) => {
    if (broken(world, 'tap_missing', { host, port: port.id })) return []
    const apart = broken(world, 'not_in_bridge', { host, port: port.id })
    const kind = port.device_owner === 'network:dhcp' ? 'veth' : 'tun'
    return [link(kind, deviceOf('tap', port), outer(port), apart ? {} : { master: bridgeOf(world, port) })]
  })
  return [...bridges, ...taps]
}

function switchedLinks(world: World, host: string): VirtualLink[] {
  const { hybrid, backend } = world.cloud.neutron.path
  const further = world.cloud.neutron.path.bridges.filter((one) => one.host === host).map(({ name }) => name)
  const bridges = ['br-int', 'br-tun', ...further].map((name) =>
    link('openvswitch', name, '6e:01:02:03:04:05', { up: false }),
  )
  const devices = guestPortsOn(world, host)
    .filter((port) => port['binding:host_id'] === host && !broken(world, 'tap_missing', { host, port: port.id }))
    .flatMap((port) => {
      const tap = deviceOf('tap', port)
      const apart = broken(world, 'not_in_bridge', { host, port: port.id })
      if (backend === 'ovn' || !hybrid) return [link('tun', tap, outer(port), apart ? {} : { master: 'ovs-system' })]
      const [qbr, qvb, qvo] = ['qbr', 'qvb', 'qvo'].map((prefix) => deviceOf(prefix, port)) as [string, string, string]
      return [
        link('bridge', qbr, outer(port)),
        link('tun', tap, outer(port), apart ? {} : { master: qbr }),
        link('veth', qvb, outer(port), { master: qbr }),
        link('veth', qvo, outer(port), { master: 'ovs-system' }),
      ]
    })
  const added = world.cloud.neutron.path.added
    .filter((one) => one.host === host)
    .map(({ port: { name, up } }) => link('openvswitch', name, '6e:01:02:03:04:06', { up }))
  return [...bridges, ...devices, ...added]
}
