import { uuidOf } from '../../random.ts'
import type { Machine } from '../machine/machine.ts'
import { openFilesOf } from '../machine/proc.ts'
import type { Unit, UnitKind } from '../machine/units.ts'
import { type Clients, createClients, type Holder, usualHolders } from './clients.ts'
import {
  defaultMaxConnections,
  errorLogIn,
  fitting,
  impossible,
  parsedMaxConnections,
  unknownOption,
  valuesIn,
} from './options.ts'

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
const packagedOpenFiles = 32_768
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

/** What a server says once it has opened its error log. */
function sayOf(machine: Machine, priority: number, message: string): void {
  const file = errorLogIn(machine.files)
  if (file === undefined) {
    sayInJournal(machine, priority, message)
    return
  }
  const at = new Date(machine.now()).toISOString()
  machine.files.append(file, `${at.slice(0, 10)} ${at.slice(11, 19)} 0 ${message}\n`)
}

/** It has no file for one more who wants in. */
export const sayNoFiles = (machine: Machine): void => sayOf(machine, 3, '[ERROR] Error in accept: Too many open files')

function sayInJournal(machine: Machine, priority: number, message: string): void {
  machine.journal.add({
    at: machine.now(),
    priority,
    message,
    unit: 'mariadb.service',
    identifier: 'mariadbd',
    pid: machine.units.find('mariadb')?.mainPid ?? 0,
    bootId: machine.power.boot().id,
  })
}

interface MariadbUnitOptions {
  readonly node: () => DbNode | undefined
  readonly machine: () => Machine | undefined
  readonly started: () => void
  /** The other nodes that are Synced. */
  readonly others: () => readonly string[]
  /** Another node has fallen. */
  readonly fell: (name: string) => void
  readonly cluster: () => Galera
}

/**
 * The service of a database host; its limits and settings take effect when it starts. What the storage engine cannot have
 * ends a start at once. An option nobody knows is found after the state was transferred: the server aborts, what it had saved
 * is lost, and systemd tries again, and again. So it goes when a whole state has no room.
 */
export function mariadbUnit({ node, machine, started, others, fell, cluster }: MariadbUnitOptions): UnitKind {
  return {
    name: 'mariadb.service',
    description: 'MariaDB 10.11.11 database server',
    command: '/usr/sbin/mariadbd',
    user: 'mysql',
    startsIn() {
      const [db, host] = [node(), machine()]
      if (!db || !host) return 7_000
      if (cluster().noMajority) return waitsForPrimary
      return impossible(host.files, host.memory.total) ? 400 : givenAfter + transferTime(db) + endsAfter
    },
    openFiles: packagedOpenFiles,
    restarts: true,
    starting() {
      const db = node()
      if (!db) return
      db.stuck = db.stuckStarts > 0
      db.stuckStarts = Math.max(0, db.stuckStarts - 1)
      if (db.takesDown !== undefined) fell(db.takesDown)
      db.takesDown = undefined
      if (db.losesMajority) cluster().noMajority = true
      db.losesMajority = false
    },
    errorLog() {
      const host = machine()
      return host && errorLogIn(host.files)
    },
    refuses() {
      const [db, host] = [node(), machine()]
      if (!db || !host) return undefined
      const cannot = impossible(host.files, host.memory.total)
      if (cannot) return { reason: `[ERROR] ${cannot}` }
      if (cluster().noMajority)
        return {
          reason:
            '[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view (pc.wait_prim_timeout): 110 (Connection timed out)',
        }
      const data = host.mounts.find(({ at }) => at === '/var/lib/mysql')
      if (db.stateLost && data && data.used >= data.size)
        return {
          reason: `[ERROR] mariadbd: Error writing file './ibdata1' (Errcode: 28 "No space left on device")`,
          aborts: true,
        }
      const unknown = unknownOption(host.files)
      if (!unknown) return undefined
      db.stateLost = true
      return { reason: `[ERROR] /usr/sbin/mariadbd: unknown variable '${unknown.name}=${unknown.value}'`, aborts: true }
    },
    started,
    standing: () => ({ synced: others() }),
  }
}

/** What a started process reads: its configuration files, and the limit systemd gave it. */
export function readSettings(node: DbNode, machine: Machine): void {
  const unit = machine.units.find('mariadb')
  node.startedAt = machine.now()
  node.set.clear()
  node.stateLost = false
  node.votedOut = false
  node.desynced = node.desyncedStarts > 0
  node.desyncedStarts = Math.max(0, node.desyncedStarts - 1)
  readFiles(node, machine, unit)
  node.clients.restarted()
  sayOf(
    machine,
    5,
    `[Note] Starting MariaDB 10.11.11-MariaDB-0+deb12u1 source revision e69f8cae1a15e15b9e4f5e0f8497e1f17bdc81a4 server_uid 3b1Q6H5yqzdpOYlHnSgEyHYfGx4= as process ${unit?.mainPid ?? 0}`,
  )
  const wanted = parsedMaxConnections(machine.files)
  const { openFilesLimit: files, maxConnections } = node
  // limits come first, before it opens its error log
  const request = Math.max(wanted * 5, wanted + 2_000 * 2 * 8) + 33
  if (files < request)
    sayInJournal(
      machine,
      4,
      `[Warning] Could not increase number of max_open_files to more than ${files} (request: ${request})`,
    )
  // the same words come when only the table cache is lowered
  const cache = Math.max(200, Math.min(2_000, Math.floor((files - 30 - maxConnections) / 2)))
  if (maxConnections < wanted || (files >= 1_000 && files < 10_000 && cache < 2_000))
    sayInJournal(
      machine,
      4,
      `[Warning] Changed limits: max_open_files: ${files}  max_connections: ${maxConnections} (was ${wanted})  table_cache: ${maxConnections < wanted ? 200 : cache} (was 2000)`,
    )
}

/** The settings of the files and the limit of the unit, as the process has them that runs. */
export function readFiles(node: DbNode, machine: Machine, unit: Unit | undefined): void {
  node.read = valuesIn(machine.files)
  node.openFilesLimit = unit ? openFilesOf(unit) : packagedOpenFiles
  node.maxConnections = fitting(parsedMaxConnections(machine.files), node.openFilesLimit)
}
