import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, flag, listOf, text, whole } from '../../engine/action/define.ts'
import type { Schema } from '../../engine/json.ts'
import { apiObject, oneOrMore } from './fields.ts'
import { exactly, type Filter, listAction } from './list.ts'
import { showAction } from './show.ts'

const ownership: { readonly [name: string]: Schema } = {
  tenant_id: text('Project, by its old name'),
  project_id: text('Project'),
  description: text('What somebody wrote about it'),
  created_at: text('When it was made'),
  updated_at: text('When it last changed'),
  revision_number: whole('Grows with every change'),
  tags: listOf(text('A tag'), 'Tags'),
}

const network: Filter = exactly(text('Only those of this network, by id', { minLength: 1 }), 'network_id')
const project: Filter = exactly(text('Only those of this project, by id', { minLength: 1 }), 'project_id')
const name: Filter = exactly(text('Only those with exactly this name', { minLength: 1 }), 'name')
const status: Filter = exactly(oneOrMore('Only those in one of these statuses: `ACTIVE`, `DOWN`, `ERROR`, …'), 'status')
const id: Filter = exactly(text('Only this one, by id', { minLength: 1 }), 'id')

export const networkItem = apiObject(
  'A network',
  {
    id: text('UUID'),
    name: text('Its name'),
    status: text('`ACTIVE`, `DOWN`, `BUILD`, `ERROR`'),
    admin_state_up: flag('Whether it is switched on'),
    shared: flag('Whether other projects may use it'),
    'router:external': flag('Whether it leads outside'),
    is_default: flag('Whether it is the default one to outside'),
    mtu: whole('Bytes'),
    subnets: listOf(text('UUID'), 'Its subnets'),
    'provider:network_type': text('`vlan`, `vxlan`, `geneve`, `flat`, `local`'),
    'provider:physical_network': text('The physical network'),
    'provider:segmentation_id': whole('VLAN, VNI'),
    segments: anything('Its segments, where there are several'),
    availability_zone_hints: listOf(text('A zone'), 'Zones asked for'),
    availability_zones: listOf(text('A zone'), 'Zones it is in'),
    ipv4_address_scope: text('Address scope'),
    ipv6_address_scope: text('Address scope'),
    port_security_enabled: flag('Whether its ports are guarded'),
    qos_policy_id: text('QoS policy'),
    dns_domain: text('DNS domain'),
    l2_adjacency: flag('Whether it is one layer-2 network'),
    vlan_transparent: flag('Whether guests may use VLANs'),
    ...ownership,
  },
  ['id'],
)

const networkList = listAction({
  name: 'openstack.network.list',
  summary: 'the networks',
  service: 'network',
  path: '/networks',
  collection: 'networks',
  filters: { id, name, project, status },
  item: networkItem,
})

export const subnetItem = apiObject(
  'A subnet',
  {
    id: text('UUID'),
    name: text('Its name'),
    network_id: text('Its network'),
    ip_version: whole('4 or 6'),
    cidr: text('Its addresses'),
    gateway_ip: text('Gateway'),
    enable_dhcp: flag('Whether DHCP serves it'),
    allocation_pools: listOf(
      apiObject('A range', { start: text('First address'), end: text('Last address') }),
      'What ports get addresses from',
    ),
    dns_nameservers: listOf(text('An address'), 'Name servers'),
    dns_publish_fixed_ip: flag('Whether DNS knows its addresses'),
    host_routes: listOf(
      apiObject('A route', { destination: text('Where to'), nexthop: text('Over which address') }),
      'Routes given to guests',
    ),
    ipv6_ra_mode: text('Router advertisements'),
    ipv6_address_mode: text('How addresses are given'),
    subnetpool_id: text('The pool it is from'),
    segment_id: text('Its segment'),
    service_types: listOf(text('A device owner'), 'What its addresses are for'),
    'router:external': flag('Whether its network leads outside'),
    ...ownership,
  },
  ['id', 'network_id', 'cidr'],
)

const subnetList = listAction({
  name: 'openstack.subnet.list',
  summary: 'the subnets',
  service: 'network',
  path: '/subnets',
  collection: 'subnets',
  filters: { id, name, network, project },
  item: subnetItem,
})

export const portItem = apiObject(
  'A port',
  {
    id: text('UUID'),
    name: text('Its name'),
    network_id: text('Its network'),
    mac_address: text('MAC address'),
    status: text('`ACTIVE`, `DOWN`, `BUILD`, `ERROR`'),
    admin_state_up: flag('Whether it is switched on'),
    device_id: text('Server, router or agent it belongs to'),
    device_owner: text('What kind of device: `compute:nova`, `network:dhcp`'),
    fixed_ips: listOf(
      apiObject('An address', { subnet_id: text('Its subnet'), ip_address: text('The address') }),
      'Addresses',
    ),
    allowed_address_pairs: anything('Further addresses it may send from'),
    extra_dhcp_opts: anything('Further DHCP options'),
    security_groups: listOf(text('UUID'), 'Security groups'),
    'binding:host_id': text('The host it is bound on'),
    'binding:vif_type': text('How it is bound; `binding_failed` and `unbound` are not'),
    'binding:vnic_type': text('`normal`, `direct`, …'),
    'binding:vif_details': anything('What the driver says of the binding'),
    'binding:profile': anything('What Nova says of the binding'),
    port_security_enabled: flag('Whether it is guarded'),
    propagate_uplink_status: flag('Whether the link of the host is passed on'),
    qos_policy_id: text('QoS policy'),
    qos_network_policy_id: text('QoS policy of its network'),
    resource_request: anything('What it asks of Placement'),
    dns_name: text('DNS name'),
    dns_domain: text('DNS domain'),
    dns_assignment: anything('DNS names of its addresses'),
    ip_allocation: text('`immediate`, `deferred`, `none`'),
    trunk_details: anything('Its trunk'),
    ...ownership,
  },
  ['id', 'network_id'],
)

const portList = listAction({
  name: 'openstack.port.list',
  summary: 'the ports',
  service: 'network',
  path: '/ports',
  collection: 'ports',
  filters: {
    id,
    network,
    project,
    status,
    server: exactly(text('Only those of this server or router, by id', { minLength: 1 }), 'device_id'),
    owner: exactly(text('Only those of this kind: `network:dhcp`, `compute:nova`', { minLength: 1 }), 'device_owner'),
    host: exactly(text('Only those bound on this host', { minLength: 1 }), 'binding:host_id'),
    vif_type: {
      schema: oneOrMore('Only those bound so: `binding_failed`, `unbound`, `ovs`, …'),
      field: 'binding:vif_type',
    },
    fixed_ip: {
      schema: text('Only those with this address', { minLength: 1 }),
      query: ([address = '']) => ({ fixed_ips: `ip_address=${address}` }),
    },
    mac_address: exactly(text('Only the one with this MAC address, in lower case', { minLength: 1 }), 'mac_address'),
  },
  item: portItem,
  examples: [{}, { server: '16ddfc18-0fa0-4df2-bab0-5df9bdb27152' }],
})

const routerItem = apiObject(
  'A router',
  {
    id: text('UUID'),
    name: text('Its name'),
    status: text('`ACTIVE`, `ALLOCATING`, `ERROR`'),
    admin_state_up: flag('Whether it is switched on'),
    ha: flag('Whether several agents hold it'),
    distributed: flag('Whether compute hosts route themselves'),
    external_gateway_info: anything('Network and addresses to outside'),
    routes: listOf(
      apiObject('A route', { destination: text('Where to'), nexthop: text('Over which address') }),
      'Further routes',
    ),
    flavor_id: text('Flavor'),
    service_type_id: text('Service type'),
    availability_zone_hints: listOf(text('A zone'), 'Zones asked for'),
    availability_zones: listOf(text('A zone'), 'Zones it is in'),
    enable_ndp_proxy: flag('Whether it answers for its neighbours'),
    ...ownership,
  },
  ['id'],
)

const routerList = listAction({
  name: 'openstack.router.list',
  summary: 'the routers',
  service: 'network',
  path: '/routers',
  collection: 'routers',
  filters: { id, name, project, status: { schema: status.schema, field: 'status' } },
  item: routerItem,
})

const ipAvailabilityList = listAction({
  name: 'openstack.ip_availability.list',
  summary: 'how many addresses each network has, and how many are used',
  service: 'network',
  path: '/network-ip-availabilities',
  collection: 'network_ip_availabilities',
  paged: false,
  filters: { network, project },
  item: apiObject(
    'The addresses of a network',
    {
      network_id: text('UUID'),
      network_name: text('Its name'),
      tenant_id: text('Project, by its old name'),
      project_id: text('Project'),
      total_ips: whole('Addresses there are; more than 2^53 for IPv6 is not exact'),
      used_ips: whole('Addresses in use'),
      subnet_ip_availability: listOf(
        apiObject('The addresses of a subnet', {
          subnet_id: text('UUID'),
          subnet_name: text('Its name'),
          ip_version: whole('4 or 6'),
          cidr: text('Its addresses'),
          total_ips: whole('Addresses there are'),
          used_ips: whole('Addresses in use'),
        }),
        'By subnet',
      ),
    },
    ['network_id', 'total_ips', 'used_ips'],
  ),
})

const securityGroupRule = apiObject(
  'A rule of a security group',
  {
    id: text('UUID'),
    security_group_id: text('Its group'),
    direction: text('`ingress` or `egress`'),
    ethertype: text('`IPv4` or `IPv6`'),
    protocol: text('`tcp`, `udp`, `icmp`, …; null for all'),
    port_range_min: whole('First port, or type of ICMP'),
    port_range_max: whole('Last port, or code of ICMP'),
    remote_ip_prefix: text('Whom it lets through, by address'),
    remote_group_id: text('Whom it lets through, by security group'),
    remote_address_group_id: text('Whom it lets through, by address group'),
    normalized_cidr: text('The prefix as Neutron reads it'),
    standard_attr_id: whole('A number of the database'),
    belongs_to_default_sg: flag('Whether it is part of a default group'),
    ...ownership,
  },
  ['id', 'security_group_id', 'direction'],
)

const securityGroupList = listAction({
  name: 'openstack.security_group.list',
  summary: 'the security groups, each with its rules',
  service: 'network',
  path: '/security-groups',
  collection: 'security_groups',
  filters: { id, name, project },
  item: apiObject(
    'A security group',
    {
      id: text('UUID'),
      name: text('Its name'),
      stateful: flag('Whether answers are let through'),
      shared: flag('Whether other projects may use it'),
      security_group_rules: listOf(securityGroupRule, 'Its rules'),
      ...ownership,
    },
    ['id'],
  ),
})

const securityGroupRuleList = listAction({
  name: 'openstack.security_group_rule.list',
  summary: 'the rules of the security groups',
  service: 'network',
  path: '/security-group-rules',
  collection: 'security_group_rules',
  filters: {
    project,
    security_group: exactly(text('Only those of this group, by id', { minLength: 1 }), 'security_group_id'),
    direction: exactly(text('Only this direction', { enum: ['ingress', 'egress'] }), 'direction'),
  },
  item: securityGroupRule,
})

export const networkActions: readonly WorkAction[] = [
  networkList,
  showAction({ noun: 'network', service: 'network', path: '/networks', item: networkItem }),
  subnetList,
  showAction({ noun: 'subnet', service: 'network', path: '/subnets', item: subnetItem }),
  portList,
  showAction({ noun: 'port', service: 'network', path: '/ports', item: portItem }),
  routerList,
  showAction({ noun: 'router', service: 'network', path: '/routers', item: routerItem }),
  securityGroupList,
  securityGroupRuleList,
  ipAvailabilityList,
]
