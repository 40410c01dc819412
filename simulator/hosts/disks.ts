import type { Random } from '../random.ts'
import type { Disk, Machine } from './machine/machine.ts'

/** `/dev/disk/by-path`: one link for each slot, to the disk that is in it now. */
export function linkDisks({ disks, files }: Machine): void {
  const folder = '/dev/disk/by-path'
  files.folder(folder, { parents: true })
  for (const [slot, { name, parts }] of disks.entries()) {
    const link = `${folder}/${slotOf(slot)}`
    if (files.find(link, { follow: false })) files.remove(link)
    files.link(link, `../../${name}`)
    for (const device of [name, ...parts.map((part) => part.name)]) {
      if (!files.find(`/dev/${device}`)) files.write(`/dev/${device}`, '')
    }
  }
}

/** What udev calls the place of a disk. */
export const slotOf = (slot: number): string => `pci-0000:3b:00.0-sas-phy${slot}-lun-0`

export const dataDisk = (name: string, random: Random): Disk => ({
  name,
  bytes: 4_000_787_030_016,
  serial: `ZC1${random.between(10_000, 99_999)}`,
  model: 'ST4000NM000A-2HZ100',
  rotational: true,
  parts: [],
  signature: 'ceph_bluestore',
  broken: false,
})
