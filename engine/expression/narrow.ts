import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'
import type { Node } from './node.ts'
import { pathOf } from './node.ts'
import { branchesOf } from './shape.ts'

/**
 * A field that is there only sometimes: `x-missing` names the endings with which it is not. A condition on `status`
 * leaves fewer endings, and where none is left of those, the field is there.
 */
export const missingWith = (schema: Schema, endings: readonly string[]): Schema =>
  endings.length === 0 ? schema : { ...schema, 'x-missing': endings }

/** The endings with which a field is missing. */
export function endingsWithout(schema: Schema): readonly string[] {
  const own = schema['x-missing']
  return Array.isArray(own) ? (own as string[]) : []
}

/** The field where it is there. */
export function present(schema: Schema): Schema {
  const { 'x-missing': _endings, ...rest } = schema
  return _endings === undefined ? schema : rest
}

type Path = readonly (string | number)[]

/** What a condition says of something that has a `status`, by its path: the endings that are left, or a field that is there. */
interface Fact {
  readonly path: Path
  readonly left?: (ending: string) => boolean
  readonly field?: string
}

/** Any item of a list. */
const each = 0
const good = (ending: string) => ending === 'succeeded' || ending === 'skipped' || ending === 'rolled_back'

/** The names as they are known to be where a condition holds, or where it does not. */
export function narrowed<N extends { readonly [name: string]: Schema }>(names: N, condition: Node, holds: boolean): N {
  let known: { readonly [name: string]: Schema } = names
  for (const fact of factsOf(condition, holds)) {
    const [root, ...path] = fact.path
    const before = typeof root === 'string' && Object.hasOwn(known, root) ? known[root] : undefined
    if (typeof root !== 'string' || before === undefined) continue
    const after = withFact(before, path, fact)
    if (after !== before) known = { ...known, [root]: after }
  }
  return known as N
}

function factsOf(node: Node, holds: boolean): readonly Fact[] {
  switch (node.kind) {
    case 'not':
      return factsOf(node.of, !holds)
    case 'and':
    case 'or': {
      const [left, right] = [factsOf(node.left, holds), factsOf(node.right, holds)]
      return (node.kind === 'and') === holds ? [...left, ...right] : eitherWay(left, right)
    }
    case 'has': {
      const path = holds ? pathOf(node.of.of) : undefined
      return path ? [{ path, field: node.of.field }] : []
    }
    case 'call': {
      const of = node.name === 'hasValue' && holds ? node.args[0] : undefined
      const path = of?.kind === 'select' ? pathOf(of.of) : undefined
      return path && of?.kind === 'select' ? [{ path, field: of.field }] : []
    }
    case 'each':
      if ((node.macro === 'all') !== holds || (node.macro !== 'all' && node.macro !== 'exists')) return []
      return ofItems(node, holds)
    case 'operator':
      return ofOperator(node, holds)
    default:
      return []
  }
}

/** What holds on both ways holds. */
function eitherWay(left: readonly Fact[], right: readonly Fact[]): readonly Fact[] {
  return left.flatMap((one) =>
    right.flatMap((other) =>
      one.left && other.left && one.path.join('.') === other.path.join('.')
        ? [{ path: one.path, left: (ending: string) => one.left?.(ending) || other.left?.(ending) || false }]
        : [],
    ),
  )
}

/** What holds for the item of a loop holds for all items of its list. */
function ofItems({ over, name, body }: Node & { readonly kind: 'each' }, holds: boolean): readonly Fact[] {
  const list = pathOf(over)
  if (!list) return []
  return factsOf(body, holds).flatMap((fact) =>
    fact.path[0] === name ? [{ ...fact, path: [...list, each, ...fact.path.slice(1)] }] : [],
  )
}

function ofOperator({ name, left, right }: Node & { readonly kind: 'operator' }, holds: boolean): readonly Fact[] {
  if (name === '==' || name === '!=') {
    const equal = (name === '==') === holds
    // nobody is left whom a filter would keep
    if (left.kind === 'call' && left.name === 'size' && right.kind === 'literal' && right.value === 0) {
      const list = left.args[0]
      return equal && list?.kind === 'each' && list.macro === 'filter' ? ofItems(list, false) : []
    }
    const [asked, word] = left.kind === 'literal' ? [right, left] : [left, right]
    const path = statusPath(asked)
    if (!path || word.kind !== 'literal' || typeof word.value !== 'string') return []
    return [{ path, left: (ending) => (ending === word.value) === equal }]
  }
  const path = name === 'in' ? statusPath(left) : undefined
  if (!path || right.kind !== 'list') return []
  const words = right.items.map((item) => (item.kind === 'literal' ? item.value : undefined))
  return words.includes(undefined) ? [] : [{ path, left: (ending) => words.includes(ending) === holds }]
}

function statusPath(node: Node): Path | undefined {
  const path = pathOf(node)
  return path && path.length > 1 && path.at(-1) === 'status' ? path.slice(0, -1) : undefined
}

function withFact(schema: Schema, path: Path, fact: Fact): Schema {
  for (const word of ['anyOf', 'oneOf']) {
    if (branchesOf(schema).length > 0 && Array.isArray(schema[word]))
      schema = { ...schema, [word]: (schema[word] as Schema[]).map((branch) => withFact(branch, path, fact)) }
  }
  const [head, ...rest] = path
  const { items, properties } = schema
  if (typeof head === 'number') {
    const inner = isObject(items) ? withFact(items as Schema, rest, fact) : items
    return inner === items ? schema : { ...schema, items: inner as Schema }
  }
  if (!isObject(properties)) return schema
  if (head !== undefined) {
    const before = Object.hasOwn(properties, head) ? (properties[head] as Schema) : undefined
    const after = before && withFact(before, rest, fact)
    return after === before ? schema : { ...schema, properties: { ...properties, [head]: after as Schema } }
  }
  const known = Object.entries(properties as { readonly [name: string]: Schema }).map(([name, field]) => {
    const endings = endingsWithout(field).filter((ending) => fact.left?.(ending) ?? true)
    // a loop that did not fail has no item that failed
    const inside =
      name === 'items' && fact.left && allEndings.every((ending) => good(ending) || !fact.left?.(ending))
        ? withFact(field, [each], { path: [], left: good })
        : field
    return [name, endings.length > 0 && fact.field !== name ? missingWith(inside, endings) : present(inside)] as const
  })
  return { ...schema, properties: Object.fromEntries(known) }
}

export const failedEndings = ['failed', 'unreachable', 'timed_out', 'cancelled', 'unknown'] as const
const allEndings = ['succeeded', 'skipped', 'rolled_back', ...failedEndings] as const
