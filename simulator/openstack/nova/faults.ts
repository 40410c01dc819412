import type { Fault } from '../../fault.ts'
import { migrationFaults } from './faults/migrations.ts'
import { placingFaults } from './faults/placing.ts'
import { serverFaults } from './faults/servers.ts'
import { serviceFaults } from './faults/services.ts'

/** What can be wrong with Nova. */
export const novaFaults: readonly Fault[] = [...serviceFaults, ...serverFaults, ...migrationFaults, ...placingFaults]
