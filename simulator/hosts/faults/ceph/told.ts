import type { Fault } from '../../../fault.ts'
import { leadTo } from '../../ceph/occupy.ts'
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
