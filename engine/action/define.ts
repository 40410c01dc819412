import { durationPattern } from '../duration.ts'
import type { Schema } from '../json.ts'

/** A closed object: no other fields, every field required unless named in `optional`. */
export function closedObject(
  properties: { readonly [name: string]: Schema },
  optional: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  }
}

/** A text; `more` is what else JSON Schema says of it, as `{ minLength: 1 }`. So it is with the next ones. */
export function text(description: string, more: Schema = {}): Schema {
  return { type: 'string', description, ...more }
}

/** Any number. */
export function number(description: string, more: Schema = {}): Schema {
  return { type: 'number', description, ...more }
}

/** A whole number. */
export function whole(description: string, more: Schema = {}): Schema {
  return { type: 'integer', description, ...more }
}

/** True or false. */
export function flag(description: string, more: Schema = {}): Schema {
  return { type: 'boolean', description, ...more }
}

/** A list, each of whose items fits `items`. */
export function listOf(items: Schema, description: string, more: Schema = {}): Schema {
  return { type: 'array', items, description, ...more }
}

/** Any JSON value. */
export function anything(description: string): Schema {
  return { description }
}

/** An object of string values, such as environment variables. */
export function textMap(description: string): Schema {
  return { type: 'object', additionalProperties: { type: 'string' }, description }
}

/** A duration such as `90s` or `1h30m`; the action reads it with `parseDuration`. */
export function duration(description: string, more: Schema = {}): Schema {
  return { type: 'string', description, pattern: `${durationPattern}|\\{\\{`, ...more }
}
