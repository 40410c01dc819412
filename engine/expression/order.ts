import { BadValue } from './failure.ts'
import type { Instant, Kind, Value } from './value.ts'
import { kindOf, kindWords } from './value.ts'

const ordered: readonly Kind[] = ['number', 'string', 'boolean', 'time', 'duration']

/** Below zero, zero or above: texts by their characters, times by when they are. Throws for what has no order. */
export function compareForOrder(a: Value, b: Value): number {
  const kind = kindOf(a)
  const other = kindOf(b)
  if (kind !== other || !ordered.includes(kind)) {
    const mixed = kind !== other && [kind, other].includes('string')
    const conversion = [kind, other].includes('number')
      ? 'number(text)'
      : [kind, other].includes('time')
        ? 'timestamp(text)'
        : 'duration(text)'
    throw new BadValue(
      'type',
      `${kindWords[kind]} and ${kindWords[other]} have no order`,
      mixed && [kind, other].some((each) => each === 'number' || each === 'time' || each === 'duration')
        ? `read the text with \`${conversion}\``
        : undefined,
    )
  }
  const [left, right] =
    kind === 'time' || kind === 'duration' ? [(a as Instant).ms, (b as Instant).ms] : [a as number, b as number]
  return left < right ? -1 : left > right ? 1 : 0
}
