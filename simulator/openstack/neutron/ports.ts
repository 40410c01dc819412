import type { Backend } from '../../data-path/state.ts'
import { uuidOf } from '../../random.ts'
import { zulu } from '../time.ts'
import type { NeutronState, Port, Subnet } from './state.ts'

/** What a new port needs to say; the rest follows. */
export interface NewPort {
  readonly name: string
  readonly subnet: Subnet
  readonly owner: string
  readonly device: string
  readonly host: string
  readonly project: string
  readonly at: number
  readonly address?: string
  readonly securityGroups?: readonly string[]
  readonly status?: string
}

/** How a port on a host is bound, as the backend of the cloud binds; on no host, that it is not. */
export function bindingOf({ path: { backend, hybrid } }: Pick<NeutronState, 'path'>, host: string) {
  if (host === '') return { 'binding:host_id': '', 'binding:vif_type': 'unbound', 'binding:vif_details': {} }
  const details: { readonly [name in Backend]: object } = {
    openvswitch: {
      connectivity: 'l2',
      port_filter: true,
      ovs_hybrid_plug: hybrid,
      datapath_type: 'system',
      bridge_name: 'br-int',
      bound_drivers: { '0': 'openvswitch' },
    },
    linuxbridge: { connectivity: 'l2', port_filter: true, bound_drivers: { '0': 'linuxbridge' } },
    ovn: { connectivity: 'l2', port_filter: true, bridge_name: 'br-int', bound_drivers: { '0': 'ovn' } },
  }
  return {
    'binding:host_id': host,
    'binding:vif_type': backend === 'linuxbridge' ? 'bridge' : 'ovs',
    'binding:vif_details': details[backend],
  }
}

/** Adds a port with the next free address of a subnet. `undefined` when no address is left. */
export function addPort(neutron: NeutronState, wanted: NewPort): Port | undefined {
  const { subnet, host, at, project } = wanted
  const address = wanted.address ?? freeAddress(neutron, subnet)
  if (address === undefined) return undefined
  const id = uuidOf(`port/${wanted.name}`)
  const port: Port = {
    id,
    name: '',
    network_id: subnet.network_id,
    tenant_id: project,
    mac_address: `fa:16:3e:${id.slice(0, 2)}:${id.slice(2, 4)}:${id.slice(4, 6)}`,
    admin_state_up: true,
    status: wanted.status ?? 'ACTIVE',
    device_id: wanted.device,
    device_owner: wanted.owner,
    fixed_ips: [{ subnet_id: subnet.id, ip_address: address }],
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    security_groups: wanted.securityGroups ?? [],
    description: '',
    'binding:vnic_type': 'normal',
    'binding:profile': {},
    ...bindingOf(neutron, host),
    port_security_enabled: wanted.owner.startsWith('compute:'),
    tags: [],
    created_at: zulu(at),
    updated_at: zulu(at),
    revision_number: 4,
    project_id: project,
  }
  neutron.ports.push(port)
  return port
}

/** The next address of the pools that no port has; those that were given out before come last. */
function freeAddress(neutron: NeutronState, subnet: Subnet): string | undefined {
  const { ports, given } = neutron
  const size = poolSize(subnet)
  const start = given.get(subnet.id) ?? 0
  let taken: ReadonlySet<string> | undefined
  for (let step = 0; step < size; step += 1) {
    const index = (start + step) % size
    const address = addressAt(subnet, index)
    // the first look is nearly always the last one: large clouds are built here
    const free = taken ? !taken.has(address) : !ports.some((port) => holds(port, subnet, address))
    if (free) {
      given.set(subnet.id, index + 1)
      return address
    }
    taken ??= new Set(ports.flatMap(({ fixed_ips }) => fixed_ips.filter(inside(subnet)).map((ip) => ip.ip_address)))
  }
  return undefined
}

const inside = (subnet: Subnet) => (ip: Port['fixed_ips'][number]) => ip.subnet_id === subnet.id

const holds = ({ network_id, fixed_ips }: Port, subnet: Subnet, address: string): boolean =>
  network_id === subnet.network_id && fixed_ips.some((ip) => ip.subnet_id === subnet.id && ip.ip_address === address)

/** The nth address of the pools, counted over all of them. */
function addressAt({ allocation_pools }: Subnet, index: number): string {
  let left = index
  for (const { start, end } of allocation_pools) {
    const size = numberOf(end) - numberOf(start) + 1
    if (left < size) return addressOf(numberOf(start) + left)
    left -= size
  }
  throw new Error('there is no such address in the pools')
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')

/** How many addresses the pools of a subnet hold; of IPv6 those of a whole /64, whatever its pools. */
export const poolSize = ({ allocation_pools, ip_version }: Subnet): number =>
  ip_version === 6
    ? 2 ** 64 - 2
    : allocation_pools.reduce((sum, { start, end }) => sum + numberOf(end) - numberOf(start) + 1, 0)
