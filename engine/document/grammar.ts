/**
 * The words of the language as JSON Schema: one schema per kind of step, used twice. The reader checks each step against
 * the schema of its kind alone, so that a message speaks of that kind; `schemas/runbook.schema.json` puts them together
 * for editors, with every action's parameters.
 */
import { durationPattern } from '../duration.ts'
import type { Schema } from '../json.ts'

export const idPattern = '^[a-z][a-z0-9_]*$'
export const namePattern = '^[a-z0-9][a-z0-9-]*$'
export const stepKinds = ['action', 'let', 'block', 'parallel', 'runbook'] as const
export type WrittenKind = (typeof stepKinds)[number]

const cel = (description: string): Schema => ({
  type: ['string', 'boolean', 'number'],
  description: `${description} A CEL expression.`,
})
const template = (description: string): Schema => ({
  type: 'string',
  description: `${description} A Handlebars template.`,
})
const late = '\\{\\{'
const duration = (description: string): Schema => ({
  type: 'string',
  description: `${description} A duration such as \`30s\`, \`5m\` or \`1h30m\`, or a template that gives one.`,
  pattern: `${durationPattern}|${late}`,
})
const amount = (description: string): Schema => ({
  description: `${description} A count, or a percentage such as \`10%\`.`,
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: `^[0-9]+%$|${late}`, description: 'a percentage' },
  ],
})
const atATime = (description: string): Schema => ({
  description,
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: late, description: 'a template' },
  ],
})
const strict = (
  description: string,
  properties: { readonly [word: string]: Schema },
  required: readonly string[] = [],
): Schema => ({
  type: 'object',
  description,
  additionalProperties: false,
  properties,
  required,
})

/** A condition with what to say when it does not hold. */
export const conditionSchema = strict(
  'A condition with what to say when it does not hold.',
  { that: cel('What must be true.'), message: template('What to say when it is not.') },
  ['that'],
)
const conditions = (description: string): Schema => ({ type: 'array', description, items: conditionSchema })

/** A place where steps stand: the reader looks into each by itself, the published schema describes them. */
const steps = (description: string): Schema => ({
  type: 'array',
  description,
  minItems: 1,
  items: { $ref: '#/$defs/step' },
})

const common: { readonly [word: string]: Schema } = {
  id: {
    type: 'string',
    pattern: idPattern,
    description:
      'The stable name of the step: lower case, digits and `_`. Other steps, the journal and `resume` use it.',
  },
  name: template('What the step does, for people.'),
  when: cel('The step is skipped when this is false.'),
  for_each: {
    type: ['string', 'array'],
    description: 'The list to loop over: a CEL expression or a literal list. The results are in `steps.ID.items`.',
  },
  as: { type: 'string', pattern: idPattern, description: 'The name of the item inside the loop; `item` unless told.' },
  key: cel('A text that names each item for good, so that a resumed run knows it again; its position unless told.'),
  max_parallel: atATime(
    'How many items, hosts or branches at the same time; one for `for_each`, ten for `targets`, all for `parallel`.',
  ),
  targets: {
    description:
      'The hosts to run on: an inventory pattern such as `controllers` or `all:!db1`, a list of names, or an expression that begins with `inputs.`, `steps.`, `run.` or a loop name. Inside, `target` is the host.',
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  },
  batches: {
    type: 'array',
    minItems: 1,
    description: 'How many items or hosts to begin with, then how many next; the last amount repeats: `[1, 10%, 50%]`.',
    items: amount('The size of a batch.'),
  },
  max_failures: amount('Stop when this many items or hosts have failed; one unless told.'),
  guards: {
    type: 'array',
    minItems: 1,
    description:
      'What must hold after each batch; the loop stops when it does not. Each is a condition (`that`, `message`), or a step that reads and verifies.',
    items: { anyOf: [{ $ref: '#/$defs/condition' }, { $ref: '#/$defs/step' }] },
  },
  retry: strict(
    'Try again after a failure. A change whose outcome is not known is never tried again by itself.',
    {
      attempts: { type: 'integer', minimum: 2, maximum: 1000, description: 'How many tries in all.' },
      delay: duration('The pause before the second try; 1s unless told.'),
      backoff: {
        type: 'number',
        minimum: 1,
        maximum: 10,
        description: 'By how much each pause is longer than the one before; 2 unless told.',
      },
      max_delay: duration('The longest pause; 5m unless told.'),
    },
    ['attempts'],
  ),
  timeout: duration('The longest the step may take, retries included.'),
  verify: conditions('What must be true of the result; the step fails when it is not. `result` is the result.'),
  on_failure: {
    enum: ['abort', 'continue', 'pause'],
    description: '`abort` (the run fails), `continue` (with the next step) or `pause` (a person decides).',
  },
  rollback: {
    type: 'array',
    minItems: 1,
    description:
      'How to undo the step. Run in reverse order when the run fails or is cancelled after the step was done.',
    items: { $ref: '#/$defs/step' },
  },
}

const own: { readonly [kind in WrittenKind]: { readonly [word: string]: Schema } } = {
  action: {
    action: { type: 'string', description: 'What the step does: `runbook actions` lists them.' },
    with: {
      type: 'object',
      description:
        'The parameters of the action. A text is a Handlebars template; one that is exactly `{{ path }}` keeps the type of the value.',
    },
    effect: {
      enum: ['read', 'change', 'destructive'],
      description:
        'What this command does to the world, for actions that leave it to the step (`ssh.*`, `local.*`); `change` unless told.',
    },
    until: strict(
      'Repeat a read until something is true.',
      {
        done: cel('What ends the wait well.'),
        failed: cel('What ends the wait badly.'),
        stalled: cel(
          'True when nothing moves any more. `previous` is the result before; with `stalled_for`, the last one that moved.',
        ),
        stalled_for: duration(
          'How long `stalled` must be true, at every look, before it ends the wait; one look unless told.',
        ),
        unreachable: { enum: ['fail', 'wait'], description: 'What a silent host means: `fail` unless told.' },
        every: duration('The pause between two looks; 5s unless told.'),
        timeout: duration('When to give up.'),
      },
      ['done'],
    ),
    in_doubt: {
      enum: ['ask', 'rerun', 'fail'],
      description:
        'When a crash left it open whether the step happened: `ask` a person unless told; with `fail` it fails, and a person is asked when the run is resumed after that.',
    },
  },
  let: {
    let: {
      type: 'object',
      description: 'Names and the CEL expressions that compute them; they are `steps.ID.NAME`.',
      minProperties: 1,
      propertyNames: { pattern: idPattern },
      additionalProperties: cel('The value.'),
    },
  },
  block: {
    block: steps('Steps that stand or fall together.'),
    rescue: steps(
      'What to do when the block failed, a host was unreachable, time ran out or the run was cancelled. `failure` says why.',
    ),
    always: steps('What to do in every case, also after a cancellation.'),
  },
  parallel: { parallel: steps('Branches that run at the same time. They may not read each other.') },
  runbook: {
    runbook: {
      type: 'string',
      description: 'The runbook to run as one step: its name, or a path from this file. Its outputs are the result.',
    },
    with: { type: 'object', description: 'The inputs of the called runbook.' },
  },
}

const looping = ['for_each', 'as', 'key', 'max_parallel', 'targets', 'batches', 'max_failures', 'guards']
const withheld: { readonly [kind in WrittenKind]: readonly string[] } = {
  action: [],
  let: [...looping, 'retry', 'timeout', 'verify', 'rollback'],
  block: ['verify', 'retry'],
  parallel: ['for_each', 'as', 'key', 'targets', 'batches', 'max_failures', 'guards', 'verify', 'retry', 'rollback'],
  runbook: ['retry'],
}

/** All words that a step of a kind may use. */
export function wordsOf(kind: WrittenKind): { readonly [word: string]: Schema } {
  return words[kind]
}

/** Every word that some kind of step may use. */
export const allWords: ReadonlySet<string> = new Set([
  ...Object.keys(common),
  ...stepKinds.flatMap((kind) => Object.keys(own[kind])),
])

const words = Object.fromEntries(
  stepKinds.map((kind) => {
    const shared = Object.entries(common).filter(([word]) => !withheld[kind].includes(word))
    return [kind, { ...Object.fromEntries(shared), ...own[kind] }]
  }),
) as { readonly [kind in WrittenKind]: { readonly [word: string]: Schema } }

export function stepSchema(kind: WrittenKind): Schema {
  return strict(`A step that is \`${kind}\`.`, wordsOf(kind), ['id', kind])
}

/** The reader's schema for one step: what stands inside is looked at by itself. */
export function shallowStepSchema(kind: WrittenKind, named: boolean): Schema {
  const words = Object.entries(wordsOf(kind)).map(([word, schema]) => [
    word,
    isStepList(schema) ? { ...schema, items: { type: 'object' } } : schema,
  ])
  return { ...strict('', Object.fromEntries(words)), required: named ? ['id', kind] : [kind] }
}

function isStepList({ items }: Schema): boolean {
  return (
    typeof items === 'object' &&
    items !== null &&
    ('$ref' in items || ('anyOf' in items && JSON.stringify(items).includes('$defs/step')))
  )
}

export const rootWords: { readonly [word: string]: Schema } = {
  apiVersion: { const: 'runbook/v1', description: 'The version of the language.' },
  name: { type: 'string', pattern: namePattern, description: 'The name of the runbook: lower case, digits and `-`.' },
  title: { type: 'string', description: 'One line that says what it is for.' },
  description: { type: 'string', description: 'Markdown, shown by `runbook show` and in the documentation.' },
  inputs: {
    type: 'object',
    description:
      'What the runbook needs to be told: each a JSON Schema, plus `secret`. One without `default` must be given.',
    propertyNames: { pattern: idPattern },
    additionalProperties: {
      type: 'object',
      description: 'A JSON Schema, plus `secret: true` for a value that is never shown.',
    },
  },
  locks: {
    type: 'array',
    description: 'Names taken before the first step, all at once, so that two runs never work on the same thing.',
    items: template('The name of a lock.'),
  },
  preconditions: conditions('What must be true before anything happens.'),
  steps: steps('What is done, in order.'),
  outputs: {
    type: 'object',
    description: 'What the runbook gives back: names and CEL expressions.',
    propertyNames: { pattern: idPattern },
    additionalProperties: cel('The value.'),
  },
}

export const rootRequired = ['apiVersion', 'name', 'steps'] as const

/** The reader's schema for the outermost mapping. */
export function shallowRootSchema(): Schema {
  return strict('', { ...rootWords, steps: { ...rootWords['steps'], items: { type: 'object' } } }, rootRequired)
}
