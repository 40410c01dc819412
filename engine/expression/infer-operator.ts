import { didYouMean } from '../diagnostic.ts'
import type { Schema } from '../json.ts'
import type { Inference } from './infer.ts'
import { report, words, written } from './infer.ts'
import type { Node, Operator } from './node.ts'
import { hintFor } from './operators.ts'
import {
  anything,
  branchesOf,
  duration,
  eitherOf,
  isOnly,
  itemOf,
  kindsOf,
  listOf,
  number,
  text,
  time,
  truth,
} from './shape.ts'
import type { Kind } from './value.ts'

type OperatorNode = Node & { readonly kind: 'operator' }

/** The type of an operator; comparisons that never hold by their types are problems. */
export function inferOperator(node: OperatorNode, left: Schema, right: Schema, at: Inference): Schema {
  const kinds = { left: kindsOf(left), right: kindsOf(right) }
  switch (node.name) {
    case '==':
    case '!=':
      compareSame(node, { left, right }, at)
      return truth
    case 'in':
      lookInto(node, { left, right }, at)
      return truth
    case '<':
    case '<=':
    case '>':
    case '>=': {
      if (
        kinds.left &&
        kinds.right &&
        !kinds.left.some((kind) => ordered.includes(kind) && kinds.right?.includes(kind))
      ) {
        report(
          at,
          'type',
          node,
          `${words(kinds.left)} and ${words(kinds.right)} have no order`,
          hintFor(node.name, [...kinds.left, ...kinds.right]),
        )
      }
      return truth
    }
    default:
      return calculated(node, { left, right }, at)
  }
}

const ordered: readonly Kind[] = ['number', 'string', 'boolean', 'time', 'duration']

interface Sides {
  readonly left: Schema
  readonly right: Schema
}

function compareSame(node: OperatorNode, { left, right }: Sides, at: Inference): void {
  const [ours, theirs] = [kindsOf(left), kindsOf(right)]
  const never = node.name === '==' ? 'can never be true' : 'is always true'
  if (ours && theirs && !ours.some((kind) => theirs.includes(kind))) {
    const hint = hintFor(
      node.name,
      [...ours, ...theirs].filter((kind) => kind !== 'null'),
    )
    report(at, 'type', node, `${written(node, at)} ${never}: ${words(ours)} is compared with ${words(theirs)}`, hint)
    return
  }
  outOfRange(node, node.left, left, right, never, at)
  outOfRange(node, node.right, right, left, never, at)
}

/** A word that is not one of those that the other side may be. */
function outOfRange(place: Node, node: Node, schema: Schema, other: Schema, never: string, at: Inference): void {
  if (!('const' in other)) return
  const allowed = wordsOf(schema)
  const value = other['const']
  if (!allowed || node.kind === 'literal' || allowed.includes(value)) return
  const names = allowed.filter((each) => typeof each === 'string')
  const hint =
    (typeof value === 'string' ? didYouMean(value, names) : undefined) ??
    `it is one of: ${allowed.slice(0, 15).map(shown).join(', ')}`
  report(at, 'type', place, `${written(place, at)} ${never}: ${written(node, at)} is never \`${shown(value)}\``, hint)
}

/** A value as it is written; JSON may hold anything, also a field that is called `toString`. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The only values of a schema, or undefined where others are possible. */
function wordsOf(schema: Schema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum']
  if ('const' in schema) return [schema['const']]
  const branches = branchesOf(schema)
  if (branches.length === 0) return isOnly(schema, 'null') ? [null] : undefined
  const all = branches.map(wordsOf)
  return all.some((each) => each === undefined) ? undefined : all.flatMap((each) => each ?? [])
}

function lookInto(node: OperatorNode, { left, right }: Sides, at: Inference): void {
  const [ours, theirs] = [kindsOf(left), kindsOf(right)]
  if (!theirs) return
  if (!theirs.includes('array') && !theirs.includes('object')) {
    const hint = theirs.includes('string') ? 'write `text.contains(part)`' : hintFor('in', theirs)
    report(at, 'type', node, `\`in\` looks into a list or a mapping, not ${words(theirs)}`, hint)
    return
  }
  const items = theirs.includes('object')
    ? [...(kindsOf(itemOf(right)) ?? []), 'string' as const]
    : kindsOf(itemOf(right))
  if (ours && items && items.length > 0 && !ours.some((kind) => items.includes(kind))) {
    report(
      at,
      'type',
      node,
      `${written(node, at)} can never be true: ${words(ours)} is looked for among ${words(items)}`,
      items.includes('object') && theirs.includes('array')
        ? 'ask for a field: `list.exists(item, item.name == …)`'
        : hintFor('==', [...ours, ...items]),
    )
  }
}

function calculated(node: OperatorNode, { left, right }: Sides, at: Inference): Schema {
  const [ours, theirs] = [kindsOf(left), kindsOf(right)]
  if (!ours || !theirs) return ours || theirs ? guess(node.name, ours ?? theirs ?? []) : anything
  const results = ours.flatMap((a) => theirs.flatMap((b) => resultOf(node.name, a, b) ?? []))
  if (results.length === 0) {
    return report(
      at,
      'type',
      node,
      `\`${node.name}\` does not go with ${words(ours)} and ${words(theirs)}`,
      hintFor(node.name, [...ours, ...theirs]),
    )
  }
  return eitherOf(
    results.map((kind) =>
      kind === 'array' ? listOf(eitherOf([itemOf(left), itemOf(right)])) : (schemas[kind] ?? anything),
    ),
  )
}

const schemas: { readonly [kind in Kind]?: Schema } = { number, string: text, time, duration }

function resultOf(name: Operator, a: Kind, b: Kind): Kind | undefined {
  if (a === 'number' && b === 'number') return 'number'
  if (name === '+' && a === b && (a === 'string' || a === 'array')) return a
  if (name !== '+' && name !== '-') return undefined
  if (a === 'duration' && b === 'duration') return 'duration'
  if (a === 'time' && b === 'duration') return 'time'
  if (name === '+') return a === 'duration' && b === 'time' ? 'time' : undefined
  return a === 'time' && b === 'time' ? 'duration' : undefined
}

/** With one side known: what a plain kind gives with its like. */
function guess(name: Operator, kinds: readonly Kind[]): Schema {
  if (name !== '+' && name !== '-') return number
  return kinds.length === 1 && (kinds[0] === 'number' || kinds[0] === 'string')
    ? (schemas[kinds[0]] ?? anything)
    : anything
}
