import { RE2JS } from 're2js'
import { define } from './define.ts'
import { BadValue } from './failure.ts'
import type { Signature } from './functions.ts'
import { remembered } from './remembered.ts'
import { anything, listOf, number, text, truth } from './shape.ts'
import type { Duration, Instant, Value } from './value.ts'
import { kindOf, kindWords } from './value.ts'
import type { Work } from './work.ts'
import { spend, spendText } from './work.ts'

const inList = 'for a list write `item in list`'

export const textFunctions: { readonly [name: string]: Signature } = {
  string: define(
    [['string', 'number', 'boolean', 'time', 'duration']],
    text,
    ([value]: [string | number | boolean | Instant | Duration]) => String(value),
    { hint: 'name a field of it, or join a list with `join(list, ", ")`' },
  ),
  bool: define([['boolean', 'string']], truth, ([value]: [boolean | string]) => truthOf(value)),
  startsWith: define(['string', 'string'], truth, ([value, part]: [string, string]) => value.startsWith(part)),
  endsWith: define(['string', 'string'], truth, ([value, part]: [string, string]) => value.endsWith(part)),
  contains: define(
    ['string', 'string'],
    truth,
    ([value, part]: [string, string], work) => spent(work, value).includes(part),
    { hint: inList },
  ),
  matches: define(['string', 'string'], truth, ([value, pattern]: [string, string], work) => {
    spend(work, (value.length * (pattern.length + 8)) >> 4)
    return patternOf(pattern).matcher(value).find()
  }),
  indexOf: define(
    ['string', 'string', 'number'],
    number,
    ([value, part, from]: [string, string, number?]) => value.indexOf(part, from),
    { needs: 2 },
  ),
  lastIndexOf: define(['string', 'string'], number, ([value, part]: [string, string]) => value.lastIndexOf(part)),
  substring: define(
    ['string', 'number', 'number'],
    text,
    ([value, from, to = value.length]: [string, number, number?]) => {
      if (from < 0 || to < from || to > value.length)
        throw new BadValue('value', '`substring` goes beyond the text', 'ask `size` first')
      return value.slice(from, to)
    },
    { needs: 2 },
  ),
  replace: define(['string', 'string', 'string'], text, replaceAll),
  split: define(
    ['string', 'string', 'number'],
    listOf(text),
    ([value, separator, limit]: [string, string, number?], work) => spent(work, value).split(separator, limit),
    { needs: 2 },
  ),
  join: define(['array', 'string'], text, joinList, { needs: 1 }),
  trim: define(['string'], text, ([value]: [string], work) => spent(work, value).trim()),
  lowerAscii: define(['string'], text, ([value]: [string], work) =>
    spent(work, value).replaceAll(/[A-Z]+/g, (part) => part.toLowerCase()),
  ),
  upperAscii: define(['string'], text, ([value]: [string], work) =>
    spent(work, value).replaceAll(/[a-z]+/g, (part) => part.toUpperCase()),
  ),
  lines: define(['string'], listOf(text), ([value]: [string], work) => linesOf(value, work)),
  parse_json: define(['string'], anything, ([value]: [string], work) => {
    spend(work, value.length >> 3)
    try {
      return JSON.parse(value) as Value
    } catch {
      throw new BadValue(
        'value',
        '`parse_json` was given a text that is not JSON',
        'look at what the command printed: a warning before the JSON is enough',
      )
    }
  }),
}

function spent(work: Work, value: string): string {
  spendText(work, value.length)
  return value
}

function truthOf(value: boolean | string): boolean {
  if (typeof value === 'boolean') return value
  if (/^true$/i.test(value)) return true
  if (/^false$/i.test(value)) return false
  throw new BadValue('value', '`bool` was given a text that is neither `true` nor `false`')
}

function replaceAll([value, old, fresh]: [string, string, string], work: Work): string {
  if (old === '') throw new BadValue('value', '`replace` was given nothing to look for')
  const parts = spent(work, value).split(old)
  spendText(work, value.length + (parts.length - 1) * (fresh.length - old.length))
  return parts.join(fresh)
}

function joinList([list, separator = '']: [readonly Value[], string?], work: Work): string {
  let length = 0
  const parts = list.map((item) => {
    const kind = kindOf(item)
    if (kind === 'array' || kind === 'object' || kind === 'null' || kind === 'optional') {
      throw new BadValue(
        'type',
        `\`join\` was given a list with ${kindWords[kind]} in it`,
        'pick a field first: `list.map(item, item.name)`',
      )
    }
    const part = String(item)
    length += part.length + separator.length
    spend(work, 1 + (part.length >> 5))
    return part
  })
  spendText(work, length)
  return parts.join(separator)
}

/** Without the empty piece behind a last line break, as every tool that prints lines means it. */
function linesOf(value: string, work: Work): string[] {
  const lines = spent(work, value).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  spend(work, lines.length)
  return lines
}

/** Throws `BadValue` for what is no pattern, as `patternOf` does; what is plainly one is not compiled to know it. */
export function checkPattern(pattern: string): void {
  if (!isPlainPattern(pattern)) patternOf(pattern)
}

/** Of signs that mean the same to RE2 as to JavaScript, which accepts the whole. */
function isPlainPattern(pattern: string): boolean {
  if (
    pattern.length > 1_000 ||
    !/^(?:[^\\[({]|\\[dDsSwW./()[\]{}|?*+^$]|\(\?:|\((?!\?)|\[\^?[^\\[\]^][^\\[\]]*\]|\{\d\})*$/.test(pattern)
  )
    return false
  // repeats of repeats grow beyond what RE2 takes
  if ((pattern.match(/\{/g) ?? []).length > 3) return false
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** Patterns are RE2: linear in the text, so that no input can hang a run. Throws `BadValue` for what is no pattern. */
export const patternOf: (pattern: string) => RE2JS = remembered(200, (pattern) => {
  if (pattern.length > 1_000) throw new BadValue('work', 'the pattern of `matches` is longer than 1000 characters')
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    const why =
      error instanceof Error ? `: ${error.message.replace(/^error parsing regexp: /, '').replace(/: `.*/s, '')}` : ''
    throw new BadValue(
      'value',
      `\`matches\` was given something that is no pattern${why}`,
      'patterns are RE2: no look-ahead and no back references',
    )
  }
})
