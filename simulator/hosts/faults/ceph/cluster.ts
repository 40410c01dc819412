import type { Fault } from '../../../fault.ts'
import type { Ceph, Pg, Pool } from '../../ceph/model.ts'
import { fault } from '../fault.ts'

/** What can be wrong with pools, placement groups, monitors and the cluster as a whole. */
export const cephClusterFaults: Fault[] = [
  fault(
    'ceph.thin_pool',
    'A pool keeps fewer copies of its objects than it should, or writes only when more of them are there',
    {
      pool: { type: 'string', default: 'vms', description: 'The pool' },
      size: { type: 'integer', minimum: 1, maximum: 3, default: 2, description: 'How many copies it keeps' },
      min_size: { type: 'integer', minimum: 1, maximum: 3, default: 1, description: 'With how many it still writes' },
    },
    ({ estate }, { pool, size, min_size }) => {
      Object.assign(poolNamed(estate.ceph, pool), { size: Number(size), minSize: Number(min_size) })
    },
  ),
  fault(
    'ceph.pool_empty',
    'A pool has just been made: nothing is in its placement groups',
    { pool: { type: 'string', default: 'backups', description: 'The pool' } },
    ({ estate: { ceph } }, { pool }) => {
      for (const pg of pgsOf(ceph, pool)) {
        Object.assign(pg, { objects: 0 })
        for (const { copies } of ceph.osds.values()) copies.delete(pg.id)
      }
    },
  ),
  fault(
    'ceph.inconsistent',
    'A scrub has found that the copies of a placement group differ',
    { pool: { type: 'string', default: 'vms', description: 'The pool it belongs to' } },
    ({ estate }, { pool }) => {
      for (const { id } of pgsOf(estate.ceph, pool).slice(0, 1)) estate.ceph.inconsistent.add(id)
    },
  ),
  fault(
    'ceph.recovery_stuck',
    'Objects no longer move, and no flag says why',
    { once_swapped: { type: 'boolean', default: false, description: 'Only when the disk of an OSD has been changed' } },
    ({ estate }, { once_swapped }) => {
      estate.ceph.settle()
      if (once_swapped) estate.ceph.stuckOnceSwapped = true
      else estate.ceph.stuck = true
    },
  ),
  fault(
    'ceph.flags',
    'Somebody has set flags of the cluster and left them',
    {
      flags: {
        type: 'array',
        items: { type: 'string' },
        default: ['noout'],
        description: 'The flags: `noout`, `norecover`',
      },
    },
    ({ estate }, { flags }) => {
      for (const flag of flags as readonly string[]) estate.ceph.flags.add(flag)
    },
  ),
  fault(
    'ceph.mon_down',
    'A monitor is out of the quorum',
    { host: { type: 'string', description: 'The host it runs on' } },
    ({ estate }, { host }) => {
      const machine = estate.machines.get(String(host))
      if (!machine || !estate.ceph.mons.includes(machine.name)) {
        throw new Error(`no monitor runs on \`${String(host)}\`; they run on ${estate.ceph.mons.join(', ')}`)
      }
      machine.units.fail(estate.ceph.unitOf('mon', machine.name))
    },
  ),
]

function poolNamed({ pools }: Ceph, name: unknown): Pool {
  const found = pools.find((pool) => pool.name === name)
  if (found) return found
  const names = pools.map((pool) => pool.name)
  throw new Error(`no simulated pool is called \`${String(name)}\`; there are ${names.join(', ')}`)
}

function pgsOf(ceph: Ceph, name: unknown): Pg[] {
  const pool = poolNamed(ceph, name)
  return ceph.pgs.filter((pg) => pg.pool === pool)
}
