import { uuidOf } from '../../random.ts'
import type { LogLine } from '../machine/log.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { formatTime, parseTime } from './date.ts'
import { readOptions } from './options.ts'

/** `journalctl` and `dmesg` over the machine's logs. */
export function journalPrograms(machine: Machine): [string, Program][] {
  return [
    ['journalctl', async (me, args) => journalctl(machine, me, args)],
    ['dmesg', async (me, args) => dmesg(machine, me, args)],
  ]
}

const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']
const levelOf = (text: string): number =>
  /^\d$/.test(text) ? Number(text) : levels.findIndex((level) => level.startsWith(text))

function journalctl(machine: Machine, me: Process, args: readonly string[]): number {
  const takes = [
    'u',
    'unit',
    'p',
    'priority',
    'S',
    'since',
    'U',
    'until',
    'n',
    'lines',
    'o',
    'output',
    't',
    'identifier',
    'g',
    'grep',
    'output-fields',
  ]
  const { flags, values, rest } = readOptions(
    args.map((arg) => (arg === '-b' ? '--this-boot' : arg)),
    takes,
  )
  const either = (short: string, long: string) => flags.get(short) ?? flags.get(long)
  const time = (text: string | true | undefined): number | undefined | 'bad' =>
    typeof text === 'string' ? (parseTime(text, machine.localTime()) ?? 'bad') : undefined
  const since = time(either('S', 'since'))
  const until = time(either('U', 'until'))
  if (since === 'bad' || until === 'bad') {
    me.err(`Failed to parse timestamp: ${String(since === 'bad' ? either('S', 'since') : either('U', 'until'))}\n`)
    return 1
  }
  const kernel = flags.has('k') || flags.has('dmesg')
  const thisBoot = kernel || flags.has('this-boot') || flags.has('boot') || flags.has('b')
  const units = [...(values.get('u') ?? []), ...(values.get('unit') ?? [])]
  const names = new Set(units.map((name) => machine.units.find(name)?.name ?? `${name}.service`))
  const priority = either('p', 'priority')
  const [low, high] = priorities(priority)
  const identifier = either('t', 'identifier')
  const pattern = either('g', 'grep')
  const pid = rest.find((word) => word.startsWith('_PID='))?.slice(5)
  const boot = machine.power.boot().id
  let lines = [...(kernel ? [] : machine.journal.lines()), ...(units.length > 0 ? [] : machine.kernelLog.lines())]
    .filter(
      (line) =>
        (!thisBoot || line.bootId === boot) &&
        (names.size === 0 || (line.unit !== undefined && names.has(line.unit))) &&
        line.priority >= low &&
        line.priority <= high &&
        (since === undefined || line.at >= since) &&
        (until === undefined || line.at <= until) &&
        (identifier === undefined || line.identifier === identifier) &&
        (pid === undefined || String(line.pid) === pid) &&
        (pattern === undefined ||
          new RegExp(String(pattern), /[A-Z]/.test(String(pattern)) ? '' : 'i').test(line.message)),
    )
    .sort((a, b) => a.at - b.at)
  const count = either('n', 'lines')
  if (count !== undefined && count !== 'all') lines = lines.slice(-Number(count === true ? 10 : count))
  if (flags.has('r') || flags.has('reverse')) lines.reverse()
  const output = String(either('o', 'output') ?? 'short')
  if (lines.length === 0) {
    if (!output.startsWith('json') && output !== 'cat' && !flags.has('q') && !flags.has('quiet'))
      me.out('-- No entries --\n')
    return pattern === undefined ? 0 : 1
  }
  const wanted = String(flags.get('output-fields') ?? '')
    .split(',')
    .filter(Boolean)
  let before: string | undefined
  for (const line of lines) {
    if (before !== undefined && before !== line.bootId && output.startsWith('short')) {
      me.out(`-- Boot ${line.bootId.replaceAll('-', '')} --\n`)
    }
    before = line.bootId
    me.out(`${draw(machine, line, output, wanted)}\n`)
  }
  return 0
}

function priorities(text: string | true | undefined): [number, number] {
  if (typeof text !== 'string') return [0, 7]
  const [from = '', to] = text.split('..')
  return to === undefined ? [0, levelOf(from)] : [levelOf(from), levelOf(to)]
}

function draw(machine: Machine, line: LogLine, output: string, wanted: readonly string[]): string {
  const { at, message, identifier, pid } = line
  const from = `${machine.name} ${identifier}${pid === undefined ? '' : `[${pid}]`}: ${message}`
  const micro = String(Math.floor((at % 1000) * 1000)).padStart(6, '0')
  switch (output) {
    case 'cat':
      return message
    case 'short-iso':
      return `${formatTime('%Y-%m-%dT%H:%M:%S+0000', at)} ${from}`
    case 'short-iso-precise':
      return `${formatTime('%Y-%m-%dT%H:%M:%S', at)}.${micro}+0000 ${from}`
    case 'short-precise':
      return `${formatTime('%b %d %H:%M:%S', at)}.${micro} ${from}`
    case 'short-unix':
      return `${(at / 1000).toFixed(6)} ${from}`
    case 'json':
    case 'json-pretty': {
      const fields = Object.fromEntries(
        Object.entries(fieldsOf(machine, line)).filter(
          ([name]) => wanted.length === 0 || wanted.includes(name) || /^__|^_BOOT_ID$/.test(name),
        ),
      )
      return output === 'json' ? JSON.stringify(fields) : JSON.stringify(fields, null, '\t')
    }
    default:
      return `${formatTime('%b %d %H:%M:%S', at)} ${from}`
  }
}

function fieldsOf(machine: Machine, line: LogLine): Record<string, string> {
  const { at, message, identifier, pid, priority, unit, bootId } = line
  const boot = machine.power.boots().find(({ id }) => id === bootId)
  const hex = (value: number) => Math.floor(value).toString(16)
  const monotonic = Math.max(0, Math.round((at - (boot?.at ?? at)) * 1000))
  const id = bootId.replaceAll('-', '')
  return {
    __REALTIME_TIMESTAMP: String(Math.round(at * 1000)),
    MESSAGE: message,
    __CURSOR: `s=${machine.files.text('/etc/machine-id').trim()};i=${hex(at % 65_536)};b=${id};m=${hex(monotonic)};t=${hex(at * 1000)};x=0`,
    _BOOT_ID: id,
    __MONOTONIC_TIMESTAMP: String(monotonic),
    PRIORITY: String(priority),
    SYSLOG_IDENTIFIER: identifier,
    _HOSTNAME: machine.name,
    _MACHINE_ID: machine.files.text('/etc/machine-id').trim(),
    _TRANSPORT: unit === undefined ? 'kernel' : 'journal',
    ...(unit !== undefined && { [identifier === 'systemd' ? 'UNIT' : '_SYSTEMD_UNIT']: unit }),
    ...(pid !== undefined && { _PID: String(pid) }),
  }
}

function dmesg(machine: Machine, me: Process, args: readonly string[]): number {
  const { flags } = readOptions(args, ['l', 'level', 'since'])
  if (me.user !== 'root') {
    me.err('dmesg: read kernel buffer failed: Operation not permitted\n')
    return 1
  }
  const { id, at } = machine.power.boot()
  const wanted = String(flags.get('l') ?? flags.get('level') ?? '')
    .split(',')
    .filter(Boolean)
  for (const line of machine.kernelLog.lines()) {
    if (line.bootId !== id) continue
    if (wanted.length > 0 && !wanted.includes(levels[line.priority]?.replace('warning', 'warn') ?? '')) continue
    const seconds = ((line.at - at) / 1000).toFixed(6).padStart(12)
    me.out(
      flags.has('T')
        ? `[${formatTime('%a %b %e %H:%M:%S %Y', line.at)}] ${line.message}\n`
        : `[${seconds}] ${line.message}\n`,
    )
  }
  return 0
}

/** The words a kernel says at each start. */
export function sayBooted(machine: Machine): void {
  const { id, at } = machine.power.boot()
  const lines: [number, number, string][] = [
    [0, 5, 'Linux version 6.1.0-37-amd64 (debian-kernel@lists.debian.org)'],
    [0.4, 6, `smpboot: Allowing ${machine.cpus} CPUs, 0 hotplug CPUs`],
    [1.9, 6, 'EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.'],
    [4.2, 6, 'eno1: NIC Link is Up 10 Gbps, Flow Control: RX/TX'],
  ]
  for (const [seconds, priority, message] of lines) {
    machine.kernelLog.add({ at: at + seconds * 1000, priority, message, identifier: 'kernel', bootId: id })
  }
}

/** What nova-compute writes when it has found RabbitMQ, which is not there yet when it begins to look. */
export function sayConnected(machine: Machine, server: string, at: number): void {
  const unit = machine.units.find('nova-compute')
  if (!unit || machine.unconnected(unit.name)) return
  const pid = unit.mainPid
  const id = uuidOf(`amqp/${unit.invocation}`)
  const time = formatTime('%Y-%m-%d %H:%M:%S', at)
  const message = `${time}.${String(Math.floor(at % 1000)).padStart(3, '0')} ${pid} INFO oslo.messaging._drivers.impl_rabbit [-] [${id}] Reconnected to AMQP server on ${server}:5672 via [amqp] client with port ${32_768 + (pid % 28_000)}.`
  const bootId = machine.power.boot().id
  machine.journal.add({ at, priority: 6, message, unit: unit.name, identifier: 'nova-compute', pid, bootId })
}
