import type { Fault } from '../../../fault.ts'
import { silence } from '../../ceph/model.ts'
import { databaseVolume, logVolume } from '../../ceph/names.ts'
import { layOut } from '../../ceph/occupy.ts'
import { addVolume, dataDisk, freeSlot, putIn, takeOut } from '../../disks.ts'
import { fault, percentage, sayKernel } from '../fault.ts'
import { osd, osdOf } from './osd.ts'

/** What can be wrong with an OSD, and what it lies on. */
export const osdFaults: Fault[] = [
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
    'ceph.disk_gone',
    'The disk of an OSD is no longer there, as its controller has given it up: its daemon is down, its volume is open still, on nothing',
    { osd },
    (world, { osd }) => {
      const { found, machine } = osdOf(world, osd)
      const disk = machine.disks.find(({ name }) => name === found.disk)
      if (!disk) throw new Error(`the disk of osd.${found.id} is gone already`)
      found.lastDisk = disk
      takeOut(machine, disk)
      sayKernel(machine, 3, [
        `sd 0:0:${disk.slot}:0: rejecting I/O to offline device`,
        `blk_update_request: I/O error, dev ${disk.name}, sector 2216 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`,
      ])
      const unit = world.estate.ceph.unitOf('osd', found.id)
      const block = `/var/lib/ceph/osd/ceph-${found.id}/block`
      machine.units.hold(unit, `bdev(${block}) open stat got: (6) No such device or address`)
      machine.units.fail(unit)
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
    'ceph.stale',
    'Nobody tells how the placement groups are that an OSD leads: they are stale',
    {
      osd,
      minutes: { type: 'number', minimum: 0, default: 0, description: 'For how long; 0 is for ever' },
      once_down: {
        type: 'boolean',
        default: false,
        description: 'Only when it is down, until another one tells of them; from the beginning unless told',
      },
    },
    (world, { osd, minutes, once_down }) => {
      const { found } = osdOf(world, osd)
      const { ceph } = world.estate
      const ms = Number(minutes) * 60_000 || Number.POSITIVE_INFINITY
      if (once_down === true) ceph.staleOnceDown.set(found.id, ms)
      else silence(ceph, found, ceph.settle(), ms)
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
        slot: freeSlot(machine),
        bytes: 960_197_124_096,
        serial: 'S4DB1FAST1',
        model: 'MTFDKBA960TFR',
        rotational: false,
        parts: [],
        signature: undefined,
        broken: false,
        failing: failing === true,
      }
      putIn(machine, disk)
      if (failing) sayKernel(machine, 3, ['critical medium error, dev nvme0n1, sector 77120 op 0x0:(READ) flags 0x0'])
      for (const each of world.estate.ceph.osds.values()) {
        if (each.host !== machine.name) continue
        Object.assign(each, { databaseOn: disk.name, ownLog: logs === true })
        for (const volume of [databaseVolume(each.id), ...(logs ? [logVolume(each.id)] : [])]) {
          const [group = '', name = ''] = volume.split('/')
          addVolume(machine, group, name, disk, 60_000_000_000)
        }
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
        const disk = machine.disks.find(({ name }) => name === each.disk)
        if (disk) layOut(machine, world.estate.ceph, each, disk, { encrypted: true })
      }
    },
  ),
  fault(
    'ceph.spare_disk',
    'Somebody puts another empty disk into a host of OSDs',
    { osd: { ...osd, description: 'One of the OSDs of the host' } },
    (world, { osd }) => {
      const { machine } = osdOf(world, osd)
      putIn(machine, dataDisk('sdx', freeSlot(machine), machine.random))
    },
  ),
]
