import type { Json } from '../json.ts'
import { ExpressionError } from './failure.ts'
import type { World } from './interpret.ts'
import type { Node } from './node.ts'
import { Unknown } from './unknown.ts'
import type { Value } from './value.ts'
import { Duration, Instant, Optional } from './value.ts'
import { spend } from './work.ts'

/** A value as it leaves an expression: times as text, and no larger than the work that is left. Throws for an open `.?`. */
export function released(value: Value, node: Node, world: World): Json | Unknown {
  if (typeof value !== 'object' || value === null || value instanceof Unknown) return value
  if (value instanceof Instant || value instanceof Duration) return value.toString()
  if (value instanceof Optional) {
    throw new ExpressionError('type', 'the value may be missing', node, {
      hint: 'say what holds instead: end it with `.orValue(…)`',
    })
  }
  if (!world.made) return value as Json
  // one list that stands in itself many times is small here and enormous as JSON
  const parts = Object.entries(value)
  spend(world.work, parts.length + 1)
  if (Array.isArray(value)) return value.map((part) => released(part, node, world) as Json)
  return Object.fromEntries(parts.map(([key, part]) => [key, released(part, node, world) as Json]))
}
