import type { Fault } from '../fault.ts'
import { backendFaults } from './faults/backend.ts'
import { dhcpFaults } from './faults/dhcp.ts'
import { guestFaults } from './faults/guests.ts'
import { ovnFaults } from './faults/ovn.ts'
import { portFaults } from './faults/ports.ts'
import { wiringFaults } from './faults/wiring.ts'

/** What can be wrong between a guest and its DHCP server. */
export const dataPathFaults: readonly Fault[] = [
  ...backendFaults,
  ...wiringFaults,
  ...dhcpFaults,
  ...guestFaults,
  ...ovnFaults,
  ...portFaults,
]
