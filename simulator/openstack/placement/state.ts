import type { CloudState } from '../cloud.ts'
import type { Hypervisor } from '../nova/state.ts'
import { type Claim, claims } from '../nova/usage.ts'

export type Resources = { readonly [resourceClass: string]: number }

/** A claim on a host that belongs to no server any more, or to none there ever was. */
export interface Leftover {
  readonly consumer: string
  readonly host: string
  readonly resources: Resources
  readonly project: string
  readonly user: string
}

export interface PlacementState {
  /** Compute hosts Placement knows nothing of. */
  readonly missing: Set<string>
  readonly leftovers: Leftover[]
}

export const createPlacement = (): PlacementState => ({ missing: new Set(), leftovers: [] })

/** The compute hosts as resource providers; Nova's list is the truth behind them. */
export const providersOf = ({ nova, placement }: CloudState): Hypervisor[] =>
  nova.hypervisors.filter(({ host }) => !placement.missing.has(host))

export interface Allocation {
  readonly consumer: string
  readonly host: string
  readonly resources: Resources
  readonly project: string
  readonly user: string
}

/** Everything that is claimed: what servers and their migrations claim, and what was left behind. */
export function allocationsOf({ nova, placement }: CloudState): Allocation[] {
  return [...claims(nova).map(allocationOf), ...placement.leftovers].filter(({ host }) => !placement.missing.has(host))
}

function allocationOf({ consumer, server, host, used: { vcpus, memoryMb, diskGb } }: Claim): Allocation {
  const resources = { VCPU: vcpus, MEMORY_MB: memoryMb, ...(diskGb > 0 && { DISK_GB: diskGb }) }
  return { consumer, host, resources, project: server.project, user: server.user }
}

/** Sums by resource class, each of `classes` at least 0. */
export function sum(allocations: readonly Allocation[], classes: readonly string[] = []): Resources {
  const total: { [name: string]: number } = Object.fromEntries(classes.map((name) => [name, 0]))
  for (const { resources } of allocations) {
    for (const [name, amount] of Object.entries(resources)) total[name] = (total[name] ?? 0) + amount
  }
  return total
}

export const resourceClasses = ['VCPU', 'MEMORY_MB', 'DISK_GB'] as const

export function inventoriesOf({ vcpus, memoryMb, reservedMb, diskGb, cpuRatio }: Hypervisor): {
  readonly [resourceClass: string]: object
} {
  const inventory = (total: number, reserved: number, allocation_ratio: number) => ({
    total,
    reserved,
    min_unit: 1,
    max_unit: total,
    step_size: 1,
    allocation_ratio,
  })
  return {
    VCPU: inventory(vcpus, 0, cpuRatio),
    MEMORY_MB: inventory(memoryMb, reservedMb, 1),
    DISK_GB: inventory(diskGb, 0, 1),
  }
}
