import { unmap } from '../disks.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { lsblk } from './lsblk.ts'
import { readOptions } from './options.ts'

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

function wipefs(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['o', 't'])
  for (const path of rest) {
    const disk = machine.disks.find(({ name }) => `/dev/${name}` === path)
    if (!disk) {
      me.err(`wipefs: error: ${path}: probing initialization failed: No such file or directory\n`)
      return 1
    }
    if (machine.mappings.some(({ on }) => on.includes(disk.name))) {
      me.err(`wipefs: error: ${path}: probing initialization failed: Device or resource busy\n`)
      return 1
    }
    if (flags.has('a')) {
      if (disk.signature) me.out(`${path}: ${erased(disk.signature)}\n`)
      disk.signature = undefined
      me.effect('host.wipefs', `${machine.name}:${path}`)
    } else if (disk.signature) {
      if (!flags.has('n') && !flags.has('noheadings')) me.out('DEVICE OFFSET TYPE           UUID LABEL\n')
      me.out(`${disk.name.padEnd(6)} 0x0    ${disk.signature}\n`)
    }
  }
  return 0
}

/** Where the mark of what stands on a disk is, and what it is; so many bytes are overwritten. */
const marks: Readonly<Record<string, readonly [string, string]>> = {
  LVM2_member: ['00000218', '4c 56 4d 32 20 30 30 31'],
  ceph_bluestore: ['00000000', '62 6c 75 65 73 74 6f 72 65 20 62 6c 6f 63 6b 20 64 65 76 69 63 65'],
  ext4: ['00000438', '53 ef'],
  gpt: ['00000200', '45 46 49 20 50 41 52 54'],
  xfs: ['00000000', '58 46 53 42'],
}

function erased(signature: string): string {
  const [offset, bytes] = marks[signature] ?? ['00000000', '00']
  return `${bytes.split(' ').length} bytes were erased at offset 0x${offset} (${signature}): ${bytes}`
}

/** `cryptsetup close NAME`. */
function cryptsetup(machine: Machine, me: Process, args: readonly string[]): number {
  const [verb, name] = readOptions(args).rest
  const open = machine.mappings.find(
    (mapping) => mapping.kind === 'crypt' && mapping.name === name?.replace('/dev/mapper/', ''),
  )
  if (verb !== 'close' || !open) {
    me.err(`Device ${name ?? ''} is not active.\n`)
    return 4
  }
  me.effect('host.cryptsetup', `${machine.name}:close ${open.name}`)
  unmap(machine, open)
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
