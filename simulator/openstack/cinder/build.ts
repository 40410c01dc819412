import { uuidOf } from '../../random.ts'
import type { Topology } from '../../topology.ts'
import { projectIdOf, type Tenant, userIdOf } from '../keystone/state.ts'
import { serverIdOf, volumeIdOf } from '../nova/build.ts'
import { type Resident, residentsOf } from '../population.ts'
import { day, hour, minute, second } from '../time.ts'
import type { Backup, CinderServiceRecord, CinderState, Snapshot, Volume } from './state.ts'

/** Cinder of a healthy cloud: volumes of the servers, some spare ones, and a backup of each data volume every night. */
export function buildCinder(topology: Topology, startAt: number): CinderState {
  const volumes = [
    ...residentsOf(topology).flatMap((one) => volumesOf(one, topology, startAt)),
    ...spare(topology, startAt),
  ]
  const guarded = volumes.filter(({ metadata }) => metadata['backup'] === 'daily')
  return {
    services: servicesOf(topology, startAt),
    volumes,
    snapshots: guarded.slice(0, 2).map((volume) => snapshotOf(volume, startAt)),
    backups: guarded.flatMap((volume, index) => backupsOf(volume, index, startAt)),
    capacity: { total: 40_960, free: 24_576 },
    quotas: new Map(),
  }
}

function servicesOf({ controllers }: Topology, startAt: number): CinderServiceRecord[] {
  const rows = controllers.flatMap((host) => [
    { host, binary: 'cinder-scheduler', name: host },
    { host, binary: 'cinder-volume', name: `${host}@ceph` },
    { host, binary: 'cinder-backup', name: host },
  ])
  return rows.map((row, index) => ({
    ...row,
    unit: row.binary,
    every: 10 * second,
    phase: (index * 2_300) % (10 * second),
    started: startAt - 30 * day,
    uuid: uuidOf(`cinder/service/${row.binary}/${row.host}`),
    disabled: false,
    disabledReason: null,
  }))
}

interface NewVolume {
  readonly name: string
  readonly size: number
  readonly device: string
  readonly bootable: boolean
  readonly metadata: { readonly [key: string]: string }
}

function volumesOf(resident: Resident, { controllers }: Topology, startAt: number): Volume[] {
  const { name, tenant, age, host, bootsFromVolume, dataVolume } = resident
  const createdAt = startAt - age * day - hour
  const wanted: NewVolume[] = [
    ...(bootsFromVolume ? [{ name: `${name}-root`, size: 80, device: '/dev/vda', bootable: true, metadata: {} }] : []),
    ...(dataVolume
      ? [{ name: `${name}-data`, size: dataVolume, device: '/dev/vdb', bootable: false, metadata: { backup: 'daily' } }]
      : []),
  ]
  return wanted.map(({ device, ...volume }, index) => ({
    ...volume,
    id: volumeIdOf(volume.name),
    project: projectIdOf(tenant),
    user: userIdOf(`${tenant}-owner`),
    status: 'in-use',
    createdAt,
    updatedAt: createdAt + hour,
    attachments: [
      { id: uuidOf(`attachment/${volume.name}`), server: serverIdOf(name), device, host, at: createdAt + hour },
    ],
    host: backendOf(controllers, age + index),
  }))
}

function spare({ controllers }: Topology, startAt: number): Volume[] {
  const tenants: readonly Tenant[] = ['shop', 'analytics', 'ci']
  return tenants.map((tenant, index) => ({
    id: volumeIdOf(`${tenant}-spare`),
    name: `${tenant}-spare`,
    project: projectIdOf(tenant),
    user: userIdOf(`${tenant}-owner`),
    size: 50,
    status: 'available',
    bootable: false,
    createdAt: startAt - (20 + index) * day,
    updatedAt: startAt - (20 + index) * day + 4 * second,
    metadata: {},
    attachments: [],
    host: backendOf(controllers, index),
  }))
}

const backendOf = (controllers: readonly string[], index: number) =>
  `${controllers[index % controllers.length]}@ceph#ceph`

const snapshotOf = (volume: Volume, startAt: number): Snapshot => ({
  id: uuidOf(`snapshot/${volume.name}`),
  name: `${volume.name}-before-upgrade`,
  volume: volume.id,
  size: volume.size,
  status: 'available',
  project: volume.project,
  user: volume.user,
  createdAt: startAt - 9 * day,
  updatedAt: startAt - 9 * day + 5 * second,
})

/** Three nights: the oldest whole, the later ones only what changed. */
function backupsOf(volume: Volume, index: number, startAt: number): Backup[] {
  const lastNight = startAt - 7 * hour + index * 4 * minute
  return [2, 1, 0].map((nights) => ({
    id: uuidOf(`backup/${volume.name}/${nights}`),
    name: `${volume.name}-nightly`,
    volume: volume.id,
    size: volume.size,
    status: 'available',
    incremental: nights < 2,
    needed: nights > 0,
    project: volume.project,
    user: volume.user,
    createdAt: lastNight - nights * day,
    failReason: null,
  }))
}
