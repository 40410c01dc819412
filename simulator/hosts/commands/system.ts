import { absolute } from '../machine/files.ts'
import { mountOf } from '../machine/guard.ts'
import type { Machine, Mount } from '../machine/machine.ts'
import { kernelVersion, uptimeOf } from '../machine/proc.ts'
import type { Process, Program } from '../machine/process.ts'
import { pathOf } from '../shell/resolve.ts'
import { shellProgram } from '../shell/shell.ts'
import { dateProgram } from './date.ts'
import { readOptions } from './options.ts'
import { pgrep, ps } from './processes.ts'

/** What every Debian machine answers about itself. */
export function systemPrograms(machine: Machine): [string, Program][] {
  const line =
    (text: () => string): Program =>
    async (me) => {
      me.out(`${text()}\n`)
      return 0
    }
  return [
    ['sh', shellProgram(machine, 'sh')],
    ['dash', shellProgram(machine, 'sh')],
    ['bash', shellProgram(machine, 'bash')],
    ['date', dateProgram(machine)],
    [
      'hostname',
      async (me, args) => {
        me.out(
          `${args.includes('-I') ? `${machine.address} ` : args.includes('-f') ? `${machine.name}.rehearsal` : machine.name}\n`,
        )
        return 0
      },
    ],
    ['nproc', line(() => String(machine.cpus))],
    ['arch', line(() => 'x86_64')],
    [
      'whoami',
      async (me) => {
        me.out(`${me.user}\n`)
        return 0
      },
    ],
    ['id', async (me, args) => id(machine, me, args)],
    ['uname', async (me, args) => uname(machine, me, args)],
    ['uptime', async (me, args) => uptime(machine, me, args)],
    ['df', async (me, args) => df(machine, me, args)],
    ['free', async (me, args) => free(machine, me, args)],
    ['ps', async (me, args) => ps(machine, me, args)],
    ['pgrep', async (me, args) => pgrep(machine, me, args)],
    [
      'which',
      async (me, args) => {
        const found = args.map((name) => pathOf(machine, name))
        for (const path of found) if (path) me.out(`${path}\n`)
        return found.every(Boolean) ? 0 : 1
      },
    ],
    ['reboot', async (me, args) => power(machine, me, 'reboot', args)],
    ['poweroff', async (me, args) => power(machine, me, 'poweroff', args)],
    [
      'shutdown',
      async (me, args) => {
        if (args.includes('-c')) return 0
        return power(machine, me, args.some((arg) => /^-\w*r/.test(arg)) ? 'reboot' : 'poweroff', args)
      },
    ],
    ['sysctl', async (me, args) => sysctl(machine, me, args)],
    ['clear', async () => 0],
    [
      'getconf',
      async (me, args) => {
        me.out(`${args[0] === '_NPROCESSORS_ONLN' ? machine.cpus : 4096}\n`)
        return 0
      },
    ],
    [
      'getent',
      async (me, args) => {
        const known =
          args[0] === 'hosts' ? [] : [...machine.users].filter(([name]) => args[1] === undefined || args[1] === name)
        for (const [name, { uid, home }] of known) me.out(`${name}:x:${uid}:${uid}::${home}:/bin/bash\n`)
        return known.length > 0 ? 0 : 2
      },
    ],
    ['who', async () => 0],
  ]
}

function id(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args)
  const name = rest[0] ?? me.user
  const account = machine.users.get(name)
  if (!account) {
    me.err(`id: ‘${name}’: no such user\n`)
    return 1
  }
  const { uid } = account
  if (flags.has('n')) me.out(`${name}\n`)
  else if (flags.has('u') || flags.has('g')) me.out(`${uid}\n`)
  else me.out(`uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})${uid > 0 ? ',27(sudo)' : ''}\n`)
  return 0
}

function uname(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags } = readOptions(args)
  const all = flags.has('a')
  const parts = [
    [all || flags.has('s') || flags.size === 0, 'Linux'],
    [all || flags.has('n'), machine.name],
    [all || flags.has('r'), machine.kernel],
    [all || flags.has('v'), kernelVersion],
    [all || flags.has('m'), 'x86_64'],
    [all || flags.has('o'), 'GNU/Linux'],
  ] as const
  me.out(
    `${parts
      .filter(([wanted]) => wanted)
      .map(([, text]) => text)
      .join(' ')}\n`,
  )
  return 0
}

function uptime(machine: Machine, me: Process, args: readonly string[]): number {
  const seconds = Math.floor(uptimeOf(machine))
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  if (args.includes('-s') || args.includes('--since')) {
    const since = new Date(Math.round(machine.localTime() / 1000 - seconds) * 1000)
    me.out(`${since.toISOString().slice(0, 19).replace('T', ' ')}\n`)
  } else if (args.includes('-p') || args.includes('--pretty')) {
    const parts = [days && plural(days, 'day'), hours && plural(hours, 'hour'), plural(minutes, 'minute')].filter(
      Boolean,
    )
    me.out(`up ${parts.join(', ')}\n`)
  } else {
    const clock = hours > 0 ? `${String(hours).padStart(2)}:${String(minutes).padStart(2, '0')}` : `${minutes} min`
    const up = days > 0 ? `${plural(days, 'day')}, ${clock}` : clock
    const time = new Date(machine.localTime()).toISOString().slice(11, 19)
    me.out(` ${time} up ${up},  0 users,  load average: ${machine.load.map((value) => value.toFixed(2)).join(', ')}\n`)
  }
  return 0
}

function df(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, values, rest } = readOptions(args, ['t', 'x', 'B', 'output', 'type', 'exclude-type'])
  const skipped = [...(values.get('x') ?? []), ...(values.get('exclude-type') ?? [])]
  const types = [...(values.get('t') ?? []), ...(values.get('type') ?? [])]
  let mounts: Mount[] = machine.mounts.filter(
    ({ type }) => !skipped.includes(type) && (types.length === 0 || types.includes(type)),
  )
  let status = 0
  if (rest.length > 0) {
    mounts = []
    for (const name of rest) {
      const path = absolute(me.cwd, name)
      const mount = machine.files.find(path) ? mountOf(machine, path) : undefined
      if (mount) mounts.push(mount)
      else {
        me.err(`df: ${name}: No such file or directory\n`)
        status = 1
      }
    }
    if (mounts.length === 0) return status
  }
  const inodes = flags.has('i') || flags.has('inodes')
  const human = flags.has('h')
  const unit = flags.get('B') === '1' || (flags.has('B') && flags.get('block-size') === '1') ? 1 : 1024
  const typed = flags.has('T')
  const size = (kib: number) => (human ? humanSize(kib * 1024) : String(unit === 1 ? kib * 1024 : kib))
  const percent = (used: number, total: number) => (total === 0 ? '-' : `${Math.ceil((used / total) * 100)}%`)
  const rows = mounts.map((mount) => {
    const reserved = mount.type === 'ext4' ? Math.round(mount.size * 0.05) : 0
    const available = Math.max(0, mount.size - reserved - mount.used)
    const numbers = inodes
      ? [
          String(mount.inodes),
          String(mount.inodesUsed),
          String(mount.inodes - mount.inodesUsed),
          percent(mount.inodesUsed, mount.inodes),
        ]
      : [size(mount.size), size(mount.used), size(available), percent(mount.used, mount.used + available)]
    return [mount.device, ...(typed ? [mount.type] : []), ...numbers, mount.at]
  })
  const total = inodes
    ? 'Inodes'
    : human
      ? 'Size'
      : unit === 1
        ? '1B-blocks'
        : flags.has('P')
          ? '1024-blocks'
          : '1K-blocks'
  const labels = inodes
    ? ['IUsed', 'IFree', 'IUse%']
    : human
      ? ['Used', 'Avail', flags.has('P') ? 'Capacity' : 'Use%']
      : ['Used', 'Available', flags.has('P') ? 'Capacity' : 'Use%']
  me.out(table([['Filesystem', ...(typed ? ['Type'] : []), total, ...labels, 'Mounted on'], ...rows], typed ? 2 : 1))
  return status
}

/** The first columns to the left, numbers to the right, the last column as it is; the first one 14 wide at least. */
function table(rows: readonly (readonly string[])[], left: number): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(column === 0 ? 14 : 5, ...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1
            ? cell
            : column < left
              ? cell.padEnd(widths[column] ?? 0)
              : cell.padStart(widths[column] ?? 0),
        )
        .join(' ')
        .concat('\n'),
    )
    .join('')
}

function humanSize(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let step = 0
  for (; value >= 1024 && step < units.length - 1; step += 1) value /= 1024
  const shown = value < 10 && step > 0 ? (Math.ceil(value * 10) / 10).toFixed(1) : String(Math.ceil(value))
  return `${shown}${units[step]}`
}

function free(machine: Machine, me: Process, args: readonly string[]): number {
  const { total, available } = machine.memory
  const divide = args.includes('-m') ? 1024 : args.includes('-g') ? 1_048_576 : args.includes('-b') ? 1 / 1024 : 1
  const free = Math.round(available * 0.35)
  const cells = [total, total - available, free, 12_480, available - free, available].map((value) =>
    String(Math.floor(value / divide)).padStart(12),
  )
  me.out(
    `               total        used        free      shared  buff/cache   available\nMem:    ${cells.join('')}\nSwap:   ${['0', '0', '0'].map((value) => value.padStart(12)).join('')}\n`,
  )
  return 0
}

/** `reboot` and its kind: it is begun, and the command is over at once. */
export function power(machine: Machine, me: Process, what: 'reboot' | 'poweroff', args: readonly string[]): number {
  if (me.user !== 'root') {
    me.err(
      'Failed to set wall message, ignoring: Interactive authentication required.\nCall to Reboot failed: Interactive authentication required.\n',
    )
    return 1
  }
  const minutes = args.map((arg) => /^\+(\d+)$/.exec(arg)?.[1]).find(Boolean)
  const forced = args.some((arg) => /^-f+$|^--force$/.test(arg))
  const stopsIn = minutes !== undefined ? Number(minutes) * 60_000 : forced ? 200 : undefined
  me.effect(`host.${what}`, machine.name, machine.power.habits.refuses > 0 ? { refused: true } : undefined)
  const options = stopsIn === undefined ? {} : { stopsIn }
  if (what === 'reboot') machine.power.reboot(options)
  else machine.power.off(options)
  return 0
}

function sysctl(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args)
  let status = 0
  for (const name of rest) {
    const [key = '', value] = name.split('=')
    const path = `/proc/sys/${key.replaceAll('.', '/')}`
    if (value !== undefined && me.user === 'root') {
      machine.files.provide(path, () => `${value}\n`)
      me.effect('host.sysctl', machine.name, { [key]: value })
    }
    if (!machine.files.find(path)) {
      me.err(`sysctl: cannot stat ${path}: No such file or directory\n`)
      status = 255
      continue
    }
    const text = machine.files.text(path).trimEnd()
    me.out(flags.has('n') ? `${text}\n` : `${key} = ${text}\n`)
  }
  return status
}
