import { didYouMean } from '../diagnostic.ts'
import { endingsWithout } from '../expression/expression.ts'
import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'

export type LookedUp =
  | { readonly is: 'known'; readonly schema: Schema }
  /** The schema says nothing about it. */
  | { readonly is: 'open' }
  | { readonly is: 'missing'; readonly name: string; readonly depth: number; readonly hint: string | undefined }

/** What a JSON Schema says of a path into a value: known, not said, or certainly not there. */
export function lookUp(schema: Schema, path: readonly (string | number)[], depth = 0): LookedUp {
  const [head, ...rest] = path
  if (head === undefined) return { is: 'known', schema }
  const branches = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (branches.length > 0) {
    const found = branches.map((branch) => lookUp(branch, path, depth))
    return found.find(({ is }) => is === 'known') ?? found.find(({ is }) => is === 'open') ?? found[0] ?? { is: 'open' }
  }
  if (typeof head === 'number' || schema['type'] === 'array') {
    const items = schema['items']
    if (typeof head === 'string' && schema['type'] === 'array' && !/^\d+$/.test(head)) {
      return head === 'length'
        ? { is: 'open' }
        : {
            is: 'missing',
            name: head,
            depth,
            hint: 'it is a list: loop over it with `{{#each}}`, or compute what you need with `let`',
          }
    }
    return isObject(items) ? lookUp(items as Schema, rest, depth + 1) : { is: 'open' }
  }
  const properties = schema['properties']
  if (!isObject(properties))
    return isObject(schema['additionalProperties'])
      ? lookUp(schema['additionalProperties'] as Schema, rest, depth + 1)
      : { is: 'open' }
  if (Object.hasOwn(properties, head)) return lookUp(properties[head] as Schema, rest, depth + 1)
  const others = schema['additionalProperties']
  if (isObject(others)) return lookUp(others as Schema, rest, depth + 1)
  if (others === true || schema['patternProperties'] !== undefined) return { is: 'open' }
  const names = Object.keys(properties)
  return {
    is: 'missing',
    name: head,
    depth,
    hint: didYouMean(head, names) ?? (names.length > 0 ? `there are: ${names.slice(0, 15).join(', ')}` : undefined),
  }
}

/** The part of a path into a scope that is missing with some endings of a step. */
export function withoutEndings(
  properties: { readonly [name: string]: Schema },
  path: readonly (string | number)[],
): { readonly name: string; readonly depth: number; readonly endings: readonly string[] } | undefined {
  for (const [depth, name] of path.entries()) {
    const found = lookUp({ type: 'object', properties }, path.slice(0, depth + 1))
    const endings = found.is === 'known' ? endingsWithout(found.schema) : []
    if (endings.length > 0) return { name: String(name), depth, endings }
  }
  return undefined
}

function listOf(value: unknown): readonly Schema[] {
  return Array.isArray(value) ? (value as Schema[]) : []
}

/** The JSON types that a schema allows; empty when it does not say. */
export function typesOf(schema: Schema): readonly string[] {
  const type = schema['type']
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type as string[]
  const branches = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  const all = branches.map(typesOf)
  if (branches.length > 0) return all.some((types) => types.length === 0) ? [] : all.flat()
  const values = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : []
  return [...new Set(values.map((value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)))]
}

const words: { readonly [type: string]: string } = {
  object: 'a mapping',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a number',
  boolean: 'true or false',
  null: 'nothing',
}

/** JSON types as people call them. */
export function namedTypes(types: readonly string[]): string {
  return [...new Set(types.map((type) => words[type] ?? type))].join(' or ')
}
