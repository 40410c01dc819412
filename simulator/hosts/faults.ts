import type { Fault } from '../fault.ts'
import { bootFaults } from './faults/boots.ts'
import { cephFaults } from './faults/ceph.ts'
import { clusterFaults } from './faults/clusters.ts'
import { databaseFaults } from './faults/databases.ts'
import { fileFaults } from './faults/files.ts'
import { hardwareFaults } from './faults/hardware.ts'
import { linkFaults } from './faults/links.ts'
import { unitFaults } from './faults/units.ts'

/** What can be wrong with hosts and the clusters they form. */
export const hostFaults: Fault[] = [
  ...fileFaults,
  ...unitFaults,
  ...bootFaults,
  ...linkFaults,
  ...hardwareFaults,
  ...cephFaults,
  ...clusterFaults,
  ...databaseFaults,
]
