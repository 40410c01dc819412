import type { KnownQuery } from '../http/known-query.ts'

/** What servers are not looked for by in a rehearsal. */
export const unrehearsed: readonly string[] = [
  ...['soft_deleted', 'created_at', 'launched_at', 'terminated_at', 'locked_by', 'progress', 'config_drive'],
  ...['auto_disk_config', 'display_name', 'hostname', 'description', 'display_description', 'reservation_id'],
  ...['image_ref', 'kernel_id', 'ramdisk_id', 'key_name', 'launch_index', 'root_device_name', 'ip6'],
  ...['access_ip_v4', 'access_ip_v6', 'tags', 'tags-any', 'not-tags', 'not-tags-any'],
]

/** What `GET /servers` may be asked by; before 2.75 the rest is ignored, and a filter with a slip in it filters nothing. */
export const serverQuery: KnownQuery = {
  since: 75,
  form: /^_/,
  names: [
    ...['limit', 'marker', 'sort_key', 'sort_dir', 'all_tenants', 'deleted', 'soft_deleted'],
    ...['changes-since', 'changes-before', 'created_at', 'launched_at', 'terminated_at'],
    ...['user_id', 'project_id', 'tenant_id', 'host', 'node', 'availability_zone', 'locked', 'locked_by'],
    ...['status', 'vm_state', 'task_state', 'power_state', 'progress', 'config_drive', 'auto_disk_config'],
    ...['uuid', 'name', 'display_name', 'hostname', 'description', 'display_description', 'reservation_id'],
    ...['image', 'image_ref', 'kernel_id', 'ramdisk_id', 'key_name', 'flavor', 'launch_index', 'root_device_name'],
    ...['ip', 'ip6', 'access_ip_v4', 'access_ip_v6', 'tags', 'tags-any', 'not-tags', 'not-tags-any'],
    // relations of the table below: let in, without a meaning
    ...['block_device_mapping', 'services', 'metadata', 'system_metadata', 'info_cache', 'security_groups'],
    'pci_devices',
  ],
}
