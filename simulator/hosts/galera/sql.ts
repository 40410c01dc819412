import type { Galera } from './model.ts'
import { processList, selectProcesses } from './processes.ts'
import { statusOf, variablesOf } from './variables.ts'

/** Rows as text, or a value set; an error has the server's number and state. */
export type SqlAnswer =
  | { readonly is: 'rows'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly is: 'ok' }
  | { readonly is: 'error'; readonly message: string }

/** What a statement changes. */
export type OnSet = (name: string, value: string) => void

const error = (number: number, state: string, message: string): SqlAnswer => ({
  is: 'error',
  message: `ERROR ${number} (${state}) at line 1: ${message}`,
})
const rows = (columns: readonly string[], found: readonly (readonly string[])[]): SqlAnswer => ({
  is: 'rows',
  columns,
  rows: found,
})

/** One statement on one node: status and variables, `SELECT` of values and of the two tables, `SET GLOBAL`. */
export function executeSql(
  galera: Galera,
  node: string,
  statement: string,
  warnings: string[],
  onSet: OnSet,
): SqlAnswer {
  const text = statement.trim().replace(/\s+/g, ' ')
  const shown = /^show (?:global |session )?(status|variables)(?: (like|where) (.*))?$/i.exec(text)
  if (shown) {
    const all = shown[1]?.toLowerCase() === 'status' ? statusOf(galera, node) : variablesOf(galera, node)
    const keep = filterOf(shown[2], shown[3] ?? '')
    if (!keep) return syntax(text)
    return rows(
      ['Variable_name', 'Value'],
      [...all].filter(([name, value]) => keep(name, value)).map(([name, value]) => [name, value]),
    )
  }
  if (!galera.view(node).ready && needsCluster(text))
    return error(1047, '08S01', 'WSREP has not yet prepared node for application use')
  if (/^show warnings$/i.test(text))
    return rows(
      ['Level', 'Code', 'Message'],
      warnings.map((message) => ['Warning', '1292', message]),
    )
  if (/^show (?:full )?processlist$/i.test(text))
    return rows(['Id', 'User', 'Host', 'db', 'Command', 'Time', 'State', 'Info', 'Progress'], processList(galera, node))
  if (/^show databases$/i.test(text))
    return rows(
      ['Database'],
      databases.map((name) => [name]),
    )
  const set = /^set (?:global |@@global\.)(\w+) ?= ?(.*)$/i.exec(text)
  if (set) return setGlobal(galera, node, (set[1] ?? '').toLowerCase(), unquote(set[2] ?? ''), warnings, onSet)
  const sleep = /^select sleep\(([\d.]+)\)$/i.exec(text)
  if (sleep) return rows([`SLEEP(${sleep[1]})`], [['0']])
  if (/^select /i.test(text)) return select(galera, node, text.slice(7))
  const used = /^use `?(\w+)`?$/i.exec(text)?.[1]
  if (used !== undefined)
    return databases.includes(used) ? { is: 'ok' } : error(1049, '42000', `Unknown database '${used}'`)
  if (/^flush (status|privileges|hosts|(\w+ )?logs|tables)$|^do /i.test(text)) return { is: 'ok' }
  return syntax(text)
}

const databases = [
  ...['cinder', 'glance', 'information_schema', 'keystone', 'mysql', 'neutron', 'nova', 'nova_api', 'nova_cell0'],
  ...['performance_schema', 'placement', 'sys'],
]

/** What only a member of a primary component answers: all but what is set, shown, or asked of no table or of its own. */
const needsCluster = (text: string): boolean =>
  /^select /i.test(text)
    ? / from (?!\(?(information|performance)_schema\.)/i.test(text.replace(/'[^']*'/g, "''"))
    : !/^(set|show) /i.test(text)

const syntax = (text: string) =>
  error(
    1064,
    '42000',
    `You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '${text.slice(0, 80)}' at line 1`,
  )

const unquote = (text: string) => text.trim().replace(/^(['"])([\s\S]*)\1$/, '$2')

type Keeps = (name: string, value: string) => boolean

/** Which rows a `LIKE` or a `WHERE` keeps; `undefined` for what is not understood. */
function filterOf(kind: string | undefined, text: string): Keeps | undefined {
  if (kind === undefined) return () => true
  if (kind.toLowerCase() === 'like') return like(text)
  const ways = text.split(/ or /i).map((way) => way.split(/ and /i).map((condition) => conditionOf(condition.trim())))
  if (ways.flat().some((condition) => condition === undefined)) return undefined
  return (name, value) => ways.some((way) => way.every((holds) => holds?.(name, value)))
}

function conditionOf(text: string): Keeps | undefined {
  const [, column, operator, rest = ''] =
    /^`?(variable_name|variable_value|value)`? ?(like|in|rlike|regexp|=|<>|!=) ?(.*)$/i.exec(text) ?? []
  if (!column || !operator) return undefined
  const holds = comparison(operator.toLowerCase(), rest)
  return column.toLowerCase() !== 'variable_name' ? (_, value) => holds(value) : (name) => holds(name)
}

function comparison(operator: string, text: string): (value: string) => boolean {
  const wanted = unquote(text).toLowerCase()
  switch (operator) {
    case 'like':
      return like(text)
    case 'in': {
      const all = text.replace(/^\(|\)$/g, '').split(',')
      return (value) => all.some((one) => unquote(one).toLowerCase() === value.toLowerCase())
    }
    case 'rlike':
    case 'regexp':
      return (value) => new RegExp(unquote(text), 'i').test(value)
    case '=':
      return (value) => value.toLowerCase() === wanted
    default:
      return (value) => value.toLowerCase() !== wanted
  }
}

/** `%` is anything, `_` one character, and both are themselves behind a backslash. */
function like(pattern: string): (value: string) => boolean {
  const source = unquote(pattern).replace(/\\?[\s\S]/g, (sign) => {
    if (sign === '%') return '.*'
    if (sign === '_') return '.'
    return sign.replace(/^\\(?=.)/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  const expression = new RegExp(`^${source}$`, 'i')
  return (value) => expression.test(value)
}

function setGlobal(
  galera: Galera,
  name: string,
  variable: string,
  value: string,
  warnings: string[],
  onSet: OnSet,
): SqlAnswer {
  const node = galera.nodes.get(name)
  if (!node || !variablesOf(galera, name).has(variable))
    return error(1193, 'HY000', `Unknown system variable '${variable}'`)
  warnings.length = 0
  if (['hostname', 'version', 'datadir', 'socket', 'port', 'open_files_limit', 'extra_port'].includes(variable)) {
    return error(1238, 'HY000', `Variable '${variable}' is a read only variable`)
  }
  if (variable === 'max_connections') {
    const wanted = Number(value)
    if (!Number.isInteger(wanted)) return error(1232, '42000', `Incorrect argument type to variable '${variable}'`)
    node.maxConnections = Math.min(node.mostConnections, Math.max(10, wanted))
    if (node.maxConnections !== wanted) warnings.push(`Truncated incorrect max_connections value: '${wanted}'`)
  } else if (variable === 'wsrep_desync') {
    node.desynced = /^(on|1|true)$/i.test(value)
  } else if (variable === 'wsrep_provider_options') {
    // a primary component is made of this node, and the others find it
    if (/^pc\.bootstrap ?= ?(yes|1|true|on)$/i.test(value)) galera.noMajority = false
  } else {
    node.set.set(variable, value)
  }
  onSet(variable, value)
  return { is: 'ok' }
}

/** `SELECT` of constants, `@@variables`, and the JSON and table forms over `information_schema.GLOBAL_STATUS` and `GLOBAL_VARIABLES`. */
function select(galera: Galera, node: string, text: string): SqlAnswer {
  const table = /^(.*?) from information_schema\.global_(status|variables)(?: where (.*?))?(?: order by .*)?$/i.exec(
    text,
  )
  if (table && !/\(select/i.test(text)) {
    const source = table[2]?.toLowerCase() === 'status' ? statusOf(galera, node) : variablesOf(galera, node)
    const keep = table[3] === undefined ? () => true : filterOf('where', table[3])
    if (!keep) return syntax(text)
    const found = [...source].filter(([name, value]) => keep(name, value))
    const wanted = (table[1] ?? '').replace(/\s+/g, '').toLowerCase()
    if (/^json_objectagg\((lower\()?variable_name\)?,variable_value\)$/.test(wanted)) {
      const text = found
        .map(([name, value]) => `${JSON.stringify(name.toLowerCase())}:${JSON.stringify(value)}`)
        .join(', ')
      return rows([table[1] ?? ''], [[`{${text}}`]])
    }
    if (wanted === 'variable_name,variable_value' || wanted === '*')
      return rows(
        ['VARIABLE_NAME', 'VARIABLE_VALUE'],
        found.map(([name, value]) => [name.toUpperCase(), value]),
      )
    if (wanted === 'variable_value')
      return rows(
        ['VARIABLE_VALUE'],
        found.map(([, value]) => [value]),
      )
    return error(1054, '42S22', `Unknown column '${table[1]}' in 'field list'`)
  }
  const listed = /^(.*) from information_schema\.processlist(?: group by ([\d, ]+))?$/i.exec(text)
  if (listed) {
    const columns = splitTop(listed[1] ?? '').map((column) => column.trim())
    const found = selectProcesses(galera, node, columns, listed[2] !== undefined)
    return found ? rows(columns, found) : error(1054, '42S22', `Unknown column in '${listed[1]}'`)
  }
  const values: string[] = []
  const columns = splitTop(text)
  for (const column of columns) {
    const value = evaluate(galera, node, column.trim())
    if (value === undefined)
      return /^@@/.test(column.trim())
        ? error(1193, 'HY000', `Unknown system variable '${column.trim().slice(2)}'`)
        : syntax(column.trim())
    values.push(typeof value === 'string' ? value : String(value))
  }
  return rows(
    columns.map((column) => column.trim()),
    [values],
  )
}

type Value = string | number

function evaluate(galera: Galera, node: string, text: string): Value | undefined {
  const variable = /^@@(?:global\.|session\.)?(\w+)$/i.exec(text)?.[1]
  if (variable !== undefined) {
    const value = variablesOf(galera, node).get(variable.toLowerCase())
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : value
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (/^(['"]).*\1$/.test(text)) return unquote(text)
  if (/^current_user\(\)$/i.test(text)) return 'root@localhost'
  if (/^version\(\)$/i.test(text)) return '10.11.11-MariaDB-0+deb12u1'
  const plus = /^(\(.*\)) ?\+ ?0$/.exec(text)
  if (plus) return Number(evaluate(galera, node, plus[1] ?? ''))
  const inner = /^\((select .*)\)$/i.exec(text)?.[1]
  if (inner !== undefined) {
    const found = select(galera, node, inner.slice(7))
    return found.is === 'rows' ? (found.rows[0]?.[0] ?? 'NULL') : undefined
  }
  const object = /^json_object\((.*)\)$/i.exec(text)?.[1]
  if (object === undefined) return undefined
  const parts = splitTop(object).map((part) => evaluate(galera, node, part.trim()))
  if (parts.some((part) => part === undefined)) return undefined
  const pairs = parts.flatMap((part, index) =>
    index % 2 === 0 ? [`${JSON.stringify(String(part))}: ${JSON.stringify(parts[index + 1])}`] : [],
  )
  return `{${pairs.join(', ')}}`
}

/** Splits at the commas that stand in no bracket and no quotes. */
function splitTop(text: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  let quote = ''
  for (const sign of text) {
    if (quote !== '') quote = sign === quote ? '' : quote
    else if (sign === "'" || sign === '"') quote = sign
    else if (sign === '(') depth += 1
    else if (sign === ')') depth -= 1
    if (sign === ',' && depth === 0 && quote === '') parts.push('')
    else parts[parts.length - 1] += sign
  }
  return parts
}
