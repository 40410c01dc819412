import type { CloudState } from '../cloud.ts'
import type { Hypervisor } from '../nova/state.ts'
import { type Claim, claims } from '../nova/usage.ts'

export type Resources = { readonly [resourceClass: string]: number }

export interface PlacementState {
  /** Compute hosts Placement knows nothing of. */
  readonly missing: Set<string>
  /** Claims on a host that belong to no server any more, or to none there ever was. */
  readonly leftovers: Allocation[]
}

export const createPlacement = (): PlacementState => ({ missing: new Set(), leftovers: [] })

/** The compute hosts as resource providers; Nova's list is the truth behind them. */
export const providersOf = ({ nova, placement }: CloudState): Hypervisor[] =>
  nova.hypervisors.filter(({ host }) => !placement.missing.has(host))

/** What is said of the kind of a compute host; Nova says too that it is disabled. */
export function traitsOf({ nova }: CloudState, { host }: Hypervisor): readonly string[] {
  const disabled = nova.services.some((one) => one.binary === 'nova-compute' && one.host === host && one.disabled)
  const usual = ['COMPUTE_NODE', 'COMPUTE_VOLUME_ATTACH_WITH_TAG', 'COMPUTE_VOLUME_EXTEND', 'HW_CPU_X86_AVX2']
  return disabled ? [...usual, 'COMPUTE_STATUS_DISABLED'].sort() : usual
}

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

/** What a host has room for, by resource class. */
export function roomOf(cloud: CloudState, provider: Hypervisor): { readonly [name: string]: Room } {
  const mine = allocationsOf(cloud).filter(({ host }) => host === provider.host)
  const used = sum(mine, resourceClasses)
  const rooms = Object.entries(inventoriesOf(provider)).map(
    ([name, { total, reserved, max_unit, allocation_ratio }]) => {
      const capacity = Math.floor((total - reserved) * allocation_ratio)
      return [name, { capacity, used: used[name] ?? 0, most: max_unit }] as const
    },
  )
  return Object.fromEntries(rooms)
}

interface Room {
  readonly capacity: number
  readonly used: number
  /** What may be asked for at once. */
  readonly most: number
}

/** Whether there is room for all of it. */
export const hasRoom = (room: { readonly [name: string]: Room }, wanted: Resources): boolean =>
  Object.entries(wanted).every(([name, amount]) => {
    const one = room[name]
    return one !== undefined && amount <= one.most && amount <= one.capacity - one.used
  })

interface Inventory {
  readonly total: number
  readonly reserved: number
  readonly min_unit: number
  readonly max_unit: number
  readonly step_size: number
  readonly allocation_ratio: number
}

export const resourceClasses = ['VCPU', 'MEMORY_MB', 'DISK_GB'] as const

export function inventoriesOf({ vcpus, memoryMb, reservedMb, diskGb, cpuRatio }: Hypervisor): {
  readonly [resourceClass: string]: Inventory
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
