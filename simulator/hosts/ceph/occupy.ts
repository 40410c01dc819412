import { addVolume, openCrypt, unmapAll } from '../disks.ts'
import type { Files } from '../machine/files.ts'
import type { Disk, Machine } from '../machine/machine.ts'
import { bump, type Ceph, type Osd } from './model.ts'

/** How an OSD lies on its disk. */
interface Manner {
  readonly encrypted?: boolean
  /** On the disk itself, without a volume. */
  readonly raw?: boolean
}

/** An OSD and its disk belong together from here on. */
export function occupy(machine: Machine, ceph: Ceph, osd: Osd, disk: Disk, manner: Manner = {}): void {
  delete disk.label
  osd.copies.clear()
  for (const wrong of [ceph.foldersOf, ceph.listedAs]) wrong.delete(osd.id)
  Object.assign(osd, {
    disk: disk.name,
    lastDisk: undefined,
    host: machine.name,
    uuid: machine.random.uuid(),
    exists: true,
    destroyed: false,
    hasKey: true,
    autoOut: true,
    extra: 0,
  })
  layOut(machine, ceph, osd, disk, manner)
  bump(ceph, machine.now())
}

/** The `block` of an OSD's folder leads to its disk, to a volume on it, or to what dm-crypt shows of that. */
export function layOut(machine: Machine, ceph: Ceph, osd: Osd, disk: Disk, { encrypted, raw }: Manner = {}): void {
  const { id, uuid } = osd
  osd.encrypted = encrypted === true
  unmapAll(machine, disk.name)
  const [group, name] = [`ceph-${uuid}`, `osd-block-${uuid}`]
  const volume = raw ? undefined : addVolume(machine, group, name, disk)
  if (raw) disk.signature = encrypted ? 'crypto_LUKS' : 'ceph_bluestore'
  if (volume) volume.signature = encrypted ? 'crypto_LUKS' : 'ceph_bluestore'
  const opened = encrypted && volume && openCrypt(machine, volumeId(uuid), volume)
  if (opened) opened.signature = 'ceph_bluestore'
  const target = opened ? `/dev/mapper/${opened.name}` : raw ? `/dev/${disk.name}` : `/dev/${group}/${name}`
  leadTo(machine.files, `${ceph.folderOf(id)}/block`, target)
}

/** As LVM writes the id of a volume: `ceph-volume` opens what is encrypted on it under that name. */
const volumeId = (uuid: string): string =>
  uuid.replaceAll('-', '').replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7')

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
