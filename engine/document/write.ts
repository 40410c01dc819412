import { stringify } from 'yaml'
import type { Json } from '../json.ts'

/** JSON as YAML for people. */
export function stringifyYaml(value: Json): string {
  return stringify(value, { lineWidth: 120, aliasDuplicateObjects: false })
}
