/** The part of JSON Schema that faults describe their parameters with. */
export interface ParameterSchema {
  readonly type: 'object'
  readonly properties: { readonly [name: string]: FieldSchema }
  readonly required?: readonly string[]
  readonly additionalProperties: false
}

/** `type`, `enum`, `minimum`, `maximum`, `items.type` and `default` are understood; other keywords only tell people. */
export type FieldSchema = { readonly [keyword: string]: unknown } & { readonly description: string }

/** A closed schema of these parameters: what has no default is required, but for what `optional` names. */
export function takes(
  properties: { readonly [name: string]: FieldSchema },
  optional: readonly string[] = [],
): ParameterSchema {
  const required = Object.entries(properties).flatMap(([name, field]) =>
    'default' in field || optional.includes(name) ? [] : [name],
  )
  return { type: 'object', additionalProperties: false, properties, ...(required.length > 0 && { required }) }
}

/** The keywords that are checked. */
interface Rules {
  readonly type?: Type
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: { readonly type?: Type }
}

type Type = 'string' | 'integer' | 'number' | 'boolean' | 'array'

/** The parameters with their defaults, and what is wrong with them: one sentence each. */
export function checkParameters(
  schema: ParameterSchema,
  given: { readonly [name: string]: unknown },
): { readonly params: { readonly [name: string]: unknown }; readonly problems: readonly string[] } {
  const problems: string[] = []
  const params: { [name: string]: unknown } = {}
  for (const name of Object.keys(given)) {
    if (!schema.properties[name]) {
      problems.push(`\`${name}\` is no parameter of it; it takes ${listed(Object.keys(schema.properties))}`)
    }
  }
  for (const [name, field] of Object.entries(schema.properties)) {
    const value = given[name] ?? field.default
    if (value === undefined) {
      if (schema.required?.includes(name)) problems.push(`\`${name}\` is missing: ${field.description}`)
      continue
    }
    const problem = problemWith(field as Rules, value)
    if (problem) problems.push(`\`${name}\` ${problem}`)
    else params[name] = value
  }
  return { params, problems }
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', ')

function problemWith(rules: Rules, value: unknown): string | undefined {
  const { type, enum: words, minimum, maximum, items } = rules
  if (type && !hasType(type, value)) return `must be ${articles[type]}, not ${JSON.stringify(value)}`
  if (words && !words.includes(value)) {
    return `must be one of ${listed(words.map(String))}, not ${JSON.stringify(value)}`
  }
  if (minimum !== undefined && Number(value) < minimum) return `must be at least ${minimum}`
  if (maximum !== undefined && Number(value) > maximum) return `must be at most ${maximum}`
  const itemType = items?.type
  if (itemType && Array.isArray(value) && !value.every((item) => hasType(itemType, item))) {
    return `must be a list in which each is ${articles[itemType]}`
  }
  return undefined
}

function hasType(type: Type, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    default:
      return typeof value === type
  }
}

const articles: { readonly [type in Type]: string } = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
}
