import type { Files } from '../machine/files.ts'

/** What a server that starts makes of its configuration files: an option, as it is written there. */
export interface Option {
  readonly name: string
  readonly value: string
}

export const defaultMaxConnections = 2_000
/** The limit of open files that the package gives the unit. */
export const packagedOpenFiles = 32_768

/** Every option of the sections a server reads, in the order of the files. */
export function optionsIn(files: Files): readonly Option[] {
  const folders = ['/etc/mysql/conf.d', '/etc/mysql/mariadb.conf.d']
  const paths = folders.flatMap((folder) =>
    files.find(folder)?.kind === 'folder'
      ? files
          .list(folder)
          .filter((name) => name.endsWith('.cnf'))
          .sort()
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

/** What each option of the files comes to: the last one counts, and sizes become numbers. */
export function valuesIn(files: Files): ReadonlyMap<string, string> {
  return new Map(optionsIn(files).map(({ name, value }) => [name.replace(/^loose_/, ''), sized(value)]))
}

function sized(value: string): string {
  const [, digits, unit] = /^(\d+)([KMG])$/i.exec(value) ?? []
  return unit === undefined ? value : String(Number(digits) * 1024 ** ('KMG'.indexOf(unit.toUpperCase()) + 1))
}

/** The file a server writes its errors to, when it is told to; a path without a folder is below its data. */
export function errorLogIn(files: Files): string | undefined {
  const said = valuesIn(files).get('log_error')
  return said === undefined || said === '' || said.startsWith('/') ? said || undefined : `/var/lib/mysql/${said}`
}

/** The last `max_connections` in the files; a value that is no number counts as the smallest. */
export function parsedMaxConnections(files: Files): number {
  const said = valuesIn(files).get('max_connections')
  if (said === undefined) return defaultMaxConnections
  return Math.min(100_000, Math.max(10, Number.parseInt(said, 10) || 0))
}

/**
 * What a server makes of the wanted limit when files are scarce: some stay with it, and the smallest table cache comes first.
 * With many files it keeps eight table caches, with few only one. When there are not even files for those it does nothing.
 */
export const fitting = (wanted: number, files: number): number =>
  files < 1_000 ? wanted : Math.max(10, Math.min(wanted, files - 30 - (files >= 10_000 ? 8 : 1) * 400))

/** The first option that no server knows: found when the state has been transferred already. */
export const unknownOption = (files: Files): Option | undefined =>
  optionsIn(files).find(({ name }) => !knownOptions.has(name.replace(/^loose_/, '')))

/** What the parser takes and the storage engine does not: it keeps the server from starting before anything is transferred. */
export function impossible(files: Files, memory: number): string | undefined {
  const values = valuesIn(files)
  const pool = Number(values.get('innodb_buffer_pool_size') ?? 0)
  if (pool > memory * 1024) return `InnoDB: Cannot map innodb_buffer_pool_size_max=${Math.round(pool / 1024 ** 2)}m`
  const temporary = values.get('tmpdir')
  if (temporary !== undefined && files.find(temporary)?.kind !== 'folder')
    return `InnoDB: Unable to create temporary file in ${temporary}; errno: 2`
  return undefined
}

/** Options a configuration of this cluster may hold. */
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
