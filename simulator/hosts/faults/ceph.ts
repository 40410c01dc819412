import type { Fault } from '../../fault.ts'
import type { World } from '../../world.ts'
import type { Cephadm } from '../ceph/cephadm.ts'
import { destroy } from '../ceph/changes.ts'
import type { Ceph } from '../ceph/model.ts'
import { leadTo } from '../ceph/occupy.ts'
import { dataDisk, linkDisks } from '../disks.ts'
import { fault, type Param, percentage, sayKernel } from './fault.ts'

const osd: Param = { type: 'integer', minimum: 0, description: 'The OSD, by its number' }

/** What can be wrong with Ceph. */
export const cephFaults: Fault[] = [
  fault(
    'ceph.osd_down',
    'The disk of an OSD has died: its daemon is down, is put out after ten minutes, and its data is made anew elsewhere',
    { osd },
    (world, { osd }) => {
      const { found, machine } = osdOf(world, osd)
      const disk = machine.disks.find(({ name }) => name === found.disk)
      if (disk) disk.broken = true
      sayKernel(machine, 3, [
        `blk_update_request: I/O error, dev ${found.disk}, sector 2216 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`,
        `Buffer I/O error on dev ${found.disk}, logical block 277, async page read`,
      ])
      const unit = world.estate.ceph.unitOf('osd', found.id)
      machine.units.hold(
        unit,
        `bluestore(/var/lib/ceph/osd/ceph-${found.id}) _open_db erroring opening db: (5) Input/output error`,
      )
      machine.units.fail(unit)
    },
  ),
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
    'ceph.serial_differs',
    'The daemon of an OSD tells another serial number than its disk has: somebody has moved disks under it',
    { osd, serial: { type: 'string', default: 'ZC1WRONG', description: 'What the daemon tells; empty: none' } },
    (world, { osd, serial }) => void world.estate.ceph.toldSerials.set(osdOf(world, osd).found.id, String(serial)),
  ),
  fault(
    'ceph.host_differs',
    'The daemon of an OSD tells another host than the map has: its disk was moved, and the map was not',
    { osd, told: { type: 'string', default: 'ceph9', description: 'What the daemon tells' } },
    (world, { osd, told }) => void world.estate.ceph.toldHosts.set(osdOf(world, osd).found.id, String(told)),
  ),
  fault(
    'ceph.folder_differs',
    'Where the folder of an OSD should be is that of another one: somebody has mounted the wrong one there',
    { osd, of: { type: 'integer', minimum: 0, description: 'The OSD whose folder it is' } },
    (world, { osd, of }) => void world.estate.ceph.foldersOf.set(osdOf(world, osd).found.id, osdOf(world, of).found.id),
  ),
  fault(
    'ceph.block_differs',
    'The folder of an OSD leads to another disk than its daemon told when it began: disks have changed their names since',
    {
      osd,
      disk: {
        type: 'string',
        default: '',
        description: 'The disk, without `/dev/`; one that is not there unless told',
      },
    },
    (world, { osd, disk }) => {
      const { found, machine } = osdOf(world, osd)
      leadTo(machine.files, `${world.estate.ceph.folderOf(found.id)}/block`, `/dev/${String(disk) || 'gone'}`)
    },
  ),
  fault(
    'ceph.volume_differs',
    'An OSD is on another disk to `ceph-volume` than to its daemon, or an earlier OSD has its number there',
    {
      osd,
      disk: { type: 'string', default: '', description: 'The disk, without `/dev/`; its own unless told' },
      fsid: { type: 'string', default: '', description: 'The `fsid` of the earlier OSD; its own unless told' },
    },
    (world, { osd, disk, fsid }) => {
      const listed = { disk: String(disk) || undefined, uuid: String(fsid) || undefined }
      world.estate.ceph.listedAs.set(osdOf(world, osd).found.id, listed)
    },
  ),
  fault(
    'ceph.stays_up',
    'The daemon of an OSD stops, and the monitors go on showing it up',
    { osd, minutes: { type: 'number', minimum: 0, default: 10, description: 'For how long' } },
    (world, { osd, minutes }) =>
      void world.estate.ceph.staysUp.set(osdOf(world, osd).found.id, Number(minutes) * 60_000),
  ),
  fault(
    'ceph.old_daemon',
    'An OSD still runs a version from before Luminous: somebody has not finished an upgrade',
    { osd },
    (world, { osd }) => {
      const jewel = 'ceph version 10.2.11 (e4b061b47f07f583c92a050d9e84b1813a35671e)'
      world.estate.ceph.toldVersions.set(osdOf(world, osd).found.id, jewel)
    },
  ),
  fault(
    'ceph.id_taken',
    'While the disk of an OSD is changed somebody takes its number for another disk: it is no longer destroyed',
    { osd },
    (world, { osd }) => void world.estate.ceph.takenAtSwap.add(osdOf(world, osd).found.id),
  ),
  fault(
    'ceph.create_fails',
    'Making an OSD anew fails once, and what `ceph-volume` puts back purges its number and its place',
    { osd },
    (world, { osd }) => void world.estate.ceph.failsToMake.add(osdOf(world, osd).found.id),
  ),
  fault(
    'ceph.shared_database',
    'The databases of all OSDs of a host are on one fast disk',
    {
      osd: { ...osd, description: 'One of the OSDs' },
      failing: { type: 'boolean', default: false, description: 'Whether the fast disk fails' },
      logs: {
        type: 'boolean',
        default: false,
        description: 'Whether their write-ahead logs have volumes of their own',
      },
    },
    (world, { osd, failing, logs }) => {
      const { machine } = osdOf(world, osd)
      const disk = {
        name: 'nvme0n1',
        bytes: 960_197_124_096,
        serial: 'S4DB1FAST1',
        model: 'MTFDKBA960TFR',
        rotational: false,
        parts: [],
        signature: 'LVM2_member',
        broken: false,
        failing: failing === true,
      }
      machine.disks.push(disk)
      linkDisks(machine)
      if (failing) sayKernel(machine, 3, ['critical medium error, dev nvme0n1, sector 77120 op 0x0:(READ) flags 0x0'])
      for (const each of world.estate.ceph.osds.values()) {
        if (each.host === machine.name) Object.assign(each, { databaseOn: disk.name, ownLog: logs === true })
      }
    },
  ),
  fault(
    'ceph.encrypted',
    'What is on the disks of a host of OSDs is encrypted with dm-crypt',
    { osd: { ...osd, description: 'One of the OSDs' } },
    (world, { osd }) => {
      const { machine } = osdOf(world, osd)
      for (const each of world.estate.ceph.osds.values()) {
        if (each.host !== machine.name) continue
        each.encrypted = true
        const disk = machine.disks.find(({ name }) => name === each.disk)
        if (disk) disk.mapping = `luks-${each.uuid}`
      }
    },
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
  fault(
    'ceph.spare_disk',
    'Somebody puts another empty disk into a host of OSDs',
    { osd: { ...osd, description: 'One of the OSDs of the host' } },
    (world, { osd }) => {
      const { machine } = osdOf(world, osd)
      machine.disks.push({ ...dataDisk('sdx', machine.random), signature: undefined })
      linkDisks(machine)
    },
  ),
  fault(
    'ceph.thin_pool',
    'A pool keeps fewer copies of its objects than it should, or writes only when more of them are there',
    {
      pool: { type: 'string', default: 'vms', description: 'The pool' },
      size: { type: 'integer', minimum: 1, maximum: 3, default: 2, description: 'How many copies it keeps' },
      min_size: { type: 'integer', minimum: 1, maximum: 3, default: 1, description: 'With how many it still writes' },
    },
    ({ estate }, { pool, size, min_size }) => {
      const found = estate.ceph.pools.find(({ name }) => name === pool)
      const names = estate.ceph.pools.map(({ name }) => name)
      if (!found) throw new Error(`no simulated pool is called \`${String(pool)}\`; there are ${names.join(', ')}`)
      Object.assign(found, { size: Number(size), minSize: Number(min_size) })
    },
  ),
  fault(
    'ceph.pool_empty',
    'A pool has just been made: nothing is in its placement groups',
    { pool: { type: 'string', default: 'backups', description: 'The pool' } },
    ({ estate: { ceph } }, { pool }) => {
      const found = ceph.pgs.filter((pg) => pg.pool.name === pool)
      const names = ceph.pools.map(({ name }) => name)
      if (found.length === 0) {
        throw new Error(`no simulated pool is called \`${String(pool)}\`; there are ${names.join(', ')}`)
      }
      for (const pg of found) {
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
      const found = estate.ceph.pgs.find((pg) => pg.pool.name === pool)
      const names = estate.ceph.pools.map(({ name }) => name)
      if (!found) throw new Error(`no simulated pool is called \`${String(pool)}\`; there are ${names.join(', ')}`)
      estate.ceph.inconsistent.add(found.id)
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
    'ceph.disk_failing',
    'The disk of an OSD says of itself that it fails, and the daemon still runs',
    { osd },
    (world, { osd }) => {
      const { found, machine } = osdOf(world, osd)
      const disk = machine.disks.find(({ name }) => name === found.disk)
      if (disk) disk.failing = true
      sayKernel(machine, 3, [
        `blk_update_request: critical medium error, dev ${found.disk}, sector 9482 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`,
      ])
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
    'ceph.nearfull',
    'An OSD is nearly full',
    { osd, percent: percentage('How full it is', 87) },
    (world, { osd, percent }) => {
      const { found } = osdOf(world, osd)
      const held = [...found.copies.values()].reduce((sum, objects) => sum + objects, 0) * 4_194_304
      found.extra = Math.max(0, 3_907_018_584 * 1024 * (Number(percent) / 100) - held)
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
  fault(
    'ceph.slow_ops',
    'An OSD keeps requests waiting',
    { osd, count: { type: 'integer', default: 12, minimum: 1, description: 'How many wait' } },
    (world, { osd, count }) => {
      const { found } = osdOf(world, osd)
      world.estate.ceph.slowOps = { osd: found.id, count: Number(count), since: world.clock.now() - 93_000 }
    },
  ),
  fault('ceph.crashed', 'A daemon crashed a while ago, and nobody has looked', { osd }, (world, { osd }) => {
    const { found } = osdOf(world, osd)
    const at = world.clock.now() - 7_200_000
    const id = `${new Date(at).toISOString().replace('T', '_')}_${world.random.uuid()}`
    world.estate.ceph.crashes.push({ id, at, entity: `osd.${found.id}`, archived: false })
  }),
]

function cephadmOf({ cephadm }: Ceph): Cephadm {
  if (!cephadm) throw new Error('cephadm did not make this cluster: say `cephadm: true` in the topology')
  return cephadm
}

function osdOf({ estate }: World, id: unknown) {
  const found = estate.ceph.osds.get(Number(id))
  const machine = found && estate.machines.get(found.host)
  if (found && machine) return { found, machine }
  throw new Error(`no simulated OSD has the number \`${String(id)}\`; there are 0 to ${estate.ceph.osds.size - 1}`)
}
