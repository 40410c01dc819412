import type { Json, Schema } from '../json.ts'
import { isObject } from '../json.ts'
import type { ParamKind } from './contract.ts'

/** What stands at one place of a `with`, and how its schema says it is to be taken. */
export interface Param {
  readonly path: readonly (string | number)[]
  readonly kind: ParamKind | 'plain'
  readonly value: Json
  readonly schema: Schema
}

/** Every leaf of a `with`, and every part that its schema marks, in the order it is written. */
export function* everyParam(schema: Schema, value: Json, path: readonly (string | number)[] = []): Generator<Param> {
  const kind = kindOf(schema)
  if (kind === 'plain' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* everyParam(itemSchema(schema), item as Json, [...path, index])
  } else if (kind === 'plain' && isObject(value)) {
    for (const [name, part] of Object.entries(value))
      yield* everyParam(fieldSchema(schema, name), part, [...path, name])
  } else yield { path, kind, value, schema }
}

/** The same `with`, with each leaf and each part that its schema marks replaced. */
export function mapParams(
  schema: Schema,
  value: Json,
  change: (param: Param) => unknown,
  path: readonly (string | number)[] = [],
): unknown {
  const kind = kindOf(schema)
  if (kind === 'plain' && Array.isArray(value)) {
    return value.map((item, index) => mapParams(itemSchema(schema), item as Json, change, [...path, index]))
  }
  if (kind === 'plain' && isObject(value)) {
    const parts = Object.entries(value).map(([name, part]) => [
      name,
      mapParams(fieldSchema(schema, name), part, change, [...path, name]),
    ])
    return Object.fromEntries(parts)
  }
  return change({ path, kind, value, schema })
}

/** Whether an action runs on a host that the step may name, or its `targets`; asked of its `params`. */
export function takesHost(params: Schema | undefined): boolean {
  const properties = params?.['properties']
  return isObject(properties) && isObject(properties['host']) && properties['host']['x-runbook-target'] === true
}

/** How a parameter of each kind is called where people read of it. */
export const kindWords: { readonly [kind in ParamKind]: string } = {
  expression: 'CEL expression',
  condition: 'CEL expression',
  command: 'command line',
  verbatim: 'fixed text',
  rows: 'rows',
}

/** What a schema marks a parameter as. */
export function kindOf(schema: Schema): ParamKind | 'plain' {
  return (schema['x-runbook'] as ParamKind | undefined) ?? 'plain'
}

function fieldSchema(schema: Schema, name: string): Schema {
  const properties = schema['properties'] as { readonly [name: string]: Schema } | undefined
  const others = schema['additionalProperties']
  const own = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
  return own ?? (isObject(others) ? (others as Schema) : {})
}

function itemSchema(schema: Schema): Schema {
  return (schema['items'] as Schema | undefined) ?? {}
}
