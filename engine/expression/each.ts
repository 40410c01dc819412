import { ExpressionError } from './failure.ts'
import type { Local, World } from './interpret.ts'
import { attempt, guarded, interpret, shown, truth } from './interpret.ts'
import { sorted } from './list-functions.ts'
import type { Each } from './node.ts'
import { Unknown } from './unknown.ts'
import type { Value } from './value.ts'
import { kindOf, kindWords } from './value.ts'

/** What goes over the items of a list, or over the keys of a mapping. */
export function eachItem(node: Each, world: World, local: Local | undefined): Value {
  const items = itemsOf(node, interpret(node.over, world, local), world)
  if (items instanceof Unknown) return items
  const named = (value: Value): Local => ({ name: node.name, value, outer: local })
  switch (node.macro) {
    case 'all':
      return quantified(node, items, world, named, false)
    case 'exists':
      return quantified(node, items, world, named, true)
    case 'exists_one': {
      const kept = keptBy(node, items, world, named)
      return kept instanceof Unknown ? kept : kept.length === 1
    }
    case 'filter':
      return keptBy(node, items, world, named)
    case 'map':
      return mapped(node, items, world, named)
    case 'sort_by':
      return sortedBy(node, items, world, named)
    case 'group_by':
      return groupedBy(node, items, world, named)
  }
}

type Naming = (value: Value) => Local

export function itemsOf({ over, macro }: Each, value: Value, world: World): readonly Value[] | Unknown {
  if (value instanceof Unknown) return value
  const kind = kindOf(value)
  if (kind === 'array') return value as readonly Value[]
  if (kind === 'object') return Object.keys(value as object)
  const hint =
    kind === 'null'
      ? 'ask `!= null` first'
      : kind === 'optional'
        ? 'say what holds when it is missing: `.orValue([])`'
        : undefined
  throw new ExpressionError(
    'type',
    `\`${macro}\` goes over a list, and ${shown(over, world)} is ${kindWords[kind]}`,
    over,
    { hint },
  )
}

/** `all` (settled by false) and `exists` (settled by true). */
function quantified({ body }: Each, items: readonly Value[], world: World, named: Naming, settles: boolean): Value {
  let unknown: Unknown | undefined
  let failure: ExpressionError | undefined
  for (const item of items) {
    const answer = attempt(body, world, named(item))
    if (answer === settles) return settles
    if (answer instanceof Unknown) unknown ??= answer
    if (answer instanceof ExpressionError) failure ??= answer
  }
  if (unknown) return unknown
  if (failure) throw failure
  return !settles
}

function keptBy({ body }: Each, items: readonly Value[], world: World, named: Naming): readonly Value[] | Unknown {
  const kept: Value[] = []
  for (const item of items) {
    const keep = truth(interpret(body, world, named(item)), body, world)
    if (keep instanceof Unknown) return keep
    if (keep) kept.push(item)
  }
  return kept
}

function mapped({ test, body }: Each, items: readonly Value[], world: World, named: Naming): Value {
  world.made = true
  const made: Value[] = []
  for (const item of items) {
    const keep = test ? truth(interpret(test, world, named(item)), test, world) : true
    if (keep instanceof Unknown) return keep
    if (keep) made.push(interpret(body, world, named(item)))
  }
  return made
}

function sortedBy(node: Each, items: readonly Value[], world: World, named: Naming): Value {
  const keys = items.map((item) => interpret(node.body, world, named(item)))
  const unknown = keys.find((key) => key instanceof Unknown)
  return unknown ?? guarded(node, () => sorted(items, (_item, index) => keys[index] as Value, world.work))
}

/** A mapping from each key to the list of its items, in the order they are met. */
function groupedBy(node: Each, items: readonly Value[], world: World, named: Naming): Value {
  world.made = true
  const groups = new Map<string, Value[]>()
  for (const item of items) {
    const key = interpret(node.body, world, named(item))
    if (key instanceof Unknown) return key
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') {
      throw new ExpressionError(
        'type',
        `\`group_by\` needs a text to group by, not ${kindWords[kindOf(key)]}`,
        node.body,
      )
    }
    const group = groups.get(String(key))
    if (group) group.push(item)
    else groups.set(String(key), [item])
  }
  return Object.fromEntries(groups)
}
