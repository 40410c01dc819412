import type { Ceph, Osd } from './model.ts'
import type { PgState } from './pg-states.ts'

export interface Check {
  readonly severity: 'HEALTH_WARN' | 'HEALTH_ERR'
  readonly summary: { readonly message: string; readonly count: number }
  readonly detail: readonly { readonly message: string }[]
}

/** The checks that fail, by name, in the order of their names as Ceph keeps them. */
export function checksOf(ceph: Ceph, states: readonly PgState[], now: number): Record<string, Check> {
  const checks: Record<string, Check> = {}
  const warn = (
    name: string,
    message: string,
    count: number,
    detail: readonly string[] = [],
    severity: Check['severity'] = 'HEALTH_WARN',
  ) => {
    checks[name] = { severity, summary: { message, count }, detail: detail.map((text) => ({ message: text })) }
  }
  const skewed = ceph.mons.filter((name) => Math.abs(ceph.machine(name)?.clockOffset ?? 0) > 0.05)
  if (skewed.length > 0) {
    warn(
      'MON_CLOCK_SKEW',
      `clock skew detected on ${skewed.map((name) => `mon.${name}`).join(', ')}`,
      skewed.length,
      skewed.map(
        (name) =>
          `mon.${name} clock skew ${Math.abs(ceph.machine(name)?.clockOffset ?? 0).toFixed(6)}s > max 0.05s (latency 0.000312s)`,
      ),
    )
  }
  const absent = ceph.mons.filter((name) => !ceph.monUp(name))
  if (absent.length > 0) {
    const quorum = ceph.mons.filter((name) => ceph.monUp(name))
    warn(
      'MON_DOWN',
      `${absent.length}/${ceph.mons.length} mons down, quorum ${quorum.join(',')}`,
      absent.length,
      absent.map(
        (name) =>
          `mon.${name} (rank ${ceph.mons.indexOf(name)}) addr [v2:${ceph.machine(name)?.address}:3300/0,v1:${ceph.machine(name)?.address}:6789/0] is down (out of quorum)`,
      ),
    )
  }
  const flags = flagsOf(ceph)
  // the count is the length of the text: so it is in 16.2
  if (flags.length > 0) warn('OSDMAP_FLAGS', `${flags.join(',')} flag(s) set`, flags.join(',').length)
  const kept = [...ceph.osds.values()].filter(({ exists, noout }) => exists && noout)
  if (kept.length > 0)
    warn(
      'OSD_FLAGS',
      `${kept.length} OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set`,
      kept.length,
      kept.map(({ id }) => `osd.${id} has flags noout`),
    )
  const down = [...ceph.osds.values()].filter((osd) => osd.exists && osd.inCrush && !osd.up && osd.reweight > 0)
  if (down.length > 0) {
    warn(
      'OSD_DOWN',
      `${down.length} osds down`,
      down.length,
      down.map(({ id, host }) => `osd.${id} (root=default,host=${host}) is down`),
    )
    const dead = ceph.hosts.filter((host) => {
      const own = [...ceph.osds.values()].filter((osd) => osd.host === host && osd.exists)
      return own.length > 0 && own.every(({ up }) => !up)
    })
    const lost = down.filter(({ host }) => dead.includes(host)).length
    if (dead.length > 0)
      warn(
        'OSD_HOST_DOWN',
        `${dead.length} host (${lost} osds) down`,
        dead.length,
        dead.map((host) => `host ${host} (root=default) (${osdsOn(ceph, host)} osds) is down`),
      )
  }
  const nearfull = [...ceph.osds.values()].filter((osd) => osd.exists && usageOf(ceph, osd).utilization >= 85)
  if (nearfull.length > 0) {
    warn(
      'OSD_NEARFULL',
      `${nearfull.length} nearfull osd(s)`,
      nearfull.length,
      nearfull.map(({ id }) => `osd.${id} is near full`),
    )
    warn(
      'POOL_NEARFULL',
      `${ceph.pools.length} pool(s) nearfull`,
      ceph.pools.length,
      ceph.pools.map(({ name }) => `pool '${name}' is nearfull`),
    )
  }
  const inactive = states.filter(({ name }) => !name.includes('active'))
  const gone = states.filter(({ name }) => name.split('+').includes('down'))
  const stale = states.filter((state) => state.name.startsWith('stale') && now - staleSince(ceph, state) > 60_000)
  const unavailable = [
    [inactive, 'inactive'],
    [gone, 'down'],
    [stale, 'stale'],
  ] as const
  if (unavailable.some(([found]) => found.length > 0)) {
    const stuck = (what: string, age: string, { pg, name, acting }: PgState) =>
      `pg ${pg.id} is stuck ${what} for ${age}, current state ${name}, last acting [${acting.join(',')}]`
    warn(
      'PG_AVAILABILITY',
      `Reduced data availability: ${unavailable.flatMap(([found, what]) => (found.length > 0 ? [`${pgs(found.length)} ${what}`] : [])).join(', ')}`,
      unavailable.reduce((sum, [found]) => sum + found.length, 0),
      [
        ...inactive.map((state) => stuck('inactive', '61s', state)),
        ...stale.map((state) => stuck('stale', span(now - staleSince(ceph, state)), state)),
      ],
    )
  }
  const damaged = states.filter(({ name }) => name.includes('inconsistent'))
  if (damaged.length > 0) {
    const each = damaged.map(({ pg, name, acting }) => `pg ${pg.id} is ${name}, acting [${acting.join(',')}]`)
    const what = `Possible data damage: ${pgs(damaged.length)} inconsistent`
    warn('OSD_SCRUB_ERRORS', `${damaged.length} scrub errors`, damaged.length, [], 'HEALTH_ERR')
    warn('PG_DAMAGED', what, damaged.length, each, 'HEALTH_ERR')
  }
  const degraded = states.filter((state) => state.degraded > 0)
  if (degraded.length > 0) {
    const { objects, total } = degradedOf(ceph, states)
    warn(
      'PG_DEGRADED',
      `Degraded data redundancy: ${objects}/${total} objects degraded (${((objects / total) * 100).toFixed(3)}%), ${pgs(degraded.length)} degraded`,
      degraded.length,
      degraded.map(({ pg, name, acting }) => `pg ${pg.id} is ${name}, acting [${acting.join(',')}]`),
    )
  }
  const crashed = ceph.crashes.filter(({ archived, at }) => !archived && now - at < 14 * 86_400_000)
  if (crashed.length > 0) {
    warn(
      'RECENT_CRASH',
      `${crashed.length} daemons have recently crashed`,
      crashed.length,
      crashed.map(
        ({ entity, at }) => `${entity} crashed on host ${hostOf(ceph, entity)} at ${new Date(at).toISOString()}`,
      ),
    )
  }
  if (ceph.slowOps) {
    const { osd, count, since } = ceph.slowOps
    warn(
      'SLOW_OPS',
      `${count} slow ops, oldest one blocked for ${Math.round((now - since) / 1000)} sec, osd.${osd} has slow ops`,
      count,
    )
  }
  return checks
}

const pgs = (count: number): string => `${count} pg${count === 1 ? '' : 's'}`

function staleSince(ceph: Ceph, { pg }: PgState): number {
  const down = ceph.target(pg).map((id) => ceph.osds.get(id)?.downSince ?? 0)
  return ceph.stale.get(pg.id)?.since ?? Math.max(...down)
}

/** A time as Ceph tells it to people: `62s`, `4m`, `3h`. */
function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 2) return `${Math.floor(ms / 1000)}s`
  return minutes < 120 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`
}

const hostOf = (ceph: Ceph, entity: string) => ceph.osds.get(Number(entity.replace('osd.', '')))?.host ?? entity

const osdsOn = (ceph: Ceph, host: string) =>
  [...ceph.osds.values()].filter((osd) => osd.host === host && osd.exists).length

/** The flags an operator may set, in Ceph's order. */
export const operatorFlags = [
  'pause',
  'noup',
  'nodown',
  'noout',
  'noin',
  'nobackfill',
  'norebalance',
  'norecover',
  'noscrub',
  'nodeep-scrub',
  'notieragent',
  'nosnaptrim',
]

/** Those that are set. */
export const flagsOf = ({ flags }: Ceph): string[] =>
  operatorFlags.filter((flag) => flags.has(flag)).map((flag) => (flag === 'pause' ? 'pauserd,pausewr' : flag))

export function degradedOf(
  ceph: Ceph,
  states: readonly PgState[],
): { objects: number; misplaced: number; total: number } {
  const total = ceph.pgs.reduce((sum, { objects, pool }) => sum + objects * pool.size, 0)
  const objects = Math.round(states.reduce((sum, { degraded }) => sum + degraded, 0))
  return { objects, misplaced: Math.round(states.reduce((sum, { misplaced }) => sum + misplaced, 0)), total }
}

export const overall = (checks: Record<string, Check>): string => {
  const severities = Object.values(checks).map(({ severity }) => severity)
  return severities.includes('HEALTH_ERR') ? 'HEALTH_ERR' : severities.length > 0 ? 'HEALTH_WARN' : 'HEALTH_OK'
}

const diskKb = 3_907_018_584
const metaKb = 2_400_000

/** How full an OSD is, in KiB. */
export function usageOf(
  ceph: Ceph,
  osd: Osd,
): { kb: number; used: number; data: number; meta: number; available: number; utilization: number; pgs: number } {
  const held = [...osd.copies.values()].reduce((sum, objects) => sum + objects, 0)
  const data = osd.destroyed ? 0 : Math.round(held * 4096) + Math.round(osd.extra / 1024)
  const used = osd.exists ? data + metaKb : 0
  const pgs = ceph.pgs.filter((pg) => ceph.target(pg).includes(osd.id)).length
  return { kb: diskKb, used, data, meta: metaKb, available: diskKb - used, utilization: (used / diskKb) * 100, pgs }
}
