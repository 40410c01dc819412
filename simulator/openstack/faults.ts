import type { Fault } from '../fault.ts'
import { novaFaults } from './nova/faults.ts'

/** What can be wrong with the OpenStack services. */
export const openstackFaults: readonly Fault[] = [...novaFaults]
