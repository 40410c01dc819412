import type { Machine, Mount } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { readOptions } from './options.ts'
import { human, json, type Row, text } from './tables.ts'

/** `findmnt`, `mount`, `umount`, `mountpoint`, as util-linux 2.38 prints. */
export function mountPrograms(machine: Machine): [string, Program][] {
  return [
    ['findmnt', async (me, args) => findmnt(machine, me, args)],
    ['mount', async (me, args) => mount(machine, me, args)],
    ['umount', async (me, args) => unmount(machine, me, args)],
    ['mountpoint', async (me, args) => mountpoint(machine, me, args)],
  ]
}

const sizes = new Set(['size', 'used', 'avail'])

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
  me.out(
    flags.has('J')
      ? json('filesystems', rows, columns)
      : text(rows, columns, { bare: flags.has('n'), raw: flags.has('r'), right: sizes }),
  )
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
