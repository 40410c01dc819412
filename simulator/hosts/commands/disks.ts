import type { Disk, Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { readOptions } from './options.ts'
import { type Cell, human, json, type Row, text } from './tables.ts'

/** `lsblk` and `wipefs`, as util-linux 2.38 prints; `smartctl`, `cryptsetup`, `ledctl`, `parted`. */
export function diskPrograms(machine: Machine): [string, Program][] {
  return [
    ['lsblk', async (me, args) => lsblk(machine, me, args)],
    ['wipefs', async (me, args) => wipefs(machine, me, args)],
    ['smartctl', async (me, args) => smartctl(machine, me, args)],
    ['cryptsetup', async (me, args) => cryptsetup(machine, me, args)],
    ['ledctl', async (me, args) => ledctl(machine, me, args)],
    ['parted', async (me, args) => parted(machine, me, args)],
  ]
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
  const { files } = machine
  const names = rest.map((path) => (files.find(path) ? files.real(path) : path).replace('/dev/', ''))
  const disks = machine.disks.filter(({ name }) => names.length === 0 || names.includes(name))
  if (disks.length === 0 && names.length > 0) {
    me.err(`lsblk: ${rest[0]}: not a block device\n`)
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
