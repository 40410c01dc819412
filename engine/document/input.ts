import type { Code } from '../codes.ts'
import { type Diagnostic, didYouMean } from '../diagnostic.ts'
import type { Schema } from '../json.ts'
import { schemaProblem, validatorOf } from '../schema.ts'
import type { Source, Span } from '../source.ts'
import { problemAt } from './problem.ts'
import type { Input } from './runbook.ts'
import {
  childOf,
  entriesOf,
  entryOf,
  firstOf,
  type Located,
  type LocatedEntry,
  type LocatedMap,
  mapToJson,
  nodeAt,
  spanAt,
} from './tree.ts'

/** The inputs of a runbook; what is no JSON Schema, and a default that does not fit, is told. */
export function inputsOf(source: Source, inputs: Located | undefined, diagnostics: Diagnostic[]): readonly Input[] {
  return entriesOf(inputs).flatMap((entry) => inputOf(source, entry, diagnostics))
}

function inputOf(
  source: Source,
  { key: name, keySpan: span, value: node }: LocatedEntry,
  diagnostics: Diagnostic[],
): Input[] {
  if (node.kind !== 'map') return []
  const { secret, default: fallback, ...schema } = mapToJson(node)
  const problem = schemaProblem(schema)
  if (problem)
    diagnostics.push(schemaTold(source, node, problem, { what: `the input \`${name}\``, span, code: 'RB1111' }))
  else if (fallback !== undefined) {
    const [misfit] = validatorOf(schema as Schema)(fallback)
    const at = entryOf(node, 'default')?.value
    if (misfit)
      diagnostics.push(
        problemAt(source, at ? firstOf(at) : span, 'RB1112', `the default of \`${name}\` ${misfit.message}`),
      )
  }
  const full: Schema = fallback === undefined ? schema : { ...schema, default: fallback }
  return [{ name, span, schema: problem ? {} : full, node, secret: secret === true, required: fallback === undefined }]
}

/** What the schema of schemas says of what is written as a schema, where it says it. */
export function schemaTold(
  source: Source,
  node: LocatedMap,
  said: string,
  { what, span, code }: { readonly what: string; readonly span: Span; readonly code: Code },
): Diagnostic {
  const [, pointer = '', wrong = said] = /data((?:\/[^\s/,]+)+) (must [^,]+)/.exec(said) ?? []
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
  const at = pointer === '' ? span : spanAt(node, path)
  if (path.at(-1) === 'type') {
    const type = childOf(nodeAt(node, path.slice(0, -1)), 'type')
    const typed = type?.kind === 'scalar' ? String(type.value) : ''
    return problemAt(
      source,
      at,
      code,
      `${what} is not a JSON Schema: there is no type \`${typed}\``,
      aliases[typed] ?? didYouMean(typed, jsonTypes) ?? `the types are ${jsonTypes.join(', ')}`,
    )
  }
  const unknown = /unknown keyword: "([^"]+)"/.exec(said)?.[1]
  if (unknown !== undefined) {
    const key = entryOf(node, unknown)?.keySpan ?? span
    const hint = didYouMean(unknown, schemaWords) ?? 'the words are those of JSON Schema, and `secret`'
    return problemAt(source, key, code, `${what} is not a JSON Schema: \`${unknown}\` is no word of it`, hint)
  }
  const subject = path.length > 0 ? `\`${path.join('.')}\` ${wrong}` : wrong
  return problemAt(source, at, code, `${what} is not a JSON Schema: ${subject}`)
}

const schemaWords =
  'type description title default enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern items prefixItems minItems maxItems uniqueItems properties required additionalProperties patternProperties propertyNames minProperties maxProperties anyOf oneOf allOf not secret'.split(
    ' ',
  )
const jsonTypes = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null']
const aliases: { readonly [typed: string]: string } = Object.fromEntries(
  Object.entries({
    string: ['text', 'str'],
    integer: ['int'],
    number: ['float', 'double'],
    boolean: ['bool'],
    array: ['list'],
    object: ['map', 'mapping', 'dict'],
  }).flatMap(([type, words]) => words.map((word) => [word, `write \`${type}\``])),
)
