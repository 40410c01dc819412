import type { Json } from '../json.ts'
import { isObject } from '../json.ts'

/** A helper: values in, a value out. What it throws as text is told with the place of the call. */
export interface Helper {
  readonly usage: string
  readonly needs: number
  readonly most: number
  readonly run: (args: readonly Json[]) => Json
}

/** Thrown by a helper that cannot use a value; the message never holds the value. */
export class Unusable extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

const onText = (name: string, change: (text: string) => string): Helper => ({
  usage: `{{${name} inputs.name}}`,
  needs: 1,
  most: 1,
  run: ([value = null]) => change(printed(value)),
})

/** All there are: everything that decides or computes is an expression. `default` is read by the renderer. */
const helpers: { readonly [name: string]: Helper } = {
  default: {
    usage: "{{default inputs.name 'none'}}",
    needs: 2,
    most: 2,
    run: ([value = null, other = null]) => value ?? other,
  },
  join: { usage: "{{join inputs.names ', '}}", needs: 1, most: 2, run: join },
  json: { usage: '{{json inputs.map}}', needs: 1, most: 1, run: ([value = null]) => JSON.stringify(value) },
  length: { usage: '{{length inputs.names}}', needs: 1, most: 1, run: length },
  lower: onText('lower', (text) => text.toLowerCase()),
  trim: onText('trim', (text) => text.trim()),
  upper: onText('upper', (text) => text.toUpperCase()),
}

export function helperNamed(name: string): Helper | undefined {
  return Object.hasOwn(helpers, name) ? helpers[name] : undefined
}

export function helperNames(): readonly string[] {
  return Object.keys(helpers)
}

/** A value as text; throws for what has no one text. */
export function printed(value: Json): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null) throw new Unusable('is empty (`null`)', 'say what to write instead: `{{default value "none"}}`')
  const what = Array.isArray(value) ? 'a list' : 'a mapping'
  throw new Unusable(
    `is ${what}, which does not print as text`,
    Array.isArray(value)
      ? "write `{{join list ', '}}` or `{{json list}}`"
      : 'name a field of it, or write `{{json value}}`',
  )
}

function join([list = null, separator = ', ']: readonly Json[]): Json {
  if (!Array.isArray(list)) throw new Unusable('is no list, and `join` joins lists')
  return (list as readonly Json[]).map(printed).join(printed(separator))
}

function length([value = null]: readonly Json[]): Json {
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') return [...value].length
  if (isObject(value)) return Object.keys(value).length
  throw new Unusable('is no list, mapping or text, and `length` counts those')
}
