import { didYouMean } from '../diagnostic.ts'
import { eachItem } from './each.ts'
import { BadValue, ExpressionError } from './failure.ts'
import { functionNamed, functionNames } from './functions.ts'
import type { Node } from './node.ts'
import { pathOf } from './node.ts'
import { operate } from './operators.ts'
import { Unknown } from './unknown.ts'
import type { Kind, Value } from './value.ts'
import { kindOf, kindWords, Optional, ownField, unknownPart } from './value.ts'
import type { Work } from './work.ts'
import { spend } from './work.ts'

/** The names that an expression meets; the values are JSON that may hold `Unknown` at any depth. */
export type Scope = { readonly [name: string]: unknown }

/** A name that the expression itself brought. */
export interface Local {
  readonly name: string
  readonly value: Value
  readonly outer: Local | undefined
}

/** One evaluation. */
export interface World {
  readonly text: string
  readonly scope: Scope
  readonly work: Work
  /** Whether lists or mappings were made, which may hold times, or hold one list many times. */
  made: boolean
}

/**
 * The value of a node. Invariants: an unknown is never guessed at and never the cause of an error; `&&`, `||`, `all` and
 * `exists` answer as soon as one part settles them, whatever the others are; only `work` errors are never absorbed.
 */
export function interpret(node: Node, world: World, local: Local | undefined): Value {
  count(world, node)
  switch (node.kind) {
    case 'literal':
      return node.value
    case 'name':
      return valueOfName(node, world, local)
    case 'select':
      return field(node, node.field, interpret(node.of, world, local), world, local)
    case 'index': {
      const of = interpret(node.of, world, local)
      const at = interpret(node.at, world, local)
      return at instanceof Unknown && !(of instanceof Unknown) ? at : field(node, at, of, world, local)
    }
    case 'list':
      world.made = true
      return node.items.map((item) => interpret(item, world, local))
    case 'map':
      return mapping(node.entries, world, local)
    case 'not':
      return negate(truth(interpret(node.of, world, local), node.of, world))
    case 'negative':
      return guarded(node, () => operate('-', 0, interpret(node.of, world, local), world.work))
    case 'and':
      return both(node, world, local, false)
    case 'or':
      return both(node, world, local, true)
    case 'choice': {
      const test = truth(interpret(node.test, world, local), node.test, world)
      return test instanceof Unknown ? test : interpret(test ? node.yes : node.no, world, local)
    }
    case 'operator': {
      const left = interpret(node.left, world, local)
      const right = interpret(node.right, world, local)
      return guarded(node, () => operate(node.name, left, right, world.work))
    }
    case 'has': {
      const of = interpret(node.of.of, world, local)
      return of instanceof Unknown ? of : present(node.of, of, world)
    }
    case 'call':
      return call(node, world, local)
    case 'each':
      return eachItem(node, world, local)
    case 'bind':
      return interpret(node.body, world, { name: node.name, value: interpret(node.value, world, local), outer: local })
  }
}

type NodeOf<K extends Node['kind']> = Node & { readonly kind: K }

function valueOfName(node: NodeOf<'name'>, { scope }: World, local: Local | undefined): Value {
  for (let each = local; each; each = each.outer) if (each.name === node.name) return each.value
  const value = ownField(scope, node.name)
  if (value !== undefined) return value
  const hint = didYouMean(node.name, Object.keys(scope))
  throw new ExpressionError('missing', `nothing is called \`${node.name}\` here`, node, { hint, path: [node.name] })
}

/** A field or an item of a value. */
function field(node: NodeOf<'select' | 'index'>, key: Value, of: Value, world: World, local: Local | undefined): Value {
  if (of instanceof Unknown) return of
  if (of instanceof Optional)
    return new Optional(of.value === undefined || of.value === null ? undefined : part(node, key, of.value, world))
  if (node.optional) return new Optional(of === null ? undefined : part(node, key, of, world))
  const value = part(node, key, of, world)
  if (value !== undefined) return value
  throw missing(node, key, of, world, local)
}

/** The part, or undefined where there is none; throws where the value cannot have such a part. */
function part(node: NodeOf<'select' | 'index'>, key: Value, of: Value, world: World): Value | undefined {
  if (key instanceof Unknown) return key
  const kind = kindOf(of)
  if (kind === 'object' && typeof key === 'string') return ownField(of as object, key)
  if (kind === 'array' && typeof key === 'number' && Number.isInteger(key)) return (of as readonly Value[])[key]
  if (of === null) return undefined
  throw new ExpressionError(
    'type',
    `${shown(node.of, world)} is ${kindWords[kind]}, which has no ${partWords(key)}`,
    node,
    { hint: hintForPart(kind, key) },
  )
}

function partWords(key: Value): string {
  if (typeof key === 'number') return Number.isInteger(key) ? 'numbered items' : 'item between two numbers'
  return typeof key === 'string' ? 'named fields' : `parts named by ${kindWords[kindOf(key)]}`
}

function hintForPart(kind: Kind, key: Value): string | undefined {
  if (kind === 'array' && typeof key === 'string')
    return 'take an item with `[0]`, or go over the list with `filter`, `map`, `all` or `exists`'
  return kind === 'object' ? 'fields of a mapping are texts: `map["key"]`' : undefined
}

function missing(
  node: NodeOf<'select' | 'index'>,
  key: Value,
  of: Value,
  world: World,
  local: Local | undefined,
): ExpressionError {
  const path = freePath(node, local)
  if (of === null) {
    return new ExpressionError('missing', `${shown(node.of, world)} is empty (\`null\`)`, node, {
      hint: `ask \`!= null\` first, or read it with \`.?\` and \`orValue\``,
      path,
    })
  }
  if (Array.isArray(of)) {
    return new ExpressionError(
      'missing',
      `${shown(node.of, world)} has ${of.length} ${of.length === 1 ? 'item' : 'items'}, and none at this number`,
      node,
      { hint: 'items are counted from 0; ask `size(list)` first', path },
    )
  }
  const near = typeof key === 'string' ? didYouMean(key, Object.keys(of as object)) : undefined
  const name = node.kind === 'select' ? `field \`${node.field}\`` : 'such key'
  return new ExpressionError('missing', `${shown(node.of, world)} has no ${name}`, node, {
    hint: near ?? 'where it may be missing, read it with `.?` and `orValue`',
    path,
  })
}

/** The path of a node whose first name comes from the scope. */
function freePath(node: Node, local: Local | undefined): readonly (string | number)[] | undefined {
  const path = pathOf(node)
  for (let each = local; each; each = each.outer) if (each.name === path?.[0]) return undefined
  return path
}

function present(node: NodeOf<'select'>, of: Value, world: World): boolean {
  const value = of instanceof Optional ? of.value : of
  if (value === undefined || value === null) return false
  return part(node, node.field, value, world) !== undefined
}

function mapping(entries: NodeOf<'map'>['entries'], world: World, local: Local | undefined): Value {
  world.made = true
  const pairs: [string, Value][] = []
  for (const [keyNode, valueNode] of entries) {
    const key = interpret(keyNode, world, local)
    const value = interpret(valueNode, world, local)
    if (key instanceof Unknown) return key
    if (typeof key !== 'string')
      throw new ExpressionError('type', `the keys of a mapping are texts, not ${kindWords[kindOf(key)]}`, keyNode)
    pairs.push([key, value])
  }
  return Object.fromEntries(pairs)
}

/** `&&` (settled by false) and `||` (settled by true): an unknown or failing side does not matter once the other settles it. */
function both({ left, right }: NodeOf<'and' | 'or'>, world: World, local: Local | undefined, settles: boolean): Value {
  const first = attempt(left, world, local)
  if (first === settles) return settles
  const second = attempt(right, world, local)
  if (second === settles) return settles
  if (first instanceof Unknown) return first
  if (second instanceof Unknown) return second
  if (first instanceof ExpressionError) throw first
  if (second instanceof ExpressionError) throw second
  return !settles
}

/** Whether a condition holds, with its failure as a value. */
export function attempt(node: Node, world: World, local: Local | undefined): boolean | Unknown | ExpressionError {
  try {
    return truth(interpret(node, world, local), node, world)
  } catch (error) {
    if (error instanceof ExpressionError && error.code !== 'work') return error
    throw error
  }
}

export function truth(value: Value, node: Node, world: World): boolean | Unknown {
  if (typeof value === 'boolean' || value instanceof Unknown) return value
  throw new ExpressionError('type', `${shown(node, world)} is ${kindWords[kindOf(value)]}, not true or false`, node, {
    hint: 'compare it with something',
  })
}

function negate(value: boolean | Unknown): boolean | Unknown {
  return value instanceof Unknown ? value : !value
}

function call(node: NodeOf<'call'>, world: World, local: Local | undefined): Value {
  const [first] = node.args
  if (node.method && first && isOptionalCall(node))
    return ofOptional(node, interpret(first, world, local), world, local)
  const signature = functionNamed(node.name)
  if (!signature)
    throw new ExpressionError('type', `no function is called \`${node.name}\``, node, {
      hint: didYouMean(node.name, functionNames()),
    })
  if (node.args.length < signature.needs || node.args.length > signature.takes.length)
    throw new ExpressionError('type', arityMessage(node.name, signature, node.args.length), node)
  const args = node.args.map((arg) => interpret(arg, world, local))
  for (const arg of args) if (arg instanceof Unknown) return arg
  return guarded(node, () => {
    args.forEach((arg, index) => {
      const kinds = signature.takes[index] ?? []
      if (kinds.length > 0 && !kinds.includes(kindOf(arg)))
        throw new BadValue(
          'type',
          `\`${node.name}\` takes ${wordsOf(kinds)}, not ${kindWords[kindOf(arg)]}`,
          signature.hint,
        )
    })
    if (!signature.shallow) {
      for (const arg of args) {
        const unknown = unknownPart(arg, world.work)
        if (unknown) return unknown
      }
    }
    const value = signature.run(args, world.work)
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new BadValue('value', `\`${node.name}\` gave no finite number`)
    return value
  })
}

export function arityMessage(
  name: string,
  { needs, takes }: { needs: number; takes: readonly unknown[] },
  given: number,
): string {
  const wanted = needs === takes.length ? `${needs}` : `${needs} to ${takes.length}`
  return `\`${name}\` takes ${wanted} ${wanted === '1' ? 'value' : 'values'}, not ${given}`
}

export function wordsOf(kinds: readonly Kind[]): string {
  return kinds.map((kind) => kindWords[kind]).join(' or ')
}

/** `orValue`, `or`, `hasValue` and `value` of what `.?` gave. */
export function isOptionalCall({ name, args }: NodeOf<'call'>): boolean {
  return (
    ((name === 'orValue' || name === 'or') && args.length === 2) ||
    ((name === 'hasValue' || name === 'value') && args.length === 1)
  )
}

function ofOptional(node: NodeOf<'call'>, value: Value, world: World, local: Local | undefined): Value {
  if (value instanceof Unknown) return value
  if (!(value instanceof Optional)) {
    throw new ExpressionError(
      'type',
      `\`${node.name}\` belongs behind \`.?\`, and this is ${kindWords[kindOf(value)]}`,
      node,
      { hint: 'write `value.?field.orValue(other)`' },
    )
  }
  if (node.name === 'hasValue') return value.value !== undefined
  if (value.value !== undefined) return node.name === 'or' ? value : value.value
  const other = node.args[1]
  if (node.name === 'value' || !other)
    throw new ExpressionError('missing', 'the value is missing', node, {
      hint: 'say what holds instead with `orValue`',
      path: freePath(node.args[0] ?? node, local),
    })
  return interpret(other, world, local)
}

/** Gives a failure of a function or an operator its place. */
export function guarded<T>(node: Node, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof BadValue) throw new ExpressionError(error.code, error.message, node, { hint: error.hint })
    throw error
  }
}

function count({ work }: World, node: Node): void {
  work.left--
  if (work.left < 0) guarded(node, () => spend(work, 0))
}

/** A part of the expression as it was written, for messages. */
export function shown({ start, end }: Node, { text }: World): string {
  const written = text.slice(start, end).replaceAll(/\s+/g, ' ')
  return `\`${written.length > 60 ? `${written.slice(0, 59)}…` : written}\``
}
