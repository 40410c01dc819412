import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, flag, number, text, whole } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import type { Query } from './call.ts'
import { apiObject, labels, oneOrMore } from './fields.ts'
import { heartbeatFields, heartbeatOf } from './heartbeat.ts'
import { exactly, type Filter, listAction } from './list.ts'
import type { Microversions } from './versions.ts'
import { attachments } from './volume-kind.ts'

const volumeVersions: Microversions = { min: '3.0', max: '3.71' }

const allProjects: { readonly [name: string]: Schema } = {
  all_projects: flag(
    'Those of every project, where the user is an administrator; false for those of the project of the cloud',
    {
      default: true,
    },
  ),
}

const everywhere = ({ all_projects }: JsonObject): Query => (all_projects === false ? {} : { all_tenants: 1 })

/** Cinder takes one status; several are compared here. */
const status: Filter = {
  schema: oneOrMore('Only those in one of these statuses: `available`, `in-use`, `error`, `error_deleting`, …'),
  query: (values) => (values.length === 1 ? { status: values } : {}),
  field: 'status',
}

const volume: Filter = exactly(text('Only those of this volume, by id', { minLength: 1 }), 'volume_id')

/** A capacity in GB; a back end that cannot say writes a word instead. */
const capacity = (description: string): Schema => ({
  type: ['number', 'string', 'null'],
  description: `${description}, GB; \`infinite\` or \`unknown\` where the back end cannot say`,
})

const serviceList = listAction({
  name: 'openstack.volume_service.list',
  summary: 'the services of Cinder, with their state and their last report',
  service: 'block-storage',
  path: '/os-services',
  collection: 'services',
  microversion: volumeVersions,
  paged: false,
  filters: {
    host: exactly(text('Only this host, exactly as Cinder names it: `vol-1@ceph`', { minLength: 1 }), 'host'),
    binary: exactly(text('Only this kind: `cinder-volume`', { minLength: 1 }), 'binary'),
  },
  item: apiObject(
    'A service of Cinder',
    {
      binary: text('Its kind: `cinder-volume`, `cinder-scheduler`, `cinder-backup`'),
      host: text('The host, with its back end'),
      zone: text('Availability zone'),
      status: text('`enabled` or `disabled`'),
      state: text('`up` or `down`'),
      backend_state: text('What the back end says: `up` or `down`'),
      updated_at: text('Last report as the API writes it, without a zone'),
      disabled_reason: text('Why it is disabled'),
      cluster: text('Its cluster'),
      replication_status: text('Replication'),
      active_backend_id: text('The back end after a failover'),
      frozen: flag('Whether it takes no changes'),
      ...heartbeatFields,
    },
    ['binary', 'host', 'status', 'state'],
  ),
  derive: (item, date) => heartbeatOf(item['updated_at'], date),
})

const poolList = listAction({
  name: 'openstack.volume_pool.list',
  summary: 'the storage pools of Cinder, with their capacity as the scheduler sees it',
  service: 'block-storage',
  path: '/scheduler-stats/get_pools',
  collection: 'pools',
  microversion: volumeVersions,
  paged: false,
  query: () => ({ detail: 'true' }),
  item: apiObject(
    'A pool',
    {
      name: text('Host, back end and pool: `vol-1@ceph#rbd`'),
      capabilities: apiObject('What it says of itself', {
        volume_backend_name: text('The name volume types ask for'),
        storage_protocol: anything('Protocol'),
        vendor_name: text('Vendor'),
        driver_version: text('Version of the driver'),
        pool_name: text('Name of the pool alone'),
        total_capacity_gb: capacity('What there is'),
        free_capacity_gb: capacity('What is free'),
        allocated_capacity_gb: capacity('What Cinder has given out'),
        provisioned_capacity_gb: capacity('What has been promised'),
        reserved_percentage: number('Percent kept back'),
        max_over_subscription_ratio: anything('How often capacity may be promised'),
        thin_provisioning_support: flag('Whether volumes grow as they are written'),
        thick_provisioning_support: flag('Whether volumes take their size at once'),
        multiattach: flag('Whether a volume may be attached twice'),
        QoS_support: flag('Whether it limits'),
        sparse_copy_volume: flag('Whether empty blocks are not copied'),
        replication_enabled: flag('Whether it replicates'),
        online_extend_support: flag('Whether a volume grows while it is in use'),
        total_volumes: whole('Volumes in it'),
        location_info: text('Where it is, in the words of its driver'),
        backend_state: text('`up` or `down`'),
        filter_function: text('What decides whether it is taken'),
        goodness_function: text('What decides how gladly it is taken'),
        timestamp: text('When it said so, without a zone'),
      }),
    },
    ['name'],
  ),
})

const volumeList = listAction({
  name: 'openstack.volume.list',
  summary: 'the volumes, of every project unless told otherwise',
  service: 'block-storage',
  path: '/volumes/detail',
  collection: 'volumes',
  microversion: volumeVersions,
  filters: {
    status,
    name: exactly(text('Only those with exactly this name', { minLength: 1 }), 'name'),
    project: exactly(
      text('Only those of this project, by id', { minLength: 1 }),
      'project_id',
      'os-vol-tenant-attr:tenant_id',
    ),
    host: {
      schema: text('Only those of this pool: `vol-1@ceph#rbd`', { minLength: 1 }),
      field: 'os-vol-host-attr:host',
    },
  },
  switches: allProjects,
  query: everywhere,
  item: apiObject(
    'A volume',
    {
      id: text('UUID'),
      name: text('Its name'),
      description: text('What somebody wrote about it'),
      status: text('`available`, `in-use`, `error`, …'),
      size: whole('GiB'),
      volume_type: text('Type'),
      volume_type_id: text('Type, by id'),
      availability_zone: text('Availability zone'),
      bootable: text('`true` or `false`, as text'),
      encrypted: flag('Whether it is encrypted'),
      multiattach: flag('Whether it may be attached twice'),
      attachments,
      snapshot_id: text('The snapshot it was made from'),
      source_volid: text('The volume it was made from'),
      group_id: text('Group'),
      consistencygroup_id: text('Group, of old'),
      cluster_name: text('Cluster'),
      service_uuid: text('The service that looks after it'),
      shared_targets: flag('Whether its target has others'),
      consumes_quota: flag('Whether it counts'),
      provider_id: text('What the back end calls it'),
      replication_status: text('Replication'),
      migration_status: text('Where a migration stands'),
      metadata: labels('What its owner wrote on it'),
      volume_image_metadata: labels('What its image says'),
      user_id: text('Owner'),
      created_at: text('When it was made, without a zone'),
      updated_at: text('When it last changed, without a zone'),
      'os-vol-host-attr:host': text('Its pool'),
      'os-vol-tenant-attr:tenant_id': text('Project'),
      'os-vol-mig-status-attr:migstat': text('Where a migration stands'),
      'os-vol-mig-status-attr:name_id': text('What the back end calls it after a migration'),
      links: anything('Addresses of it'),
    },
    ['id', 'status', 'size'],
  ),
})

const snapshotList = listAction({
  name: 'openstack.volume_snapshot.list',
  summary: 'the snapshots of volumes, of every project unless told otherwise',
  service: 'block-storage',
  path: '/snapshots/detail',
  collection: 'snapshots',
  microversion: volumeVersions,
  filters: { status, volume },
  switches: allProjects,
  query: everywhere,
  item: apiObject(
    'A snapshot',
    {
      id: text('UUID'),
      name: text('Its name'),
      description: text('What somebody wrote about it'),
      status: text('`available`, `error`, …'),
      size: whole('GiB'),
      volume_id: text('The volume it was made from'),
      user_id: text('Owner'),
      group_snapshot_id: text('Snapshot of a group'),
      consumes_quota: flag('Whether it counts'),
      metadata: labels('What its owner wrote on it'),
      created_at: text('When it was made, without a zone'),
      updated_at: text('When it last changed, without a zone'),
      'os-extended-snapshot-attributes:progress': text('Percent, as text'),
      'os-extended-snapshot-attributes:project_id': text('Project'),
    },
    ['id', 'status', 'volume_id'],
  ),
})

const backupList = listAction({
  name: 'openstack.volume_backup.list',
  summary: 'the backups of volumes, of every project unless told otherwise',
  service: 'block-storage',
  path: '/backups/detail',
  collection: 'backups',
  microversion: volumeVersions,
  filters: { status, volume },
  switches: allProjects,
  query: everywhere,
  item: apiObject(
    'A backup',
    {
      id: text('UUID'),
      name: text('Its name'),
      description: text('What somebody wrote about it'),
      status: text('`available`, `error`, …'),
      fail_reason: text('Why it failed'),
      size: whole('GiB'),
      object_count: whole('Objects it is kept in'),
      container: text('Where it is kept'),
      volume_id: text('The volume it was made from'),
      snapshot_id: text('The snapshot it was made from'),
      is_incremental: flag('Whether it needs an earlier one'),
      has_dependent_backups: flag('Whether a later one needs it'),
      data_timestamp: text('The moment of the data, without a zone'),
      availability_zone: text('Availability zone'),
      encryption_key_id: text('Key'),
      metadata: labels('What its owner wrote on it'),
      user_id: text('Owner'),
      created_at: text('When it was made, without a zone'),
      updated_at: text('When it last changed, without a zone'),
      'os-backup-project-attr:project_id': text('Project'),
      links: anything('Addresses of it'),
    },
    ['id', 'status'],
  ),
})

export const volumeActions: readonly WorkAction[] = [serviceList, poolList, volumeList, snapshotList, backupList]
