/** The part of JSON Schema that faults describe their parameters with. */
export interface ParameterSchema {
  readonly type: 'object'
  readonly properties: { readonly [name: string]: FieldSchema }
  readonly required?: readonly string[]
  readonly additionalProperties: false
}

export interface FieldSchema {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array'
  readonly description: string
  readonly enum?: readonly (string | number)[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: { readonly type: 'string' | 'integer' | 'number' }
  readonly default?: unknown
}

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
    const problem = problemWith(field, value)
    if (problem) problems.push(`\`${name}\` ${problem}`)
    else params[name] = value
  }
  return { params, problems }
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', ')

function problemWith(field: FieldSchema, value: unknown): string | undefined {
  if (!hasType(field.type, value)) return `must be ${article(field.type)}, not ${JSON.stringify(value)}`
  if (field.enum && !field.enum.includes(value as string)) {
    return `must be one of ${listed(field.enum.map(String))}, not ${JSON.stringify(value)}`
  }
  if (field.minimum !== undefined && (value as number) < field.minimum) return `must be at least ${field.minimum}`
  if (field.maximum !== undefined && (value as number) > field.maximum) return `must be at most ${field.maximum}`
  const { items } = field
  if (items && !(value as unknown[]).every((item) => hasType(items.type, item))) {
    return `must be a list of ${items.type === 'string' ? 'texts' : 'numbers'}`
  }
  return undefined
}

function hasType(type: FieldSchema['type'], value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    default:
      return typeof value === type
  }
}

const articles = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
}
const article = (type: FieldSchema['type']): string => articles[type]
