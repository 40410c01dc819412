import type { Ceph, Osd, Pg } from './model.ts'

/** Objects the whole cluster recovers in a second. */
export const recoveryRate = 300
/** Placement groups that recover at the same time. */
export const recoveringAtOnce = 8

/** Objects a placement group still has to bring to where they belong, and whether copies are missing for it. */
export function workOf(ceph: Ceph, pg: Pg): { missing: { osd: Osd; objects: number }[]; degraded: number } {
  const held = [...ceph.osds.values()]
    .filter(({ up }) => up)
    .map((osd) => osd.copies.get(pg.id) ?? 0)
    .sort((a, b) => b - a)
    .slice(0, pg.pool.size)
  const degraded = pg.objects * pg.pool.size - held.reduce((sum, count) => sum + count, 0)
  const missing = ceph.target(pg).flatMap((id) => {
    const osd = ceph.osds.get(id)
    const objects = pg.objects - (osd?.copies.get(pg.id) ?? 0)
    return osd?.up && objects > 0 ? [{ osd, objects }] : []
  })
  return { missing, degraded }
}

/** Whether flags keep this kind of work from being done. */
export const blocked = ({ flags }: Ceph, degraded: boolean): boolean =>
  flags.has('pause') || (degraded ? flags.has('norecover') : flags.has('nobackfill') || flags.has('norebalance'))

/** So many objects are brought to where they belong. */
export function recover(ceph: Ceph, objects: number): void {
  if (ceph.stuck) return
  let left = objects
  // what has too few copies comes before what only stands in the wrong place
  for (const wanted of [true, false]) {
    if (blocked(ceph, wanted)) continue
    for (const pg of ceph.pgs) {
      if (left <= 0) return
      const { missing, degraded } = workOf(ceph, pg)
      if (degraded > 0 !== wanted || missing.length === 0) continue
      if (![...ceph.osds.values()].some(({ up, copies }) => up && (copies.get(pg.id) ?? 0) >= pg.objects)) continue
      for (const { osd, objects: need } of missing) {
        const moved = Math.min(need, left)
        left -= moved
        osd.copies.set(pg.id, pg.objects - need + moved)
      }
      if (workOf(ceph, pg).missing.length === 0 && workOf(ceph, pg).degraded === 0) dropStrays(ceph, pg)
    }
  }
}

function dropStrays(ceph: Ceph, pg: Pg): void {
  const target = ceph.target(pg)
  for (const osd of ceph.osds.values()) if (!target.includes(osd.id)) osd.copies.delete(pg.id)
}
