import { isObject, type Json } from '../../engine/json.ts'

/** The body of an answer: its JSON, or nothing where there is none (an empty body, a page of HTML). */
export function bodyOf(text: string): Json | undefined {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The text at a path of keys, where there is one. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = path.reduce<Json | undefined>((inner, key) => (isObject(inner) ? inner[key] : undefined), value)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The objects of a list, where it is one; what is no object is left out. */
export function objectsIn(value: Json | undefined): readonly { readonly [key: string]: Json }[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

const secretNames = new Set([
  'adminPass',
  'admin_pass',
  'admin_password',
  'auth_password',
  'auth_token',
  'blob',
  'connection_info',
  'direct_url',
  'locations',
  'original_password',
  'password',
  'private_key',
  'secret',
  'user_data',
  'OS-EXT-SRV-ATTR:user_data',
])

/** The same value without the fields in which services hand out secrets, at any depth. */
export function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (secretNames.has(key) ? [] : [[key, withoutSecrets(inner)]])),
  )
}
