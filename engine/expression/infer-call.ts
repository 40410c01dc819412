import { didYouMean } from '../diagnostic.ts'
import type { Schema } from '../json.ts'
import { functionNamed, functionNames } from './functions.ts'
import type { Inference } from './infer.ts'
import { report, reportBadValue, visit, words, written } from './infer.ts'
import { arityMessage, isOptionalCall, wordsOf } from './interpret.ts'
import type { Node } from './node.ts'
import { anything, eitherOf, kindsOf, truth } from './shape.ts'
import { checkPattern } from './text-functions.ts'
import { defaultBudget } from './work.ts'

type Call = Node & { readonly kind: 'call' }

const forms: { readonly [name: string]: string } = {
  has: 'has(value.field)',
  all: 'list.all(item, condition)',
  exists: 'list.exists(item, condition)',
  exists_one: 'list.exists_one(item, condition)',
  filter: 'list.filter(item, condition)',
  map: 'list.map(item, value)',
  sort_by: 'list.sort_by(item, key)',
  group_by: 'list.group_by(item, key)',
  orValue: 'value.?field.orValue(other)',
  or: 'value.?field.or(other.?field)',
  hasValue: 'value.?field.hasValue()',
  value: 'value.?field.value()',
  bind: 'cel.bind(name, value, expression)',
}

/** The type of a call: whether the function exists, and whether it takes what it is given. */
export function inferCall(node: Call, at: Inference): Schema {
  if (node.method && isOptionalCall(node)) return inferOptional(node, at)
  const signature = functionNamed(node.name)
  if (!signature) {
    const form = Object.hasOwn(forms, node.name) ? forms[node.name] : undefined
    if (form) return report(at, 'type', node, `\`${node.name}\` is not called like this`, `write \`${form}\``)
    for (const arg of node.args) visit(arg, at)
    return report(
      at,
      'unknown_function',
      node,
      `no function is called \`${node.name}\``,
      elsewhere[node.name] ?? didYouMean(node.name, functionNames()),
    )
  }
  const given = node.args.map((arg) => visit(arg, at))
  if (given.length < signature.needs || given.length > signature.takes.length)
    return report(at, 'type', node, arityMessage(node.name, signature, given.length))
  const fits = given.map((schema, index) => {
    const kinds = kindsOf(schema)
    const wanted = signature.takes[index] ?? []
    const place = node.args[index] ?? node
    if (!kinds || wanted.length === 0 || kinds.some((kind) => wanted.includes(kind))) return true
    const hint = kinds.includes('optional') ? 'say what holds when it is missing: `.orValue(…)`' : signature.hint
    report(
      at,
      'type',
      place,
      `\`${node.name}\` takes ${wordsOf(wanted)}, and ${written(place, at)} is ${words(kinds)}`,
      hint,
    )
    return false
  })
  if (fits.every(Boolean)) tryLiterals(node, at)
  return signature.gives(given)
}

const elsewhere: { readonly [name: string]: string } = {
  len: 'write `size(value)`',
  length: 'write `size(value)`',
  count: 'write `size(list.filter(item, condition))`',
  now: 'the time of a run is `run.started_at`; `until` waits',
  type: 'ask for a field with `has`, or compare with `null`',
  lower: 'write `text.lowerAscii()`',
  upper: 'write `text.upperAscii()`',
  toLowerCase: 'write `text.lowerAscii()`',
  toUpperCase: 'write `text.upperAscii()`',
  includes: 'write `text.contains(part)`, or `item in list`',
  uint: 'write `int(value)`',
  any: 'write `list.exists(item, condition)`',
}

/** What is wrong with fixed values can be told before anything runs: a pattern, a time, a duration. */
function tryLiterals({ name, args }: Call, at: Inference): void {
  const values = args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined))
  const last = args.at(-1)
  const pattern = values[1]
  if (name === 'matches' && typeof pattern === 'string' && last) {
    reportBadValue(at, last, () => checkPattern(pattern))
    return
  }
  const known = values.flatMap((value) => (value === undefined ? [] : [value]))
  if (last && known.length === args.length)
    reportBadValue(at, last, () => functionNamed(name)?.run(known, { left: defaultBudget }))
}

function inferOptional({ name, args }: Call, at: Inference): Schema {
  const [first, second] = args
  const of = first ? visit(first, at) : anything
  const other = second ? visit(second, at) : anything
  const kinds = kindsOf(of)
  if (first && kinds && !kinds.includes('optional')) {
    return report(
      at,
      'type',
      first,
      `\`${name}\` belongs behind \`.?\`, and ${written(first, at)} is ${words(kinds)}`,
      'write `value.?field.orValue(other)`',
    )
  }
  const value = of['x-kind'] === 'optional' ? (of['value'] as Schema) : anything
  if (name === 'hasValue') return truth
  if (name === 'value') return value
  return name === 'or' ? of : eitherOf([value, other])
}
