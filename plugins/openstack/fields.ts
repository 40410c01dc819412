import { closedObject, text } from '../../engine/action/define.ts'
import type { Schema } from '../../engine/json.ts'

/** The same, or null: services give null for what is not set. */
export function orNull(schema: Schema): Schema {
  const { type } = schema
  return typeof type === 'string' ? { ...schema, type: [type, 'null'] } : schema
}

/**
 * An object as an API gives it. Its known fields are listed, so that a name that does not exist is found before
 * anything runs; at run time a newer cloud may give more, and an older one less. All may be null unless named in `always`.
 */
export function apiObject(
  description: string,
  properties: { readonly [name: string]: Schema },
  always: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, always.includes(name) ? schema : orNull(schema)]),
    ),
    ...(always.length > 0 && { required: always }),
  }
}

/** An object whose keys are the cloud's own: labels, metadata. */
export function labels(description: string): Schema {
  return { type: 'object', description, additionalProperties: true }
}

/** When the service answered, by its own clock. */
export const dateOfAnswer: Schema = {
  type: ['string', 'null'],
  description: 'When the service answered, by its own clock, ISO 8601; null where it does not say',
}

/** What every action takes. */
const cloudChoice: { readonly [name: string]: Schema } = {
  cloud: text('The cloud, as clouds.yaml names it; the one of the run unless told', { minLength: 1 }),
  region: text('The region; that of the cloud unless told', { minLength: 1 }),
}

/** Parameters: closed, with `cloud` and `region` beside the action's own, all optional but those named. */
export function paramsOf(own: { readonly [name: string]: Schema }, required: readonly string[] = []): Schema {
  const properties = { ...own, ...cloudChoice }
  return closedObject(
    properties,
    Object.keys(properties).filter((name) => !required.includes(name)),
  )
}

/** One of some words, or a list of them. */
export function oneOrMore(description: string, words?: readonly string[]): Schema {
  const one: Schema = { type: 'string', minLength: 1, ...(words && { enum: words }) }
  return { description, anyOf: [one, { type: 'array', items: one, minItems: 1 }] }
}
