import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'
import type { Kind } from './value.ts'

/** JSON Schemas serve as types. `x-kind` marks what is a text only once it leaves an expression. */
export const anything: Schema = {}
export const text: Schema = { type: 'string' }
export const number: Schema = { type: 'number' }
export const truth: Schema = { type: 'boolean' }
export const time: Schema = { type: 'string', format: 'date-time', 'x-kind': 'time' }
export const duration: Schema = { type: 'string', 'x-kind': 'duration' }
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })
export const optionalOf = (value: Schema): Schema => ({ 'x-kind': 'optional', value })

/** What a value of a schema can be; undefined when the schema does not say. Asked of the same schemas over and over. */
export function kindsOf(schema: Schema): readonly Kind[] | undefined {
  if (!kindsKnown.has(schema)) kindsKnown.set(schema, kindsIn(schema))
  return kindsKnown.get(schema)
}

const kindsKnown = new WeakMap<Schema, readonly Kind[] | undefined>()

function kindsIn(schema: Schema): readonly Kind[] | undefined {
  const marked = schema['x-kind']
  if (typeof marked === 'string') return [marked as Kind]
  const { type } = schema
  if (typeof type === 'string') return kindOfType(type)
  if (Array.isArray(type)) {
    const kinds = type.map((each) => kindOfType(String(each)))
    return kinds.some((each) => each === undefined) ? undefined : kinds.flatMap((each) => each ?? [])
  }
  const branches = branchesOf(schema)
  if (branches.length > 0) {
    const kinds = branches.map(kindsOf)
    return kinds.some((each) => each === undefined) ? undefined : [...new Set(kinds.flatMap((each) => each ?? []))]
  }
  if ('const' in schema) return kindOfValues([schema['const']])
  return Array.isArray(schema['enum']) ? kindOfValues(schema['enum']) : undefined
}

function kindOfType(type: string): readonly Kind[] | undefined {
  if (type === 'integer') return ['number']
  return ['null', 'boolean', 'number', 'string', 'array', 'object'].includes(type) ? [type as Kind] : undefined
}

function kindOfValues(values: readonly unknown[]): readonly Kind[] {
  return [
    ...new Set(values.map((value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value))),
  ] as Kind[]
}

export function branchesOf({ oneOf, anyOf }: Schema): readonly Schema[] {
  if (oneOf === undefined && anyOf === undefined) return []
  return [oneOf, anyOf].flatMap((each) => (Array.isArray(each) ? (each as Schema[]) : []))
}

/** What a schema says of a field: its schema, certainly not there (with the names that are), or nothing. */
export type Field = { readonly schema: Schema } | { readonly missing: readonly string[] }

export function fieldOf(schema: Schema, name: string): Field {
  const branches = branchesOf(schema)
  if (branches.length > 0) return fieldOfBranches(branches.map((branch) => fieldOf(branch, name)))
  const { properties, additionalProperties, patternProperties } = schema
  if (isObject(properties) && Object.hasOwn(properties, name)) return { schema: schemaOr(properties[name]) }
  if (isObject(additionalProperties)) return { schema: additionalProperties }
  if (additionalProperties === true || patternProperties !== undefined) return { schema: anything }
  const elsewhere = schema['$ref'] !== undefined || schema['allOf'] !== undefined
  if (!elsewhere && (isObject(properties) || additionalProperties === false))
    return { missing: Object.keys(properties ?? {}) }
  return { schema: anything }
}

/** Known to one branch is known. */
function fieldOfBranches(found: readonly Field[]): Field {
  const known = found.flatMap((field) => ('schema' in field ? [field.schema] : []))
  if (known.length > 0) {
    const missing = known.flatMap((field) => (field['x-missing'] as readonly string[] | undefined) ?? [])
    return { schema: { ...eitherOf(known), ...(missing.length > 0 && { 'x-missing': [...new Set(missing)] }) } }
  }
  return { missing: [...new Set(found.flatMap((field) => ('missing' in field ? field.missing : [])))] }
}

/** What the items of a list are; the keys of a mapping are texts. */
export function itemOf(schema: Schema): Schema {
  const branches = branchesOf(schema)
  if (branches.length > 0) return eitherOf(branches.filter((branch) => !isOnly(branch, 'null')).map(itemOf))
  if (isOnly(schema, 'object')) return text
  const { items, prefixItems } = schema
  if (Array.isArray(prefixItems)) return anything
  return schemaOr(items)
}

/** What the values of a mapping are. */
export function memberOf(schema: Schema): Schema {
  const { properties, additionalProperties } = schema
  const named = isObject(properties) ? Object.values(properties).map(schemaOr) : []
  const others = isObject(additionalProperties) ? [additionalProperties as Schema] : []
  return named.length + others.length > 0 ? eitherOf([...named, ...others]) : anything
}

/** One of some schemas: their only form, or `anyOf`; anything when one is anything. */
export function eitherOf(schemas: readonly Schema[]): Schema {
  const different = new Set(schemas)
  const distinct =
    different.size > 1
      ? [...new Map([...different].map((schema) => [written(schema), schema])).values()]
      : [...different]
  const [first, ...others] = distinct
  if (!first) return anything
  if (others.length === 0) return first
  return distinct.some((schema) => kindsOf(schema) === undefined) ? anything : { anyOf: distinct }
}

function written(schema: Schema): string {
  const known = writtenKnown.get(schema) ?? JSON.stringify(schema)
  writtenKnown.set(schema, known)
  return known
}

const writtenKnown = new WeakMap<Schema, string>()

export function isOnly(schema: Schema, kind: Kind): boolean {
  const kinds = kindsOf(schema)
  return kinds !== undefined && kinds.length > 0 && kinds.every((each) => each === kind)
}

/** The schema of the value once it has left the expression. */
export function outside(schema: Schema): Schema {
  if (!('x-kind' in schema)) return schema.items || schema.anyOf ? outsideDeep(schema) : schema
  const { 'x-kind': kind, ...rest } = schema
  return kind === 'optional' ? anything : rest
}

function outsideDeep(schema: Schema): Schema {
  const { items, anyOf } = schema
  return {
    ...schema,
    ...(isObject(items) && { items: outside(items) }),
    ...(Array.isArray(anyOf) && { anyOf: (anyOf as Schema[]).map(outside) }),
  }
}

function schemaOr(value: unknown): Schema {
  return isObject(value) ? (value as Schema) : anything
}
