import type { Fault } from '../../../fault.ts'
import { uuidOf } from '../../../random.ts'
import { leadTo } from '../../ceph/occupy.ts'
import { nameAnew } from '../../disks.ts'
import { fault } from '../fault.ts'
import { osd, osdOf } from './osd.ts'

/** What is told of an OSD, and is not so. */
export const toldFaults: Fault[] = [
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
    'ceph.names_shifted',
    'The host of an OSD whose disk has died was rebooted: the disks after it have moved up by a name, it comes last or is gone, and nothing is mounted on the folder of the OSD',
    {
      osd,
      gone: { type: 'boolean', default: true, description: 'Whether the host finds the dead disk no more' },
      unit: {
        type: 'string',
        enum: ['own', 'earlier', 'none'],
        default: 'own',
        description: 'The unit that starts it when its host boots; of an earlier OSD with its number, or none',
      },
    },
    (world, { osd, gone, unit }) => {
      const { ceph } = world.estate
      const { found, machine } = osdOf(world, osd)
      const { files, mounts } = machine
      const dead = machine.disks.find(({ name }) => name === found.disk)
      if (!dead) throw new Error(`osd.${found.id} has no disk`)
      const named = nameAnew(machine, dead.name, gone === true)
      found.lastDisk = dead
      for (const each of ceph.osds.values()) {
        if (each.host !== machine.name || each.disk === undefined || !named.has(each.disk)) continue
        each.disk = named.get(each.disk) ?? 'gone'
      }
      const folder = ceph.folderOf(found.id)
      const mount = mounts.findIndex(({ at }) => at === folder)
      if (mount !== -1) mounts.splice(mount, 1)
      // that of a container is no file system in memory
      if (!ceph.cephadm) for (const name of ['fsid', 'whoami', 'block']) files.remove(`${folder}/${name}`)
      if (unit === 'none') return
      const wants = '/etc/systemd/system/multi-user.target.wants'
      files.folder(wants, { parents: true })
      const id = unit === 'own' ? found.uuid : uuidOf('earlier')
      files.link(`${wants}/ceph-volume@lvm-${found.id}-${id}.service`, '/lib/systemd/system/ceph-volume@.service')
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
]
