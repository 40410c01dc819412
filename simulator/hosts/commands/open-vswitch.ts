import type { Process } from '../machine/process.ts'
import type { Switch, SwitchChange, Wiring } from '../wiring.ts'
import { readOptions } from './options.ts'

/** Why nothing of a transaction is done. */
class Refused extends Error {}

/** One command of a transaction, taken apart. */
interface Command {
  readonly flags: ReadonlyMap<string, string | true>
  readonly verb: string
  readonly words: readonly string[]
}

interface Row {
  readonly table: string
  readonly name: string
}

/** A transaction as it is read: what it would change, in order, and what it prints. */
interface Transaction {
  readonly switches: readonly Switch[]
  /** `@name` to the row that it stands for. */
  readonly rows: Map<string, Row>
  /** What is new in it: ports and mirrors by name, with the fields they are given. */
  readonly ports: Map<string, { readonly bridge: string; readonly ids: { [name: string]: string } }>
  readonly mirrors: Map<string, { readonly [field: string]: string }>
  readonly changes: { readonly bridge: string; readonly change: () => SwitchChange }[]
  out: string
}

/** `ovs-vsctl`: what is read of Open vSwitch, and ports and mirrors that are added and removed; all of it or nothing. */
export function vsctl(host: string, wiring: Wiring, me: Process, args: readonly string[]): number {
  const switches = wiring.switches()
  if (!switches) {
    me.err('ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n')
    return 1
  }
  const work: Transaction = { switches, rows: new Map(), ports: new Map(), mirrors: new Map(), changes: [], out: '' }
  try {
    for (const command of commandsIn(args)) apply(work, command)
    if (work.changes.length > 0 && me.user !== 'root') {
      throw new Refused('unix:/var/run/openvswitch/db.sock: database connection failed (Permission denied)')
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    me.err(`ovs-vsctl: ${error.message}\n`)
    return 1
  }
  for (const { bridge, change } of work.changes) {
    const made = change()
    wiring.changeSwitch(bridge, made)
    tell(me, host, bridge, made)
  }
  me.out(work.out)
  return 0
}

function tell(me: Process, host: string, bridge: string, change: SwitchChange): void {
  switch (change.is) {
    case 'port':
      me.effect('host.ovs.port.add', `${host}:${change.port.name}`, { bridge })
      return
    case 'no_port':
      me.effect('host.ovs.port.remove', `${host}:${change.name}`, { bridge })
      return
    case 'mirror':
      me.effect('host.ovs.mirror.add', `${host}:${change.mirror.name}`, { bridge, from: change.mirror.from })
      return
    case 'no_mirror':
      me.effect('host.ovs.mirror.remove', `${host}:${change.name}`, { bridge })
  }
}

const takes = ['columns', 'f', 'format', 'd', 'data', 't', 'timeout', 'id']

/** Commands stand between `--`; options of the whole come before the first. */
function commandsIn(args: readonly string[]): Command[] {
  const parts: string[][] = [[]]
  for (const arg of args) {
    if (arg === '--') parts.push([])
    else parts.at(-1)?.push(arg)
  }
  return parts
    .filter((part) => part.length > 0)
    .map((part) => {
      const { flags, rest } = readOptions(part, takes)
      const [verb = '', ...words] = rest
      return { flags, verb, words }
    })
}

function apply(work: Transaction, command: Command): void {
  const { verb, words } = command
  switch (verb) {
    case 'show':
      work.out += shown(work.switches)
      return
    case 'list-br':
      work.out += work.switches.map(({ name }) => `${name}\n`).join('')
      return
    case 'list-ports':
      work.out += bridgeOf(work, words[0])
        .ports.map(({ name }) => `${name}\n`)
        .join('')
      return
    case 'port-to-br':
      work.out += `${portNamed(work, words[0])?.bridge ?? refuse(`no port named ${words[0]}`)}\n`
      return
    case 'get':
      get(work, command)
      return
    case 'find':
      find(work, command)
      return
    case 'add-port':
      addPort(work, command)
      return
    case 'del-port':
      removePort(work, command)
      return
    case 'set':
      set(work, command)
      return
    case 'create':
      create(work, command)
      return
    case 'add':
    case 'remove':
      changeMirrors(work, command)
      return
    default:
      refuse(`unknown command '${verb}'; use --help for help`)
  }
}

const refuse = (message: string): never => {
  throw new Refused(message)
}

const bridgeOf = ({ switches }: Transaction, name = ''): Switch =>
  switches.find((one) => one.name === name) ?? refuse(`no bridge named ${name}`)

const portsOf = ({ switches }: Transaction) =>
  switches.flatMap((one) => one.ports.map((port) => ({ ...port, bridge: one.name })))

const portNamed = (work: Transaction, name = '') => portsOf(work).find((port) => port.name === name)

const mirrorNamed = ({ switches }: Transaction, name = '') =>
  switches.flatMap(({ mirrors }) => mirrors).find((mirror) => mirror.name === name)

function get(work: Transaction, { flags, words }: Command): void {
  const [table = '', name = '', column] = words
  const found = table === 'Mirror' ? mirrorNamed(work, name) : portNamed(work, name)
  const fresh = table === 'Port' && work.ports.has(name)
  if (!found && !fresh) {
    if (!flags.has('if-exists')) refuse(`no row "${name}" in table ${table}`)
    return
  }
  const id = flags.get('id')
  if (typeof id === 'string') work.rows.set(id, { table, name })
  if (column === undefined) return
  const [, key] = /^external_ids:(.+)$/.exec(column) ?? []
  if (key !== undefined) {
    const value = found?.ids?.[key]
    if (value !== undefined) work.out += `"${value}"\n`
    else if (flags.has('if-exists')) work.out += '\n'
    else refuse(`no key ${key} in ${table} record "${name}" column external_ids`)
  } else if (column === 'tag' && table === 'Port') work.out += `${portNamed(work, name)?.tag ?? '[]'}\n`
  else refuse(`the rehearsal knows the columns tag and external_ids, not ${column}`)
}

function find(work: Transaction, { words }: Command): void {
  const [table = '', condition = ''] = words
  const [, column, wanted] = /^(\w+)="?([^"]*)"?$/.exec(condition) ?? []
  if (table === 'Mirror' && column === 'name') {
    if (mirrorNamed(work, wanted)) work.out += `${wanted}\n`
    return
  }
  for (const { name, type, options = {} } of portsOf(work)) {
    if (column !== 'type' || type !== wanted) continue
    const shown = Object.entries(options).map(([key, value]) => `${key}="${value}"`)
    work.out += `${name},"{${shown.join(', ').replaceAll('"', '""')}}"\n`
  }
}

function addPort(work: Transaction, { flags, words: [bridge = '', name = ''] }: Command): void {
  bridgeOf(work, bridge)
  const there = portNamed(work, name)
  if (there && flags.has('may-exist')) return
  if (there)
    refuse(`cannot create a port named ${name} because a port named ${name} already exists on bridge ${there.bridge}`)
  const ids: { [name: string]: string } = {}
  work.ports.set(name, { bridge, ids })
  work.changes.push({ bridge, change: () => ({ is: 'port', port: { name, ids, up: false } }) })
}

function removePort(work: Transaction, { flags, words }: Command): void {
  const name = words.at(-1) ?? ''
  const there = portNamed(work, name)
  if (!there && flags.has('if-exists')) return
  if (!there) throw new Refused(`no port named ${name}`)
  if (!there.ids) refuse(`the rehearsal removes only ports that somebody has added, not ${name}`)
  work.changes.push({ bridge: there.bridge, change: () => ({ is: 'no_port', name }) })
}

function set(work: Transaction, { words: [table = '', name = '', ...fields] }: Command): void {
  const port =
    work.ports.get(name) ?? refuse(`the rehearsal sets fields of ports that are added with them, not of ${name}`)
  for (const field of fields) {
    const [, key, value] = /^external_ids:([^=]+)=(.*)$/.exec(field) ?? []
    if (key !== undefined && table === 'Port') port.ids[key] = value ?? ''
    else if (field !== 'type=internal' || table !== 'Interface') refuse(`the rehearsal does not know ${table} ${field}`)
  }
}

function create(work: Transaction, { flags, words: [table = '', ...fields] }: Command): void {
  if (table !== 'Mirror') refuse(`the rehearsal creates only rows of Mirror, not of ${table}`)
  const given = Object.fromEntries(fields.map((field) => [field.replace(/=.*$/, ''), field.replace(/^[^=]*=/, '')]))
  const { name = '' } = given
  work.mirrors.set(name, given)
  const id = flags.get('id')
  if (typeof id === 'string') work.rows.set(id, { table, name })
}

/** `add Bridge NAME mirrors @row`, and `remove`: a mirror that no bridge has any more is gone. */
function changeMirrors(work: Transaction, { verb, words: [table, name = '', column, id = ''] }: Command): void {
  if (table !== 'Bridge' || column !== 'mirrors')
    refuse(`the rehearsal changes only the mirrors of a Bridge, not ${column}`)
  const bridge = bridgeOf(work, name)
  const row = work.rows.get(id) ?? refuse(`${id}: no such row`)
  if (verb === 'remove') {
    if (!bridge.mirrors.some((mirror) => mirror.name === row.name)) return
    work.changes.push({ bridge: name, change: () => ({ is: 'no_mirror', name: row.name }) })
    return
  }
  const given = work.mirrors.get(row.name) ?? {}
  const portAt = (reference = '') => work.rows.get(reference)?.name ?? refuse(`${reference}: no such row`)
  const to = portAt(given['output_port'])
  const from = ['select_src_port', 'select_dst_port'].flatMap((field) =>
    given[field] === undefined ? [] : [portAt(given[field])],
  )
  const ids = Object.entries(given).flatMap(([field, value]) =>
    field.startsWith('external_ids:') ? [[field.replace('external_ids:', ''), value] as const] : [],
  )
  const mirror = { name: row.name, ids: Object.fromEntries(ids), from: [...new Set(from)], to }
  work.changes.push({ bridge: name, change: () => ({ is: 'mirror', mirror }) })
}

/** `ovs-vsctl show`, as version 3.1 prints it. */
function shown(switches: readonly Switch[]): string {
  const options = (given: { readonly [name: string]: string } = {}) =>
    Object.entries(given)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')
  const port = ({ name, tag, type, options: given }: Switch['ports'][number]) =>
    [
      `        Port ${name}`,
      ...(tag === undefined ? [] : [`            tag: ${tag}`]),
      `            Interface ${name}`,
      ...(type === undefined ? [] : [`                type: ${type}`]),
      ...(given ? [`                options: {${options(given)}}`] : []),
    ].join('\n')
  const bridges = switches.map(({ name, ports }) =>
    [`    Bridge ${name}`, port({ name, type: 'internal' }), ...ports.map(port)].join('\n'),
  )
  return `0b2a6f3e-7d8e-4c39-8f0e-5d3a1c9b7e21\n${bridges.join('\n')}\n    ovs_version: "3.1.0"\n`
}
