import type { Fault } from '../../../fault.ts'
import { dataDisk, linkDisks } from '../../disks.ts'
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
    'ceph.spare_disk',
    'Somebody puts another empty disk into a host of OSDs',
    { osd: { ...osd, description: 'One of the OSDs of the host' } },
    (world, { osd }) => {
      const { machine } = osdOf(world, osd)
      machine.disks.push({ ...dataDisk('sdx', machine.random), signature: undefined })
      linkDisks(machine)
    },
  ),
]
