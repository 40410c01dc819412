import { dataDisk, freeSlot, putIn, takeOut } from '../disks.ts'
import type { Machine } from '../machine/machine.ts'
import { createOsd, destroy } from './changes.ts'
import type { Ceph, Osd, Swap } from './model.ts'

/** How long the technician of a rehearsal takes to change a disk, once its OSD was destroyed; milliseconds. */
const swapTime = 300_000

/** A new disk where the old one was: another serial number, sound, and with nothing on it unless the swap says so. */
function swapDisk(machine: Machine, ceph: Ceph, osd: Osd, old: string, swap?: Swap): void {
  const left = machine.disks.find((disk) => disk.name === old)
  const was = left ?? osd.lastDisk
  if (!was) return
  if (left && !swap?.elsewhere) takeOut(machine, left)
  const name = swap?.name ?? (swap?.elsewhere ? 'sdx' : old)
  const fresh = {
    ...dataDisk(name, swap?.elsewhere ? freeSlot(machine) : was.slot, machine.random),
    signature: swap?.signature,
  }
  const { serial = fresh.serial, bytes = fresh.bytes, rotational = true, failing = false } = swap ?? {}
  const disk = { ...fresh, serial, bytes, rotational, failing }
  putIn(machine, disk)
  machine.units.hold(ceph.unitOf('osd', osd.id), undefined)
  machine.kernelLog.add({
    at: machine.now(),
    priority: 5,
    message: `sd 0:0:${disk.slot}:0: [${name}] Attached SCSI disk`,
    identifier: 'kernel',
    bootId: machine.power.boot().id,
  })
}

/** A broken disk is changed a while after its OSD was given up, as a person would. */
export function callTechnician(ceph: Ceph, osd: Osd, disk: string): void {
  const machine = ceph.machine(osd.host)
  const swap = ceph.swaps.get(osd.id)
  if (!machine || (!swap && machine.disks.find(({ name }) => name === disk)?.broken === false)) return
  machine.clock.after(swap?.after ?? swapTime, () => {
    swapDisk(machine, ceph, osd, disk, swap)
    ceph.settle()
    if (ceph.stuckOnceSwapped) ceph.stuck = true
    if (ceph.purgedAtSwap.has(osd.id)) destroy(ceph, osd, true, 'purge', machine.now())
    if (ceph.takenAtSwap.has(osd.id)) createOsd(ceph, machine.random.uuid(), osd.id, machine.now())
    ceph.cephadm?.wake()
  })
}
