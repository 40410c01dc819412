import { operatorFlags } from './health.ts'
import { bump, type Ceph, type Osd } from './model.ts'
import { databaseVolume, logVolume } from './names.ts'
import { pgStates } from './pg-states.ts'
import { workOf } from './recovery.ts'

/** What a `ceph` command came to: lines for people, a value for `-f json`, or a refusal with its exit code. */
export interface Outcome {
  readonly code: number
  readonly stdout?: string
  readonly stderr?: string
  readonly json?: unknown
  /** It changed the cluster: what to record. */
  readonly effect?: string
}

const done = (stderr: string, effect?: string): Outcome => ({
  code: 0,
  stderr,
  ...(effect !== undefined && { effect }),
})
const refused = (code: number, reason: string): Outcome => ({ code, stderr: `Error ${reason}` })

const settable = ['full', ...operatorFlags]

export function setFlag(ceph: Ceph, flag: string, verb: 'set' | 'unset', now: number): Outcome {
  if (!settable.includes(flag))
    return { code: 22, stderr: `Invalid command: ${flag} not in ${settable.join('|')}\nError EINVAL: invalid command` }
  if (verb === 'set') ceph.flags.add(flag)
  else ceph.flags.delete(flag)
  bump(ceph, now)
  const name = flag === 'pause' ? 'pauserd,pausewr' : flag
  return done(`${name} is ${verb}`, `osd ${verb} ${flag}`)
}

export function markOut(ceph: Ceph, osd: Osd, now: number): Outcome {
  if (osd.reweight === 0) return done(`osd.${osd.id} is already out. `)
  Object.assign(osd, { reweight: 0, autoOut: false })
  bump(ceph, now)
  return done(`marked out osd.${osd.id}. `, `osd out ${osd.id}`)
}

export function markIn(ceph: Ceph, osd: Osd, now: number): Outcome {
  if (osd.reweight > 0) return done(`osd.${osd.id} is already in. `)
  Object.assign(osd, { reweight: 1, autoOut: false })
  bump(ceph, now)
  return done(`marked in osd.${osd.id}. `, `osd in ${osd.id}`)
}

export function destroy(ceph: Ceph, osd: Osd, sure: boolean, verb: 'destroy' | 'purge', now: number): Outcome {
  if (!sure) {
    return refused(
      1,
      `EPERM: Are you SURE?  Did you verify with 'ceph osd safe-to-destroy'?  This will PERMANENTLY ${verb === 'purge' ? 'remove the OSD' : 'DESTROY all data on the OSD'}.  Pass --yes-i-really-mean-it if you are really sure.`,
    )
  }
  const refusals = ceph.destroyRefused.get(osd.id) ?? 0
  if (osd.up || refusals > 0) {
    ceph.destroyRefused.set(osd.id, refusals - 1)
    return refused(16, `EBUSY: osd.${osd.id} is not \`down\`.`)
  }
  if (osd.destroyed && verb === 'destroy') return done(`destroyed osd.${osd.id}`, `osd destroy ${osd.id} (again)`)
  osd.copies.clear()
  bump(ceph, now)
  if (verb === 'purge') {
    Object.assign(osd, { exists: false, inCrush: false, hasKey: false, disk: undefined })
    return done(`purged osd.${osd.id}`, `osd purge ${osd.id}`)
  }
  const lastDisk = osd.lastDisk ?? ceph.machine(osd.host)?.disks.find(({ name }) => name === osd.disk)
  Object.assign(osd, { destroyed: true, hasKey: false, disk: undefined, lastDisk })
  if (osd.databaseOn !== undefined) ceph.usedVolumes.add(databaseVolume(osd.id))
  if (osd.ownLog) ceph.usedVolumes.add(logVolume(osd.id))
  return done(`destroyed osd.${osd.id}`, `osd destroy ${osd.id}`)
}

export function remove(ceph: Ceph, osd: Osd, now: number): Outcome {
  if (osd.up) return refused(16, `EBUSY: osd.${osd.id} is still up; must be down before removal. `)
  if (!osd.exists) return done(`osd.${osd.id} does not exist. `)
  Object.assign(osd, { exists: false, inCrush: false, disk: undefined })
  osd.copies.clear()
  bump(ceph, now)
  return done(`removed osd.${osd.id}`, `osd rm ${osd.id}`)
}

export function crushRemove(ceph: Ceph, name: string, now: number): Outcome {
  const osd = ceph.osds.get(Number(name.replace('osd.', '')))
  if (!osd?.inCrush) return done(`device '${name}' does not appear in the crush map`)
  osd.inCrush = false
  bump(ceph, now)
  return done(`removed item id ${osd.id} name '${name}' from crush map`, `osd crush remove ${name}`)
}

/**
 * Whether stopping these leaves every placement group writable. The plain form refuses with EBUSY.
 */
export function okToStop(ceph: Ceph, ids: readonly number[]): Outcome {
  const touched = pgStates(ceph).filter(({ acting }) => acting.some((id) => ids.includes(id)))
  const bad = touched.filter(
    ({ pg, acting }) =>
      acting.filter((id) => !ids.includes(id) && (ceph.osds.get(id)?.copies.get(pg.id) ?? 0) === pg.objects).length <
      pg.pool.minSize,
  )
  const ok = bad.length === 0
  const fine = touched.filter((state) => !bad.includes(state)).map(({ pg }) => pg.id)
  const json = {
    ok_to_stop: ok,
    osds: ids,
    num_ok_pgs: fine.length,
    num_not_ok_pgs: bad.length,
    ...(bad.length > 0 && { bad_become_inactive: bad.map(({ pg }) => pg.id) }),
    ...(fine.length > 0 && { ok_become_degraded: fine }),
  }
  return ok
    ? { code: 0, json, stdout: JSON.stringify(json) }
    : {
        code: 16,
        json,
        stderr: `Error EBUSY: unsafe to stop osd(s) at this time (${bad.length} PGs are or would become offline)`,
      }
}

/** Whether nothing is lost without these. With `-f json` the exit code is 0 even when it is not safe: so it is in 16.2. */
export function safeToDestroy(ceph: Ceph, ids: readonly number[], asJson: boolean): Outcome {
  const safe: number[] = []
  const active: number[] = []
  const stored: number[] = []
  for (const id of ids) {
    const osd = ceph.osds.get(id)
    if (!osd?.exists) safe.push(id)
    else if (osd.up && osd.reweight > 0) active.push(id)
    else if (osd.copies.size > 0 && osd.up) stored.push(id)
    else if (ceph.pgs.some((pg) => osd.copies.has(pg.id) && workOf(ceph, pg).degraded > 0)) stored.push(id)
    else safe.push(id)
  }
  const json = { safe_to_destroy: safe, active, missing_stats: [], stored_pgs: stored }
  if (asJson) return { code: 0, json }
  if (active.length > 0) {
    return refused(
      16,
      `EBUSY: OSD(s) ${active.join(',')} have ${ceph.pgs.filter((pg) => active.some((id) => ceph.target(pg).includes(id))).length} pgs currently mapped to them. `,
    )
  }
  if (stored.length > 0)
    return refused(
      11,
      `EAGAIN: OSD(s) ${stored.join(',')} have no reported stats, and not all PGs are active+clean; we cannot draw any conclusions. `,
    )
  return {
    code: 0,
    stdout: '',
    stderr: `OSD(s) ${safe.join(',')} are safe to destroy without reducing data durability.`,
    json,
  }
}

/** `ceph osd new`: an id for a disk that is not there yet. */
export function createOsd(ceph: Ceph, uuid: string, wanted: number | undefined, now: number): Outcome {
  const free = wanted ?? [...ceph.osds.values()].find(({ exists }) => !exists)?.id ?? ceph.osds.size
  const osd = ceph.osds.get(free)
  if (osd?.exists && !osd.destroyed) return refused(17, `EEXIST: entity osd.${free} exists but key does not match`)
  if (!osd) return refused(22, `EINVAL: osd.${free} was never part of this cluster`)
  Object.assign(osd, { exists: true, destroyed: false, hasKey: true, uuid, up: false, downSince: now })
  bump(ceph, now)
  return { code: 0, stdout: String(free), json: { osdid: free }, effect: `osd new ${free}` }
}
