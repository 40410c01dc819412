import type { Ceph, Pg } from './model.ts'
import { blocked, recoveringAtOnce, workOf } from './recovery.ts'

export interface PgState {
  readonly pg: Pg
  readonly name: string
  readonly degraded: number
  readonly misplaced: number
  readonly up: readonly number[]
  readonly acting: readonly number[]
}

/** Every placement group as it stands. */
export function pgStates(ceph: Ceph): PgState[] {
  let busy = 0
  return ceph.pgs.map((pg) => {
    const last = ceph.stale.get(pg.id)
    if (last) return { pg, name: `stale+${last.name}`, degraded: 0, misplaced: 0, up: last.acting, acting: last.acting }
    const { missing, degraded } = workOf(ceph, pg)
    const isUp = (id: number) => ceph.osds.get(id)?.up === true
    const up = ceph.target(pg).filter(isUp)
    // nothing is missing where nothing is: it is short of OSDs, and not of copies
    if (pg.objects === 0) {
      const parts = [
        up.length >= pg.pool.minSize ? 'active' : 'peered',
        up.length < pg.pool.size ? 'undersized' : 'clean',
      ]
      return {
        pg,
        name: up.length === 0 ? 'stale+undersized+peered' : parts.join('+'),
        degraded: 0,
        misplaced: 0,
        up,
        acting: up,
      }
    }
    const holders = [...ceph.osds.values()].filter((osd) => osd.up && (osd.copies.get(pg.id) ?? 0) >= pg.objects)
    const complete = holders.map(({ id }) => id)
    const acting = [...up.filter((id) => complete.includes(id)), ...complete.filter((id) => !up.includes(id))]
    const shown = degraded > 0 ? [...new Set([...acting, ...up])].slice(0, pg.pool.size) : acting.slice(0, pg.pool.size)
    const misplaced = degraded > 0 ? 0 : missing.reduce((sum, { objects }) => sum + objects, 0)
    const works = missing.length > 0 && busy < recoveringAtOnce && !blocked(ceph, degraded > 0)
    if (works) busy += 1
    const parts = [complete.length >= pg.pool.minSize ? 'active' : '']
    if (degraded > 0 && missing.length > 0) parts.push(works ? 'recovering' : 'recovery_wait')
    if (degraded > 0 && missing.length === 0) parts.push('undersized')
    if (degraded > 0) parts.push('degraded')
    if (degraded === 0 && missing.length > 0) parts.push('remapped', works ? 'backfilling' : 'backfill_wait')
    if (degraded === 0 && missing.length === 0) parts.push('clean')
    if (ceph.inconsistent.has(pg.id)) parts.push('inconsistent')
    if (complete.length < pg.pool.minSize) parts.push(complete.length === 0 ? 'down' : 'peered')
    // where nobody is left to look, it is as the last one told
    if (up.length === 0 && complete.length === 0) parts.splice(0, parts.length, 'stale+undersized+degraded+peered')
    return { pg, name: parts.filter(Boolean).join('+'), degraded, misplaced, up, acting: shown }
  })
}
