import { type Frame, noWiring, type Switch, type SwitchChange, type VirtualLink, type Wiring } from '../hosts/wiring.ts'
import type { Network, Port } from '../openstack/neutron/state.ts'
import { instanceNameOf } from '../openstack/nova/server-view.ts'
import type { World } from '../world.ts'
import { exchange } from './exchange.ts'
import {
  broken,
  deviceOf,
  finished,
  guestPortsOn,
  localVlan,
  networkOf,
  patchPort,
  type Served,
  serversOf,
  subnetsOf,
  tunnelAddress,
} from './model.ts'
import { ovnAnswer } from './ovn.ts'

/** The tag a port gets that belongs to no network any more. */
const deadVlan = 4095

/** The virtual network of a host, seen with its own tools. */
export function wiringOf(world: World, host: string): Wiring {
  const { topology } = world
  if (![...topology.controllers, ...topology.computes].includes(host)) return noWiring
  const { neutron } = world.cloud
  const pids = new Map<string, number>()
  const pidOf = (key: string): number => {
    const known = pids.get(key) ?? world.estate.machines.get(host)?.processes.claimPid() ?? 0
    pids.set(key, known)
    return known
  }
  return {
    namespaces: () => servedOn(world, host).map(({ network }) => `qdhcp-${network.id}`),
    links: (namespace) => (namespace === undefined ? hostLinks(world, host) : innerLinks(world, host, namespace)),
    switches: () => (neutron.path.backend === 'linuxbridge' ? undefined : switchesOf(world, host)),
    changeSwitch: (bridge, change) => changeSwitch(world, host, bridge, change),
    processes: () =>
      servedOn(world, host)
        .filter(({ network }) => !broken(world, 'dnsmasq_dead', { host, network: network.id }))
        .map(({ network, port }) => ({
          pid: pidOf(`${network.id}/${neutron.path.handed.get(network.id) ?? 0}`),
          user: 'nobody',
          command: dnsmasq(world, network, port),
        })),
    interfacesOf: (guest) => {
      const server = world.cloud.nova.servers.find((one) => instanceNameOf(one) === guest)
      return guestPortsOn(world, host)
        .filter((port) => port.device_id === server?.id)
        .map((port) => ({
          device: deviceOf('tap', port),
          type: 'bridge',
          source: bridgeOf(world, port),
          model: 'virtio',
          mac: port.mac_address,
        }))
    },
    passing: (device, namespace, from, to) => passing(world, { host, device, namespace, from, to }),
    answers: (namespace, address) => answers(world, host, namespace, address),
    ovn: (program, args) => (neutron.path.backend === 'ovn' ? ovnAnswer(world, host, program, args) : undefined),
  }
}

interface ServedHere extends Served {
  readonly network: Network
}

/** The DHCP servers of a host whose namespace is there. */
function servedOn(world: World, host: string): readonly ServedHere[] {
  return world.cloud.neutron.networks.flatMap((network) =>
    serversOf(world, network)
      .filter((served) => served.host === host && !broken(world, 'namespace_missing', { host, network: network.id }))
      .map((served) => ({ ...served, network })),
  )
}

function dnsmasq(world: World, network: Network, port: Port): string {
  const { backend } = world.cloud.neutron.path
  const folder = `/var/lib/neutron/dhcp/${network.id}`
  const ranges = subnetsOf(world, network).map(
    ({ id, cidr }) => `--dhcp-range=set:subnet-${id},${cidr.replace(/\/.*$/, '')},static,255.255.0.0,86400s`,
  )
  return [
    'dnsmasq --no-hosts --no-resolv --pid-file=/var/lib/neutron/dhcp',
    `/${network.id}/pid --dhcp-hostsfile=${folder}/host --addn-hosts=${folder}/addn_hosts`,
    ` --dhcp-optsfile=${folder}/opts --dhcp-leasefile=${folder}/leases --dhcp-match=set:ipxe,175 --bind-dynamic`,
    ` --interface=${deviceOf(backend === 'linuxbridge' ? 'ns-' : 'tap', port)} ${ranges.join(' ')}`,
    ' --dhcp-option-force=option:mtu,1450 --conf-file= --domain=openstacklocal',
  ].join('')
}

/** What the DHCP server of a network on a host knows of its guests. */
export function hostFile(world: World, host: string, network: Network): string {
  if (!servedOn(world, host).some((served) => served.network.id === network.id)) return ''
  return world.cloud.neutron.ports
    .filter((port) => port.network_id === network.id && port.mac_address !== '')
    .filter((port) => !broken(world, 'host_file_stale', { host, network: network.id, port: port.id }))
    .filter((port) => !port.extra_dhcp_opts.some(({ opt_name }) => opt_name === 'dhcp_disabled'))
    .flatMap((port) =>
      port.fixed_ips.map(
        ({ ip_address: ip }) => `${port.mac_address},host-${ip.replaceAll('.', '-')}.openstacklocal,${ip}\n`,
      ),
    )
    .join('')
}

function innerLinks(world: World, host: string, namespace: string): VirtualLink[] {
  const { backend } = world.cloud.neutron.path
  const found = servedOn(world, host).find(({ network }) => namespace === `qdhcp-${network.id}`)
  if (!found) return []
  const { port, network } = found
  const [ip] = port.fixed_ips
  return [
    {
      name: deviceOf(backend === 'linuxbridge' ? 'ns-' : 'tap', port),
      mac: port.mac_address,
      up: true,
      mtu: network.mtu,
      kind: backend === 'linuxbridge' ? 'veth' : 'openvswitch',
      ...(ip && { address: ip.ip_address, prefix: Number(subnetsOf(world, network)[0]?.cidr.split('/')[1]) }),
    },
  ]
}

const bridgeOf = (world: World, port: Port): string => {
  const { backend, hybrid } = world.cloud.neutron.path
  if (backend === 'linuxbridge') return `brq${port.network_id.slice(0, 11)}`
  return backend === 'openvswitch' && hybrid ? deviceOf('qbr', port) : 'br-int'
}

function hostLinks(world: World, host: string): VirtualLink[] {
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
  const bridges = ['br-int', 'br-tun'].map((name) => link('openvswitch', name, '6e:01:02:03:04:05', { up: false }))
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

function changeSwitch({ cloud }: World, host: string, bridge: string, change: SwitchChange): void {
  const { added, mirrors } = cloud.neutron.path
  const here = (one: { readonly host: string }) => one.host === host
  switch (change.is) {
    case 'port':
      added.push({ host, bridge, port: change.port })
      return
    case 'mirror':
      mirrors.push({ host, bridge, mirror: change.mirror })
      return
    case 'up': {
      const found = added.find((one) => here(one) && one.port.name === change.name)
      if (found) found.port.up = change.up
      return
    }
    case 'no_port': {
      const at = added.findIndex((one) => here(one) && one.port.name === change.name)
      if (at !== -1) added.splice(at, 1)
      return
    }
    case 'no_mirror': {
      const at = mirrors.findIndex((one) => here(one) && one.mirror.name === change.name)
      if (at !== -1) mirrors.splice(at, 1)
    }
  }
}

function switchesOf(world: World, host: string): Switch[] {
  const { hybrid, backend } = world.cloud.neutron.path
  const tagOf = (port: Port) =>
    broken(world, 'dead_vlan', { host, port: port.id }) ? deadVlan : localVlan(world, networkOf(world, port))
  const plugged = guestPortsOn(world, host).filter(
    (port) =>
      port['binding:host_id'] === host &&
      !broken(world, 'tap_missing', { host, port: port.id }) &&
      (hybrid || !broken(world, 'not_in_bridge', { host, port: port.id })),
  )
  const prefix = backend === 'openvswitch' && hybrid ? 'qvo' : 'tap'
  const ports = [
    ...plugged.map((port) => ({ name: deviceOf(prefix, port), ...(backend !== 'ovn' && { tag: tagOf(port) }) })),
    ...servedOn(world, host).map(({ port }) => ({ name: deviceOf('tap', port), tag: tagOf(port), type: 'internal' })),
  ]
  const peers = [...world.topology.controllers, ...world.topology.computes].filter((one) => one !== host)
  const tunnels = broken(world, 'tunnel_down', { host })
    ? []
    : peers.map((peer, index) => ({
        name: `${backend === 'ovn' ? 'ovn-' : 'vxlan-'}${index + 1}`,
        type: backend === 'ovn' ? 'geneve' : 'vxlan',
        options: { local_ip: tunnelAddress(world, host), remote_ip: tunnelAddress(world, peer) },
      }))
  const made: Omit<Switch, 'mirrors'>[] =
    backend === 'ovn'
      ? [{ name: 'br-int', ports: [...ports, ...tunnels] }]
      : [
          { name: 'br-int', ports: [...ports, { name: patchPort, type: 'patch' }] },
          { name: 'br-tun', ports: [{ name: 'patch-int', type: 'patch' }, ...tunnels] },
        ]
  const { added, mirrors } = world.cloud.neutron.path
  const on = (name: string) => (one: { readonly host: string; readonly bridge: string }) =>
    one.host === host && one.bridge === name
  return made.map(({ name, ports: own }) => ({
    name,
    ports: [
      ...own,
      ...added.filter(on(name)).map(({ port: { name: device, ids } }) => ({ name: device, ids, type: 'internal' })),
    ],
    mirrors: mirrors.filter(on(name)).map(({ mirror }) => mirror),
  }))
}

interface Place {
  readonly host: string
  readonly device: string
  readonly namespace: string | undefined
  readonly from: number
  readonly to: number
}

/** A guest without an address asks again so often: rarely, as real clients do once they have tried for a while. */
const retryEvery = 300_000
/** From a guest's link, or its start, to its first question. */
const afterPlug = 2_000
const afterBoot = 6_000

function passing(world: World, { host, device, namespace, from, to }: Place): Frame[] {
  const { neutron } = world.cloud
  const copied = neutron.path.mirrors
    .filter((one) => one.host === host && one.mirror.to === device && namespace === undefined)
    .flatMap(({ mirror }) => mirror.from)
  const devices = [device, ...copied]
  return neutron.ports
    .filter((port) => port.device_owner.startsWith('compute:'))
    .flatMap((port) => asksAt(world, port, from, to).map((at) => ({ at, seen: exchange(world, port).sightings })))
    .flatMap(({ at, seen }) =>
      seen
        .filter(({ hop }) => hop.host === host && devices.includes(hop.device) && hop.namespace === namespace)
        .map(({ frame }) => ({ ...frame, at })),
    )
}

/** A guest answers at its address once it has been given it, and from the namespaces of its own network. */
function answers(world: World, host: string, namespace: string, address: string): string | undefined {
  const found = servedOn(world, host).find(({ network }) => namespace === `qdhcp-${network.id}`)
  return world.cloud.neutron.ports
    .filter((port) => port.network_id === found?.network.id && port.device_owner.startsWith('compute:'))
    .filter((port) => port.fixed_ips.some(({ ip_address }) => ip_address === address))
    .find((port) => exchange(world, port).outcome.is === 'lease')?.mac_address
}

/** When a guest asks for an address, after one moment and not after another. */
function asksAt(world: World, port: Port, from: number, to: number): number[] {
  const { neutron, nova } = world.cloud
  const boots = nova.actions
    .filter(({ server, action }) => server === port.device_id && ['create', 'start', 'reboot'].includes(action))
    .filter(({ events }) => finished(events))
    .map(({ updatedAt }) => updatedAt + afterBoot)
  const plugs = neutron.path.plugged.filter((one) => one.port === port.id).map(({ at }) => at + afterPlug)
  const within = [...boots, ...plugs].filter((at) => at > from && at <= to)
  if (within.length > 0) return within
  const phase = Number.parseInt(port.id.slice(0, 4), 16) * 1000
  const retry = Math.floor((to - phase) / retryEvery) * retryEvery + phase
  return retry > from && worthAsking(world, port) ? [retry] : []
}

/** A guest with an address keeps quiet for most of a day. */
function worthAsking(world: World, port: Port): boolean {
  if (world.cloud.neutron.path.breaks.length === 0 && port.admin_state_up) return false
  return exchange(world, port).outcome.is !== 'lease'
}

/** What the serial console of a server shows: its start, and how its DHCP client fares now. */
export function consoleOf(world: World, server: { readonly id: string; readonly name: string }): string {
  const ports = world.cloud.neutron.ports.filter((port) => port.device_id === server.id)
  const [port] = ports
  const has = (kind: 'guest_does_not_boot' | 'guest_without_driver' | 'console_silent' | 'console_stale') =>
    port && broken(world, kind, { port: port.id, host: port['binding:host_id'] })
  const bios = 'SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\n'
  if (has('guest_does_not_boot')) return `${bios}Boot failed: not a bootable disk\n\nNo bootable device.\n`
  const kernel = `${bios}[    0.000000] Linux version 6.1.0-37-cloud-amd64 (debian-kernel@lists.debian.org)\n[    0.912004] Run /init as init process\n`
  const login = `\nDebian GNU/Linux 12 ${server.name} ttyS0\n\n${server.name} login: `
  if (has('guest_without_driver')) {
    return `${kernel}[   12.204311] cloud-init[388]: ci-info: no network device found\n${login}`
  }
  if (has('console_silent')) return `${kernel}${login}`
  const found = '[    1.404120] virtio_net virtio0 enp3s0: renamed from eth0\n'
  if (has('console_stale')) {
    const once = ports.flatMap((one) => one.fixed_ips.map(({ ip_address }) => leaseLine(ip_address)))
    return `${kernel}${found}${once.join('')}${login}`
  }
  return `${kernel}${found}${ports.map((one) => dhcpLines(world, one)).join('')}${login}`
}

const said = (line: string) => `[   14.812233] dhclient[412]: ${line}\n`
const leaseLine = (address: string) => said(`bound to ${address} -- renewal in 38211 seconds.`)

function dhcpLines(world: World, port: Port): string {
  const { outcome, sightings } = exchange(world, port)
  const discover = said('DHCPDISCOVER on enp3s0 to 255.255.255.255 port 67 interval 6')
  switch (outcome.is) {
    case 'lease':
      return [
        discover,
        said(`DHCPOFFER of ${outcome.address} from ${outcome.server}`),
        said(`DHCPREQUEST for ${outcome.address} on enp3s0 to 255.255.255.255 port 67`),
        said(`DHCPACK of ${outcome.address} from ${outcome.server}`),
        leaseLine(outcome.address),
      ].join('')
    case 'refused':
      return `${said('DHCPREQUEST for 192.168.7.7 on enp3s0 to 255.255.255.255 port 67')}${said(`DHCPNAK from ${sightings.find(({ frame }) => frame.message === 'NAK')?.frame.server}`)}`
    case 'not_asked':
      return ''
    default:
      return `${discover}${discover}${said('No DHCPOFFERS received.')}${said('No working leases in persistent database - sleeping.')}`
  }
}
