import { uuidOf } from '../../random.ts'
import type { Files } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import { openFilesOf } from '../machine/proc.ts'
import type { UnitKind } from '../machine/units.ts'

/** One MariaDB server of the cluster. */
export interface DbNode {
  readonly name: string
  /** World milliseconds since 1970, when the process last became ready. */
  startedAt: number
  /** Global variables that somebody set since the start. */
  readonly set: Map<string, string>
  /** Read when the process started. */
  maxConnections: number
  openFilesLimit: number
  /** Connections that clients hold. */
  connected: number
  maxUsed: number
  refusedConnections: number
  /** Set by a fault: what it says of itself. */
  desynced: boolean
  split: boolean
}

/**
 * A Galera cluster.
 *
 * 1. The nodes whose unit runs form the primary component while they are more than half; each change of members is a new
 *    configuration.
 * 2. A node that comes back is Joined for a moment before it is Synced.
 * 3. A node that is split off believes in a component of its own.
 */
export interface Galera {
  readonly nodes: ReadonlyMap<string, DbNode>
  readonly clusterUuid: string
  configuration: number
  machine(name: string): Machine | undefined
  /** What a node shows in `wsrep_%`. */
  view(name: string): WsrepView
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

/** Milliseconds from a ready process to Synced. */
const syncTime = 700

export const defaultMaxConnections = 2_000
const packagedOpenFiles = 32_768

export function createGalera(
  names: readonly string[],
  machine: (name: string) => Machine | undefined,
  now: () => number,
): Galera {
  const nodes = new Map(names.map((name) => [name, freshNode(name, now())]))
  let before = names.join(',')
  const alive = (name: string) => {
    const host = machine(name)
    return host !== undefined && host.power.state() !== 'off' && host.units.find('mariadb')?.active === 'active'
  }
  const galera: Galera = {
    nodes,
    clusterUuid: uuidOf('galera').replace(/^(.{14})./, '$11'),
    configuration: 17,
    machine,
    look() {
      const members = names.filter((name) => alive(name) && !nodes.get(name)?.split).join(',')
      if (members === before) return
      before = members
      galera.configuration += 1
    },
    view(name) {
      const node = nodes.get(name)
      const alone = node?.split === true
      const members = alone ? [name] : names.filter((each) => alive(each) && !nodes.get(each)?.split)
      // an orderly stop leaves a primary component behind, however small it is
      const primary = members.length > 0
      const settling = node !== undefined && now() - node.startedAt < syncTime
      const [state, comment] = !primary
        ? [0, 'Initialized']
        : node?.desynced
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
  return galera
}

const freshNode = (name: string, now: number): DbNode => ({
  name,
  startedAt: now - 40 * 86_400_000,
  set: new Map(),
  maxConnections: defaultMaxConnections,
  openFilesLimit: packagedOpenFiles,
  connected: Math.round(defaultMaxConnections * 0.3),
  maxUsed: Math.round(defaultMaxConnections * 0.36),
  refusedConnections: 0,
  desynced: false,
  split: false,
})

/** The service of a database host; its limits and settings take effect when it starts. */
export function mariadbUnit(files: () => Files | undefined, started: () => void): UnitKind {
  return {
    name: 'mariadb.service',
    description: 'MariaDB 10.11.11 database server',
    command: '/usr/sbin/mariadbd',
    user: 'mysql',
    startsIn: 7_000,
    openFiles: packagedOpenFiles,
    restarts: true,
    refuses: () => {
      const unknown =
        files() && optionsIn(files() as Files).find(({ name }) => !knownOptions.has(name.replace(/^loose_/, '')))
      return unknown && `[ERROR] /usr/sbin/mariadbd: unknown variable '${unknown.name}=${unknown.value}'`
    },
    started,
  }
}

/** What a started process reads: its configuration files, and the limit systemd gave it. */
export function readSettings(node: DbNode, machine: Machine): void {
  const unit = machine.units.find('mariadb')
  node.startedAt = machine.now()
  node.set.clear()
  node.openFilesLimit = unit ? openFilesOf(unit) : packagedOpenFiles
  const wanted = parsedMaxConnections(machine.files)
  node.maxConnections = fitting(wanted, node.openFilesLimit)
  node.maxUsed = Math.min(node.connected, node.maxConnections)
  if (node.maxConnections < wanted) {
    machine.journal.add({
      at: machine.now(),
      priority: 4,
      message: `[Warning] Changed limits: max_open_files: ${node.openFilesLimit}  max_connections: ${node.maxConnections} (was ${wanted})  table_cache: 200 (was 2000)`,
      unit: 'mariadb.service',
      identifier: 'mariadbd',
      pid: unit?.mainPid ?? 0,
      bootId: machine.power.boot().id,
    })
  }
}

/**
 * What a server makes of the wanted limit when files are scarce: some stay with it, and the smallest table cache comes first.
 * With many files it keeps eight table caches, with few only one.
 */
export const fitting = (wanted: number, files: number): number =>
  Math.max(10, Math.min(wanted, files - 30 - (files >= 10_000 ? 8 : 1) * 400))

/** The last `max_connections` in the files; a value that is no number counts as the smallest. */
export function parsedMaxConnections(files: Files): number {
  const said = optionsIn(files)
    .filter(({ name }) => name === 'max_connections')
    .at(-1)?.value
  if (said === undefined) return defaultMaxConnections
  return Math.min(100_000, Math.max(10, Number.parseInt(said, 10) || 0))
}

/** Every option of the sections a server reads, in the order of the files. */
export function optionsIn(files: Files): { readonly name: string; readonly value: string }[] {
  const folders = ['/etc/mysql/conf.d', '/etc/mysql/mariadb.conf.d']
  const paths = folders.flatMap((folder) =>
    files.find(folder)?.kind === 'folder'
      ? files
          .list(folder)
          .filter((name) => name.endsWith('.cnf'))
          .map((name) => `${folder}/${name}`)
      : [],
  )
  return paths.flatMap((path) => {
    let section = ''
    return files
      .text(path)
      .split('\n')
      .flatMap((line) => {
        const header = /^\s*\[([^\]]+)\]/.exec(line)?.[1]
        if (header !== undefined) section = header
        const option = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?))?\s*$/.exec(line)
        if (
          header !== undefined ||
          !option?.[1] ||
          !['mysqld', 'mariadbd', 'server', 'mariadb', 'galera'].includes(section)
        )
          return []
        return [{ name: option[1].replaceAll('-', '_'), value: option[2] ?? '' }]
      })
  })
}

/** Options a configuration of this cluster may hold; anything else keeps the server from starting. */
const knownOptions = new Set([
  'max_connections',
  'extra_max_connections',
  'extra_port',
  'open_files_limit',
  'table_open_cache',
  'bind_address',
  'user',
  'pid_file',
  'basedir',
  'datadir',
  'tmpdir',
  'expire_logs_days',
  'character_set_server',
  'collation_server',
  'binlog_format',
  'default_storage_engine',
  'innodb_autoinc_lock_mode',
  'innodb_buffer_pool_size',
  'innodb_flush_log_at_trx_commit',
  'innodb_log_file_size',
  'max_allowed_packet',
  'max_connect_errors',
  'wait_timeout',
  'interactive_timeout',
  'connect_timeout',
  'skip_name_resolve',
  'thread_cache_size',
  'log_error',
  'slow_query_log',
  'long_query_time',
  'wsrep_on',
  'wsrep_provider',
  'wsrep_provider_options',
  'wsrep_cluster_name',
  'wsrep_cluster_address',
  'wsrep_node_name',
  'wsrep_node_address',
  'wsrep_sst_method',
  'wsrep_sst_auth',
  'wsrep_sst_donor',
  'wsrep_slave_threads',
  'wsrep_desync',
  'back_log',
  'log_bin',
  'server_id',
  'sync_binlog',
])
