import type { Registry } from '../action/registry.ts'
import {
  conditionSchema,
  rootRequired,
  rootWords,
  stepKinds,
  stepSchema,
  type WrittenKind,
} from '../document/grammar.ts'
import type { Json, Schema } from '../json.ts'
import { isObject } from '../json.ts'

/** The whole language with every action's parameters: what an editor completes and checks by. */
export function runbookSchema(registry: Registry): Schema {
  const actions = [...registry.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const step = stepSchema('action')
  const properties = step['properties'] as { readonly [word: string]: Schema }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://runbook.dev/schemas/runbook.schema.json',
    title: 'Runbook',
    description: 'A runbook of the version runbook/v1.',
    type: 'object',
    additionalProperties: false,
    required: [...rootRequired],
    properties: { ...rootWords, inputs: { ...rootWords['inputs'], additionalProperties: inputSchema } },
    $defs: {
      condition: conditionSchema,
      step: {
        type: 'object',
        description: 'A step: an action, computed values, a group, branches, or another runbook.',
        allOf: [
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
          ...stepKinds.map((kind) => ({ if: has(kind), then: { $ref: `#/$defs/${kind}` } })),
          // a step that is only begun: what it may become
          { if: { anyOf: stepKinds.map(has) }, else: { properties: firstWords() } },
        ],
        anyOf: stepKinds.map((kind) => ({ required: [kind] })),
      },
      ...Object.fromEntries(
        stepKinds.filter((kind) => kind !== 'action').map((kind) => [kind, undo(stepSchema(kind))]),
      ),
      action: {
        ...undo(step),
        properties: {
          ...properties,
          action: {
            ...properties['action'],
            anyOf: [{ enum: actions.map(({ name }) => name) }, { pattern: '^[a-z0-9_]+(\\.[a-z0-9_]+)+$' }],
          },
        },
        allOf: actions.map(({ name, summary, params }) => ({
          if: { ...has('action'), properties: { action: { const: name } } },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
          then: { properties: { action: { description: summary }, with: writable(params as Json, true) } },
        })),
      },
    },
  }
}

const inputType: Schema = { enum: ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'] }

/** An input: the words of JSON Schema that are of use here, offered by an editor; others are allowed. */
const inputSchema: Schema = {
  ...(rootWords['inputs']?.['additionalProperties'] as Schema),
  properties: {
    type: { description: 'The type of the value.', anyOf: [inputType, { type: 'array', items: inputType }] },
    description: { description: 'What it is, for whoever is asked for it.', type: 'string' },
    default: { description: 'The value when none is given.' },
    secret: { description: 'Whether the value is never shown.', type: 'boolean' },
    enum: { description: 'The values that are allowed.', type: 'array' },
    minLength: { description: 'Of a text: its least length.', type: 'integer' },
    pattern: { description: 'Of a text: the regular expression that it matches.', type: 'string' },
    format: { description: 'Of a text: what it stands for, such as `date-time` or `ipv4`.', type: 'string' },
    minimum: { description: 'Of a number: the least.', type: 'number' },
    maximum: { description: 'Of a number: the most.', type: 'number' },
    items: { description: 'Of a list: the JSON Schema of each of its items.', type: ['object', 'boolean'] },
    minItems: { description: 'Of a list: its least length.', type: 'integer' },
    uniqueItems: { description: 'Of a list: whether no two are the same.', type: 'boolean' },
    properties: { description: 'Of a mapping: the JSON Schemas of its fields.', type: 'object' },
    required: { description: 'Of a mapping: the fields that must be there.', type: 'array' },
  },
}

/** An editor asks about a step of which nothing is written yet, too: that has no word. */
function has(word: string): Schema {
  return { type: 'object', required: [word] }
}

/** The words that say of what kind a step is, and those that one may begin with whatever it will be. */
function firstWords(): Schema {
  const wordsOf = (kind: WrittenKind) => stepSchema(kind)['properties'] as Schema
  const inGroups = wordsOf('block')
  const common = Object.entries(wordsOf('action')).filter(([word]) => word in inGroups)
  const kinds = stepKinds.map((kind) => [kind, wordsOf(kind)[kind]] as const)
  return Object.fromEntries([...common, ...kinds]) as Schema
}

/** The steps of a `rollback` need no id. */
function undo(schema: Schema): Schema {
  return { ...schema, required: (schema['required'] as string[]).filter((word) => word !== 'id') }
}

/** A parameter as it may be written: a template may stand for anything that is not text already. */
function writable(schema: Json, outermost = false): Json {
  if (!isObject(schema)) return schema
  const { required, ...rest } = schema
  const inner = Object.fromEntries(
    Object.entries(rest).map(([word, part]) => {
      if (word === 'properties' && isObject(part))
        return [word, Object.fromEntries(Object.entries(part).map(([name, each]) => [name, writable(each)]))]
      if ((word === 'items' || word === 'additionalProperties') && isObject(part)) return [word, writable(part)]
      return [word, part]
    }),
  )
  // the host comes from `targets`
  const own = {
    ...inner,
    ...(Array.isArray(required) && { required: required.filter((name) => name !== 'host') }),
  } as Json
  const textual =
    schema['type'] === 'string' && !schema['enum'] && !schema['pattern'] && !schema['minLength'] && !schema['format']
  if (outermost || textual || schema['x-runbook'] !== undefined || schema['type'] === undefined) return own
  const { description } = schema
  return {
    ...(description !== undefined && { description }),
    anyOf: [own, { type: 'string', pattern: '\\{\\{', description: 'a template' }],
  }
}
