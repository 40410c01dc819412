import { slotOf } from '../disks.ts'
import { totals } from './answers.ts'
import { flagsOf, usageOf } from './health.ts'
import type { Ceph, Osd } from './model.ts'

const crushWeight = 3.638_687_133_789_062_5
const stamp = (at: number) => new Date(at).toISOString().replace('Z', '000+0000')

export const osdState = (osd: Osd): string => (osd.up ? 'up' : osd.destroyed ? 'destroyed' : 'down')

/** What every row about an OSD begins with. */
const place = ({ id }: Osd) => ({
  id,
  device_class: 'hdd',
  name: `osd.${id}`,
  type: 'osd',
  type_id: 0,
  crush_weight: crushWeight,
  depth: 2,
  pool_weights: {},
})

const osdNode = (osd: Osd) => ({
  ...place(osd),
  exists: 1,
  status: osdState(osd),
  reweight: osd.reweight,
  primary_affinity: 1,
})

/** Whether an OSD is in each of the states that `osd tree` was asked for: `up`, `down`, `in`, `out`, `destroyed`. */
export const inStates = (osd: Osd, states: readonly string[]): boolean =>
  states.every(
    (state) =>
      state === (osd.up ? 'up' : 'down') ||
      state === (osd.reweight > 0 ? 'in' : 'out') ||
      (state === 'destroyed' && osd.destroyed),
  )

export function osdTree(ceph: Ceph, states: readonly string[] = []): object {
  const bucket = (index: number) => -3 - index * 2
  const on = (host: string) =>
    [...ceph.osds.values()].filter((osd) => osd.host === host && osd.inCrush && osd.exists && inStates(osd, states))
  // of what was asked for, and what it is in
  const shown = ceph.hosts
    .map((name, index) => ({ name, index }))
    .filter(({ name }) => states.length === 0 || on(name).length > 0)
  const hosts = shown.flatMap(({ name, index }) => [
    {
      id: bucket(index),
      name,
      type: 'host',
      type_id: 1,
      pool_weights: {},
      children: on(name)
        .map(({ id }) => id)
        .reverse(),
    },
    ...on(name).map(osdNode),
  ])
  const stray = [...ceph.osds.values()].filter((osd) => osd.exists && !osd.inCrush && inStates(osd, states))
  return {
    nodes: [
      ...(shown.length === 0
        ? []
        : [
            {
              id: -1,
              name: 'default',
              type: 'root',
              type_id: 11,
              children: shown.map(({ index }) => bucket(index)).reverse(),
            },
          ]),
      ...hosts,
    ],
    stray: stray.map((osd) => ({
      id: osd.id,
      name: `osd.${osd.id}`,
      type: 'osd',
      type_id: 0,
      crush_weight: 0,
      depth: 0,
      exists: 1,
      status: osdState(osd),
      reweight: osd.reweight,
      primary_affinity: 1,
    })),
  }
}

export function osdDf(ceph: Ceph): object {
  const osds = [...ceph.osds.values()].filter(({ exists, inCrush }) => exists && inCrush)
  const sum = totals(ceph)
  const average = (sum.used / Math.max(1, sum.kb)) * 100
  const nodes = osds.map((osd) => {
    const { kb, used, data, meta, available, utilization, pgs } = usageOf(ceph, osd)
    const live = osd.reweight > 0
    return {
      ...place(osd),
      reweight: osd.reweight,
      kb: live ? kb : 0,
      kb_used: live ? used : 0,
      kb_used_data: live ? data : 0,
      kb_used_omap: 0,
      kb_used_meta: live ? meta : 0,
      kb_avail: live ? available : 0,
      utilization: live ? utilization : 0,
      var: live ? utilization / average : 0,
      pgs,
      status: osdState(osd),
    }
  })
  const used = nodes.filter(({ reweight }) => reweight > 0).map((node) => node.utilization)
  return {
    nodes,
    stray: [],
    summary: {
      total_kb: sum.kb,
      total_kb_used: sum.used,
      total_kb_used_data: sum.data,
      total_kb_used_omap: 0,
      total_kb_used_meta: sum.meta,
      total_kb_avail: sum.available,
      average_utilization: average,
      min_var: Math.min(...used) / average,
      max_var: Math.max(...used) / average,
      dev: Math.sqrt(used.reduce((total, value) => total + (value - average) ** 2, 0) / Math.max(1, used.length)),
    },
  }
}

export function osdDump(ceph: Ceph): object {
  const own = ['sortbitwise', 'recovery_deletes', 'purged_snapdirs', 'pglog_hardlimit']
  const set = flagsOf(ceph).flatMap((flag) => flag.split(','))
  return {
    epoch: ceph.epoch,
    fsid: ceph.fsid,
    created: stamp(ceph.created),
    modified: stamp(ceph.changedAt),
    last_up_change: stamp(ceph.changedAt),
    last_in_change: stamp(ceph.changedAt),
    flags: [...set, ...own].join(','),
    flags_num: 5_799_936,
    flags_set: [...set, ...own].sort(),
    crush_version: 21,
    full_ratio: 0.949_999_988_079_071_04,
    backfillfull_ratio: 0.899_999_976_158_142_09,
    nearfull_ratio: 0.850_000_023_841_857_91,
    cluster_snapshot: '',
    pool_max: ceph.pools.length,
    max_osd: Math.max(...ceph.osds.keys()) + 1,
    require_min_compat_client: 'luminous',
    min_compat_client: 'luminous',
    require_osd_release: 'pacific',
    pools: ceph.pools.map((pool) => ({
      pool: pool.id,
      pool_name: pool.name,
      create_time: stamp(ceph.created),
      flags: 1,
      flags_names: 'hashpspool',
      type: 1,
      size: pool.size,
      min_size: pool.minSize,
      crush_rule: 0,
      object_hash: 2,
      pg_autoscale_mode: 'off',
      pg_num: pool.pgs,
      pg_placement_num: pool.pgs,
      pg_placement_num_target: pool.pgs,
      pg_num_target: pool.pgs,
      pg_num_pending: pool.pgs,
      quota_max_bytes: 0,
      quota_max_objects: 0,
      erasure_code_profile: '',
      options: {},
      application_metadata: { [pool.application]: {} },
    })),
    osds: [...ceph.osds.values()].filter(({ exists }) => exists).map((osd) => osdEntry(ceph, osd)),
    osd_xinfo: [],
    pg_upmap: [],
    pg_upmap_items: [],
    pg_temp: [],
    primary_temp: [],
    blocklist: {},
    erasure_code_profiles: {
      default: { k: '2', m: '2', plugin: 'jerasure', technique: 'reed_sol_van' },
    },
    removed_snaps_queue: [],
    new_removed_snaps: [],
    new_purged_snaps: [],
    crush_node_flags: {},
    device_class_flags: {},
  }
}

function osdEntry(ceph: Ceph, osd: Osd): object {
  const address = ceph.machine(osd.host)?.address ?? ''
  const port = 6800 + (osd.id % 8) * 8
  const vector = (offset: number) => ({
    addrvec: [
      { type: 'v2', addr: `${address}:${port + offset}`, nonce: 28_940 + osd.id },
      { type: 'v1', addr: `${address}:${port + offset + 1}`, nonce: 28_940 + osd.id },
    ],
  })
  return {
    osd: osd.id,
    uuid: osd.uuid,
    up: osd.up ? 1 : 0,
    in: osd.reweight > 0 ? 1 : 0,
    weight: osd.reweight,
    primary_affinity: 1,
    last_clean_begin: 0,
    last_clean_end: 0,
    up_from: 5 + osd.id,
    up_thru: ceph.epoch - 1,
    down_at: osd.up ? 0 : ceph.epoch - 1,
    lost_at: 0,
    public_addrs: vector(0),
    cluster_addrs: vector(2),
    heartbeat_back_addrs: vector(6),
    heartbeat_front_addrs: vector(4),
    public_addr: `${address}:${port + 1}/${28_940 + osd.id}`,
    cluster_addr: `${address}:${port + 3}/${28_940 + osd.id}`,
    state: [
      ...(osd.destroyed ? ['destroyed'] : []),
      'exists',
      ...(osd.noout ? ['noout'] : []),
      ...(osd.up ? ['up'] : []),
    ],
  }
}

export function osdMetadata(ceph: Ceph, osd: Osd): object {
  const machine = ceph.machine(osd.host)
  const now = machine?.disks.find(({ name }) => name === osd.disk)
  // a daemon that is down has told what was when it began
  const disk = osd.up ? (now ?? osd.lastDisk) : (osd.lastDisk ?? now)
  const serial = ceph.toldSerials.get(osd.id) ?? disk?.serial
  const database = machine?.disks.find(({ name }) => name === osd.databaseOn)
  const under = [
    ...(database ? [{ name: database.name, id: `${database.model.replaceAll(' ', '_')}_${database.serial}` }] : []),
    ...(disk ? [{ name: disk.name, id: `${disk.model.replaceAll(' ', '_')}_${serial}` }] : []),
  ]
  return {
    id: osd.id,
    arch: 'x86_64',
    bluefs: '1',
    bluefs_dedicated_db: database ? '1' : '0',
    bluefs_dedicated_wal: osd.ownLog ? '1' : '0',
    bluefs_single_shared_device: database ? '0' : '1',
    ...(database && { bluefs_db_devices: database.name, bluefs_db_rotational: '0' }),
    bluestore_bdev_devices: disk?.name ?? '',
    bluestore_bdev_path: `/var/lib/ceph/osd/ceph-${osd.id}/block`,
    bluestore_bdev_rotational: '1',
    bluestore_bdev_size: String(disk?.bytes ?? 0),
    bluestore_bdev_type: 'hdd',
    ceph_release: 'pacific',
    ceph_version: 'ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)',
    ceph_version_short: '16.2.15',
    default_device_class: 'hdd',
    device_ids: under.flatMap(({ name, id }) => (id.endsWith('_') ? [] : [`${name}=${id}`])).join(','),
    device_paths: disk ? `${disk.name}=/dev/disk/by-path/${slotOf(disk.slot)}` : '',
    devices: under.map(({ name }) => name).join(','),
    distro: 'debian',
    distro_description: 'Debian GNU/Linux 12 (bookworm)',
    distro_version: '12',
    hostname: ceph.toldHosts.get(osd.id) ?? osd.host,
    kernel_version: '6.1.0-37-amd64',
    mem_total_kb: String(machine?.memory.total ?? 0),
    osd_data: `/var/lib/ceph/osd/ceph-${osd.id}`,
    osd_objectstore: 'bluestore',
    rotational: '1',
  }
}
