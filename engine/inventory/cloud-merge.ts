import { isObject, type Json, type JsonObject } from '../json.ts'

/** Keys are written with `-` or `_`; here always with `_`, inside `auth` too. A null says nothing. */
export function normalKeys(value: Json | undefined): JsonObject {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => {
        const name = key.replaceAll('-', '_')
        return [name, name === 'auth' ? normalKeys(inner) : inner]
      }),
  )
}

/** Two layers of a cloud: the upper one wins, and inside `auth` field by field. */
export function mergeCloud(lower: JsonObject, upper: JsonObject): JsonObject {
  const [below, above] = [lower['auth'], upper['auth']]
  return {
    ...lower,
    ...upper,
    ...((isObject(below) || isObject(above)) && {
      auth: { ...(isObject(below) ? below : {}), ...(isObject(above) ? above : {}) },
    }),
  }
}

/** Two documents: objects are merged at every depth, anything else of the upper one wins. */
export function mergeDocument(lower: JsonObject, upper: JsonObject): JsonObject {
  const merged: { [key: string]: Json } = { ...lower }
  for (const [key, value] of Object.entries(upper)) {
    const below = merged[key]
    merged[key] = isObject(below) && isObject(value) ? mergeDocument(below, value) : value
  }
  return merged
}

/** YAML turns `project_name: 007` or `password: 12345` into numbers; people meant text. An empty text says nothing. */
export function plainText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

export function truth(value: Json | undefined, otherwise: boolean): boolean {
  const text = plainText(value)?.toLowerCase()
  if (text === undefined) return otherwise
  return !['false', 'no', 'off', '0'].includes(text)
}
