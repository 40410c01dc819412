import { didYouMean } from '../diagnostic.ts'
import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'
import { BadValue } from './failure.ts'
import { inferCall } from './infer-call.ts'
import { inferOperator } from './infer-operator.ts'
import { endingsWithout, narrowed, present } from './narrow.ts'
import type { Each, Node } from './node.ts'
import { pathOf } from './node.ts'
import type { ExpressionProblem } from './problem.ts'
import {
  anything,
  eitherOf,
  fieldOf,
  isOnly,
  itemOf,
  kindsOf,
  listOf,
  mapOf,
  optionalOf,
  outside,
  truth,
} from './shape.ts'
import type { Kind } from './value.ts'
import { kindWords } from './value.ts'

export interface TypeAnswer {
  readonly schema: Schema
  readonly problems: readonly ExpressionProblem[]
}

type Names = { readonly [name: string]: Schema }

/** What an inference passes down: the text for messages, the names, and where problems go. */
export interface Inference {
  readonly text: string
  readonly names: Names
  readonly problems: ExpressionProblem[]
}

/** The type of an expression by its parts. Where a schema does not say, nothing is a problem. */
export function infer(text: string, root: Node, scope: Names): TypeAnswer {
  const problems: ExpressionProblem[] = []
  const at: Inference = { text, names: scope, problems }
  const inner = visit(root, at)
  if (/[.[]\?/.test(text) && holdsOptional(inner))
    report(at, 'type', root, `${written(root, at)} may be missing`, 'say what holds instead: end it with `.orValue(…)`')
  return { schema: outside(inner), problems }
}

/** What `.?` gives goes no further than the expression, alone or in what it makes. */
function holdsOptional({ 'x-kind': kind, items, properties, anyOf }: Schema): boolean {
  if (kind === 'optional') return true
  const parts = [items, ...(Array.isArray(anyOf) ? anyOf : []), ...Object.values(properties ?? {})]
  return parts.some((part) => isObject(part) && holdsOptional(part as Schema))
}

/** The schema of a node; what is wrong with it goes to the problems, once, and makes it anything. */
export function visit(node: Node, at: Inference): Schema {
  switch (node.kind) {
    case 'literal':
      return { const: node.value }
    case 'name':
      return Object.hasOwn(at.names, node.name) ? (at.names[node.name] as Schema) : unknownName(node, node.name, at)
    case 'select':
      return selected(node, node.field, visit(node.of, at), at)
    case 'index':
      return indexed(node, at)
    case 'list':
      return listOf(widened(eitherOf(node.items.map((item) => widened(visit(item, at))))))
    case 'map':
      return mapping(node.entries, at)
    case 'not':
      wantKind(node.of, visit(node.of, at), 'boolean', at)
      return truth
    case 'negative':
      wantKind(node.of, visit(node.of, at), 'number', at)
      return { type: 'number' }
    case 'and':
    case 'or':
      // where one side settles it, what the other is does not matter
      for (const [side, other] of [
        [node.left, node.right],
        [node.right, node.left],
      ] as const)
        wantKind(side, visit(side, where(at, other, node.kind === 'and')), 'boolean', at)
      return truth
    case 'choice':
      wantKind(node.test, visit(node.test, at), 'boolean', at)
      return eitherOf([visit(node.yes, where(at, node.test, true)), visit(node.no, where(at, node.test, false))])
    case 'operator':
      return inferOperator(node, visit(node.left, at), visit(node.right, at), at)
    case 'has':
      visit({ ...node.of, optional: true }, at)
      return truth
    case 'call':
      return inferCall(node, at)
    case 'each':
      return each(node, at)
    case 'bind':
      return visit(node.body, { ...at, names: { ...at.names, [node.name]: visit(node.value, at) } })
  }
}

/** As it is where a condition holds, or does not. */
function where(at: Inference, condition: Node, holds: boolean): Inference {
  const names = narrowed(at.names, condition, holds)
  return names === at.names ? at : { ...at, names }
}

export function report(
  at: Inference,
  kind: ExpressionProblem['kind'],
  node: { start: number; end: number },
  message: string,
  hint?: string,
): Schema {
  at.problems.push({ kind, message, start: node.start, end: node.end, ...(hint !== undefined && { hint }) })
  return anything
}

/** Runs what may find a value unusable, and reports it at a node. */
export function reportBadValue<T>(at: Inference, node: Node, run: () => T): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    report(at, 'type', node, error.message, error.hint)
  }
}

const otherLanguages: { readonly [name: string]: string } = {
  True: 'true',
  False: 'false',
  None: 'null',
  nil: 'null',
  undefined: 'null',
  NULL: 'null',
}

function unknownName(node: Node, name: string, at: Inference): Schema {
  const meant = Object.hasOwn(otherLanguages, name)
    ? `write \`${otherLanguages[name]}\``
    : didYouMean(name, Object.keys(at.names))
  const hint = meant ?? `names here: ${Object.keys(at.names).slice(0, 12).join(', ')}; a text stands in quotes`
  return report(at, 'unknown_name', node, `nothing is called \`${name}\` here`, hint)
}

type Part = Node & { readonly kind: 'select' | 'index' }

function selected(node: Part, field: string, of: Schema, at: Inference): Schema {
  if (of['x-kind'] === 'optional')
    return optionalOf(plain(selected({ ...node, optional: true }, field, of['value'] as Schema, at)))
  const kinds = kindsOf(of)
  if (kinds && !kinds.includes('object')) {
    if (isOnly(of, 'null')) return anything
    const hint = kinds.includes('array')
      ? 'take an item with `[0]`, or go over the list with `filter`, `map`, `all` or `exists`'
      : undefined
    return report(at, 'type', node, `${written(node.of, at)} is ${words(kinds)}, which has no field \`${field}\``, hint)
  }
  const found = fieldOf(of, field)
  if ('schema' in found) {
    const endings = endingsWithout(found.schema)
    if (endings.length > 0 && !node.optional) {
      const [message, hint] = mayBeMissing(written(node.of, at), field, endings)
      at.problems.push({ kind: 'missing', message, hint, start: node.start, end: node.end, path: pathOf(node) })
    }
    const there = present(found.schema)
    return node.optional ? optionalOf(there) : there
  }
  const known = found.missing.length > 0 ? `there are: ${found.missing.slice(0, 15).join(', ')}` : undefined
  return report(
    at,
    'unknown_field',
    node,
    `${written(node.of, at)} has no field \`${field}\``,
    didYouMean(field, found.missing) ?? known,
  )
}

/** What is said of a field that is missing with these endings, and what to do about it. */
export function mayBeMissing(of: string, field: string, endings: readonly string[]): [message: string, hint: string] {
  const well = endings.includes('succeeded')
  const failed = endings.some((ending) => ending !== 'skipped')
  const why = well ? 'gone well' : failed ? 'failed' : 'been skipped'
  const status = `item.status ${well ? '!=' : '=='} 'succeeded'`
  return [
    `${of} may have no \`${field}\`: it may have ${why}`,
    `ask for its status first, \`.filter(item, ${status})\`, or write \`.?${field}\``,
  ]
}

function plain(schema: Schema): Schema {
  return schema['x-kind'] === 'optional' ? (schema['value'] as Schema) : schema
}

function indexed(node: Part & { readonly kind: 'index' }, at: Inference): Schema {
  const of = visit(node.of, at)
  const index = visit(node.at, at)
  const inner = plain(of)
  const optional = node.optional || inner !== of
  const keys = kindsOf(index)
  const kinds = kindsOf(inner)
  if (
    keys &&
    kinds &&
    !(keys.includes('number') && kinds.includes('array')) &&
    !(keys.includes('string') && kinds.includes('object'))
  ) {
    return report(
      at,
      'type',
      node,
      `${written(node.of, at)} is ${words(kinds)}, which has no parts named by ${words(keys)}`,
      kinds.includes('array') ? 'items are numbered from 0: `[0]`' : undefined,
    )
  }
  if (node.at.kind === 'literal' && typeof node.at.value === 'string') return selected(node, node.at.value, of, at)
  const item = kinds?.includes('array') ? itemOf(inner) : anything
  return optional ? optionalOf(item) : item
}

function mapping(entries: (Node & { readonly kind: 'map' })['entries'], at: Inference): Schema {
  const properties: [string, Schema][] = []
  let fixed = true
  for (const [key, value] of entries) {
    wantKind(key, visit(key, at), 'string', at)
    const schema = widened(visit(value, at))
    if (key.kind === 'literal' && typeof key.value === 'string') properties.push([key.value, schema])
    else fixed = false
  }
  return fixed
    ? { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false }
    : mapOf(anything)
}

/** A literal in a list or a mapping stands for its kind: the value is not what the type is about. */
function widened(schema: Schema): Schema {
  const kinds = 'const' in schema ? kindsOf(schema) : undefined
  return kinds?.[0] ? { type: kinds[0] } : schema
}

function each(node: Each, at: Inference): Schema {
  const over = visit(node.over, at)
  const kinds = kindsOf(over)
  const usable = !kinds || kinds.includes('array') || kinds.includes('object')
  if (!usable) {
    const hint = kinds.includes('optional') ? 'say what holds when it is missing: `.orValue([])`' : undefined
    report(
      at,
      'type',
      node.over,
      `\`${node.macro}\` goes over a list, and ${written(node.over, at)} is ${words(kinds)}`,
      hint,
    )
  }
  const item = usable ? itemOf(over) : anything
  const inside = { ...at, names: { ...at.names, [node.name]: item } }
  if (node.test) wantKind(node.test, visit(node.test, inside), 'boolean', inside)
  const body = visit(node.body, node.test ? where(inside, node.test, true) : inside)
  if (!['map', 'sort_by', 'group_by'].includes(node.macro)) wantKind(node.body, body, 'boolean', inside)
  switch (node.macro) {
    case 'all':
    case 'exists':
    case 'exists_one':
      return truth
    case 'filter':
      return listOf(narrowed({ [node.name]: item }, node.body, true)[node.name] ?? item)
    case 'sort_by':
      return listOf(item)
    case 'map':
      return listOf(widened(body))
    case 'group_by':
      return mapOf(listOf(item))
  }
}

function wantKind(node: Node, schema: Schema, wanted: Kind, at: Inference): void {
  const kinds = kindsOf(schema)
  if (!kinds || kinds.includes(wanted)) return
  const hint = wanted === 'boolean' ? 'compare it with something' : undefined
  report(
    at,
    'type',
    node,
    `${written(node, at)} is ${words(kinds)}, not ${kindWords[wanted]}`,
    kinds.includes('optional') ? 'say what holds when it is missing: `.orValue(…)`' : hint,
  )
}

export function words(kinds: readonly Kind[]): string {
  return [...new Set(kinds.map((kind) => kindWords[kind]))].join(' or ')
}

export function written({ start, end }: Node, { text: whole }: Inference): string {
  const part = whole.slice(start, end).replaceAll(/\s+/g, ' ')
  return `\`${part.length > 60 ? `${part.slice(0, 59)}…` : part}\``
}
