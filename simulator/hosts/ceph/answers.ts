import { type Check, checksOf, degradedOf, flagsOf, overall, type PgState, pgStates, usageOf } from './health.ts'
import { type Ceph, type Osd, objectBytes, recoveringAtOnce, recoveryRate } from './model.ts'

const crushWeight = 3.638_687_133_789_062_5
const stamp = (at: number) => new Date(at).toISOString().replace('Z', '000+0000')
const seconds = (at: number) => Math.floor(at / 1000)

/** `ceph -f json status`. */
export function status(ceph: Ceph, now: number): object {
  const states = pgStates(ceph)
  const quorum = ceph.mons.filter((name) => ceph.monUp(name))
  return {
    fsid: ceph.fsid,
    health: health(ceph, now, false),
    election_epoch: 18,
    quorum: quorum.map((name) => ceph.mons.indexOf(name)),
    quorum_names: quorum,
    quorum_age: Math.min(777_600, seconds(now - ceph.created)),
    monmap: { epoch: 1, min_mon_release_name: 'pacific', num_mons: ceph.mons.length },
    osdmap: osdStat(ceph),
    pgmap: {
      pgs_by_state: countStates(states).map(({ name, num }) => ({ state_name: name, count: num })),
      num_pgs: ceph.pgs.length,
      num_pools: ceph.pools.length,
      num_objects: objectsOf(ceph),
      data_bytes: objectsOf(ceph) * objectBytes,
      bytes_used: totals(ceph).used * 1024,
      bytes_avail: totals(ceph).available * 1024,
      bytes_total: totals(ceph).kb * 1024,
      ...movement(ceph, states),
    },
    fsmap: { epoch: 1, by_rank: [], 'up:standby': 0 },
    mgrmap: {
      available: true,
      num_standbys: Math.max(0, quorum.length - 1),
      modules: ['iostat', 'nfs', 'prometheus', 'restful'],
      services: {},
    },
    servicemap: { epoch: 4, modified: stamp(ceph.created), services: {} },
    progress_events: {},
  }
}

const objectsOf = ({ pgs }: Ceph) => pgs.reduce((sum, { objects }) => sum + objects, 0)

/** `health` inside a status has no details; `ceph health detail` has. */
export function health(ceph: Ceph, now: number, details: boolean): object {
  const checks = checksOf(ceph, pgStates(ceph), now)
  const shown = Object.fromEntries(
    Object.entries(checks).map(([name, { severity, summary, detail }]: [string, Check]) => [
      name,
      { severity, summary, ...(details && { detail }), muted: false },
    ]),
  )
  return { status: overall(checks), checks: shown, mutes: [] }
}

export function osdStat(ceph: Ceph): object {
  const osds = [...ceph.osds.values()].filter(({ exists }) => exists)
  return {
    epoch: ceph.epoch,
    num_osds: osds.length,
    num_up_osds: osds.filter(({ up }) => up).length,
    osd_up_since: seconds(ceph.changedAt),
    num_in_osds: osds.filter(({ reweight }) => reweight > 0).length,
    osd_in_since: seconds(ceph.changedAt),
    num_remapped_pgs: pgStates(ceph).filter(({ name }) => name.includes('remapped')).length,
  }
}

export function countStates(states: readonly PgState[]): { name: string; num: number }[] {
  const counts = new Map<string, number>()
  for (const { name } of states) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, num]) => ({ name, num })).sort((a, b) => b.num - a.num)
}

/** What is degraded, misplaced and recovering; absent when there is none. */
function movement(ceph: Ceph, states: readonly PgState[]): object {
  const { objects, misplaced, total } = degradedOf(ceph, states)
  const moving = states.some(({ name }) => /recovering|backfilling/.test(name))
  const rate = Math.round(
    recoveryRate *
      Math.min(1, states.filter(({ name }) => /recovering|backfilling/.test(name)).length / recoveringAtOnce),
  )
  return {
    ...(objects > 0 && { degraded_objects: objects, degraded_total: total, degraded_ratio: objects / total }),
    ...(misplaced > 0 && { misplaced_objects: misplaced, misplaced_total: total, misplaced_ratio: misplaced / total }),
    ...(moving && {
      recovering_objects_per_sec: rate,
      recovering_bytes_per_sec: rate * objectBytes,
      recovering_keys_per_sec: 0,
      num_objects_recovered: rate * 5,
      num_bytes_recovered: rate * 5 * objectBytes,
      num_keys_recovered: 0,
    }),
  }
}

export function pgStat(ceph: Ceph): object {
  const states = pgStates(ceph)
  const { kb, used, available } = totals(ceph)
  return {
    pg_ready: true,
    pg_summary: {
      num_pg_by_state: countStates(states),
      num_pgs: ceph.pgs.length,
      num_bytes: objectsOf(ceph) * objectBytes,
      total_bytes: kb * 1024,
      total_avail_bytes: available * 1024,
      total_used_bytes: used * 1024,
      total_used_raw_bytes: used * 1024,
      ...movement(ceph, states),
    },
  }
}

/** KiB of all OSDs that are in. */
export function totals(ceph: Ceph): { kb: number; used: number; available: number; data: number; meta: number } {
  const sum = { kb: 0, used: 0, available: 0, data: 0, meta: 0 }
  for (const osd of ceph.osds.values()) {
    if (!osd.exists || osd.reweight === 0) continue
    const usage = usageOf(ceph, osd)
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += usage[key]
  }
  return sum
}

export const osdState = (osd: Osd): string => (osd.up ? 'up' : osd.destroyed ? 'destroyed' : 'down')

const osdNode = (osd: Osd) => ({
  id: osd.id,
  device_class: 'hdd',
  name: `osd.${osd.id}`,
  type: 'osd',
  type_id: 0,
  crush_weight: crushWeight,
  depth: 2,
  pool_weights: {},
  exists: 1,
  status: osdState(osd),
  reweight: osd.reweight,
  primary_affinity: 1,
})

export function osdTree(ceph: Ceph): object {
  const bucket = (index: number) => -3 - index * 2
  const on = (host: string) => [...ceph.osds.values()].filter((osd) => osd.host === host && osd.inCrush && osd.exists)
  const hosts = ceph.hosts.flatMap((name, index) => [
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
  const stray = [...ceph.osds.values()].filter(({ exists, inCrush }) => exists && !inCrush)
  return {
    nodes: [
      {
        id: -1,
        name: 'default',
        type: 'root',
        type_id: 11,
        children: ceph.hosts.map((_, index) => bucket(index)).reverse(),
      },
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
      id: osd.id,
      device_class: 'hdd',
      name: `osd.${osd.id}`,
      type: 'osd',
      type_id: 0,
      crush_weight: crushWeight,
      depth: 2,
      pool_weights: {},
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
    crush_node_flags: Object.fromEntries(
      [...ceph.osds.values()].filter(({ noout }) => noout).map(({ id }) => [`osd.${id}`, ['noout']]),
    ),
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
    state: osd.up ? ['exists', 'up'] : osd.destroyed ? ['destroyed', 'exists'] : ['exists'],
  }
}

export function osdMetadata(ceph: Ceph, osd: Osd): object {
  const machine = ceph.machine(osd.host)
  const disk = machine?.disks.find(({ name }) => name === osd.disk)
  return {
    id: osd.id,
    arch: 'x86_64',
    bluefs_single_shared_device: '1',
    bluestore_bdev_devices: osd.disk ?? '',
    bluestore_bdev_path: `/var/lib/ceph/osd/ceph-${osd.id}/block`,
    bluestore_bdev_rotational: '1',
    bluestore_bdev_size: String(disk?.bytes ?? 0),
    bluestore_bdev_type: 'hdd',
    ceph_release: 'pacific',
    ceph_version: 'ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)',
    ceph_version_short: '16.2.15',
    default_device_class: 'hdd',
    device_ids: disk ? `${disk.name}=${disk.model.replaceAll(' ', '_')}_${disk.serial}` : '',
    device_paths: disk ? `${disk.name}=/dev/disk/by-path/pci-0000:3b:00.0-scsi-0:0:${osd.id}:0` : '',
    devices: osd.disk ?? '',
    distro: 'debian',
    distro_description: 'Debian GNU/Linux 12 (bookworm)',
    distro_version: '12',
    hostname: osd.host,
    kernel_version: '6.1.0-37-amd64',
    mem_total_kb: String(machine?.memory.total ?? 0),
    osd_data: `/var/lib/ceph/osd/ceph-${osd.id}`,
    osd_objectstore: 'bluestore',
    rotational: '1',
  }
}

export function df(ceph: Ceph): object {
  const { kb, used, available } = totals(ceph)
  const stats = {
    total_bytes: kb * 1024,
    total_avail_bytes: available * 1024,
    total_used_bytes: used * 1024,
    total_used_raw_bytes: used * 1024,
    total_used_raw_ratio: used / kb,
    num_osds: ceph.osds.size,
    num_per_pool_osds: ceph.osds.size,
    num_per_pool_omap_osds: ceph.osds.size,
  }
  return {
    stats,
    stats_by_class: {
      hdd: {
        total_bytes: stats.total_bytes,
        total_avail_bytes: stats.total_avail_bytes,
        total_used_bytes: stats.total_used_bytes,
        total_used_raw_bytes: stats.total_used_raw_bytes,
        total_used_raw_ratio: stats.total_used_raw_ratio,
      },
    },
    pools: ceph.pools.map(({ id, name, size }) => {
      const objects = ceph.pgs.filter((pg) => pg.pool.id === id).reduce((sum, pg) => sum + pg.objects, 0)
      return {
        name,
        id,
        stats: {
          stored: objects * objectBytes,
          objects,
          kb_used: objects * 4096 * size,
          bytes_used: objects * objectBytes * size,
          percent_used: (objects * 4096 * size) / kb,
          max_avail: Math.round((available * 1024) / size),
        },
      }
    }),
  }
}

export function quorumStatus(ceph: Ceph): object {
  const quorum = ceph.mons.filter((name) => ceph.monUp(name))
  return {
    election_epoch: 18,
    quorum: quorum.map((name) => ceph.mons.indexOf(name)),
    quorum_names: quorum,
    quorum_leader_name: quorum[0] ?? '',
    quorum_age: 777_600,
    features: {
      quorum_con: '4540138297136906239',
      quorum_mon: ['kraken', 'luminous', 'mimic', 'osdmap-prune', 'nautilus', 'octopus', 'pacific', 'elector-pinging'],
    },
    monmap: {
      epoch: 1,
      fsid: ceph.fsid,
      modified: stamp(ceph.created),
      created: stamp(ceph.created),
      min_mon_release: 16,
      min_mon_release_name: 'pacific',
      mons: ceph.mons.map((name, rank) => ({
        rank,
        name,
        public_addr: `${ceph.machine(name)?.address}:6789/0`,
        addr: `${ceph.machine(name)?.address}:6789/0`,
        priority: 0,
        weight: 0,
      })),
    },
  }
}

export function monStat(ceph: Ceph): object {
  const quorum = ceph.mons.filter((name) => ceph.monUp(name))
  return {
    epoch: 1,
    min_mon_release_name: 'pacific',
    num_mons: ceph.mons.length,
    leader: quorum[0] ?? '',
    quorum: quorum.map((name) => ({ rank: ceph.mons.indexOf(name), name })),
  }
}
