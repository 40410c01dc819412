import type { Machine } from '../machine/machine.ts'
import { uptimeOf } from '../machine/proc.ts'
import type { Process } from '../machine/process.ts'
import { readOptions } from './options.ts'

interface Shown {
  readonly user: string
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  readonly command: string
}

function allProcesses(machine: Machine): Shown[] {
  const units = machine.units
    .list()
    .filter(({ mainPid }) => mainPid > 0)
    .map(({ mainPid, kind }) => ({
      user: kind.user ?? 'root',
      pid: mainPid,
      ppid: 1,
      pgid: mainPid,
      sid: mainPid,
      command: kind.command,
    }))
  const init = { user: 'root', pid: 1, ppid: 0, pgid: 1, sid: 1, command: '/sbin/init' }
  const mine = machine.processes
    .list()
    .map(({ user, pid, ppid, pgid, sid, argv }) => ({ user, pid, ppid, pgid, sid, command: argv.join(' ') }))
  const strays = machine
    .strays()
    .map(({ pid, user, command }) => ({ user, pid, ppid: 1, pgid: pid, sid: pid, command }))
  return [init, ...units, ...strays, ...mine].sort((a, b) => a.pid - b.pid)
}

/** How long a process has run: since the boot, or since its unit started. */
function secondsOf(machine: Machine, pid: number): number {
  const unit = machine.units.list().find(({ mainPid }) => mainPid === pid)
  return unit ? Math.max(0, (machine.now() - (unit.startedAt ?? unit.since)) / 1000) : uptimeOf(machine)
}

/** `ps`, with `-e`, `-p PID` and `-o COLUMNS`. */
export function ps(machine: Machine, me: Process, args: readonly string[]): number {
  const formatAt = args.findIndex((arg) => /^-\w*o$/.test(arg))
  const pidAt = args.findIndex((arg) => arg === '-p' || arg === '--pid')
  const wanted = pidAt === -1 ? undefined : (args[pidAt + 1] ?? '').split(',').map(Number)
  const everybody = wanted !== undefined || args.some((arg) => /^-?\w*[aAex]/.test(arg) && arg !== '-o')
  const shown = allProcesses(machine).filter(({ pid, sid }) =>
    wanted ? wanted.includes(pid) : everybody || sid === me.sid,
  )
  if (formatAt !== -1) {
    const columns = (args[formatAt + 1] ?? 'pid').split(',')
    const header = columns.every((column) => !column.endsWith('='))
    if (header) me.out(`${columns.map((column) => column.toUpperCase().padStart(7)).join(' ')}\n`)
    for (const process of shown)
      me.out(`${columns.map((column) => columnOf(machine, process, column.replace(/=$/, ''))).join(' ')}\n`)
  } else {
    me.out('    PID TTY          TIME CMD\n')
    for (const { pid, command } of shown)
      me.out(`${String(pid).padStart(7)} ?        00:00:00 ${everybody ? command : command.split(' ')[0]}\n`)
  }
  return shown.length > 0 ? 0 : 1
}

function columnOf(machine: Machine, process: Shown, column: string): string {
  const name = (process.command.split(' ')[0] ?? '').replace(/^.*\//, '').slice(0, 15)
  switch (column) {
    case 'pid':
    case 'ppid':
    case 'pgid':
    case 'sid':
      return String(process[column]).padStart(7)
    case 'user':
      return process.user.padEnd(8)
    case 'comm':
      return name.padEnd(15)
    case 'args':
    case 'cmd':
    case 'command':
      return process.command
    case 'etimes':
      return String(Math.floor(secondsOf(machine, process.pid))).padStart(7)
    case 'stat':
      return 'Ss  '
    default:
      return '-'
  }
}

/** `pgrep`, with `-f`, `-x`, `-a`, `-c` and `-g GROUP`. */
export function pgrep(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['u', 'g', 'P', 's'])
  // as regexec does, `.` takes line breaks too: a script that stands in a command line is found by what it looks for
  const pattern = new RegExp(rest[0] ?? '', 's')
  const found = allProcesses(machine).filter(({ command, pid, pgid }) => {
    if (pid === me.pid) return false
    if (flags.has('g') && String(pgid) !== flags.get('g')) return false
    const name = (command.split(' ')[0] ?? '').replace(/^.*\//, '').slice(0, 15)
    return flags.has('x') ? name === rest[0] : pattern.test(flags.has('f') ? command : name)
  })
  if (flags.has('c')) me.out(`${found.length}\n`)
  else for (const { pid, command } of found) me.out(flags.has('a') ? `${pid} ${command}\n` : `${pid}\n`)
  return found.length > 0 ? 0 : 1
}
