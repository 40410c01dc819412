import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

/** `date`: the machine's own clock, UTC; `+FORMAT`, `-u`, `-d`, `-I`, `-R`. */
export function dateProgram(machine: Machine): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, ['d', 'date', 's', 'set', 'r'])
    if (flags.has('s') || flags.has('set')) {
      me.err('date: cannot set date: Operation not permitted\n')
      return 1
    }
    const said = flags.get('d') ?? flags.get('date')
    const at = typeof said === 'string' ? parseTime(said, machine.localTime()) : machine.localTime()
    if (at === undefined) {
      me.err(`date: invalid date ‘${String(said)}’\n`)
      return 1
    }
    const format = rest.find((arg) => arg.startsWith('+'))?.slice(1)
    const iso = [...flags.keys()].find((flag) => flag.startsWith('I') || flag === 'iso-8601')
    if (format !== undefined) me.out(`${formatTime(format, at)}\n`)
    else if (iso !== undefined)
      me.out(
        `${formatTime(flags.has('s') || args.some((arg) => /seconds|-Is/.test(arg)) ? '%Y-%m-%dT%H:%M:%S+00:00' : '%Y-%m-%d', at)}\n`,
      )
    else if (flags.has('R')) me.out(`${formatTime('%a, %d %b %Y %H:%M:%S +0000', at)}\n`)
    else me.out(`${formatTime('%a %b %e %H:%M:%S UTC %Y', at)}\n`)
    return 0
  }
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** strftime, in UTC and the C locale. */
export function formatTime(format: string, at: number): string {
  const date = new Date(at)
  const iso = date.toISOString()
  const two = (value: number) => String(value).padStart(2, '0')
  const day = days[date.getUTCDay()] ?? ''
  const month = months[date.getUTCMonth()] ?? ''
  const yearDay =
    Math.floor(
      (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
        86_400_000,
    ) + 1
  return format.replace(/%([-_0^]?)(\d*)([a-zA-Z%]|:z)/g, (whole, flag: string, width: string, letter: string) => {
    const value = (() => {
      switch (letter) {
        case 'Y':
          return iso.slice(0, 4)
        case 'm':
          return iso.slice(5, 7)
        case 'd':
          return iso.slice(8, 10)
        case 'e':
          return String(date.getUTCDate()).padStart(2)
        case 'H':
          return iso.slice(11, 13)
        case 'M':
          return iso.slice(14, 16)
        case 'S':
          return iso.slice(17, 19)
        case 'I':
          return two(date.getUTCHours() % 12 || 12)
        case 'p':
          return date.getUTCHours() < 12 ? 'AM' : 'PM'
        case 'F':
          return iso.slice(0, 10)
        case 'T':
          return iso.slice(11, 19)
        case 'R':
          return iso.slice(11, 16)
        case 'D':
          return `${iso.slice(5, 7)}/${iso.slice(8, 10)}/${iso.slice(2, 4)}`
        case 'y':
          return iso.slice(2, 4)
        case 'j':
          return String(yearDay).padStart(3, '0')
        case 's':
          return String(Math.floor(at / 1000))
        case 'N':
          return `${String(Math.floor(at % 1000)).padStart(3, '0')}000000`.slice(0, width === '' ? 9 : Number(width))
        case 'a':
          return day.slice(0, 3)
        case 'A':
          return day
        case 'b':
        case 'h':
          return month.slice(0, 3)
        case 'B':
          return month
        case 'u':
          return String(date.getUTCDay() || 7)
        case 'w':
          return String(date.getUTCDay())
        case 'Z':
          return 'UTC'
        case 'z':
          return '+0000'
        case ':z':
          return '+00:00'
        case 'n':
          return '\n'
        case 't':
          return '\t'
        case 'c':
          return formatTime('%a %b %e %H:%M:%S %Y', at)
        case '%':
          return '%'
        default:
          return whole
      }
    })()
    if (letter === 'N') return flag === '-' ? value.replace(/0+$/, '') : value
    return flag === '-' ? value.replace(/^[0 ](?=\d)/, '') : flag === '^' ? value.toUpperCase() : value
  })
}

/**
 * A moment as people and tools write it: `@1795220565`, ISO, `2026-11-21 01:02:03`, `-35s`, `10 minutes ago`, `yesterday`.
 * Milliseconds since 1970; nothing when it cannot be read.
 */
export function parseTime(text: string, now: number): number | undefined {
  const said = text.trim()
  if (said === 'now' || said === '') return now
  const midnight = Math.floor(now / 86_400_000) * 86_400_000
  if (said === 'today') return midnight
  if (said === 'yesterday') return said === text && now % 86_400_000 >= 0 ? midnight - 86_400_000 : undefined
  const epoch = /^@(-?\d+(?:\.\d+)?)$/.exec(said)?.[1]
  if (epoch !== undefined) return Number(epoch) * 1000
  const spans = [
    ...said.matchAll(
      /(\d+(?:\.\d+)?)\s*(seconds?|sec|s|minutes?|min|m|hours?|hour|h|days?|d|weeks?|w|months?)(?![a-z])/gi,
    ),
  ]
  if (spans.length > 0 && /^[-+]?[\d.]+\s*[a-z]/i.test(said)) {
    const total = spans.reduce(
      (sum, [, count, unit = 's']) =>
        sum +
        Number(count) * (unitMs[unit.toLowerCase().startsWith('mo') ? 'mo' : (unit[0] ?? 's').toLowerCase()] ?? 1000),
      0,
    )
    return said.startsWith('-') || /ago$/.test(said) ? now - total : now + total
  }
  if (/^\d\d:\d\d(:\d\d)?$/.test(said)) return Date.parse(`${new Date(now).toISOString().slice(0, 10)}T${said}Z`)
  const iso = said.replace(' UTC', 'Z').replace(/^(\d{4}-\d\d-\d\d) /, '$1T')
  const parsed = Date.parse(/[zZ]$|[-+]\d\d:?\d\d$/.test(iso) ? iso : `${iso.includes('T') ? iso : `${iso}T00:00:00`}Z`)
  return Number.isNaN(parsed) ? undefined : parsed
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  mo: 2_592_000_000,
}
