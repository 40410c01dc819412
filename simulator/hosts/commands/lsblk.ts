import { type BlockDevice, blockDevices, onIt } from '../block-devices.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import { readOptions } from './options.ts'
import { type Cell, flat, human, json, pairs, type Row, text } from './tables.ts'

const usual = ['name', 'maj:min', 'rm', 'size', 'ro', 'type', 'mountpoints']
const known = [
  ...['name', 'kname', 'path', 'pkname', 'maj:min', 'fstype', 'mountpoints', 'mountpoint', 'size', 'type', 'serial'],
  ...['model', 'rota', 'ro', 'rm', 'tran', 'wwn', 'state'],
]
const toTheRight = new Set(['rm', 'ro', 'size', 'rota'])
const long: Readonly<Record<string, string>> = {
  all: 'a',
  bytes: 'b',
  exclude: 'e',
  include: 'I',
  inverse: 's',
  json: 'J',
  list: 'l',
  nodeps: 'd',
  noheadings: 'n',
  output: 'o',
  'output-all': 'O',
  pairs: 'P',
  paths: 'p',
  raw: 'r',
}
const rehearsed = new Set(Object.values(long))
/** What util-linux 2.38 has besides. */
const others = 'DzEfimMNStTvVwxyh'

/** `lsblk`, as util-linux 2.38 prints. */
export function lsblk(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['o', 'output', 'e', 'exclude', 'I', 'include', 'x', 'w', 'E'])
  const options = new Map([...flags].map(([name, value]) => [long[name] ?? name, value]))
  const refuse = (why: string) => {
    me.err(`lsblk: ${why}\n`)
    return 1
  }
  for (const name of options.keys()) {
    if (rehearsed.has(name)) continue
    if (others.includes(name)) return refuse(`the option \`-${name}\` is not part of this rehearsal`)
    const what = name.length === 1 ? `invalid option -- '${name}'` : `unrecognized option '--${name}'`
    return refuse(`${what}\nTry 'lsblk --help' for more information.`)
  }
  const wanted = options.get('o')
  const columns = options.has('O') ? known : typeof wanted === 'string' ? columnsOf(wanted) : usual
  const odd = columns.find((column) => !known.includes(column))
  if (odd !== undefined) return refuse(`unknown column: ${odd.toUpperCase()}`)

  const all = blockDevices(machine)
  const { chosen, code } = choose(machine, me, all, rest, options)
  if (code === 32 && !options.has('J')) return code
  const asked = { all, inverse: options.has('s'), alone: options.has('d'), given: options }
  const roots = chosen.map((device) => rowOf(device, undefined, asked))
  const tree = options.has('l') ? byNumber(flat(roots)) : roots
  if (options.has('J')) me.out(json('blockdevices', tree, columns))
  else if (options.has('P')) me.out(pairs(tree, columns))
  else {
    const raw = options.has('r')
    me.out(text(raw ? tree : aligned(tree), columns, { bare: options.has('n'), raw, right: toTheRight }))
  }
  return code
}

const columnsOf = (wanted: string): string[] => {
  const more = wanted.startsWith('+')
  const named = wanted.replace(/^\+/, '').toLowerCase().split(',')
  return more ? [...usual, ...named] : named
}

type Given = ReadonlyMap<string, string | true>

/** Those that were named; otherwise those that the tree begins with, but for what was left out. */
function choose(
  { files }: Machine,
  me: Process,
  all: readonly BlockDevice[],
  named: readonly string[],
  given: Given,
): { chosen: readonly BlockDevice[]; code: number } {
  if (named.length > 0) {
    const found = named.map((path) => {
      const real = path.startsWith('/') && files.find(path) ? files.real(path) : undefined
      const device = all.find(({ kname }) => `/dev/${kname}` === real)
      if (!device) me.err(`lsblk: ${path}: not a block device\n`)
      return device
    })
    const code = found.every((device) => !device) ? 32 : found.includes(undefined) ? 64 : 0
    return { chosen: all.filter((device) => found.includes(device)), code }
  }
  const majors = (letter: string) => {
    const value = given.get(letter)
    return typeof value === 'string' ? value.split(',').map(Number) : undefined
  }
  const [left, kept] = [majors('e'), majors('I')]
  const first = all.filter((device) => (given.has('s') ? onIt(device, all) : device.on).length === 0)
  const chosen = first.filter(({ major }) => left?.includes(major) !== true && kept?.includes(major) !== false)
  return { chosen, code: 0 }
}

interface Asked {
  readonly all: readonly BlockDevice[]
  readonly inverse: boolean
  readonly alone: boolean
  readonly given: Given
}

function rowOf(device: BlockDevice, above: BlockDevice | undefined, asked: Asked): Row {
  const { all, inverse, alone, given } = asked
  const next = inverse ? all.filter(({ kname }) => device.on.includes(kname)) : onIt(device, all)
  const parent = above?.kname ?? (device.type === 'part' ? device.on[0] : undefined)
  return {
    cells: cellsOf(device, parent, given),
    // of a part the disk is shown even then
    children: alone && !(inverse && device.type === 'part') ? [] : next.map((each) => rowOf(each, device, asked)),
  }
}

function cellsOf(device: BlockDevice, pkname: string | undefined, given: Given): Readonly<Record<string, Cell>> {
  const { name, kname, path, major, minor, bytes, mountedAt, ...rest } = device
  return {
    name: given.has('p') ? path : name,
    kname: given.has('p') ? `/dev/${kname}` : kname,
    path,
    pkname: pkname === undefined ? null : given.has('p') ? `/dev/${pkname}` : pkname,
    'maj:min': `${major}:${minor}`,
    size: given.has('b') ? bytes : human(bytes),
    mountpoint: mountedAt[0] ?? null,
    mountpoints: mountedAt.length > 0 ? mountedAt : [null],
    type: rest.type,
    fstype: rest.signature ?? null,
    serial: rest.serial ?? null,
    model: rest.model ?? null,
    rota: rest.rotational,
    ro: false,
    rm: false,
    tran: rest.transport ?? null,
    wwn: rest.wwn ?? null,
    state: rest.state ?? null,
  }
}

const byNumber = (rows: readonly Row[]): Row[] => {
  const numberOf = ({ cells }: Row, part: 0 | 1) => Number(String(cells['maj:min']).split(':')[part])
  return rows.toSorted((a, b) => numberOf(a, 0) - numberOf(b, 0) || numberOf(a, 1) - numberOf(b, 1))
}

/** The numbers of devices stand under each other at their colons. */
const aligned = (rows: readonly Row[]): Row[] =>
  rows.map(({ cells, children }) => {
    const [major = '', minor = ''] = String(cells['maj:min']).split(':')
    return { cells: { ...cells, 'maj:min': `${major.padStart(3)}:${minor.padEnd(3)}` }, children: aligned(children) }
  })
