import type { Fault } from '../../fault.ts'
import { cephClusterFaults } from './ceph/cluster.ts'
import { osdFaults } from './ceph/osds.ts'
import { replacingFaults } from './ceph/replacing.ts'
import { toldFaults } from './ceph/told.ts'

/** What can be wrong with Ceph. */
export const cephFaults: Fault[] = [...osdFaults, ...replacingFaults, ...toldFaults, ...cephClusterFaults]
