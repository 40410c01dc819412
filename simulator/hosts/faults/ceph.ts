import type { Fault } from '../../fault.ts'
import type { World } from '../../world.ts'
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
      const unit = `ceph-osd@${found.id}`
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
    },
    (world, { osd, minutes, serial, name, bytes, signature }) => {
      const { found } = osdOf(world, osd)
      world.estate.ceph.swaps.set(found.id, {
        after: Number(minutes) * 60_000,
        serial: String(serial),
        name: String(name) || undefined,
        bytes: Number(bytes) || undefined,
        signature: String(signature) || undefined,
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
    'ceph.serial_differs',
    'The daemon of an OSD tells another serial number than its disk has: somebody has moved disks under it',
    { osd, serial: { type: 'string', default: 'ZC1WRONG', description: 'What the daemon tells' } },
    (world, { osd, serial }) => void world.estate.ceph.toldSerials.set(osdOf(world, osd).found.id, String(serial)),
  ),
  fault('ceph.recovery_stuck', 'Objects no longer move, and no flag says why', {}, ({ estate }) => {
    estate.ceph.settle()
    estate.ceph.stuck = true
  }),
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
      machine.units.fail(`ceph-mon@${machine.name}`)
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

function osdOf({ estate }: World, id: unknown) {
  const found = estate.ceph.osds.get(Number(id))
  const machine = found && estate.machines.get(found.host)
  if (found && machine) return { found, machine }
  throw new Error(`no simulated OSD has the number \`${String(id)}\`; there are 0 to ${estate.ceph.osds.size - 1}`)
}
