import type { Network, Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { broken, deviceOf, type Served, serversOf, subnetsOf } from './model.ts'

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

export function dnsmasq(world: World, network: Network, port: Port): string {
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
