import type { Machine } from '../machine/machine.ts'
import { openFilesOf } from '../machine/proc.ts'
import type { Unit, UnitKind } from '../machine/units.ts'
import { sayInJournal, sayOf } from './error-log.ts'
import { type DbNode, type Galera, startTakes } from './model.ts'
import {
  errorLogIn,
  fitting,
  impossible,
  packagedOpenFiles,
  parsedMaxConnections,
  unknownOption,
  valuesIn,
} from './options.ts'

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
      const alone = cluster().noMajority
      return !alone && impossible(host.files, host.memory.total) ? 400 : startTakes(cluster(), db)
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
