import { poolSize } from './ports.ts'
import type { Network, NeutronState, Subnet } from './state.ts'

/** How many addresses of a network are taken, as `network-ip-availabilities` counts them. */
export function availabilityOf(
  neutron: NeutronState,
  network: Network,
  /** Of the subnets of these versions; of all, when there are none. */
  versions: readonly number[] = [],
): { readonly [field: string]: unknown } & {
  readonly subnet_ip_availability: readonly Pick<Subnet, 'ip_version'>[]
  readonly used_ips: number
  readonly total_ips: number
} {
  const subnets = neutron.subnets.filter(
    ({ network_id, ip_version }) =>
      network_id === network.id && (versions.length === 0 || versions.includes(ip_version)),
  )
  const rows = subnets.map((subnet) => ({
    subnet_id: subnet.id,
    ip_version: subnet.ip_version,
    cidr: subnet.cidr,
    subnet_name: subnet.name,
    used_ips: usedIn(neutron, subnet),
    total_ips: poolSize(subnet),
  }))
  return {
    network_id: network.id,
    network_name: network.name,
    tenant_id: network.tenant_id,
    project_id: network.project_id,
    subnet_ip_availability: rows,
    used_ips: rows.reduce((sum, row) => sum + row.used_ips, 0),
    total_ips: rows.reduce((sum, row) => sum + row.total_ips, 0),
  }
}

const usedIn = ({ ports }: NeutronState, { id }: Subnet): number =>
  ports.reduce((sum, { fixed_ips }) => sum + fixed_ips.filter(({ subnet_id }) => subnet_id === id).length, 0)
