import type { Fault } from '../../../fault.ts'
import type { Cephadm } from '../../ceph/cephadm.ts'
import { destroy } from '../../ceph/changes.ts'
import type { Ceph } from '../../ceph/model.ts'
import { fault } from '../fault.ts'
import { osd, osdOf } from './osd.ts'

/** What happens while the disk of an OSD is replaced. */
export const replacingFaults: Fault[] = [
  fault(
    'ceph.disk_swapped',
    'A technician changes the disk of an OSD once it was given up, and tells the serial number of the new one',
    {
      osd,
      minutes: { type: 'number', minimum: 0, default: 5, description: 'How long it takes, from when it was given up' },
      serial: { type: 'string', default: 'ZC1TNEW7', description: 'The serial number of the new disk' },
      name: { type: 'string', default: '', description: 'Its name, without `/dev/`; that of the old one unless told' },
      bytes: { type: 'integer', default: 0, description: 'Its size; that of the old one unless told' },
      signature: { type: 'string', default: '', description: 'What stands on it: `xfs`; nothing unless told' },
      rotational: { type: 'boolean', default: true, description: 'Whether it turns, as the old one does' },
      failing: { type: 'boolean', default: false, description: 'Whether it says of itself that it fails' },
      elsewhere: {
        type: 'boolean',
        default: false,
        description: 'Whether it is put into a free slot, and the old one left where it is',
      },
    },
    (world, { osd, minutes, serial, name, bytes, signature, rotational, failing, elsewhere }) => {
      const { found } = osdOf(world, osd)
      world.estate.ceph.swaps.set(found.id, {
        after: Number(minutes) * 60_000,
        serial: String(serial),
        name: String(name) || undefined,
        bytes: Number(bytes) || undefined,
        signature: String(signature) || undefined,
        rotational: rotational === true,
        failing: failing === true,
        elsewhere: elsewhere === true,
      })
    },
  ),
  fault(
    'ceph.id_lost',
    'While the disk of an OSD is changed somebody purges it: its number and its place are gone',
    { osd },
    (world, { osd }) => void world.estate.ceph.purgedAtSwap.add(osdOf(world, osd).found.id),
  ),
  fault(
    'ceph.id_taken',
    'While the disk of an OSD is changed somebody takes its number for another disk: it is no longer destroyed',
    { osd },
    (world, { osd }) => void world.estate.ceph.takenAtSwap.add(osdOf(world, osd).found.id),
  ),
  fault(
    'ceph.destroy_refused',
    'The monitors still see an OSD up when it is to be destroyed, and refuse with EBUSY',
    { osd, times: { type: 'integer', minimum: 1, default: 1, description: 'How often' } },
    (world, { osd, times }) => void world.estate.ceph.destroyRefused.set(osdOf(world, osd).found.id, Number(times)),
  ),
  fault(
    'ceph.answers_late',
    'The monitors are busy: they make a change, and say so long after, once',
    {
      change: { type: 'string', description: 'How the change begins: `osd out`' },
      minutes: { type: 'number', minimum: 0, default: 5, description: 'How long they take to answer' },
    },
    ({ estate }, { change, minutes }) => void estate.ceph.answeredLate.set(String(change), Number(minutes) * 60_000),
  ),
  fault(
    'ceph.create_fails',
    'Making an OSD anew fails once, and what `ceph-volume` puts back purges its number and its place',
    { osd },
    (world, { osd }) => void world.estate.ceph.failsToMake.add(osdOf(world, osd).found.id),
  ),
  fault(
    'ceph.removing',
    'Somebody has told cephadm to remove an OSD and to keep its number',
    { osd, done: { type: 'boolean', default: false, description: 'Whether it has done so: the OSD is destroyed' } },
    (world, { osd, done }) => {
      const { found, machine } = osdOf(world, osd)
      const { ceph } = world.estate
      const now = ceph.settle()
      const { removals } = cephadmOf(ceph)
      if (!done) {
        removals.set(found.id, { replace: true, since: now, draining: false, drainedAt: undefined })
        return
      }
      machine.units.stop(ceph.unitOf('osd', found.id))
      Object.assign(found, { up: false, reweight: 0 })
      destroy(ceph, found, true, 'destroy', now)
    },
  ),
  fault(
    'ceph.unmanaged',
    'Somebody has set the specification of OSDs unmanaged: cephadm makes no OSD by itself',
    {},
    ({ estate }) => {
      const { specs } = cephadmOf(estate.ceph)
      for (const [name, spec] of specs) specs.set(name, { ...spec, unmanaged: true })
    },
  ),
]

function cephadmOf({ cephadm }: Ceph): Cephadm {
  if (!cephadm) throw new Error('cephadm did not make this cluster: say `cephadm: true` in the topology')
  return cephadm
}
