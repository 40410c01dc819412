import { type Check, checksOf, degradedOf, overall, usageOf } from './health.ts'
import { type Ceph, objectBytes } from './model.ts'
import { type PgState, pgStates } from './pg-states.ts'
import { recoveringAtOnce, recoveryRate } from './recovery.ts'

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
