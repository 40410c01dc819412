import type { Network, Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { reasonsToAsk } from './asks.ts'
import { exchange } from './exchange.ts'
import { breaksOf, broken, deviceOf, dhcpAgentOn, type Served, serversOf, subnetsOf } from './model.ts'

interface ServedHere extends Served {
  readonly network: Network
}

/** The DHCP servers of a host whose namespace is there. */
export function servedOn(world: World, host: string): readonly ServedHere[] {
  return world.cloud.neutron.networks.flatMap((network) =>
    serversOf(world, network)
      .filter((served) => served.host === host && !broken(world, 'namespace_missing', { host, network: network.id }))
      .map((served) => ({ ...served, network })),
  )
}

const leaseSeconds = 86_400
/** From the start of a DHCP server to the first guest that it gives an address. */
const firstGuest = 2_000

export function dnsmasq(world: World, network: Network, port: Port): string {
  const { backend } = world.cloud.neutron.path
  const folder = `/var/lib/neutron/dhcp/${network.id}`
  const ranges = subnetsOf(world, network).map(
    ({ id, cidr }) => `--dhcp-range=set:subnet-${id},${cidr.replace(/\/.*$/, '')},static,255.255.0.0,${leaseSeconds}s`,
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

/** When the DHCP server of a network on a host was started. */
export function servingSince(world: World, host: string, network: Network): number {
  const agent = dhcpAgentOn(world, host)
  const handed = world.cloud.neutron.path.handed.get(`${agent?.id}/${network.id}`) ?? 0
  return Math.max(handed, world.estate.unit(host, 'neutron-dhcp-agent')?.since ?? 0)
}

/**
 * The leases of a DHCP server. The agent writes one for each port before it starts it, whether a guest has asked or not;
 * a guest that it has given its address has one from then, and keeps it whatever becomes of the way between them.
 */
export function leaseFile(world: World, host: string, network: Network): string {
  const served = servedOn(world, host).find((one) => one.network.id === network.id)
  if (!served) return ''
  const since = servingSince(world, host, network)
  return world.cloud.neutron.ports
    .filter((port) => port.network_id === network.id && port.device_owner.startsWith('compute:'))
    .flatMap((port) => {
      const until = Math.floor((givenAt(world, served, port, since) ?? since) / 1000) + leaseSeconds
      // what has run out is struck out
      if (until * 1000 <= world.clock.now()) return []
      return port.fixed_ips.map(
        ({ ip_address: ip }) => `${until} ${port.mac_address} ${ip} host-${ip.replaceAll('.', '-')} *\n`,
      )
    })
    .join('')
}

/** When a DHCP server has last given a guest its address since it was started: a guest with a lease keeps quiet. */
function givenAt(world: World, { host, port: server }: Served, port: Port, since: number): number | undefined {
  const { clock } = world
  const { given } = world.cloud.neutron.path
  const key = `${host}/${port.id}`
  const known = given.get(key)
  const kept = breaksOf(world, 'guest_keeps_address').find((one) => one.port === port.id)
  const before = kept && kept.at >= since ? Math.max(kept.at, since + firstGuest) : undefined
  const last = known !== undefined && known > since ? known : before
  const { outcome } = exchange(world, port)
  const answered = outcome.is === 'lease' && outcome.server === server.fixed_ips[0]?.ip_address
  const due = kept ? kept.renews === true && last === before : last === undefined
  const asked = reasonsToAsk(world, port).filter((at) => at > (last ?? since) && at <= clock.now())
  if (!answered || (!due && asked.length === 0)) return last
  const at = due ? Math.max(clock.now(), since + firstGuest) : Math.max(...asked)
  given.set(key, at)
  return at
}
