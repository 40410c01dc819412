import { BadValue } from './failure.ts'
import type { Operator } from './node.ts'
import { compareForOrder } from './order.ts'
import { Unknown } from './unknown.ts'
import type { Kind, Value } from './value.ts'
import { Duration, equal, Instant, kindOf, kindWords, Optional } from './value.ts'
import type { Work } from './work.ts'
import { spend, spendText } from './work.ts'

/** An operator on two values. Numbers are JSON numbers throughout: `7 / 2` is 3.5. Throws `BadValue`. */
export function operate(name: Operator, left: Value, right: Value, work: Work): Value {
  if (left instanceof Optional || right instanceof Optional) throw misuse(name, left, right)
  switch (name) {
    case '==':
      return equal(left, right, work)
    case '!=': {
      const same = equal(left, right, work)
      return same instanceof Unknown ? same : !same
    }
  }
  if (left instanceof Unknown) return left
  if (right instanceof Unknown) return right
  switch (name) {
    case '<':
      return compareForOrder(left, right) < 0
    case '<=':
      return compareForOrder(left, right) <= 0
    case '>':
      return compareForOrder(left, right) > 0
    case '>=':
      return compareForOrder(left, right) >= 0
    case 'in':
      return isIn(left, right, work)
    case '+':
      return add(left, right, work)
    case '-':
      return subtract(left, right)
    default:
      if (typeof left === 'number' && typeof right === 'number') return calculate(name, left, right)
      throw misuse(name, left, right)
  }
}

function isIn(item: Value, list: Value, work: Work): boolean | Unknown {
  if (kindOf(list) === 'object') {
    if (typeof item !== 'string')
      throw new BadValue('type', `the keys of a mapping are texts, not ${kindWords[kindOf(item)]}`)
    return Object.hasOwn(list as object, item)
  }
  if (!Array.isArray(list)) {
    const hint = kindOf(list) === 'string' ? 'write `text.contains(part)`' : undefined
    throw new BadValue('type', `\`in\` looks into a list or a mapping, not ${kindWords[kindOf(list)]}`, hint)
  }
  let unknown: Unknown | undefined
  for (const each of list as readonly Value[]) {
    const same = equal(each, item, work)
    if (same === true) return true
    if (same instanceof Unknown) unknown ??= same
  }
  return unknown ?? false
}

function add(left: Value, right: Value, work: Work): Value {
  if (typeof left === 'number' && typeof right === 'number') return calculate('+', left, right)
  if (typeof left === 'string' && typeof right === 'string') {
    spendText(work, left.length + right.length)
    return left + right
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    spend(work, left.length + right.length)
    return [...(left as readonly Value[]), ...(right as readonly Value[])]
  }
  if (left instanceof Instant && right instanceof Duration) return new Instant(left.ms + right.ms)
  if (left instanceof Duration && right instanceof Instant) return new Instant(left.ms + right.ms)
  if (left instanceof Duration && right instanceof Duration) return new Duration(left.ms + right.ms)
  throw misuse('+', left, right)
}

function subtract(left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return calculate('-', left, right)
  if (left instanceof Instant && right instanceof Instant) return new Duration(left.ms - right.ms)
  if (left instanceof Instant && right instanceof Duration) return new Instant(left.ms - right.ms)
  if (left instanceof Duration && right instanceof Duration) return new Duration(left.ms - right.ms)
  throw misuse('-', left, right)
}

function calculate(name: '+' | '-' | '*' | '/' | '%', left: number, right: number): number {
  if (right === 0 && (name === '/' || name === '%'))
    throw new BadValue('value', 'division by zero', 'ask first whether it is 0')
  const result =
    name === '+'
      ? left + right
      : name === '-'
        ? left - right
        : name === '*'
          ? left * right
          : name === '/'
            ? left / right
            : left % right
  if (!Number.isFinite(result)) throw new BadValue('value', 'the number is too large')
  return result
}

function misuse(name: Operator, left: Value, right: Value): BadValue {
  const kinds: readonly [Kind, Kind] = [kindOf(left), kindOf(right)]
  return new BadValue(
    'type',
    `\`${name}\` does not go with ${kindWords[kinds[0]]} and ${kindWords[kinds[1]]}`,
    hintFor(name, kinds),
  )
}

/** What to try when an operator meets two kinds that it does not go with. */
export function hintFor(name: Operator, kinds: readonly Kind[]): string | undefined {
  if (kinds.includes('optional')) return 'say what holds when it is missing: `.orValue(…)`'
  if (kinds.includes('null')) return 'one of them is empty: ask `!= null` first'
  if (kinds.includes('time') && kinds.includes('string')) return 'read the text with `timestamp(text)`'
  if (kinds.includes('duration') && kinds.includes('string')) return 'read the text with `duration(text)`'
  if (!kinds.includes('string')) return undefined
  return name === '+' ? 'make a text of the other with `string(value)`' : 'make a number of a text with `number(text)`'
}
