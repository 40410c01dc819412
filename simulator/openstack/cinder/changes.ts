import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { dropHolds } from '../nova/moves.ts'
import { nameOf } from '../nova/names.ts'
import { second } from '../time.ts'
import type { Backup, Snapshot, Volume } from './state.ts'
import { backupView, snapshotView, volumeView } from './views.ts'

type Body = { readonly [field: string]: unknown }

/** What can be changed in Cinder: volumes, snapshots and backups come, go, and are brought back. */
export function changeRoutes(world: CloudWorld): Route[] {
  return [
    { method: 'POST', path: '/volumes', handle: (request) => createVolume(world, request) },
    { method: 'DELETE', path: '/volumes/:id', handle: (request) => deleteVolume(world, request) },
    { method: 'POST', path: '/snapshots', handle: (request) => createSnapshot(world, request) },
    { method: 'DELETE', path: '/snapshots/:id', handle: (request) => deleteSnapshot(world, request) },
    { method: 'POST', path: '/backups', handle: (request) => createBackup(world, request) },
    { method: 'DELETE', path: '/backups/:id', handle: (request) => deleteBackup(world, request) },
    { method: 'POST', path: '/backups/:id/restore', handle: (request) => restore(world, request) },
  ]
}

function createVolume(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder, glance } = world.cloud
  const asked = bodyIn(request, 'volume')
  const snapshot = named(cinder.snapshots, asked['snapshot_id'], 'Snapshot')
  const source = named(cinder.volumes, asked['source_volid'], 'Volume')
  const image = asked['imageRef'] ?? undefined
  if (image !== undefined && !glance.images.some(({ id }) => id === image)) {
    throw new ApiFailure(400, 'Invalid image identifier or unable to access requested image.')
  }
  const size = asked['size'] ?? snapshot?.size ?? source?.size
  if (!Number.isInteger(Number(size)) || Number(size) < 1) {
    throw new ApiFailure(
      400,
      `Invalid input for field/attribute size. Value: ${size ?? 'None'}. ${size ?? 'None'} is not of type 'integer', 'string'`,
    )
  }
  const volume = newVolume(world, request, {
    name: textIn(asked, 'name'),
    size: Number(size),
    bootable: image !== undefined || source?.bootable === true,
    metadata: (asked['metadata'] ?? {}) as Volume['metadata'],
    status: 'creating',
  })
  world.effect('openstack.volume.create', nameOf(volume), { size: volume.size })
  if (image !== undefined) later(world, second, () => become(world, volume, 'creating', 'downloading'))
  later(world, 3 * second, () => {
    if (volume.status === 'creating' || volume.status === 'downloading')
      become(world, volume, volume.status, 'available')
  })
  return json(202, { volume: volumeView(cinder, volume, request) })
}

function newVolume(
  world: CloudWorld,
  { token }: ApiRequest,
  wanted: Pick<Volume, 'name' | 'size' | 'bootable' | 'metadata' | 'status'>,
): Volume {
  const { cinder } = world.cloud
  const now = world.clock.now()
  const service = cinder.services.find(({ binary, disabled }) => binary === 'cinder-volume' && !disabled)
  const volume: Volume = {
    ...wanted,
    id: world.random.uuid(),
    project: projectOf(token),
    user: token.user,
    createdAt: now,
    updatedAt: now,
    attachments: [],
    host: `${service?.name ?? ''}#ceph`,
  }
  cinder.volumes.push(volume)
  return volume
}

const deletable = ['available', 'error', 'error_restoring', 'error_extending', 'error_managing']

function deleteVolume(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const volume = own(cinder.volumes, request, 'Volume')
  const held = cinder.snapshots.some((one) => one.volume === volume.id) || volume.attachments.length > 0
  if (!deletable.includes(volume.status) || held) {
    const states = `status must be ${deletable.join(' or ')} and`
    throw new ApiFailure(
      400,
      `Invalid volume: Volume ${states} must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.`,
    )
  }
  return deleted(world, 'openstack.volume.delete', cinder.volumes, volume)
}

function createSnapshot(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const asked = bodyIn(request, 'snapshot')
  const volume = needed(cinder.volumes, asked['volume_id'], 'Volume')
  const forced = request.version >= 66 || asked['force'] === true || asked['force'] === 'true'
  if (volume.status !== 'available' && !(forced && volume.status === 'in-use')) {
    throw new ApiFailure(
      400,
      `Invalid volume: Volume ${volume.id} status must be ${forced ? 'available, in-use' : 'available'}, but current status is: ${volume.status}.`,
    )
  }
  const now = world.clock.now()
  const snapshot: Snapshot = {
    id: world.random.uuid(),
    name: textIn(asked, 'name'),
    volume: volume.id,
    size: volume.size,
    status: 'creating',
    project: projectOf(request.token),
    user: request.token.user,
    createdAt: now,
    updatedAt: now,
    metadata: (asked['metadata'] ?? {}) as Volume['metadata'],
  }
  cinder.snapshots.push(snapshot)
  world.effect('openstack.volume_snapshot.create', nameOf(snapshot), { volume: volume.id })
  later(world, 2 * second, () => become(world, snapshot, 'creating', 'available'))
  return json(202, { snapshot: snapshotView(snapshot, request) })
}

function deleteSnapshot(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const snapshot = own(cinder.snapshots, request, 'Snapshot')
  if (!['available', 'error'].includes(snapshot.status)) {
    throw new ApiFailure(
      400,
      'Invalid snapshot: Snapshot status must be available or error and must not be part of a group.',
    )
  }
  return deleted(world, 'openstack.volume_snapshot.delete', cinder.snapshots, snapshot)
}

/** A GB of a backup takes this long. */
const perGigabyte = 200

function createBackup(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const asked = bodyIn(request, 'backup')
  const volume = needed(cinder.volumes, asked['volume_id'], 'Volume')
  const was = volume.status
  if (was !== 'available' && was !== 'in-use') {
    throw new ApiFailure(
      400,
      `Invalid volume: Volume to be backed up must be available or in-use, but the current status is "${was}".`,
    )
  }
  if (was === 'in-use' && asked['force'] !== true && asked['snapshot_id'] == null) {
    throw new ApiFailure(400, 'Invalid volume: Backing up an in-use volume must use the force flag.')
  }
  const incremental = asked['incremental'] === true
  const parent = cinder.backups.findLast((one) => one.volume === volume.id && one.status === 'available')
  if (incremental && !parent) {
    throw new ApiFailure(400, 'Invalid backup: No backups available to do an incremental backup.')
  }
  const backup: Backup = {
    id: world.random.uuid(),
    name: textIn(asked, 'name'),
    volume: volume.id,
    size: volume.size,
    status: 'creating',
    incremental,
    needed: false,
    project: projectOf(request.token),
    user: request.token.user,
    createdAt: world.clock.now(),
    failReason: null,
    metadata: (asked['metadata'] ?? {}) as Volume['metadata'],
  }
  if (incremental && parent) Object.assign(parent, { needed: true })
  cinder.backups.push(backup)
  world.effect('openstack.volume_backup.create', nameOf(backup), { volume: volume.id, incremental })
  become(world, volume, was, 'backing-up')
  later(world, 3 * second + volume.size * perGigabyte, () => {
    become(world, volume, 'backing-up', was)
    become(world, backup, 'creating', 'available')
  })
  const { id, name } = backup
  const { links } = backupView(backup, request) as { links: unknown }
  return json(202, { backup: { id, name, links } })
}

function deleteBackup(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const backup = own(cinder.backups, request, 'Backup')
  if (!['available', 'error'].includes(backup.status)) {
    throw new ApiFailure(400, 'Invalid backup: Backup status must be available or error')
  }
  if (backup.needed) throw new ApiFailure(400, 'Invalid backup: Incremental backups exist for this backup.')
  return deleted(world, 'openstack.volume_backup.delete', cinder.backups, backup)
}

function restore(world: CloudWorld, request: ApiRequest): Reply {
  const { cinder } = world.cloud
  const backup = own(cinder.backups, request, 'Backup')
  const asked = bodyIn(request, 'restore')
  if (backup.status !== 'available') throw new ApiFailure(400, 'Invalid backup: Backup status must be available')
  const into = asked['volume_id'] == null ? undefined : needed(cinder.volumes, asked['volume_id'], 'Volume')
  if (into && into.status !== 'available') {
    throw new ApiFailure(400, 'Invalid volume: Volume to be restored to must be available')
  }
  if (into && into.size < backup.size) {
    throw new ApiFailure(
      400,
      `Invalid volume: volume size ${into.size} is too small to restore backup of size ${backup.size}.`,
    )
  }
  const volume =
    into ??
    newVolume(world, request, {
      name: textIn(asked, 'name') || `restore_backup_${backup.id}`,
      size: backup.size,
      bootable: false,
      metadata: {},
      status: 'available',
    })
  world.effect('openstack.volume_backup.restore', nameOf(backup), { volume: volume.id })
  become(world, backup, 'available', 'restoring')
  become(world, volume, 'available', 'restoring-backup')
  later(world, 3 * second + backup.size * perGigabyte, () => {
    become(world, backup, 'restoring', 'available')
    become(world, volume, 'restoring-backup', 'available')
  })
  return json(202, { restore: { backup_id: backup.id, volume_id: volume.id, volume_name: volume.name } })
}

/** Takes one of its kind away, in a moment. */
function deleted<T extends Snapshot | Volume | Backup>(world: CloudWorld, effect: string, all: T[], one: T): Reply {
  world.effect(effect, nameOf(one))
  become(world, one, one.status, 'deleting')
  later(world, 2 * second, () => dropHolds(all, (each) => each === one))
  return { status: 202 }
}

const later = ({ clock }: CloudWorld, ms: number, happens: () => void) => void clock.after(ms, happens)

/** From one status to the next, unless something else has happened to it meanwhile. */
export function become(world: CloudWorld, one: { status: string; updatedAt?: number }, from: string, to: string): void {
  if (one.status !== from) return
  one.status = to
  if ('updatedAt' in one) one.updatedAt = world.clock.now()
}

function bodyIn({ body }: ApiRequest, kind: string): Body {
  const asked = ((body ?? {}) as { readonly [kind: string]: Body | undefined })[kind]
  if (!asked) throw new ApiFailure(400, `'${kind}' is a required property`)
  return asked
}

const textIn = (asked: Body, field: string): string => (typeof asked[field] === 'string' ? String(asked[field]) : '')

interface Owned {
  readonly id: string
  readonly project: string
}

function own<T extends Owned>(all: readonly T[], { params: { id = '' }, token }: ApiRequest, noun: string): T {
  const found = all.find((one) => one.id === id)
  if (!found || (found.project !== projectOf(token) && !token.roles.includes('admin'))) {
    throw new ApiFailure(404, `${noun} ${id} could not be found.`)
  }
  return found
}

function named<T extends Owned>(all: readonly T[], id: unknown, noun: string): T | undefined {
  return id === undefined || id === null ? undefined : needed(all, id, noun)
}

function needed<T extends Owned>(all: readonly T[], id: unknown, noun: string): T {
  const found = all.find((one) => one.id === id)
  if (!found) throw new ApiFailure(404, `${noun} ${id} could not be found.`)
  return found
}
