import type { CloudWorld } from '../cloud.ts'
import { allocationsOf, providersOf } from '../placement/state.ts'
import { computeIsUp, computeOn } from './alive.ts'
import type { Flavor, NovaServer, ServerGroup } from './state.ts'
import { existing } from './state.ts'

/** What is looked for a host. */
export interface Placing {
  readonly flavor: Flavor
  readonly server?: NovaServer
  readonly group?: ServerGroup | undefined
  /** Only this one, if it will do. */
  readonly host?: string | null | undefined
  /** Not this one. */
  readonly not?: string | null
}

export const noValidHost = (reason = 'There are not enough hosts available.'): string =>
  `No valid host was found. ${reason}`

/** The hosts that would take a server, those with the most free memory first. */
export function hostsFor(world: CloudWorld, { flavor, server, group, host: only, not }: Placing): string[] {
  const { cloud } = world
  const used = new Map<string, { vcpus: number; memory: number }>()
  for (const { host, resources } of allocationsOf(cloud)) {
    const sum = used.get(host) ?? { vcpus: 0, memory: 0 }
    sum.vcpus += resources['VCPU'] ?? 0
    sum.memory += resources['MEMORY_MB'] ?? 0
    used.set(host, sum)
  }
  const allowed = groupAllows(world, server, group)
  const fitting = providersOf(cloud).flatMap(({ host, memoryMb, reservedMb, vcpus, cpuRatio }) => {
    if (host === not || (only != null && host !== only)) return []
    const taken = used.get(host) ?? { vcpus: 0, memory: 0 }
    const free = { memory: memoryMb - reservedMb - taken.memory, vcpus: vcpus * cpuRatio - taken.vcpus }
    const fits = free.memory >= flavor.ram && free.vcpus >= flavor.vcpus
    const takes = fits && computeOn(world, host)?.disabled === false && computeIsUp(world, host) && allowed(host)
    return takes ? [{ host, free: free.memory }] : []
  })
  return fitting.sort((a, b) => b.free - a.free).map(({ host }) => host)
}

export const groupOf = ({ cloud: { nova } }: CloudWorld, { id }: NovaServer): ServerGroup | undefined =>
  nova.groups.find(({ members }) => members.includes(id))

/** The soft policies only prefer; the scheduler here follows the hard ones. */
function groupAllows(
  world: CloudWorld,
  server: NovaServer | undefined,
  named: ServerGroup | undefined,
): (host: string) => boolean {
  const group = named ?? (server && groupOf(world, server))
  if (!group) return () => true
  const others = existing(world.cloud.nova).filter(({ id }) => id !== server?.id && group.members.includes(id))
  const hosts = others.flatMap(({ host }) => (host === null ? [] : [host]))
  const most = group.rules['max_server_per_host'] ?? 1
  switch (group.policy) {
    case 'affinity':
      return (host) => hosts.length === 0 || hosts.includes(host)
    case 'anti-affinity':
      return (host) => hosts.filter((one) => one === host).length < most
    default:
      return () => true
  }
}
