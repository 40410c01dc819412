import type { PathState } from '../../data-path/state.ts'
import type { Beating } from '../heartbeat.ts'

/** What Neutron keeps of everything it has. */
interface Standard {
  readonly id: string
  readonly tenant_id: string
  readonly project_id: string
  readonly tags: readonly string[]
  readonly created_at: string
  updated_at: string
  revision_number: number
}

/** Neutron's resources are kept in the shape in which they are shown; `null` and lists included. */
export interface Network extends Standard {
  name: string
  admin_state_up: boolean
  readonly mtu: number
  status: string
  readonly subnets: string[]
  readonly shared: boolean
  availability_zone_hints: readonly string[]
  readonly availability_zones: readonly string[]
  readonly ipv4_address_scope: null
  readonly ipv6_address_scope: null
  readonly 'router:external': boolean
  description: string
  readonly port_security_enabled: boolean
  'provider:network_type': string
  'provider:physical_network': string | null
  'provider:segmentation_id': number | null
  /** Where it has several: they are shown instead of the one. */
  segments?: readonly object[]
}

export interface Subnet extends Standard {
  name: string
  readonly network_id: string
  readonly ip_version: 4 | 6
  readonly subnetpool_id: null
  enable_dhcp: boolean
  readonly ipv6_ra_mode: null
  readonly ipv6_address_mode: null
  readonly gateway_ip: string | null
  readonly cidr: string
  readonly allocation_pools: readonly { readonly start: string; readonly end: string }[]
  readonly host_routes: readonly unknown[]
  dns_nameservers: readonly string[]
  description: string
  readonly service_types: readonly string[]
}

export interface DhcpOption {
  readonly opt_name: string
  readonly opt_value: string
  readonly ip_version: number
}

export interface Port extends Standard {
  name: string
  readonly network_id: string
  readonly mac_address: string
  admin_state_up: boolean
  status: string
  device_id: string
  device_owner: string
  fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[]
  readonly allowed_address_pairs: readonly unknown[]
  extra_dhcp_opts: readonly DhcpOption[]
  readonly security_groups: readonly string[]
  description: string
  readonly 'binding:vnic_type': string
  readonly 'binding:profile': object
  'binding:host_id': string
  'binding:vif_type': string
  'binding:vif_details': object
  readonly port_security_enabled: boolean
}

export interface Router extends Standard {
  readonly name: string
  admin_state_up: boolean
  status: string
  readonly external_gateway_info: {
    readonly network_id: string
    readonly external_fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[]
    readonly enable_snat: boolean
  } | null
  readonly description: string
  readonly availability_zones: readonly string[]
  readonly availability_zone_hints: readonly string[]
  readonly routes: readonly unknown[]
  readonly flavor_id: null
  readonly distributed: boolean
  readonly ha: boolean
}

export interface FloatingIp extends Standard {
  readonly floating_ip_address: string
  readonly floating_network_id: string
  readonly router_id: string | null
  readonly port_id: string | null
  readonly fixed_ip_address: string | null
  readonly status: string
  readonly description: string
}

export interface Agent extends Beating {
  description?: string
  readonly id: string
  readonly agent_type: string
  readonly binary: string
  readonly topic: string
  admin_state_up: boolean
  readonly createdAt: number
  zone: string | null
  readonly configurations: { readonly [key: string]: unknown }
}

export interface NeutronState {
  readonly networks: Network[]
  readonly subnets: Subnet[]
  readonly ports: Port[]
  readonly routers: Router[]
  readonly floatingips: FloatingIp[]
  readonly securityGroups: { readonly id: string; readonly project: string; readonly createdAt: number }[]
  readonly agents: Agent[]
  /** Network to the ids of the agents that serve its addresses. */
  readonly dhcp: Map<string, string[]>
  /** Router to its agents and which of them says it is active. */
  readonly l3: Map<string, { readonly agent: string; state: 'active' | 'standby' }[]>
  /** Subnet to how far into its pools addresses have been given out. */
  readonly given: Map<string, number>
  readonly quotas: Map<string, { readonly [resource: string]: number }>
  /** What lies between guests and DHCP servers. */
  readonly path: PathState
}
