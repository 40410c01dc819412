import { define } from './define.ts'
import { BadValue } from './failure.ts'
import type { Signature } from './functions.ts'
import { duration, number, time } from './shape.ts'
import { Duration, Instant } from './value.ts'

/** The parts of a time, in UTC; months, days of the month and days of the week count from 0, as CEL has it. */
const parts: { readonly [name: string]: (date: Date) => number } = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / 86_400_000),
}

/** Of a time the part of the day, of a duration the whole of it in that unit. */
const units: { readonly [name: string]: readonly [size: number, of: (date: Date) => number] } = {
  getHours: [3_600_000, (date) => date.getUTCHours()],
  getMinutes: [60_000, (date) => date.getUTCMinutes()],
  getSeconds: [1_000, (date) => date.getUTCSeconds()],
  getMilliseconds: [1, (date) => date.getUTCMilliseconds()],
}

const readTime = 'read a text with `timestamp(text)` or `duration(text)`'

export const timeFunctions: { readonly [name: string]: Signature } = {
  timestamp: define([['string', 'number', 'time']], time, ([value]: [string | number | Instant]) => instantOf(value)),
  duration: define([['string', 'number', 'duration']], duration, ([value]: [string | number | Duration]) =>
    durationOf(value),
  ),
  ...Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      define(['time'], number, ([at]: [Instant]) => part(dateOf(at)), { hint: readTime }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(units).map(([name, [size, part]]) => [
      name,
      define(
        [['time', 'duration']],
        number,
        ([at]: [Instant | Duration]) => (at instanceof Instant ? part(dateOf(at)) : Math.trunc(at.ms / size)),
        { hint: readTime },
      ),
    ]),
  ),
}

function dateOf({ ms }: Instant): Date {
  return new Date(Math.floor(ms))
}

const written = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?)?$/

/** RFC 3339, and what OpenStack and databases write: a blank for the `T`, no zone for UTC. A number is seconds since 1970. */
function instantOf(value: string | number | Instant): Instant {
  if (value instanceof Instant) return value
  if (typeof value === 'number') return new Instant(value * 1000)
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    written.exec(value.trim()) ?? []
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  // a day or an hour that does not exist would silently become another one
  const real =
    year !== undefined && new Date(utc).toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`)
  if (!real)
    throw new BadValue(
      'value',
      '`timestamp` was given a text that is no time',
      'times look like `2026-11-21T01:12:38Z`',
    )
  return new Instant(utc + Number(`0${fraction}`) * 1000 - offsetOf(zone))
}

function offsetOf(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  return sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
}

const sizes: { readonly [unit: string]: number } = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  ns: 1e-6,
}

/** `1d2h`, `90s`, `-1.5h`; a number is seconds. */
function durationOf(value: string | number | Duration): Duration {
  if (value instanceof Duration) return value
  if (typeof value === 'number') return new Duration(value * 1000)
  const [, sign, amounts] = /^\s*([+-]?)((?:\d+(?:\.\d+)?(?:d|h|ms|m|s|us|ns))+)\s*$/.exec(value) ?? []
  if (amounts === undefined)
    throw new BadValue(
      'value',
      '`duration` was given a text that is no duration',
      'durations look like `90s`, `1h30m` or `2d`',
    )
  let ms = 0
  for (const [, amount, unit = ''] of amounts.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s|us|ns)/g))
    ms += Number(amount) * (sizes[unit] ?? 0)
  return new Duration(sign === '-' ? -ms : ms)
}
