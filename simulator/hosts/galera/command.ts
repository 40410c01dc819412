import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { fitting, type Galera, optionsIn, parsedMaxConnections } from './model.ts'
import { executeSql } from './sql.ts'

/** `mariadb`, `mysql`, `mariadb-admin`, `my_print_defaults` and `mariadbd --help --verbose` of a database host. */
export function galeraPrograms(machine: Machine, galera: Galera): [string, Program][] {
  const client: Program = async (me, args) => mariadb(machine, galera, me, args)
  const admin: Program = async (me, args) => {
    if (!serving(machine)) {
      me.err(
        `mariadb-admin: connect to server at 'localhost' failed\nerror: '${cannotConnect}'\nCheck that mariadbd is running and that the socket: '/run/mysqld/mysqld.sock' exists!\n`,
      )
      return 1
    }
    if (args.includes('ping')) me.out('mysqld is alive\n')
    return 0
  }
  const defaults: Program = async (me) => {
    for (const { name, value } of optionsIn(machine.files))
      me.out(value === '' ? `--${name}\n` : `--${name}=${value}\n`)
    return 0
  }
  return [
    ['mariadb', client],
    ['mysql', client],
    ['mariadb-admin', admin],
    ['mysqladmin', admin],
    ['my_print_defaults', defaults],
    ['mariadbd', async (me, args) => dryParse(machine, galera, me, args)],
    [
      'galera_new_cluster',
      async (me) => {
        me.err('Job for mariadb.service failed because the control process exited with error code.\n')
        return 1
      },
    ],
  ]
}

const cannotConnect = "Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)"

const serving = (machine: Machine) => machine.units.find('mariadb')?.active === 'active'

async function mariadb(machine: Machine, galera: Galera, me: Process, args: readonly string[]): Promise<number> {
  const takes = [
    'e',
    'execute',
    'u',
    'user',
    'h',
    'host',
    'P',
    'port',
    'D',
    'database',
    'S',
    'socket',
    'connect-timeout',
    'connect_timeout',
  ]
  const { flags } = readOptions(
    args.map((arg) => arg.replace(/^-p.+$/, '--password')),
    takes,
  )
  const host = String(flags.get('h') ?? flags.get('host') ?? 'localhost')
  const node = nodeAt(machine, galera, host)
  const user = String(flags.get('u') ?? flags.get('user') ?? me.user)
  const db = node === undefined ? undefined : galera.nodes.get(node)
  const other = node === undefined ? undefined : galera.machine(node)
  if (!db || !other || !serving(other) || other.power.state() === 'off') {
    me.err(
      `ERROR 2002 (HY000): ${host === 'localhost' ? cannotConnect : `Can't connect to server on '${host}' (111)`}\n`,
    )
    return 1
  }
  if (host === 'localhost' && (user !== 'root' || me.user !== 'root')) {
    me.err(
      user === 'root'
        ? `ERROR 1698 (28000): Access denied for user 'root'@'localhost'\n`
        : `ERROR 1045 (28000): Access denied for user '${user}'@'localhost' (using password: ${flags.has('password') ? 'YES' : 'NO'})\n`,
    )
    return 1
  }
  // the place kept for an administrator is the last one there is
  if (db.connected > db.maxConnections || (db.connected >= db.maxConnections && user !== 'root')) {
    db.refusedConnections += 1
    me.err('ERROR 1040 (08004): Too many connections\n')
    return 1
  }
  const said = flags.get('e') ?? flags.get('execute')
  const text = typeof said === 'string' ? said : (await me.input()).toString()
  const warnings: string[] = []
  for (const statement of statements(text)) {
    const sleep = /sleep\(([\d.]+)\)/i.exec(statement)
    if (sleep) await me.sleep(Number(sleep[1]) * 1000)
    const answer = executeSql(galera, db.name, statement, warnings, (name, value) =>
      me.effect('host.mariadb.set_global', db.name, { [name]: value }),
    )
    if (answer.is === 'error') {
      me.err(`--------------\n${statement}\n--------------\n\n${answer.message}\n`)
      return 1
    }
    if (answer.is === 'rows') me.out(draw(answer.columns, answer.rows, flags))
  }
  return 0
}

function nodeAt(machine: Machine, galera: Galera, host: string): string | undefined {
  if (['localhost', '127.0.0.1', machine.name, machine.address].includes(host))
    return galera.nodes.has(machine.name) ? machine.name : undefined
  return [...galera.nodes.keys()].find((name) => name === host || galera.machine(name)?.address === host)
}

/** Splits at the semicolons that stand in no quotes. */
const statements = (text: string): string[] =>
  (text.match(/(?:[^;'"]|'[^']*'|"[^"]*")+/g) ?? []).map((each) => each.trim()).filter((each) => each !== '')

function draw(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  flags: ReadonlyMap<string, string | true>,
): string {
  const has = (...names: string[]) => names.some((name) => flags.has(name))
  if (has('E', 'vertical')) {
    return rows
      .map(
        (row, index) =>
          `*************************** ${index + 1}. row ***************************\n${row.map((value, at) => `${columns[at]}: ${value}\n`).join('')}`,
      )
      .join('')
  }
  const escaped = (value: string) =>
    has('r', 'raw') ? value : value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t')
  const shown = has('N', 'skip-column-names') ? rows : [columns, ...rows]
  return rows.length === 0 ? '' : shown.map((row) => `${row.map(escaped).join('\t')}\n`).join('')
}

/** The dry parse: 7 for an unknown option; a value is shown as it would be used. */
function dryParse(machine: Machine, galera: Galera, me: Process, args: readonly string[]): number {
  if (!args.includes('--help')) {
    me.err('[ERROR] Please consult the Knowledge Base to find out how to run mysqld as root!\n')
    return 1
  }
  const node = galera.nodes.get(machine.name)
  const wanted = parsedMaxConnections(machine.files)
  const reason = machine.units.find('mariadb')?.kind.refuses?.()
  me.out(
    `mariadbd  Ver 10.11.11-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n\nVariables (--variable-name=value)\nand boolean options {FALSE|TRUE}                             Value (after reading options)\n------------------------------------------------------------ -------------\n${'extra-max-connections'.padEnd(61)}1\n${'max-connections'.padEnd(61)}${fitting(wanted, node?.openFilesLimit ?? wanted)}\n${'open-files-limit'.padEnd(61)}${node?.openFilesLimit ?? 0}\n`,
  )
  if (reason === undefined) return 0
  me.err(`${reason.replace('/usr/sbin/', '')}\n`)
  return 7
}
