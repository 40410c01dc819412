import type { Fault } from '../fault.ts'
import { cephFaults } from './faults/ceph.ts'
import { clusterFaults } from './faults/clusters.ts'
import { databaseFaults } from './faults/databases.ts'
import { machineFaults } from './faults/hosts.ts'

/** What can be wrong with hosts and the clusters they form. */
export const hostFaults: Fault[] = [...machineFaults, ...cephFaults, ...clusterFaults, ...databaseFaults]
