/**
 * Whether a value fits a JSON Schema, asked quickly. Compiling a schema pays when it is used a thousand times; a runbook
 * uses most of them once or twice, and nearly every value fits. What is not surely right here is left to `engine/schema.ts`,
 * which also says what is wrong.
 */
import type { Schema } from './json.ts'

/** Thrown on the way: the schema uses a word that is not read here. */
const unread = Symbol('unread')

/** True only when the value surely fits. A text for which `open` is true stands for a value that is not known yet, and fits. */
export function surelyFits(schema: Schema, value: unknown, open?: (text: string) => boolean): boolean {
  try {
    return fits(schema, value, open)
  } catch (error) {
    if (error === unread) return false
    throw error
  }
}

type Open = ((text: string) => boolean) | undefined

function fits(schema: unknown, value: unknown, open: Open): boolean {
  if (typeof schema === 'boolean') return schema
  if (typeof value === 'string' && open?.(value)) return true
  const words = schema as Schema
  for (const word in words) if (!holds(word, words[word], words, value, open)) return false
  return true
}

function holds(word: string, rule: unknown, schema: Schema, value: unknown, open: Open): boolean {
  switch (word) {
    case 'description':
    case 'title':
    case 'default':
    case 'examples':
    case 'secret':
    case 'format':
    case '$comment':
    case 'x-runbook':
    case 'x-runbook-shown':
    case 'x-runbook-target':
      return true
    case 'type':
      return Array.isArray(rule) ? rule.some((type) => isOf(type, value)) : isOf(rule, value)
    case 'enum':
      return (rule as unknown[]).some((each) => isEqual(each, value))
    case 'const':
      return isEqual(rule, value)
    case 'minimum':
      return typeof value !== 'number' || value >= (rule as number)
    case 'maximum':
      return typeof value !== 'number' || value <= (rule as number)
    case 'exclusiveMinimum':
      return typeof value !== 'number' || value > (rule as number)
    case 'exclusiveMaximum':
      return typeof value !== 'number' || value < (rule as number)
    case 'minLength':
      return typeof value !== 'string' || charactersOf(value) >= (rule as number)
    case 'maxLength':
      return typeof value !== 'string' || charactersOf(value) <= (rule as number)
    case 'pattern':
      return typeof value !== 'string' || patternOf(rule as string).test(value)
    case 'items':
      return !Array.isArray(value) || value.every((item) => fits(rule, item, open))
    case 'minItems':
      return !Array.isArray(value) || value.length >= (rule as number)
    case 'maxItems':
      return !Array.isArray(value) || value.length <= (rule as number)
    case 'uniqueItems':
      return rule !== true || !Array.isArray(value) || isDistinct(value)
    case 'properties':
      return !isMap(value) || fieldsFit(rule as { readonly [name: string]: Schema }, value, open)
    case 'required':
      return !isMap(value) || (rule as string[]).every((name) => value[name] !== undefined)
    case 'additionalProperties':
      return !isMap(value) || othersFit(rule, schema, value, open)
    case 'propertyNames':
      return !isMap(value) || Object.keys(value).every((name) => fits(rule, name, undefined))
    case 'minProperties':
      return !isMap(value) || Object.keys(value).length >= (rule as number)
    case 'maxProperties':
      return !isMap(value) || Object.keys(value).length <= (rule as number)
    case 'anyOf':
      return (rule as Schema[]).some((branch) => fits(branch, value, open))
    case 'oneOf':
      return (rule as Schema[]).filter((branch) => fits(branch, value, open)).length === 1
    case 'allOf':
      return (rule as Schema[]).every((branch) => fits(branch, value, open))
    default:
      throw unread
  }
}

type Map = { readonly [name: string]: unknown }

function fieldsFit(fields: { readonly [name: string]: Schema }, value: Map, open: Open): boolean {
  for (const name in fields) {
    const field = value[name]
    if (field !== undefined && !fits(fields[name], field, open)) return false
  }
  return true
}

function othersFit(rule: unknown, schema: Schema, value: Map, open: Open): boolean {
  if (schema['patternProperties'] !== undefined) throw unread
  if (rule === true) return true
  const fields = (schema['properties'] ?? {}) as object
  for (const name in value) if (!Object.hasOwn(fields, name) && !fits(rule, value[name], open)) return false
  return true
}

function isOf(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'integer':
      return Number.isInteger(value)
    case 'object':
      return isMap(value)
    case 'array':
      return Array.isArray(value)
    case 'null':
      return value === null
    default:
      throw unread
  }
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSimple(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

/** What is made of parts is not compared here. */
function isEqual(one: unknown, other: unknown): boolean {
  if (!isSimple(one) && !isSimple(other)) throw unread
  return one === other
}

function isDistinct(items: readonly unknown[]): boolean {
  if (items.length > 1 && !items.every(isSimple)) throw unread
  return new Set(items).size === items.length
}

/** A character outside of the first plane counts once. */
function charactersOf(text: string): number {
  let count = text.length
  for (let at = 1; at < text.length; at++)
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--
  return count
}

const patterns = new Map<string, RegExp>()

function patternOf(text: string): RegExp {
  const known = patterns.get(text)
  if (known) return known
  const made = new RegExp(text, 'u')
  patterns.set(text, made)
  return made
}

/** True only when this is surely a JSON Schema, of the words that most inputs are made of. */
export function isSurelySchema(schema: unknown): boolean {
  return isMap(schema) && Object.entries(schema).every(([word, rule]) => isRule(word, rule))
}

function isRule(word: string, rule: unknown): boolean {
  switch (word) {
    case 'description':
    case 'title':
    case '$comment':
      return typeof rule === 'string'
    case 'type':
      return typeof rule === 'string' && types.has(rule)
    case 'enum':
      return Array.isArray(rule) && rule.length > 0 && rule.every(isSimple) && new Set(rule).size === rule.length
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return typeof rule === 'number'
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
      return Number.isInteger(rule) && (rule as number) >= 0
    case 'pattern':
      return typeof rule === 'string' && isPattern(rule)
    case 'uniqueItems':
      return typeof rule === 'boolean'
    case 'items':
      return isSurelySchema(rule)
    case 'additionalProperties':
      return typeof rule === 'boolean' || isSurelySchema(rule)
    case 'properties':
      return isMap(rule) && Object.values(rule).every(isSurelySchema)
    case 'required':
      return Array.isArray(rule) && rule.every((name) => typeof name === 'string') && new Set(rule).size === rule.length
    default:
      return false
  }
}

const types: ReadonlySet<unknown> = new Set(['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'])

function isPattern(text: string): boolean {
  try {
    patternOf(text)
    return true
  } catch {
    return false
  }
}
