import type { Fault } from '../fault.ts'

/** What can be wrong with hosts and the clusters they form. */
export const hostFaults: Fault[] = []
