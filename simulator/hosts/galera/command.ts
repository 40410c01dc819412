import { formatTime } from '../commands/date.ts'
import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import type { DbNode, Galera } from './model.ts'
import { fitting, optionsIn, parsedMaxConnections, unknownOption, valuesIn } from './options.ts'
import { executeSql } from './sql.ts'
import { parsedVariables } from './variables.ts'

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
    ['mariadbd', async (me, args) => dryParse(machine, me, args)],
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
  const full = refusal(db, user, flags.get('P') ?? flags.get('port'))
  if (full !== undefined) {
    me.err(`${full}\n`)
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

/** Why nobody else gets in: the port that is kept apart still lets people in, and so does the place kept for an administrator. */
function refusal({ clients, maxConnections, read }: DbNode, user: string, port: string | true | undefined) {
  const apart = read.get('extra_port')
  if (clients.connected() < maxConnections || (apart !== undefined && port === apart)) return undefined
  if (['root', 'dba'].includes(user) && !clients.administratorIn) return undefined
  clients.hadRefused(1)
  return clients.administratorIn
    ? 'ERROR 2002 (HY000): Received error packet before completion of TLS handshake. The authenticity of the following error cannot be verified: 1040 - Too many connections'
    : 'ERROR 1040 (08004): Too many connections'
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

/** The dry parse: 7 for an unknown option; a value is shown as it would be used with the files this login may open. */
function dryParse(machine: Machine, me: Process, args: readonly string[]): number {
  if (!args.includes('--help')) {
    me.err('[ERROR] Please consult the Knowledge Base to find out how to run mysqld as root!\n')
    return 1
  }
  const values = parsedVariables(valuesIn(machine.files))
  const wanted = parsedMaxConnections(machine.files)
  values.set('max_connections', String(fitting(wanted, me.openFiles)))
  values.set('open_files_limit', String(me.openFiles))
  const table = [...values].map(
    ([name, value]) => `${name.replaceAll('_', '-').padEnd(61)}${value || '(No default value)'}\n`,
  )
  me.out(
    `mariadbd  Ver 10.11.11-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n\nVariables (--variable-name=value)\nand boolean options {FALSE|TRUE}                             Value (after reading options)\n------------------------------------------------------------ -------------\n${table.join('')}`,
  )
  const unknown = unknownOption(machine.files)
  if (!unknown) return 0
  me.err(
    `${formatTime('%Y-%m-%d %H:%M:%S', machine.localTime())} 0 [ERROR] mariadbd: unknown variable '${unknown.name}=${unknown.value}'\n`,
  )
  return 7
}
