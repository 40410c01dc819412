import type { CloudWorld } from '../cloud.ts'
import { lastBeat } from '../heartbeat.ts'
import type { ApiRequest } from '../http/api.ts'
import { downAfter } from '../nova/alive.ts'
import { micro } from '../time.ts'
import type { Backup, CinderServiceRecord, CinderState, Snapshot, Volume } from './state.ts'
import { volumeTypeIdOf } from './volume-types.ts'

const linksTo = (kind: string, id: string, { origin, token }: ApiRequest) => {
  const project = token.scope && 'project' in token.scope ? token.scope.project : ''
  return [
    { rel: 'self', href: `${origin}/v3/${project}/${kind}/${id}` },
    { rel: 'bookmark', href: `${origin}/${project}/${kind}/${id}` },
  ]
}

export function serviceView(world: CloudWorld, service: CinderServiceRecord, version: number): object {
  const now = world.clock.now()
  const seenAt = lastBeat(service, now, world.estate) + world.cloud.skewOf(service.host)
  const up = Math.abs(now - seenAt) <= downAfter
  const volume = service.binary === 'cinder-volume'
  return {
    binary: service.binary,
    host: service.name,
    zone: 'nova',
    status: service.disabled ? 'disabled' : 'enabled',
    state: up ? 'up' : 'down',
    updated_at: micro(seenAt),
    ...(volume && version >= 49 && { backend_state: up ? 'up' : 'down' }),
    ...(version >= 7 && { cluster: null }),
    disabled_reason: service.disabledReason,
    ...(volume && { replication_status: 'disabled', active_backend_id: null, frozen: false }),
  }
}

export function volumeView({ services }: CinderState, volume: Volume, request: ApiRequest): object {
  const { version, token } = request
  const name = volume.host.split('#')[0]
  return {
    id: volume.id,
    status: volume.status,
    size: volume.size,
    availability_zone: 'nova',
    created_at: micro(volume.createdAt),
    updated_at: micro(volume.updatedAt),
    name: volume.name,
    description: null,
    volume_type: 'ceph',
    snapshot_id: null,
    source_volid: null,
    metadata: volume.metadata,
    links: linksTo('volumes', volume.id, request),
    user_id: volume.user,
    bootable: String(volume.bootable),
    encrypted: false,
    replication_status: null,
    consistencygroup_id: null,
    multiattach: false,
    attachments: volume.attachments.map(({ id, server, device, host, at }) => ({
      id: volume.id,
      attachment_id: id,
      volume_id: volume.id,
      server_id: server,
      host_name: host,
      device,
      attached_at: micro(at),
    })),
    migration_status: null,
    ...(version >= 13 && { group_id: null }),
    ...(version >= 21 && { provider_id: null }),
    ...(version >= 48 && { shared_targets: false }),
    ...(version >= 48 && { service_uuid: services.find((one) => one.name === name)?.uuid ?? null }),
    ...(version >= 61 && { cluster_name: null }),
    ...(version >= 63 && { volume_type_id: volumeTypeIdOf('ceph') }),
    ...(version >= 65 && { consumes_quota: true }),
    'os-vol-tenant-attr:tenant_id': volume.project,
    ...(token.roles.includes('admin') && {
      'os-vol-mig-status-attr:migstat': null,
      'os-vol-mig-status-attr:name_id': null,
      'os-vol-host-attr:host': volume.host,
    }),
  }
}

export const snapshotView = (snapshot: Snapshot, { version }: ApiRequest): object => ({
  id: snapshot.id,
  name: snapshot.name,
  description: null,
  volume_id: snapshot.volume,
  status: snapshot.status,
  size: snapshot.size,
  created_at: micro(snapshot.createdAt),
  updated_at: micro(snapshot.updatedAt),
  metadata: snapshot.metadata ?? {},
  'os-extended-snapshot-attributes:progress': snapshot.status === 'available' ? '100%' : '0%',
  'os-extended-snapshot-attributes:project_id': snapshot.project,
  ...(version >= 14 && { group_snapshot_id: null }),
  ...(version >= 41 && { user_id: snapshot.user }),
  ...(version >= 65 && { consumes_quota: true }),
})

export const backupView = (backup: Backup, request: ApiRequest): object => ({
  id: backup.id,
  status: backup.status,
  size: backup.size,
  object_count: 22,
  availability_zone: 'nova',
  container: 'backups',
  created_at: micro(backup.createdAt),
  updated_at: micro(backup.createdAt + 180_000),
  name: backup.name,
  description: null,
  fail_reason: backup.failReason,
  volume_id: backup.volume,
  links: linksTo('backups', backup.id, request),
  is_incremental: backup.incremental,
  has_dependent_backups: backup.needed,
  snapshot_id: null,
  data_timestamp: micro(backup.createdAt),
  ...(request.version >= 18 && { 'os-backup-project-attr:project_id': backup.project }),
  ...(request.version >= 43 && { metadata: backup.metadata ?? {} }),
  ...(request.version >= 56 && { user_id: backup.user }),
  ...(request.version >= 64 && { encryption_key_id: null }),
})

/** The pool of each volume service: all of them the same Ceph. */
export function poolsOf(world: CloudWorld, detail: boolean): object[] {
  const { services, volumes, capacity } = world.cloud.cinder
  const provisioned = volumes.reduce((sum, { size }) => sum + size, 0)
  return services
    .filter(({ binary }) => binary === 'cinder-volume')
    .map((service) => ({
      name: `${service.name}#ceph`,
      ...(detail && {
        capabilities: {
          vendor_name: 'Open Source',
          driver_version: '1.3.0',
          storage_protocol: 'ceph',
          total_capacity_gb: capacity.total,
          free_capacity_gb: capacity.free,
          reserved_percentage: 0,
          multiattach: true,
          thin_provisioning_support: true,
          max_over_subscription_ratio: '20.0',
          location_info: 'ceph:/etc/ceph/ceph.conf:00000000-0000-4000-8000-000000000000:cinder:volumes',
          backend_state: 'up',
          volume_backend_name: 'ceph',
          replication_enabled: false,
          provisioned_capacity_gb: provisioned,
          allocated_capacity_gb: provisioned,
          filter_function: null,
          goodness_function: null,
          timestamp: micro(lastBeat(service, world.clock.now(), world.estate)),
        },
      }),
    }))
}
