import { uuidOf } from '../../random.ts'
import type { Machine } from '../machine/machine.ts'
import { type Clients, createClients, type Holder, usualHolders } from './clients.ts'
import { sayNoFiles, sayOf } from './error-log.ts'
import { defaultMaxConnections, packagedOpenFiles } from './options.ts'

/** One MariaDB server of the cluster. */
export interface DbNode {
  readonly name: string
  /** World milliseconds since 1970, when the process last became ready. */
  startedAt: number
  /** Global variables that somebody set since the start. */
  readonly set: Map<string, string>
  /** The values of the configuration files, as the process that runs has read them. */
  read: ReadonlyMap<string, string>
  maxConnections: number
  /** The most that `SET GLOBAL max_connections` gives, whatever it is told. */
  mostConnections: number
  openFilesLimit: number
  /** Who is connected to it, or tries to be. */
  readonly clients: Clients
  /** What it says of itself: set by a fault, or by `wsrep_desync`. */
  desynced: boolean
  split: boolean
  /** Its saved state is lost: the next start takes all of another node's, not only what it missed. */
  stateLost: boolean
  /** A node that falls in the moment this one starts. */
  takesDown: string | undefined
  /** The cluster loses its majority in the moment this one starts. */
  losesMajority: boolean
  /** How many starts from now on end desynced, and how many do not end at all. */
  desyncedStarts: number
  stuckStarts: number
  /** The start that is under way does not end. */
  stuck: boolean
  /** Voted out: it could not do what the others did, and is no part of the cluster until it starts again. */
  votedOut: boolean
}

/**
 * A Galera cluster.
 *
 * 1. The nodes whose unit runs form the primary component while they are more than half; each change of members is a new
 *    configuration.
 * 2. A node that starts is a member before it answers. Another one gives it what it missed and is a donor, not Synced, for as
 *    long: the first of the others, so it may be the one that writes.
 * 3. A node that comes back is Joined for a moment before it is Synced.
 * 4. A node that is split off believes in a component of its own.
 * 5. Without a majority every node that runs is alone: it says so, answers nothing that needs a table, and none can join, until
 *    somebody makes one of them a primary component by hand.
 */
export interface Galera {
  readonly nodes: ReadonlyMap<string, DbNode>
  readonly clusterUuid: string
  configuration: number
  /** No part of it is more than half. */
  noMajority: boolean
  /** Who comes through the proxy, and to which node it sends them: the estate says. */
  readonly proxied: Holder[]
  route: () => string | undefined
  machine(name: string): Machine | undefined
  /** What a node shows in `wsrep_%`. */
  view(name: string): WsrepView
  /** When the data of a node were written last, world milliseconds since 1970: all the time while it is given everything. */
  writtenAt(name: string): number
  /** Looks who is there; called on each change of a unit. */
  look(): void
}

export interface WsrepView {
  readonly size: number
  readonly status: 'Primary' | 'non-Primary' | 'Disconnected'
  readonly state: number
  readonly comment: string
  readonly ready: boolean
  readonly connected: boolean
  readonly configuration: number
  readonly addresses: string
  readonly index: number
  readonly desyncCount: number
}

/** Milliseconds: from the beginning of a start until the others count it, until it is given a state, and from there to the end. */
const [seenAfter, givenAfter, endsAfter] = [3_000, 4_600, 800]
/** How long it takes to be given what was missed, and everything. */
const [missed, everything] = [1_600, 45_000]
/** Milliseconds from a ready process to Synced. */
const syncTime = 700
/** How long a node that starts looks for a primary component. */
const waitsForPrimary = 36_000
/** Longer than anybody waits. */
const never = 365 * 86_400_000

export function createGalera(
  names: readonly string[],
  machine: (name: string) => Machine | undefined,
  now: () => number,
): Galera {
  const nodes = new Map<string, DbNode>(names.map((name) => [name, freshNode(name, now)]))
  let before = names.join(',')
  const alive = (name: string) => {
    const host = machine(name)
    return host !== undefined && host.power.state() !== 'off' && host.units.find('mariadb')?.active === 'active'
  }
  const startingFor = (name: string): number => {
    const unit = machine(name)?.units.find('mariadb')
    return unit?.active === 'activating' && unit.sub === 'start' ? now() - unit.since : -1
  }
  const isMember = (name: string) => {
    const node = nodes.get(name)
    return !node?.split && !node?.votedOut && (alive(name) || startingFor(name) >= seenAfter)
  }
  /** Gives its state to one that starts. */
  const gives = (name: string) =>
    names.some((other) => {
      const node = nodes.get(other)
      const since = startingFor(other)
      if (!node || other === name || since < givenAfter || since >= givenAfter + transferTime(node)) return false
      return name === names.find((each) => each !== other && alive(each) && isMember(each))
    })
  const galera: Galera = {
    nodes,
    clusterUuid: uuidOf('galera').replace(/^(.{14})./, '$11'),
    configuration: 17,
    noMajority: false,
    proxied: usualHolders(),
    route: () => names[0],
    machine,
    look() {
      const members = names.filter(isMember).join(',')
      if (members === before) return
      before = members
      galera.configuration += 1
    },
    writtenAt(name) {
      const node = nodes.get(name)
      const since = startingFor(name)
      const given = node?.stateLost && !node.stuck && since >= givenAfter && since < givenAfter + everything
      return given ? now() : (node?.startedAt ?? 0)
    },
    view(name) {
      galera.look()
      const node = nodes.get(name)
      if (node?.votedOut) return outside
      if (galera.noMajority) return { ...outside, ...cutOff, addresses: `${machine(name)?.address}:0` }
      const alone = node?.split === true
      const members = alone ? [name] : names.filter(isMember)
      // an orderly stop leaves a primary component behind, however small it is
      const primary = members.length > 0
      const settling = node !== undefined && now() - node.startedAt < syncTime
      const [state, comment] = !primary
        ? [0, 'Initialized']
        : node?.desynced || gives(name)
          ? [2, 'Donor/Desynced']
          : settling
            ? [3, 'Joined']
            : [4, 'Synced']
      return {
        size: members.length,
        status: primary ? 'Primary' : 'non-Primary',
        state: Number(state),
        comment: String(comment),
        ready: primary,
        connected: true,
        configuration: alone ? galera.configuration + 1 : galera.configuration,
        addresses: members.map((each) => `${machine(each)?.address}:0`).join(','),
        index: members.indexOf(name),
        desyncCount: node?.desynced ? 1 : 0,
      }
    },
  }
  for (const node of nodes.values()) {
    node.clients.proxied = () => (galera.route() === node.name ? galera.proxied : [])
    node.clients.onStarved(() => voteOut(galera, node, alive))
  }
  return galera
}

/** What a node says that was voted out: it runs, and belongs to nothing. */
const outside: WsrepView = {
  size: 0,
  status: 'Disconnected',
  state: 5,
  comment: 'Inconsistent',
  ready: false,
  connected: false,
  configuration: 0,
  addresses: '',
  index: -1,
  desyncCount: 0,
}

/** What a node says that belongs to no primary component. */
const cutOff = { size: 1, status: 'non-Primary', state: 0, comment: 'Initialized', connected: true, index: 0 } as const

const freshNode = (name: string, now: () => number): DbNode => {
  const node: DbNode = {
    name,
    startedAt: now() - 40 * 86_400_000,
    set: new Map(),
    read: new Map(),
    maxConnections: defaultMaxConnections,
    mostConnections: 100_000,
    openFilesLimit: packagedOpenFiles,
    clients: createClients(now, () => node),
    desynced: false,
    split: false,
    stateLost: false,
    takesDown: undefined,
    losesMajority: false,
    desyncedStarts: 0,
    stuckStarts: 0,
    stuck: false,
    votedOut: false,
  }
  return node
}

/** Milliseconds that a start takes, when its configuration allows one. */
export const startTakes = ({ noMajority }: Galera, node: DbNode): number =>
  noMajority ? waitsForPrimary : givenAfter + transferTime(node) + endsAfter

const transferTime = (node: DbNode): number => (node.stuck ? never : node.stateLost ? everything : missed)

/** A node without files for its tables cannot do what the others do, and is voted out, while its process goes on. */
function voteOut(galera: Galera, node: DbNode, alive: (name: string) => boolean): void {
  const machine = galera.machine(node.name)
  if (!machine || !alive(node.name) || node.votedOut) return
  node.votedOut = true
  node.stateLost = true
  sayNoFiles(machine)
  for (const message of [
    `[ERROR] Slave SQL: Error executing row event: 'Table 'nova.services' doesn't exist', Internal MariaDB error code: 1146`,
    `[ERROR] WSREP: Inconsistency detected: Inconsistent by consensus on ${galera.clusterUuid}:1204551`,
  ])
    sayOf(machine, 3, message)
  galera.look()
}
