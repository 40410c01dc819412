import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { exchange } from './exchange.ts'
import { broken } from './model.ts'
import type { BreakKind } from './state.ts'

/** What the serial console of a server shows: its start, and how its DHCP client fares now. */
export function consoleOf(world: World, server: { readonly id: string; readonly name: string }): string {
  const ports = world.cloud.neutron.ports.filter((port) => port.device_id === server.id)
  const [port] = ports
  const has = (kind: BreakKind) => port && broken(world, kind, { port: port.id, host: port['binding:host_id'] })
  const bios = 'SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\n'
  if (has('guest_does_not_boot')) return `${bios}Boot failed: not a bootable disk\n\nNo bootable device.\n`
  const kernel = `${bios}[    0.000000] Linux version 6.1.0-37-cloud-amd64 (debian-kernel@lists.debian.org)\n[    0.912004] Run /init as init process\n`
  const login = `\nDebian GNU/Linux 12 ${server.name} ttyS0\n\n${server.name} login: `
  if (has('guest_without_driver')) {
    return `${kernel}[   12.204311] cloud-init[388]: ci-info: no network device found\n${login}`
  }
  if (has('console_silent')) return `${kernel}${login}`
  const found = '[    1.404120] virtio_net virtio0 enp3s0: renamed from eth0\n'
  const addresses = ports.flatMap((one) => one.fixed_ips.map(({ ip_address }) => ip_address))
  const once = addresses.map(leaseLine).join('')
  if (has('console_stale')) return `${kernel}${found}${once}${login}`
  if (has('console_renewing')) {
    return `${kernel}${found}${once}${login}\n${ports.map((one) => dhcpLines(world, one)).join('')}`
  }
  if (has('guest_static')) return `${kernel}${found}${cloudInit(addresses)}${login}`
  return `${kernel}${found}${ports.map((one) => dhcpLines(world, one)).join('')}${login}`
}

/** What cloud-init shows of the devices that it has set up. */
function cloudInit(addresses: readonly string[]): string {
  const row = (...cells: readonly string[]) =>
    `[   12.204311] cloud-init[388]: ci-info: | ${cells.map((cell) => cell.padEnd(13)).join(' | ')} |\n`
  return [
    row('Device', 'Up', 'Address', 'Mask', 'Scope'),
    ...addresses.map((address) => row('enp3s0', 'True', address, '255.255.0.0', 'global')),
    row('lo', 'True', '127.0.0.1', '255.0.0.0', 'host'),
  ].join('')
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
