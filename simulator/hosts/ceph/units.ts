import type { UnitKind } from '../machine/units.ts'
import { unitOf } from './names.ts'

/** The units of a Ceph host. */
export function cephUnits(host: string, mon: boolean, osds: readonly number[], cephadm: boolean): UnitKind[] {
  const daemon = (kind: string, id: string, description: string): UnitKind => ({
    name: `${unitOf(cephadm, kind, id)}.service`,
    description,
    command: `/usr/bin/ceph-${kind} -f --cluster ceph --id ${id} --setuser ceph --setgroup ceph`,
    user: 'ceph',
    startsIn: 3_000,
    openFiles: 1_048_576,
    restarts: true,
  })
  return [
    ...(mon
      ? [daemon('mon', host, 'Ceph cluster monitor daemon'), daemon('mgr', host, 'Ceph cluster manager daemon')]
      : []),
    ...osds.map((id) => daemon('osd', String(id), `Ceph object storage daemon osd.${id}`)),
    {
      name: 'ceph-crash.service',
      description: 'Ceph crash dump collector',
      command: '/usr/bin/python3 /usr/bin/ceph-crash',
    },
  ]
}
