import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import { everyParam } from '../action/params.ts'
import type { Code } from '../codes.ts'
import { splitCommand } from '../command-line.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import type { MisfitCodes } from '../document/misfit.ts'
import { diagnose } from '../document/misfit.ts'
import { placeOf } from '../document/place.ts'
import { problemAt } from '../document/problem.ts'
import type { ActionStep, Runbook } from '../document/runbook.ts'
import type { Located, Path } from '../document/tree.ts'
import { firstOf, nodeAt, toJson } from '../document/tree.ts'
import type { Json, Schema } from '../json.ts'
import { isObject } from '../json.ts'
import type { Misfit } from '../schema.ts'
import { validatorOf } from '../schema.ts'
import { surelyFits } from '../schema-fit.ts'
import type { Source } from '../source.ts'
import { isTemplate, parseTemplate } from '../template/template.ts'
import { lookUp, namedTypes, typesOf } from './look-up.ts'

const codes: MisfitCodes = { unknown: 'RB1202', missing: 'RB1203', type: 'RB1204', value: 'RB1205' }

/** A step's action and its parameters, against the schema of the action. `scope` types the templates that are one path. */
export function* checkParams(
  { source }: Runbook,
  step: ActionStep,
  registry: Declarations,
  scope: { readonly [name: string]: Schema },
  onHosts: boolean,
): Generator<Diagnostic> {
  const action = registry.get(step.action.text)
  if (!action) {
    const family = step.action.text.split('.')[0] ?? ''
    const hint =
      didYouMean(step.action.text, registry.keys()) ?? (familyOf(registry, family) || '`runbook actions` lists them')
    yield problemAt(source, step.action.span, 'RB1201', `no action is called \`${step.action.text}\``, hint)
    return
  }
  const mayChoose = !asks(action) && action.effectFromStep === true
  if (step.effect && !mayChoose && (asks(action) || step.effect.text !== action.effect)) {
    yield problemAt(
      source,
      step.effect.span,
      'RB1206',
      `\`${action.name}\` is \`${action.effect}\`; a step cannot change that`,
      'leave `effect` out',
    )
  }
  if (step.with && step.with.kind !== 'map') return // told by its structure
  const root: Located = step.with ?? { kind: 'map', span: step.action.span, entries: [] }
  const value = toJson(root)
  for (const misfit of misfitsOf(action.params, value, onHosts)) {
    if (isFilled(misfit, value, onHosts)) continue
    const missing = misfit.kind === 'missing' && misfit.path.length === 0
    const diagnostic = diagnose(source, root, misfit, codes)
    yield missing
      ? {
          ...diagnostic,
          span: step.action.span,
          message: `\`${action.name}\` needs \`${misfit.field}\``,
          ...hintOf(`\`runbook actions ${action.name}\` shows its parameters`),
        }
      : misfit.kind === 'unknown' && misfit.path.length === 0
        ? { ...diagnostic, message: `\`${action.name}\` has no parameter \`${misfit.field}\`` }
        : diagnostic
  }
  for (const { path, kind, value: leaf, schema } of everyParam(action.params, value)) {
    const node = nodeAt(root, path)
    if (kind === 'verbatim') yield* verbatim(node)
    if (kind === 'command' && typeof leaf === 'string') yield* command(node, leaf)
    if (kind === 'plain' && typeof leaf === 'string')
      yield* checkWhole(source, node, leaf, schema, subjectOf(path), scope, 'RB1204')
  }
  const needsHost =
    isObject(action.params['properties']) && 'host' in action.params['properties'] && action.name.startsWith('ssh.')
  if (needsHost && !onHosts && !(isObject(value) && 'host' in value)) {
    yield problemAt(
      source,
      step.action.span,
      'RB1210',
      'the step does not say on which host it runs',
      'add `targets`, to the step or to a block around it, or `host` to its parameters',
    )
  }

  function* verbatim(node: Located): Generator<Diagnostic> {
    const text = node.kind === 'scalar' ? String(node.value) : ''
    const start = text.search(/(?<!\\)\{\{/)
    if (start < 0) return
    const end = text.indexOf('}}', start)
    yield problemAt(
      source,
      placeOf(source, { text, span: node.span }, start, end < 0 ? start + 2 : end + 2),
      'RB1207',
      'a template stands in a script, which is a fixed text',
      'hand the value over with `env` or `args`, and write `"$NAME"` or `"$1"` in the script',
    )
  }

  function* command(node: Located, text: string): Generator<Diagnostic> {
    const split = splitCommand(text)
    if (!('problem' in split)) return
    const { kind, message, start, end, hint } = split.problem
    const code: Code = kind === 'quote' ? 'RB1209' : 'RB1208'
    yield problemAt(source, placeOf(source, { text, span: node.span }, start, end), code, message, hint)
  }
}

/** A text that is one template keeps the type of its value, any other template gives a text: whether that is what belongs here. */
export function* checkWhole(
  source: Source,
  node: Located,
  text: string,
  schema: Schema,
  what: string,
  scope: { readonly [name: string]: Schema },
  code: Code,
): Generator<Diagnostic> {
  if (!isTemplate(text)) return
  const parsed = parseTemplate(text)
  const whole = parsed.template?.whole
  const wanted = typesOf(schema)
  const found = whole ? lookUp({ type: 'object', properties: scope, additionalProperties: true }, whole) : undefined
  const given = found?.is === 'known' ? typesOf(found.schema) : whole || !parsed.template ? [] : ['string']
  const fits = (type: string) =>
    wanted.includes(type) ||
    (type === 'integer' && wanted.includes('number')) ||
    (type === 'number' && wanted.includes('integer'))
  if (wanted.length > 0 && given.length > 0 && !given.some(fits)) {
    const message = `${what} must be ${namedTypes(wanted)}, and \`${text.trim()}\` is ${namedTypes(given)}`
    const plain = given.every((type) => ['integer', 'number', 'boolean'].includes(type))
    const asText = text.trim().replace(/^\{\{\s*(?=\w)/, '{{json ')
    const hint = wanted.includes('string') && plain ? `\`${asText}\` writes it as a text` : undefined
    yield problemAt(
      source,
      firstOf(node),
      code,
      message,
      whole ? hint : 'a text that is exactly `{{ path }}` keeps the type of the value',
    )
  }
}

function subjectOf(path: Path): string {
  const name = `\`${path.findLast((part) => typeof part === 'string')}\``
  return typeof path.at(-1) === 'number' ? `an item of ${name}` : name
}

/** A template stands for a value that fits, and a loop over hosts for a host: both are looked at when they are known. */
function misfitsOf(schema: Schema, value: Json, onHosts: boolean): readonly Misfit[] {
  if (surelyFits(schema, value, isTemplate)) return []
  if (onHosts && isObject(value) && surelyFits(schema, { host: '{{ target.name }}', ...value }, isTemplate)) return []
  return validatorOf(schema)(value)
}

/** A template stands where a value of another type belongs: what it comes to is checked when it is known. */
function isFilled({ path, kind, field }: Misfit, root: Json, onHosts: boolean): boolean {
  if (kind === 'missing') return field === 'host' && onHosts && path.length === 0
  if (kind === 'unknown') return false
  let value: Json | undefined = root
  for (const part of path) value = (value as { readonly [key: string | number]: Json } | undefined)?.[part]
  // whatever the templates in a list or a mapping come to, it stays one
  if (kind === 'type' && typeof value === 'object') return false
  return holdsTemplate(value)
}

/** Whether a template stands anywhere in a value. */
export function holdsTemplate(value: Json | undefined): boolean {
  if (typeof value === 'string') return isTemplate(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsTemplate)
}

function familyOf(registry: Declarations, family: string): string | undefined {
  const names = [...registry.keys()].filter((name) => name.startsWith(`${family}.`))
  return names.length > 0
    ? `\`${family}\` has: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`
    : undefined
}

function hintOf(hint: string): { hint: string } {
  return { hint }
}
