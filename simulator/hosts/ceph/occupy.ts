import type { Files } from '../machine/files.ts'
import type { Disk, Machine } from '../machine/machine.ts'
import { bump, type Ceph, type Osd } from './model.ts'

/** An OSD and its disk belong together from here on. */
export function occupy(machine: Machine, ceph: Ceph, osd: Osd, disk: Disk): void {
  Object.assign(disk, { signature: 'ceph_bluestore', label: undefined })
  osd.copies.clear()
  for (const wrong of [ceph.foldersOf, ceph.listedAs]) wrong.delete(osd.id)
  Object.assign(osd, {
    disk: disk.name,
    host: machine.name,
    uuid: machine.random.uuid(),
    exists: true,
    destroyed: false,
    hasKey: true,
    autoOut: true,
    extra: 0,
  })
  linkBlock(machine, ceph, osd)
  bump(ceph, machine.now())
}

/** The `block` of an OSD's folder leads to its volume, and that to the disk it is on. */
export function linkBlock({ files }: Machine, ceph: Ceph, { id, uuid, disk }: Osd): void {
  const group = `/dev/ceph-${uuid}`
  const volume = `${group}/osd-block-${uuid}`
  files.folder(group, { parents: true })
  files.link(volume, `../${disk}`)
  leadTo(files, `${ceph.folderOf(id)}/block`, volume)
}

/** Makes a link anew, wherever it led. */
export function leadTo(files: Files, link: string, target: string): void {
  if (files.find(link, { follow: false })) files.remove(link)
  files.link(link, target)
}

/** The folder of an OSD is a small file system in memory. */
export function mountFolder({ mounts }: Machine, osd: number): void {
  const at = `/var/lib/ceph/osd/ceph-${osd}`
  if (mounts.some((mount) => mount.at === at)) return
  const sizes = { size: 33_500_000, used: 28, inodes: 8_000_000, inodesUsed: 9 }
  mounts.push({ device: 'tmpfs', at, type: 'tmpfs', options: 'rw,relatime', ...sizes })
}
