import type { Fault } from '../fault.ts'
import { apiFaults } from './api-faults.ts'
import { neutronFaults } from './neutron/faults.ts'
import { novaFaults } from './nova/faults.ts'
import { placementFaults } from './placement/faults.ts'
import { storageFaults } from './storage-faults.ts'

/** What can be wrong with the OpenStack services. */
export const openstackFaults: readonly Fault[] = [
  ...novaFaults,
  ...neutronFaults,
  ...storageFaults,
  ...placementFaults,
  ...apiFaults,
]
