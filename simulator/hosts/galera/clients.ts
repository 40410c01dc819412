import type { DbNode } from './model.ts'

/** Connections of one user from one place: as many as it wants, when it gets them. */
export interface Holder {
  readonly user: string
  readonly from: string
  readonly wants: number
  /** `Sleep`, or `Query` when it waits for an answer. */
  readonly command: 'Sleep' | 'Query'
  /** Seconds that they have slept, or that their queries take. */
  readonly seconds: number
  readonly database: string
}

/**
 * Who is connected to one server.
 *
 * 1. Clients hold connections until somebody stops them; those that are turned away try again, every five seconds each.
 * 2. There are no more than the limit allows; whoever is first has them.
 * 3. A process that may not open enough files accepts no more, and says so to the cluster before long.
 */
export interface Clients {
  readonly holders: Holder[]
  /** The place that is kept for an administrator is taken too. */
  administratorIn: boolean
  /** What comes through a proxy: said by whoever routes, for this moment. */
  proxied: () => readonly Holder[]
  /** What is connected now, holder by holder. */
  connections(): readonly (Holder & { readonly count: number })[]
  connected(): number
  maxUsed(): number
  refused(): number
  /** For history: so many were turned away before anybody looked. */
  hadRefused(count: number): void
  /** For history: as many as the limit allows were connected at once. */
  hadBeenFull(): void
  restarted(): void
  onStarved(happens: () => void): void
}

const retryEvery = 5_000
/** Files of a server with no clients. */
const ownFiles = 60

export function createClients(now: () => number, node: () => DbNode): Clients {
  const holders: Holder[] = [service('monitor', 12)]
  let most = 0
  let turnedAway = 0
  let lookedAt = now()
  let starved = () => {}

  /** Counts what has happened since somebody looked last. */
  function look(): readonly (Holder & { readonly count: number })[] {
    const { maxConnections, openFilesLimit } = node()
    const all = [...holders, ...clients.proxied()]
    let left = Math.min(maxConnections, Math.max(0, openFilesLimit - ownFiles))
    const connections = all.map((holder) => {
      const count = Math.min(holder.wants, left)
      left -= count
      return { ...holder, count }
    })
    const wanted = all.reduce((sum, { wants }) => sum + wants, 0)
    const connected = connections.reduce((sum, { count }) => sum + count, 0)
    const passed = Math.max(0, now() - lookedAt)
    if (wanted > connected && connected >= maxConnections) turnedAway += ((wanted - connected) * passed) / retryEvery
    most = Math.max(most, connected)
    lookedAt = now()
    if (wanted > connected && connected < maxConnections) starved()
    return connections
  }

  const clients: Clients = {
    holders,
    administratorIn: false,
    proxied: () => [],
    connections: look,
    connected: () => look().reduce((sum, { count }) => sum + count, 0),
    maxUsed() {
      look()
      return most
    },
    refused() {
      look()
      return Math.round(turnedAway)
    },
    hadRefused(count) {
      turnedAway += count
    },
    hadBeenFull() {
      most = Math.max(most, node().maxConnections)
    },
    restarted() {
      most = 0
      turnedAway = 0
      lookedAt = now()
    },
    onStarved(happens) {
      starved = happens
    },
  }
  return clients
}

/** A user whose connections are short of work. */
const service = (user: string, wants: number): Holder => ({
  user,
  from: `10.77.0.${11 + (wants % 3)}`,
  wants,
  command: 'Sleep',
  seconds: 20,
  database: user,
})

/** What the services of a quiet cloud hold through the proxy. */
export const usualHolders = (): Holder[] => [
  service('nova', 240),
  service('neutron', 190),
  service('keystone', 90),
  service('cinder', 60),
  service('glance', 20),
]
