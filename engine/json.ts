/** What flows between steps, into the journal and out to people: JSON, never anything richer. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
/** A JSON object: not null, not a list. */
export type JsonObject = { readonly [key: string]: Json }

/** A JSON Schema (2020-12) document or a part of one. */
export type Schema = { readonly [key: string]: unknown }

/** Whether a value is one. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a number is what was written: a whole number of very many digits is not kept to the last one. */
export function isExact(value: number, written: string): boolean {
  return Number.isSafeInteger(value) || !/^\s*[-+]?(?:\d+|0[xo][\da-f]+)\s*$/i.test(written)
}
