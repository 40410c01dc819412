import type { Disk, Machine, Mount } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

/** `lsblk`, `findmnt`, `mount`, `umount`, `mountpoint`, `wipefs`, `smartctl`, `cryptsetup`, `ledctl`, as util-linux 2.38 prints. */
export function storagePrograms(machine: Machine): [string, Program][] {
  return [
    ['lsblk', async (me, args) => lsblk(machine, me, args)],
    ['findmnt', async (me, args) => findmnt(machine, me, args)],
    ['mount', async (me, args) => mount(machine, me, args)],
    ['umount', async (me, args) => unmount(machine, me, args)],
    ['mountpoint', async (me, args) => mountpoint(machine, me, args)],
    ['wipefs', async (me, args) => wipefs(machine, me, args)],
    ['smartctl', async (me, args) => smartctl(machine, me, args)],
    ['cryptsetup', async (me, args) => cryptsetup(machine, me, args)],
    ['ledctl', async (me, args) => ledctl(machine, me, args)],
    ['parted', async (me, args) => parted(machine, me, args)],
  ]
}

type Cell = string | number | boolean | null | readonly (string | null)[]
interface Row {
  readonly cells: Readonly<Record<string, Cell>>
  readonly children: readonly Row[]
}

function lsblk(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['o', 'output', 'x', 'e', 'I'])
  const all = flags.has('O') || flags.has('output-all')
  const wanted = flags.get('o') ?? flags.get('output')
  const columns = all
    ? [
        'name',
        'kname',
        'path',
        'maj:min',
        'fstype',
        'mountpoints',
        'mountpoint',
        'size',
        'type',
        'serial',
        'model',
        'rota',
        'ro',
        'rm',
        'tran',
        'wwn',
        'state',
      ]
    : typeof wanted === 'string'
      ? wanted.toLowerCase().split(',')
      : ['name', 'maj:min', 'rm', 'size', 'ro', 'type', 'mountpoints']
  const names = rest.map((path) => path.replace('/dev/', ''))
  const disks = machine.disks.filter(({ name }) => names.length === 0 || names.includes(name))
  if (disks.length === 0 && names.length > 0) {
    me.err(`lsblk: /dev/${names[0]}: not a block device\n`)
    return 32
  }
  const rows = disks.map((disk, index) => rowOf(disk, index, flags.has('b')))
  const shown = flags.has('d') ? rows.map((row) => ({ ...row, children: [] })) : rows
  if (flags.has('J')) me.out(json('blockdevices', shown, columns))
  else me.out(text(shown, columns, flags.has('n'), flags.has('r') || flags.has('P')))
  return 0
}

function rowOf(disk: Disk, index: number, bytes: boolean): Row {
  const size = (value: number) => (bytes ? value : human(value))
  const common = { ro: false, rm: false, rota: disk.rotational, tran: 'sata', state: 'running' }
  const cells = (name: string, minor: number, more: Readonly<Record<string, Cell>>) => ({
    ...common,
    name,
    kname: name,
    path: `/dev/${name}`,
    'maj:min': `8:${index * 16 + minor}`,
    wwn: `0x5000c500${(index + 0xa1).toString(16)}f0${disk.serial.length}a`,
    serial: null,
    model: null,
    ...more,
  })
  const children = disk.parts.map(({ name, bytes: length, mount }, part) => ({
    cells: cells(name, part + 1, {
      fstype: 'ext4',
      size: size(length),
      type: 'part',
      mountpoint: mount,
      mountpoints: [mount],
    }),
    children: [],
  }))
  if (disk.mapping !== undefined) {
    const open = { fstype: null, size: size(disk.bytes), type: 'crypt', mountpoint: null, mountpoints: [null] }
    const path = `/dev/mapper/${disk.mapping}`
    children.push({ cells: { ...cells(disk.mapping, 1, open), path, 'maj:min': `253:${index}` }, children: [] })
  }
  return {
    cells: cells(disk.name, 0, {
      fstype: disk.parts.length > 0 ? null : (disk.signature ?? null),
      size: size(disk.bytes),
      type: 'disk',
      serial: disk.serial,
      model: disk.model,
      mountpoint: null,
      mountpoints: [null],
    }),
    children,
  }
}

function human(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let step = 0
  for (; value >= 1024 && step < units.length - 1; step += 1) value /= 1024
  const rounded = Math.round(value * 10) / 10
  return `${rounded}${units[step]}`
}

/** libsmartcols' own way to lay out JSON. */
function json(name: string, rows: readonly Row[], columns: readonly string[]): string {
  const list = (items: readonly Row[], depth: number): string => {
    const pad = ' '.repeat(depth)
    return items.map((row) => `{\n${fields(row, depth + 3)}${pad}}`).join(',')
  }
  const fields = ({ cells, children }: Row, depth: number): string => {
    const pad = ' '.repeat(depth)
    const own = columns.map((column) => {
      const value = cells[column] ?? null
      if (!Array.isArray(value)) return `${pad}"${column}": ${JSON.stringify(value)}`
      return `${pad}"${column}": [\n${pad}    ${value.map((each) => JSON.stringify(each)).join(', ')}\n${pad}]`
    })
    const nested = children.length > 0 ? [`${pad}"children": [\n${pad}   ${list(children, depth + 3)}\n${pad}]`] : []
    return `${[...own, ...nested].join(',\n')}\n`
  }
  return `{\n   "${name}": [\n      ${list(rows, 6)}\n   ]\n}\n`
}

function text(rows: readonly Row[], columns: readonly string[], bare: boolean, raw: boolean): string {
  const lines: string[][] = bare ? [] : [columns.map((column) => column.toUpperCase())]
  const add = ({ cells, children }: Row, lead: string, childLead: string) => {
    lines.push(
      columns.map((column, index) => {
        const value = cells[column]
        const shown = Array.isArray(value)
          ? value.filter(Boolean).join(' ')
          : value === true
            ? '1'
            : value === false
              ? '0'
              : String(value ?? '')
        return index === 0 && !raw ? lead + shown : shown
      }),
    )
    for (const [index, child] of children.entries()) {
      const last = index === children.length - 1
      add(child, `${childLead}${last ? '└─' : '├─'}`, `${childLead}${last ? '  ' : '│ '}`)
    }
  }
  for (const row of rows) add(row, '', '')
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map(
      (line) =>
        `${line.map((cell, index) => (raw || index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(' ')}\n`,
    )
    .join('')
}

function findmnt(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['o', 'output', 't', 'types', 'T', 'target', 'S', 'source'])
  if (flags.has('verify') || flags.has('x')) {
    return verifyFstab(machine, me)
  }
  const type = flags.get('t') ?? flags.get('types')
  const point = flags.get('T') ?? flags.get('target') ?? rest.at(-1)
  const found = machine.mounts.filter((each) => {
    if (typeof type === 'string' && !type.split(',').includes(each.type)) return false
    return point === undefined || each.at === point || each.device === point
  })
  if (found.length === 0) return 1
  const wanted = flags.get('o') ?? flags.get('output')
  const columns =
    typeof wanted === 'string' ? wanted.toLowerCase().split(',') : ['target', 'source', 'fstype', 'options']
  const row = (each: Mount): Row => ({
    cells: {
      target: each.at,
      source: each.device,
      fstype: each.type,
      options: each.options,
      size: human(each.size * 1024),
      used: human(each.used * 1024),
      avail: human((each.size - each.used) * 1024),
    },
    children: [],
  })
  const root = found.find(({ at }) => at === '/')
  const flat = flags.has('l') || flags.has('r') || flags.has('n') || point !== undefined || type !== undefined || !root
  const rows = flat ? found.map(row) : [{ ...row(root), children: found.filter((each) => each !== root).map(row) }]
  me.out(flags.has('J') ? json('filesystems', rows, columns) : text(rows, columns, flags.has('n'), flags.has('r')))
  return 0
}

/** `findmnt --verify`: a device that is not there is a warning, a label or an id that nothing has is an error. */
function verifyFstab({ files, disks }: Machine, me: Process): number {
  const found = { parse: 0, errors: 0, warnings: 0 }
  const complaints: string[] = []
  const seen = new Set<string>()
  for (const [index, line] of files.text('/etc/fstab').split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [source = '', target = '', type, options = 'defaults'] = line.trim().split(/\s+/)
    if (type === undefined) {
      found.parse += 1
      complaints.push(`findmnt: /etc/fstab: parse error at line ${index + 1} -- ignored\n`)
      continue
    }
    const said: string[] = []
    const say = (level: 'E' | 'W', text: string) => {
      found[level === 'E' ? 'errors' : 'warnings'] += 1
      said.push(`   [${level}] ${text}\n`)
    }
    if (seen.has(target)) say('W', 'target specified more than once')
    seen.add(target)
    if (target.startsWith('/') && !files.find(target)) {
      say('E', 'unreachable on boot required target: No such file or directory')
    }
    const idle = /(^|,)(noauto|nofail)(,|$)/.test(options)
    if (
      /^(UUID|LABEL|PARTUUID|PARTLABEL)=/.test(source) &&
      !disks.some(({ label }) => source === `PARTLABEL=${label}`)
    ) {
      if (idle) say('W', `unreachable source: ${source}`)
      else say('E', `unreachable on boot required source: ${source}`)
    } else if (source.startsWith('/dev/') && !files.find(source)) {
      say('W', `unreachable source: ${source}: No such file or directory`)
      say('W', 'cannot detect on-disk filesystem type (No such file or directory)')
    }
    if (said.length > 0) me.out(`${target}\n${said.join('')}`)
  }
  const { parse, errors, warnings } = found
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  if (parse + errors + warnings === 0) me.out('Success, no errors or warnings detected\n')
  else {
    const sum = [counted(parse, 'parse error'), counted(errors, 'error'), counted(warnings, 'warning')].join(', ')
    me.err(`${complaints.join('')}\n${sum}\n`)
  }
  return Math.min(parse + errors, 255)
}

function mount(machine: Machine, me: Process, args: readonly string[]): number {
  if (args.length === 0) {
    for (const { device, at, type, options } of machine.mounts) me.out(`${device} on ${at} type ${type} (${options})\n`)
    return 0
  }
  me.err('mount: only the list of mounts is part of this rehearsal\n')
  return 32
}

function unmount(machine: Machine, me: Process, args: readonly string[]): number {
  const { rest } = readOptions(args, ['t'])
  let status = 0
  for (const name of rest) {
    const index = machine.mounts.findIndex(({ at, device }) => at === name || device === name)
    if (me.user !== 'root') {
      me.err(`umount: ${name}: must be superuser to unmount.\n`)
      status = 1
    } else if (index === -1) {
      me.err(`umount: ${name}: not mounted.\n`)
      status = 32
    } else if (machine.mounts[index]?.at === '/') {
      me.err(`umount: /: target is busy.\n`)
      status = 32
    } else {
      machine.mounts.splice(index, 1)
      me.effect('host.umount', `${machine.name}:${name}`)
    }
  }
  return status
}

function mountpoint(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args)
  const yes = machine.mounts.some(({ at }) => at === rest[0])
  if (!flags.has('q')) me.out(`${rest[0]} is ${yes ? '' : 'not '}a mountpoint\n`)
  return yes ? 0 : 32
}

function wipefs(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['o', 't'])
  for (const path of rest) {
    const disk = machine.disks.find(({ name }) => `/dev/${name}` === path)
    if (!disk) {
      me.err(`wipefs: error: ${path}: probing initialization failed: No such file or directory\n`)
      return 1
    }
    if (flags.has('a')) {
      if (disk.signature)
        me.out(`${path}: 22 bytes were erased at offset 0x00000000 (${disk.signature}): 62 6c 75 65 73 74 6f 72\n`)
      disk.signature = undefined
      me.effect('host.wipefs', `${machine.name}:${path}`)
    } else if (disk.signature) {
      if (!flags.has('n') && !flags.has('noheadings')) me.out('DEVICE OFFSET TYPE           UUID LABEL\n')
      me.out(`${disk.name.padEnd(6)} 0x0    ${disk.signature}\n`)
    }
  }
  return 0
}

/** `cryptsetup close NAME`. */
function cryptsetup(machine: Machine, me: Process, args: readonly string[]): number {
  const [verb, name] = readOptions(args).rest
  const disk = machine.disks.find(
    ({ mapping }) => mapping !== undefined && mapping === name?.replace('/dev/mapper/', ''),
  )
  if (verb !== 'close' || !disk) {
    me.err(`Device ${name ?? ''} is not active.\n`)
    return 4
  }
  me.effect('host.cryptsetup', `${machine.name}:close ${disk.mapping}`)
  disk.mapping = undefined
  return 0
}

/** `ledctl locate=/dev/X` and `ledctl locate_off=/dev/X`. */
function ledctl(machine: Machine, me: Process, args: readonly string[]): number {
  const [, pattern, path] = /^(locate|locate_off)=(\S+)$/.exec(readOptions(args).rest[0] ?? '') ?? []
  if (!pattern || !machine.disks.some(({ name }) => `/dev/${name}` === path)) {
    me.err(`ledctl: Could not find ${path ?? 'a device'}\n`)
    return 12
  }
  me.effect('host.ledctl', `${machine.name}:${pattern}=${path}`)
  return 0
}

/** `parted DISK -s -- mklabel gpt mkpart NAME FROM TO`. */
function parted(machine: Machine, me: Process, args: readonly string[]): number {
  const { rest } = readOptions(args)
  const [path = '', first, kind, second, name] = rest
  const disk = machine.disks.find((each) => `/dev/${each.name}` === path)
  if (!disk) {
    me.err(`Error: Could not stat device ${path} - No such file or directory.\n`)
    return 1
  }
  if (first !== 'mklabel' || kind !== 'gpt' || second !== 'mkpart' || name === undefined) {
    me.err('parted: only a new label with one partition is part of this rehearsal\n')
    return 1
  }
  Object.assign(disk, { signature: 'gpt', label: name })
  me.effect('host.parted', `${machine.name}:${path} ${name}`)
  return 0
}

function smartctl(machine: Machine, me: Process, args: readonly string[]): number {
  const { rest } = readOptions(args, ['d', 'A'])
  const disk = machine.disks.find(({ name }) => `/dev/${name}` === rest[0])
  if (!disk) {
    me.err(`Smartctl open device: ${rest[0]} failed: No such device\n`)
    return 2
  }
  const bad = disk.broken || disk.failing === true
  me.out(
    `smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0-37-amd64] (local build)\nCopyright (C) 2002-22, Bruce Allen, Christian Franke, www.smartmontools.org\n\n=== START OF INFORMATION SECTION ===\nDevice Model:     ${disk.model}\nSerial Number:    ${disk.serial}\nUser Capacity:    ${disk.bytes.toLocaleString('en-US')} bytes [${(disk.bytes / 1e12).toFixed(2)} TB]\n\n=== START OF READ SMART DATA SECTION ===\nSMART overall-health self-assessment test result: ${bad ? 'FAILED!' : 'PASSED'}\n`,
  )
  return bad ? 8 : 0
}
