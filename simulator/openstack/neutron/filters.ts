/** What a Neutron collection may be asked by; asking by anything else it shows is an error, not an empty filter. */
export interface Asked {
  readonly filter: readonly string[]
  readonly sort: readonly string[]
}

const words = (text: string): string[] => text.split(' ')
const project = words('tenant_id project_id')
const standard = words('description revision_number tags tags-any not-tags not-tags-any')

/** As Neutron 21 has it with the plugins ML2 and router, and filters being validated. */
export const askedBy: { readonly [plural: string]: Asked } = {
  networks: {
    filter: [
      ...words('id name admin_state_up status shared router:external is_default mtu'),
      ...words('provider:network_type provider:physical_network provider:segmentation_id'),
      ...project,
      ...standard,
    ],
    sort: [...words('id name admin_state_up status availability_zone_hints mtu'), ...project],
  },
  subnets: {
    filter: [
      ...words('id name ip_version network_id subnetpool_id cidr gateway_ip enable_dhcp ipv6_ra_mode'),
      ...words('ipv6_address_mode shared'),
      ...project,
      ...standard,
    ],
    sort: [
      ...words('id name ip_version network_id subnetpool_id cidr gateway_ip enable_dhcp ipv6_ra_mode'),
      ...words('ipv6_address_mode'),
      ...project,
    ],
  },
  ports: {
    filter: [
      ...words('id name network_id admin_state_up mac_address fixed_ips device_id device_owner status'),
      ...words('binding:host_id security_groups'),
      ...project,
      ...standard,
    ],
    sort: [...words('id name network_id admin_state_up mac_address device_id device_owner status'), ...project],
  },
  routers: {
    filter: [...words('id name admin_state_up'), ...project, ...standard],
    sort: [...words('id name admin_state_up status flavor_id'), ...project],
  },
  floatingips: {
    filter: [
      ...words('id floating_ip_address floating_network_id router_id port_id fixed_ip_address status'),
      ...project,
      ...standard,
    ],
    sort: [...words('id floating_ip_address floating_network_id router_id fixed_ip_address status'), ...project],
  },
  agents: {
    filter: words('id agent_type binary topic host admin_state_up alive description availability_zone'),
    sort: [],
  },
  security_groups: {
    filter: [...words('id name shared'), ...project, ...standard],
    sort: [...words('id name'), ...project],
  },
  security_group_rules: {
    filter: [
      ...words('id security_group_id remote_group_id direction protocol port_range_min port_range_max ethertype'),
      ...words('remote_ip_prefix normalized_cidr remote_address_group_id'),
      ...project,
      ...standard,
    ],
    sort: [
      ...words('id security_group_id remote_group_id direction protocol port_range_min port_range_max ethertype'),
      ...words('remote_ip_prefix normalized_cidr remote_address_group_id'),
      ...project,
    ],
  },
  network_ip_availabilities: {
    filter: [...words('network_id network_name ip_version'), ...project],
    sort: ['network_id'],
  },
}

/** Fields whose value in a query must be one of these kinds. */
export const booleans = words('admin_state_up shared router:external is_default enable_dhcp')
export const integers = words('ip_version provider:segmentation_id')
