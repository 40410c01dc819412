import type { Json } from '../json.ts'
import { itemsOf } from './each.ts'
import { BadValue, ExpressionError } from './failure.ts'
import type { Local, World } from './interpret.ts'
import { attempt, interpret } from './interpret.ts'
import type { Each, Node } from './node.ts'
import { partsOf, pathOf } from './node.ts'
import { released } from './release.ts'
import { Unknown, unknownIn } from './unknown.ts'
import type { Value } from './value.ts'

/** A part of a condition with what it came to. */
export interface Operand {
  readonly text: string
  readonly value: Json
}

const most = 5
const mostItems = 3

/** The parts that made a condition what it is: false, or true, where it is true. */
export function operandsIn(root: Node, world: World): readonly Operand[] {
  const held = attempt(root, world, undefined) === true
  const found = new Map<string, Operand>()
  for (const operand of because(root, world, undefined, !held)) {
    if (!found.has(operand.text)) found.set(operand.text, operand)
    if (found.size === most) break
  }
  return [...found.values()]
}

/** Why a condition is not what was wanted of it. */
function* because(node: Node, world: World, local: Local | undefined, wanted: boolean): Generator<Operand> {
  switch (node.kind) {
    case 'literal':
      return
    case 'not':
      return yield* because(node.of, world, local, !wanted)
    case 'and':
    case 'or':
      for (const side of [node.left, node.right]) {
        if (attempt(side, world, local) !== wanted) yield* because(side, world, local, wanted)
      }
      return
    case 'choice': {
      yield* because(node.test, world, local, attempt(node.test, world, local) !== true)
      const test = attempt(node.test, world, local)
      if (typeof test === 'boolean') yield* because(test ? node.yes : node.no, world, local, wanted)
      return
    }
    case 'operator':
      for (const side of [node.left, node.right]) if (!isFixed(side)) yield* shownValue(side, world, local)
      return
    case 'each':
      if (node.macro === 'all' || node.macro === 'exists' || node.macro === 'exists_one')
        return yield* becauseOfItems(node, world, local, wanted)
      return yield* shownValue(node, world, local)
    case 'bind': {
      const value = tried(() => interpret(node.value, world, local))
      if (value !== undefined) yield* because(node.body, world, { name: node.name, value, outer: local }, wanted)
      return
    }
    default:
      yield* shownValue(node, world, local)
  }
}

/** Says the same in every scope: it needs no showing. */
function isFixed(node: Node): boolean {
  return node.kind !== 'name' && partsOf(node).every(isFixed)
}

/** The items that decided: those that broke an `all`, those that met an `exists_one`; where none did, the list. */
function* becauseOfItems(node: Each, world: World, local: Local | undefined, wanted: boolean): Generator<Operand> {
  const items = tried(() => itemsOf(node, interpret(node.over, world, local), world))
  if (!Array.isArray(items)) return yield* shownValue(node.over, world, local)
  // an `all` that should hold is broken by items for which it does not; an `exists` that should not, by those for which it does
  const telling = node.macro === 'exists_one' ? true : !wanted
  const chosen = (items as readonly Value[]).flatMap((item, index) =>
    attempt(node.body, world, { name: node.name, value: item, outer: local }) === telling ? [{ item, index }] : [],
  )
  if (chosen.length === 0) return yield* shownValue(node.over, world, local)
  const list = world.text.slice(node.over.start, node.over.end)
  for (const { item, index } of chosen.slice(0, mostItems)) {
    const value = outsideOf(telltale(item, node), node, world)
    if (value !== undefined) yield { text: `${list}[${index}]`, value }
  }
}

const identifying = ['name', 'id', 'hostname', 'host', 'key']

/** Of a large item what names it and what the condition reads. */
function telltale(item: Value, { name, body }: Each): Value {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  const read = fieldsRead(body, name)
  const entries = Object.entries(item).filter(([field]) => identifying.includes(field) || read.has(field))
  return entries.length > 0 ? (Object.fromEntries(entries) as Value) : item
}

function fieldsRead(node: Node, name: string): ReadonlySet<string> {
  const path = pathOf(node)
  if (path) return new Set(path[0] === name && typeof path[1] === 'string' ? [path[1]] : [])
  return new Set(partsOf(node).flatMap((part) => [...fieldsRead(part, name)]))
}

function* shownValue(node: Node, world: World, local: Local | undefined): Generator<Operand> {
  const value = tried(() => interpret(node, world, local))
  const json = value === undefined ? undefined : outsideOf(value, node, world)
  if (json !== undefined) yield { text: world.text.slice(node.start, node.end), value: json }
}

function outsideOf(value: Value, node: Node, world: World): Json | undefined {
  const json = tried(() => released(value, node, world))
  return json instanceof Unknown || unknownIn(json) ? undefined : (json as Json | undefined)
}

function tried<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if ((error instanceof ExpressionError || error instanceof BadValue) && error.code !== 'work') return undefined
    throw error
  }
}
