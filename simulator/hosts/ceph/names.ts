import { uuidOf } from '../../random.ts'

/** The `fsid` of the cluster. */
export const clusterId = uuidOf('ceph')

/** The unit of a daemon, without `.service`. */
export const unitOf = (cephadm: boolean, kind: string, id: string | number): string =>
  cephadm ? `ceph-${clusterId}@${kind}.${id}` : `ceph-${kind}@${id}`

/** The folder of an OSD on its host. */
export const folderOf = (cephadm: boolean, osd: number): string =>
  cephadm ? `/var/lib/ceph/${clusterId}/osd.${osd}` : `/var/lib/ceph/osd/ceph-${osd}`

/** Where the database of an OSD is, when it has a disk of its own: `vg/lv`. */
export const databaseVolume = (id: number): string => `ceph-db/db-${id}`
/** Where its write-ahead log is, when that has a volume of its own. */
export const logVolume = (id: number): string => `ceph-db/wal-${id}`
