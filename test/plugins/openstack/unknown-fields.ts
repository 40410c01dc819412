import { isObject, type Json } from '../../../engine/json.ts'

/** Fields that came and that the schema does not list. */
export function unknownFields(schema: unknown, value: Json, at: string): string[] {
  if (!isObject(schema)) return []
  if (Array.isArray(value))
    return value.flatMap((inner, index) => unknownFields(schema['items'], inner, `${at}.${index}`))
  if (!isObject(value)) return []
  const { properties, additionalProperties } = schema
  return Object.entries(value).flatMap(([name, inner]) => {
    if (isObject(properties) && properties[name]) return unknownFields(properties[name], inner, `${at}.${name}`)
    if (isObject(additionalProperties)) return unknownFields(additionalProperties, inner, `${at}.${name}`)
    return isObject(properties) ? [`${at}.${name}`] : []
  })
}
