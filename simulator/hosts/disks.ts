import type { Random } from '../random.ts'
import type { Disk, Machine, Mapping } from './machine/machine.ts'

/** `/dev/disk/by-path`: one link for each slot, to the disk that is in it now. */
export function linkDisks(machine: Machine): void {
  const { disks, files } = machine
  const folder = '/dev/disk/by-path'
  if (files.find(folder)) files.remove(folder, { recursive: true })
  files.folder(folder, { parents: true })
  for (const { name, slot, parts } of disks) {
    files.link(`${folder}/${slotOf(slot)}`, `../../${name}`)
    for (const device of [name, ...parts.map((part) => part.name)]) node(machine, device)
  }
}

/** The name of a block device in `/dev`. */
function node({ files, special }: Machine, device: string): void {
  if (!files.find(`/dev/${device}`)) files.write(`/dev/${device}`, '')
  special.set(`/dev/${device}`, 'block')
}

/**
 * The host boots: the disks after one that has died move up by a name, and it comes last, or is not found at all; nothing that
 * was on it is open. What each was called then; undefined for one that was not found.
 */
export function nameAnew(machine: Machine, dead: string, gone: boolean): ReadonlyMap<string, string | undefined> {
  const { disks, mappings, files, special } = machine
  const names = disks.slice(disks.findIndex(({ name }) => name === dead)).map(({ name }) => name)
  const named = new Map<string, string | undefined>(names.slice(1).map((name, index) => [name, names[index]]))
  const last = names.at(-1) ?? dead
  named.set(dead, gone ? undefined : last)
  unmapAll(machine, dead)
  const found = disks.filter(({ name }) => !gone || name !== dead)
  disks.splice(0, disks.length, ...found.map((disk) => ({ ...disk, name: named.get(disk.name) ?? disk.name })))
  for (const mapping of mappings) mapping.on = mapping.on.map((name) => named.get(name) ?? name)
  if (gone) {
    files.remove(`/dev/${last}`)
    special.delete(`/dev/${last}`)
  }
  linkDisks(machine)
  return named
}

/** What udev calls the place of a disk. */
export const slotOf = (slot: number): string => `pci-0000:3b:00.0-sas-phy${slot}-lun-0`

export const dataDisk = (name: string, slot: number, random: Random): Disk => ({
  name,
  slot,
  bytes: 4_000_787_030_016,
  serial: `ZC1${random.between(10_000, 99_999)}`,
  model: 'ST4000NM000A-2HZ100',
  rotational: true,
  parts: [],
  signature: undefined,
  broken: false,
})

const mebibyte = 1_048_576
const extent = 4 * mebibyte

/** A logical volume over all of a disk, or so many bytes of it; `/dev/GROUP/NAME` leads to it. */
export function addVolume(machine: Machine, group: string, name: string, disk: Disk, bytes?: number): Mapping {
  disk.signature = 'LVM2_member'
  const doubled = (part: string) => part.replaceAll('-', '--')
  // in whole extents, behind what LVM keeps for itself
  const size = Math.floor((bytes ?? disk.bytes - mebibyte) / extent) * extent
  const made = map(machine, { name: `${doubled(group)}-${doubled(name)}`, kind: 'lvm', bytes: size, on: [disk.name] })
  const link = `/dev/${group}/${name}`
  machine.files.folder(`/dev/${group}`, { parents: true })
  if (machine.files.find(link, { follow: false })) machine.files.remove(link)
  machine.files.link(link, `../dm-${made.number}`)
  return made
}

/** What is on a volume is encrypted, and open under this name. */
export function openCrypt(machine: Machine, name: string, { number, bytes }: Mapping): Mapping {
  return map(machine, { name, kind: 'crypt', bytes: bytes - 16 * mebibyte, on: [`dm-${number}`] })
}

function map(machine: Machine, made: Pick<Mapping, 'name' | 'kind' | 'bytes' | 'on'>): Mapping {
  const { files, mappings } = machine
  const taken = mappings.map(({ number }) => number)
  let number = 0
  while (taken.includes(number)) number += 1
  const mapping = { ...made, number, signature: undefined }
  mappings.push(mapping)
  node(machine, `dm-${number}`)
  files.folder('/dev/mapper', { parents: true })
  files.link(`/dev/mapper/${made.name}`, `../dm-${number}`)
  return mapping
}

/** A mapping is closed, and first what is on it. */
export function unmap(machine: Machine, mapping: Mapping): void {
  const { files, mappings } = machine
  const kname = `dm-${mapping.number}`
  for (const above of mappings.filter(({ on }) => on.includes(kname))) unmap(machine, above)
  mappings.splice(mappings.indexOf(mapping), 1)
  files.remove(`/dev/mapper/${mapping.name}`)
  files.remove(`/dev/${kname}`)
  machine.special.delete(`/dev/${kname}`)
}

/** Closes all that is open on a disk. */
export function unmapAll(machine: Machine, disk: string): void {
  for (const mapping of machine.mappings.filter(({ on }) => on.includes(disk))) unmap(machine, mapping)
}

/** The first slot without a disk. */
export function freeSlot({ disks }: Machine): number {
  let slot = 0
  while (disks.some((disk) => disk.slot === slot)) slot += 1
  return slot
}

export function putIn(machine: Machine, disk: Disk): void {
  machine.disks.push(disk)
  machine.disks.sort((a, b) => a.slot - b.slot)
  linkDisks(machine)
}

/** A disk is taken out of its host; what is open on it stays open until the next boot, on nothing. */
export function takeOut(machine: Machine, disk: Disk): void {
  const { disks, mappings, files, power, special } = machine
  disks.splice(disks.indexOf(disk), 1)
  files.remove(`/dev/${disk.name}`)
  special.delete(`/dev/${disk.name}`)
  linkDisks(machine)
  for (const mapping of mappings.filter(({ on }) => on.includes(disk.name))) {
    mapping.on = mapping.on.filter((name) => name !== disk.name)
    power.onBoot(() => {
      if (mappings.includes(mapping)) unmap(machine, mapping)
    })
  }
}
