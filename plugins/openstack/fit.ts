/** Amounts by resource class: `VCPU`, `MEMORY_MB`, `DISK_GB`. */
export type Amounts = { readonly [resourceClass: string]: number }

/** What a host has of a resource class. */
export interface Stock {
  /** What can be given out: (total - reserved) × allocation ratio. */
  readonly capacity: number
  readonly used: number
  /** The largest piece. */
  readonly largest: number
}

/** A host that may take servers. */
export interface Place {
  readonly host: string
  readonly stocks: { readonly [resourceClass: string]: Stock }
}

/** A server that looks for a place. */
export interface Guest {
  readonly id: string
  readonly name: string
  readonly needs: Amounts
  /** Hosts that may not take it whatever room they have, and why. */
  readonly barred?: ReadonlyMap<string, string>
}

/** A server group; only the hard rules bind. */
export interface Group {
  readonly name: string
  readonly policy: string
  /** How many of its servers one host may have, where they are kept apart. */
  readonly mostOnHost: number
  /** Where its servers are now. */
  readonly members: ReadonlyMap<string, string>
}

export interface Wanted {
  readonly guests: readonly Guest[]
  readonly places: readonly Place[]
  readonly groups: readonly Group[]
  /** The share of every host that stays free, from 0 to 1. */
  readonly reserve: number
}

export interface Refusal {
  readonly host: string
  readonly why: string
}

export interface Fit {
  readonly placed: readonly { readonly guest: Guest; readonly host: string }[]
  readonly unplaced: readonly { readonly guest: Guest; readonly refusals: readonly Refusal[] }[]
  /** What the hosts can still give out, the reserve kept, once all that fits is there. */
  readonly left: readonly { readonly host: string; readonly room: Amounts }[]
}

/** A host whose servers the others could not take, if it went as well. */
export interface Loss {
  readonly host: string
  readonly resourceClass: string
  readonly holds: number
  readonly room: number
}

/**
 * Finds a host for each server, one after another, as each takes room from the next. Finding the best way to do that
 * takes too long, so four simple ones are tried, the first of them as the scheduler goes about it; the first that leaves
 * nobody out is taken, else the one that leaves out the fewest.
 */
export function placeAll(wanted: Wanted): Fit {
  let best: Fit | undefined
  for (const order of [largestFirst, mostTiedFirst])
    for (const choice of [roomiest, tightest]) {
      const found = attempt(wanted, order(wanted), choice)
      if (found.unplaced.length === 0) return found
      if (!best || found.unplaced.length < best.unplaced.length) best = found
    }
  return best as Fit
}

/** Which hosts, once what fits is there, hold more than all others together could take. Reserves are for that, and count. */
export function lossesTooLarge({ places }: Wanted, { placed }: Fit): readonly Loss[] {
  const full = places.map((place) => {
    const added = total(placed.filter(({ host }) => host === place.host).map(({ guest }) => guest.needs))
    const held = Object.entries(place.stocks).map(
      ([name, { used, capacity }]) => [name, used + (added[name] ?? 0), capacity] as const,
    )
    return {
      host: place.host,
      holds: Object.fromEntries(held.map(([name, holds]) => [name, holds])) as Amounts,
      room: Object.fromEntries(held.map(([name, holds, capacity]) => [name, Math.max(capacity - holds, 0)])) as Amounts,
    }
  })
  return full.flatMap(({ host, holds }) => {
    const room = total(full.filter((other) => other.host !== host).map((other) => other.room))
    return Object.entries(holds).flatMap(([resourceClass, amount]) =>
      amount > (room[resourceClass] ?? 0)
        ? [{ host, resourceClass, holds: amount, room: room[resourceClass] ?? 0 }]
        : [],
    )
  })
}

export function total(amounts: readonly Amounts[]): Amounts {
  const sum: { [resourceClass: string]: number } = {}
  for (const [name, amount] of amounts.flatMap((one) => Object.entries(one))) sum[name] = (sum[name] ?? 0) + amount
  return sum
}

const words: { readonly [resourceClass: string]: string } = {
  VCPU: 'processors',
  PCPU: 'processors of its own',
  MEMORY_MB: 'MiB of memory',
  DISK_GB: 'GiB of disk',
}

/** `16384 MiB of memory`. */
export const sayAmount = (resourceClass: string, amount: number): string =>
  `${amount} ${words[resourceClass] ?? resourceClass}`

/** A host while it fills up. */
interface Filling {
  readonly place: Place
  free: Amounts
}

type Choice = (open: readonly Filling[]) => Filling | undefined

function attempt({ places, groups, reserve }: Wanted, guests: readonly Guest[], choose: Choice): Fit {
  const filling = places.map((place): Filling => ({ place, free: freeOf(place, reserve) }))
  const where = new Map(groups.flatMap(({ members }) => [...members]))
  const placed: { guest: Guest; host: string }[] = []
  const unplaced: { guest: Guest; refusals: Refusal[] }[] = []
  for (const guest of guests) {
    const looked = filling.map((one) => ({ one, why: refusal(guest, one, groups, where) }))
    const taker = choose(looked.flatMap(({ one, why }) => (why === undefined ? [one] : [])))
    if (!taker) {
      unplaced.push({ guest, refusals: looked.map(({ one, why = '' }) => ({ host: one.place.host, why })) })
      continue
    }
    const { host } = taker.place
    taker.free = Object.fromEntries(
      Object.entries(taker.free).map(([name, free]) => [name, free - (guest.needs[name] ?? 0)]),
    )
    where.set(guest.id, host)
    placed.push({ guest, host })
  }
  return { placed, unplaced, left: filling.map(({ place, free }) => ({ host: place.host, room: free })) }
}

function freeOf({ stocks }: Place, reserve: number): Amounts {
  return Object.fromEntries(
    Object.entries(stocks).map(([name, { capacity, used }]) => [name, Math.floor(capacity * (1 - reserve)) - used]),
  )
}

/** Why a host does not take a server. */
function refusal(
  guest: Guest,
  { place, free }: Filling,
  groups: readonly Group[],
  where: ReadonlyMap<string, string>,
): string | undefined {
  const barred = guest.barred?.get(place.host)
  if (barred !== undefined) return barred
  for (const [name, amount] of Object.entries(guest.needs)) {
    const left = free[name]
    const largest = place.stocks[name]?.largest ?? 0
    if (left === undefined) return `it gives no ${words[name] ?? name}`
    if (largest < amount) return `it gives at most ${sayAmount(name, largest)} to one server, ${amount} are needed`
    if (left < amount) return `it has ${sayAmount(name, Math.max(left, 0))} left, ${amount} are needed`
  }
  for (const group of groups.filter(({ members }) => members.has(guest.id))) {
    const hosts = [...group.members.keys()].flatMap((id) => (id === guest.id ? [] : (where.get(id) ?? [])))
    if (group.policy === 'affinity' && hosts.length > 0 && !hosts.includes(place.host))
      return `group \`${group.name}\` keeps it on \`${[...new Set(hosts)].join('`, `')}\``
    if (group.policy === 'anti-affinity' && hosts.filter((host) => host === place.host).length >= group.mostOnHost)
      return `group \`${group.name}\` keeps it apart from a server there`
  }
  return undefined
}

const sizes = ['MEMORY_MB', 'VCPU', 'DISK_GB']

function bySize(a: Guest, b: Guest): number {
  for (const name of sizes) {
    const difference = (b.needs[name] ?? 0) - (a.needs[name] ?? 0)
    if (difference !== 0) return difference
  }
  return a.name < b.name ? -1 : 1
}

const largestFirst = ({ guests }: Wanted): readonly Guest[] => guests.toSorted(bySize)

const hardRules = ['affinity', 'anti-affinity']

/** Those first that only few hosts may take. */
function mostTiedFirst({ guests, groups }: Wanted): readonly Guest[] {
  const ties = ({ id, barred }: Guest) =>
    (barred?.size ?? 0) + groups.filter(({ policy, members }) => hardRules.includes(policy) && members.has(id)).length
  return guests.toSorted((a, b) => ties(b) - ties(a) || bySize(a, b))
}

const memory = ({ free }: Filling): number => free['MEMORY_MB'] ?? 0

const roomiest: Choice = (open) => open.toSorted((a, b) => memory(b) - memory(a))[0]
const tightest: Choice = (open) => open.toSorted((a, b) => memory(a) - memory(b))[0]
