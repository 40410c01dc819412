import { dataPathFaults } from './data-path/index.ts'
import type { Fault } from './fault.ts'
import { hostFaults } from './hosts/faults.ts'
import { openstackFaults } from './openstack/faults.ts'

/** Every fault a scenario may name. */
export const faults: readonly Fault[] = [...openstackFaults, ...hostFaults, ...dataPathFaults]
