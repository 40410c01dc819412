import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { durationPattern } from './duration.ts'
import type { Json, Schema } from './json.ts'
import { isSurelySchema, surelyFits } from './schema-fit.ts'

/** One way in which a value does not fit its schema. */
export interface Misfit {
  /** Where in the value; for a missing or unknown field, the object that lacks or has it. */
  readonly path: readonly (string | number)[]
  readonly kind: 'unknown' | 'missing' | 'type' | 'value'
  /** True on its own, for people: `must be …`. */
  readonly message: string
  /** The field that is unknown or missing, or whose name is not allowed. */
  readonly field?: string
  /** The fields that the object may have. */
  readonly allowed?: readonly string[]
}

export type Validate = (value: unknown) => readonly Misfit[]

const compiled = new WeakMap<Schema, Validate>()
// most schemas are used once: improving the code costs more than it gives back
const code = { optimize: false } as const
let shared: Ajv2020 | undefined
let strict: Ajv2020 | undefined

/** How a value does not fit a JSON Schema (2020-12). Throws when the value does not surely fit and the schema is none. */
export function validatorOf(schema: Schema): Validate {
  return (value) => (surelyFits(schema, value) ? [] : thorough(schema)(value))
}

/** Compiles a schema, once per schema object. */
function thorough(schema: Schema): Validate {
  const known = compiled.get(schema)
  if (known) return known
  // what it compiles is ours, or has passed `schemaProblem`: the schema of schemas would cost more than all of them
  shared ??= new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    addUsedSchema: false,
    validateFormats: false,
    validateSchema: false,
    code,
  })
  const validate: ValidateFunction = shared.compile(schema)
  const fit: Validate = (value) => {
    if (validate(value)) return []
    const errors = validate.errors ?? []
    return withoutNoise(errors).map((error) => misfitOf(error, value))
  }
  compiled.set(schema, fit)
  return fit
}

/** Why a text is no JSON Schema, or undefined when it is one. */
export function schemaProblem(schema: Schema): string | undefined {
  if (isSurelySchema(schema)) return undefined
  // one for all: each would compile the schema of schemas anew
  strict ??= new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    addUsedSchema: false,
    validateFormats: false,
    allowUnionTypes: true,
    keywords: ['secret', 'x-runbook', 'x-runbook-shown', 'x-runbook-target'],
    code,
  })
  try {
    strict.compile(schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)
  }
}

/** An alternative that fails tells of each of its branches; one sentence is enough, unless a branch went deeper. */
function withoutNoise(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const either = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  const meant = new Map(either.map((outer) => [outer, ofBranchMeant(outer, errors)]))
  return errors.filter((error) => {
    if (error.keyword === 'if') return false
    if (error.propertyName !== undefined) return false // `propertyNames` itself says it
    if ((meant.get(error) ?? []).length > 0) return false
    return !either.some((outer) => outer !== error && isOf(outer, error) && !meant.get(outer)?.includes(error))
  })
}

/** A list or a mapping was meant for the one branch that takes such a thing: then that branch says what is wrong in it. */
function ofBranchMeant(outer: ErrorObject, errors: readonly ErrorObject[]): readonly ErrorObject[] {
  if (typeof outer.data !== 'object' || outer.data === null || !Array.isArray(outer.schema)) return []
  const inner = errors.filter((error) => error !== outer && isOf(outer, error))
  const branches = (outer.schema as unknown[]).map((_, index) =>
    inner.filter(({ schemaPath }) => schemaPath.startsWith(`${outer.schemaPath}/${index}/`)),
  )
  const isOfOtherType = (branch: readonly ErrorObject[]) =>
    branch.some(({ keyword, instancePath }) => keyword === 'type' && instancePath === outer.instancePath)
  const [meant, ...others] = branches.filter((branch) => !isOfOtherType(branch))
  return others.length === 0 ? (meant ?? []) : []
}

function isOf(outer: ErrorObject, { schemaPath, instancePath }: ErrorObject): boolean {
  return schemaPath.startsWith(`${outer.schemaPath}/`) && instancePath.startsWith(outer.instancePath)
}

function misfitOf(error: ErrorObject, root: unknown): Misfit {
  const path = pathOf(error.instancePath, root)
  const { params, parentSchema } = error
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const field = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const allowed = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {})
      return { path, kind: 'unknown', field, allowed, message: `\`${field}\` is not known here` }
    }
    case 'propertyNames': {
      const rule = error.schema as { readonly pattern?: string } | undefined
      const message =
        rule?.pattern === undefined ? 'is not a name that may stand here' : `must look like \`${rule.pattern}\``
      return { path, kind: 'value', field: String(params['propertyName']), message }
    }
    case 'required': {
      const field = String(params['missingProperty'])
      return { path, kind: 'missing', field, message: `\`${field}\` is missing` }
    }
    case 'type':
      return { path, kind: 'type', message: `must be ${typeWords(params['type'])}, not ${nameOfType(error.data)}` }
    case 'enum':
      return {
        path,
        kind: 'value',
        message: `must be one of ${listed(params['allowedValues'] as Json[])}`,
        allowed: (params['allowedValues'] as Json[]).filter((v) => typeof v === 'string') as string[],
      }
    case 'const':
      return { path, kind: 'value', message: `must be ${listed([params['allowedValue'] as Json])}` }
    case 'pattern':
      return {
        path,
        kind: 'value',
        message: String(params['pattern']).startsWith(durationPattern)
          ? 'must be a duration such as `30s`, `5m` or `1h30m`'
          : `must look like \`${String(params['pattern'])}\``,
      }
    case 'anyOf':
    case 'oneOf':
      return { path, kind: 'value', message: `must be ${alternatives(error)}` }
    case 'minItems':
      return { path, kind: 'value', message: `must have at least ${counted(params['limit'], 'item')}` }
    case 'maxItems':
      return { path, kind: 'value', message: `must have at most ${counted(params['limit'], 'item')}` }
    case 'minProperties':
      return { path, kind: 'value', message: `must have at least ${counted(params['limit'], 'entry', 'entries')}` }
    case 'minLength':
      return {
        path,
        kind: 'value',
        message:
          params['limit'] === 1 ? 'must not be empty' : `must have at least ${counted(params['limit'], 'character')}`,
      }
    case 'maxLength':
      return { path, kind: 'value', message: `must have at most ${counted(params['limit'], 'character')}` }
    case 'minimum':
      return { path, kind: 'value', message: `must be ${String(params['limit'])} or more` }
    case 'maximum':
      return { path, kind: 'value', message: `must be ${String(params['limit'])} or less` }
    case 'uniqueItems':
      return { path, kind: 'value', message: 'must not hold the same item twice' }
    default:
      return { path, kind: 'value', message: error.message ?? `must satisfy \`${error.keyword}\`` }
  }
}

function counted(limit: unknown, one: string, many = `${one}s`): string {
  return `${String(limit)} ${limit === 1 ? one : many}`
}

function alternatives({ schema }: ErrorObject): string {
  const branches = (Array.isArray(schema) ? schema : []) as Schema[]
  return [...new Set(branches.map(alternative))].join(' or ')
}

/** What a schema wants, in a few words: `a whole number from 1 to 9`. */
export function schemaWords(schema: Schema): string {
  const { enum: values, type, minimum, maximum, minLength, pattern } = schema
  if (Array.isArray(values)) return `one of ${listed(values as Json[])}`
  const words = type === undefined ? 'a value' : typeWords(type)
  if (typeof minimum === 'number')
    return `${words} from ${minimum}${typeof maximum === 'number' ? ` to ${maximum}` : ''}`
  if (typeof maximum === 'number') return `${words} up to ${maximum}`
  if (typeof pattern === 'string') return `${words} that looks like \`${pattern}\``
  return typeof minLength === 'number' && minLength > 1 ? `${words} of at least ${minLength} characters` : words
}

function alternative(branch: Schema): string {
  if (branch['enum']) return listed(branch['enum'] as Json[])
  if (branch['pattern'] !== undefined && typeof branch['description'] === 'string') return branch['description']
  if (!branch['type']) return String(branch['description'] ?? branch['title'] ?? 'something else')
  const words = typeWords(branch['type'])
  if (typeof branch['minimum'] === 'number') return `${words} from ${branch['minimum']}`
  return branch['minLength'] === 1 ? `${words} that is not empty` : words
}

function pathOf(pointer: string, root: unknown): (string | number)[] {
  let value: unknown = root
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(value) ? Number(name) : name
      value = (value as Record<string | number, unknown> | undefined)?.[step]
      return step
    })
}

const typeNames: { readonly [type: string]: string } = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'empty',
}

function typeWords(type: unknown): string {
  const types = (Array.isArray(type) ? type : String(type).split(',')) as string[]
  return types.map((name) => typeNames[name] ?? name).join(' or ')
}

function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number with a fraction'
  return typeNames[typeof value] ?? typeof value
}

function listed(values: readonly Json[]): string {
  return values.map((value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``).join(', ')
}
