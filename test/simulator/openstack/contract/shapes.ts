import { compute, type Headers, placement, volume, words } from './api.ts'

/** A list and the fields of what is in it. */
export interface Shape {
  readonly service: string
  /** `{project}` stands for the id of the token's project. */
  readonly path: string
  readonly headers?: Headers
  readonly list: string
  readonly keys: readonly string[]
}

const server = `
  id name status tenant_id user_id metadata hostId image flavor created updated addresses accessIPv4 accessIPv6 links
  OS-DCF:diskConfig progress OS-EXT-AZ:availability_zone config_drive key_name OS-SRV-USG:launched_at
  OS-SRV-USG:terminated_at OS-EXT-SRV-ATTR:host OS-EXT-SRV-ATTR:instance_name OS-EXT-SRV-ATTR:hypervisor_hostname
  OS-EXT-STS:task_state OS-EXT-STS:vm_state OS-EXT-STS:power_state os-extended-volumes:volumes_attached security_groups`
const serverLater = `
  OS-EXT-SRV-ATTR:reservation_id OS-EXT-SRV-ATTR:launch_index OS-EXT-SRV-ATTR:hostname OS-EXT-SRV-ATTR:kernel_id
  OS-EXT-SRV-ATTR:ramdisk_id OS-EXT-SRV-ATTR:root_device_name OS-EXT-SRV-ATTR:user_data locked locked_reason description
  tags trusted_image_certificates host_status`
const hypervisor = 'id hypervisor_hostname state status hypervisor_type hypervisor_version host_ip service'
const capacity = `
  vcpus memory_mb local_gb vcpus_used memory_mb_used local_gb_used free_ram_mb free_disk_gb current_workload running_vms
  disk_available_least cpu_info`
const service = 'binary host id zone status state updated_at disabled_reason'
const migration = `
  id source_compute dest_compute source_node dest_node dest_host old_instance_type_id new_instance_type_id instance_uuid
  status created_at updated_at`
const flavor = `
  id name ram disk swap OS-FLV-EXT-DATA:ephemeral OS-FLV-DISABLED:disabled vcpus os-flavor-access:is_public rxtx_factor
  links`
const aggregate = 'id name hosts metadata availability_zone created_at updated_at deleted deleted_at'
const agent = `
  id agent_type binary topic host admin_state_up created_at started_at heartbeat_timestamp description resources_synced
  availability_zone alive configurations`
const times = 'created_at updated_at revision_number tags description project_id tenant_id'
const cinderVolume = `
  id status size availability_zone created_at updated_at name description volume_type snapshot_id source_volid metadata
  links user_id bootable encrypted replication_status consistencygroup_id multiattach attachments migration_status
  os-vol-tenant-attr:tenant_id os-vol-mig-status-attr:migstat os-vol-mig-status-attr:name_id os-vol-host-attr:host`

const of = (service: string, path: string, list: string, keys: string, headers?: Headers): Shape => ({
  service,
  path,
  list,
  keys: words(keys),
  ...(headers && { headers }),
})

const active = '/v2.1/servers/detail?all_tenants=1&status=ACTIVE'

/** What the lists hold, field by field, at the microversions where they change. */
export const shapes: readonly Shape[] = [
  of('keystone', '/v3/services', 'services', 'name id type enabled links'),
  of('keystone', '/v3/endpoints', 'endpoints', 'id interface region_id service_id url enabled region links'),
  of(
    'keystone',
    '/v3/projects',
    'projects',
    'id name domain_id description enabled parent_id is_domain tags options links',
  ),
  of('keystone', '/v3/domains', 'domains', 'id name description enabled tags options links'),
  of('keystone', '/v3/role_assignments?include_names', 'role_assignments', 'links scope user role'),

  of('nova', '/v2.1/os-services', 'services', service, compute('2.1')),
  of('nova', '/v2.1/os-services', 'services', `${service} forced_down`, compute('2.92')),
  of('nova', '/v2.1/os-hypervisors', 'hypervisors', 'id hypervisor_hostname state status', compute('2.92')),
  of('nova', '/v2.1/os-hypervisors/detail', 'hypervisors', `${hypervisor} ${capacity}`, compute('2.87')),
  of('nova', '/v2.1/os-hypervisors/detail', 'hypervisors', `${hypervisor} uptime`, compute('2.92')),
  of('nova', active, 'servers', server, compute('2.1')),
  of('nova', active, 'servers', `${server} ${serverLater}`, compute('2.92')),
  of('nova', '/v2.1/servers?all_tenants=1', 'servers', 'id name links', compute('2.92')),
  of('nova', '/v2.1/flavors/detail?is_public=None', 'flavors', flavor, compute('2.1')),
  of('nova', '/v2.1/flavors/detail?is_public=None', 'flavors', `${flavor} description extra_specs`, compute('2.92')),
  of('nova', '/v2.1/os-migrations', 'migrations', migration, compute('2.1')),
  of(
    'nova',
    '/v2.1/os-migrations',
    'migrations',
    `${migration} uuid migration_type user_id project_id`,
    compute('2.92'),
  ),
  of('nova', '/v2.1/os-aggregates', 'aggregates', `${aggregate} uuid`, compute('2.92')),
  of('nova', '/v2.1/os-availability-zone/detail', 'availabilityZoneInfo', 'zoneName zoneState hosts', compute('2.92')),

  of('neutron', '/v2.0/agents', 'agents', agent),
  of(
    'neutron',
    '/v2.0/networks',
    'networks',
    `id name admin_state_up mtu status subnets shared availability_zone_hints availability_zones ipv4_address_scope
     ipv6_address_scope router:external port_security_enabled provider:network_type provider:physical_network
     provider:segmentation_id ${times}`,
  ),
  of(
    'neutron',
    '/v2.0/subnets',
    'subnets',
    `id name network_id ip_version subnetpool_id enable_dhcp ipv6_ra_mode ipv6_address_mode gateway_ip cidr
     allocation_pools host_routes dns_nameservers service_types ${times}`,
  ),
  of(
    'neutron',
    '/v2.0/ports',
    'ports',
    `id name network_id mac_address admin_state_up status device_id device_owner fixed_ips allowed_address_pairs
     extra_dhcp_opts security_groups binding:vnic_type binding:profile binding:host_id binding:vif_type
     binding:vif_details port_security_enabled ${times}`,
  ),
  of(
    'neutron',
    '/v2.0/network-ip-availabilities',
    'network_ip_availabilities',
    'network_id network_name tenant_id project_id subnet_ip_availability used_ips total_ips',
  ),
  of('neutron', '/v2.0/extensions', 'extensions', 'name alias description updated links'),
  of('neutron', '/v2.0/security-groups', 'security_groups', `id name stateful shared security_group_rules ${times}`),

  of('cinder', '/v3/{project}/volumes/detail?all_tenants=1', 'volumes', cinderVolume, volume('3.0')),
  of(
    'cinder',
    '/v3/{project}/volumes/detail?all_tenants=1',
    'volumes',
    `${cinderVolume} group_id provider_id shared_targets service_uuid cluster_name volume_type_id consumes_quota`,
    volume('3.70'),
  ),
  of(
    'cinder',
    '/v3/{project}/os-services?binary=cinder-scheduler',
    'services',
    'binary host zone status state updated_at cluster disabled_reason',
    volume('3.70'),
  ),
  of(
    'cinder',
    '/v3/{project}/os-services?binary=cinder-volume',
    'services',
    `binary host zone status state updated_at cluster disabled_reason backend_state replication_status active_backend_id
     frozen`,
    volume('3.70'),
  ),
  of('cinder', '/v3/{project}/scheduler-stats/get_pools', 'pools', 'name', volume('3.70')),
  of('cinder', '/v3/{project}/scheduler-stats/get_pools?detail=true', 'pools', 'name capabilities', volume('3.70')),

  of(
    'placement',
    '/resource_providers',
    'resource_providers',
    'uuid name generation links parent_provider_uuid root_provider_uuid',
    placement('1.39'),
  ),
  of('placement', '/resource_providers', 'resource_providers', 'uuid name generation links', placement('1.0')),
]
