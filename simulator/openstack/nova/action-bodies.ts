import { ApiFailure } from '../http/api.ts'
import { python } from '../python.ts'

/** One property of an action's body. */
interface Property {
  readonly types: readonly ('string' | 'boolean' | 'number' | 'object' | 'null')[]
  readonly values?: readonly unknown[]
  readonly required?: true
  /** First and last microversion that knows it. */
  readonly since?: number
  readonly until?: number
}

interface Body {
  /** May be nothing at all. */
  readonly empty?: true
  readonly properties: { readonly [name: string]: Property }
}

const booleans = [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes']
const refusals = [false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']
const boolean = { types: ['boolean', 'string'], values: [...booleans, ...refusals] } as const
const text = { types: ['string'] } as const
const textOrNone = { types: ['string', 'null'] } as const

/** What actions take; those that are not here take anything, as their real ones do. */
const bodies: { readonly [action: string]: Body } = {
  reboot: {
    properties: {
      type: { types: ['string'], values: ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'], required: true },
    },
  },
  lock: { empty: true, properties: { locked_reason: { ...text, since: 73 } } },
  resize: {
    properties: {
      flavorRef: { types: ['string', 'number'], required: true },
      'OS-DCF:diskConfig': { types: ['string'], values: ['AUTO', 'MANUAL'] },
    },
  },
  migrate: { empty: true, properties: { host: { ...textOrNone, since: 56 } } },
  'os-migrateLive': {
    properties: {
      host: { ...textOrNone, required: true },
      block_migration: { ...boolean, values: [...boolean.values, 'auto'], required: true },
      disk_over_commit: { ...boolean, required: true, until: 24 },
      force: { ...boolean, since: 30, until: 67 },
    },
  },
  evacuate: {
    properties: {
      host: text,
      onSharedStorage: { ...boolean, required: true, until: 13 },
      adminPass: text,
      force: { ...boolean, since: 29, until: 67 },
    },
  },
  rescue: { empty: true, properties: { adminPass: text, rescue_image_ref: text } },
  unshelve: {
    empty: true,
    properties: { availability_zone: { ...textOrNone, since: 77 }, host: { ...text, since: 91 } },
  },
  rebuild: {
    properties: {
      imageRef: { ...text, required: true },
      name: text,
      adminPass: text,
      metadata: { types: ['object'] },
      preserve_ephemeral: boolean,
      'OS-DCF:diskConfig': { types: ['string'], values: ['AUTO', 'MANUAL'] },
      accessIPv4: text,
      accessIPv6: text,
      personality: { types: ['object'], until: 56 },
      description: { ...textOrNone, since: 19 },
      key_name: { ...textOrNone, since: 54 },
      user_data: { ...textOrNone, since: 57 },
      trusted_image_certificates: { types: ['object', 'null'], since: 63 },
      hostname: { ...text, since: 90 },
    },
  },
  createImage: { properties: { name: { ...text, required: true }, metadata: { types: ['object'] } } },
  'os-getConsoleOutput': { properties: { length: { types: ['number', 'string', 'null'] } } },
  'os-resetState': { properties: { state: { types: ['string'], values: ['active', 'error'], required: true } } },
}

/** Actions whose body nobody looked at before a microversion. */
const looseBefore: { readonly [action: string]: number } = { lock: 73, migrate: 56, unshelve: 77 }

/** Refuses what an action does not take, in the words of Nova's own check. */
export function checkBody(action: string, argument: unknown, version: number): void {
  const body = bodies[action]
  if (!body || version < (looseBefore[action] ?? 0)) return
  checkObject(action, argument, body, version)
}

export function checkObject(name: string, value: unknown, { empty, properties }: Body, version: number): void {
  if (value === null && empty) return
  const kinds = empty ? "'object', 'null'" : "'object'"
  if (kindOf(value) !== 'object' || Array.isArray(value)) {
    throw invalid(name, value, `${python(value)} is not of type ${kinds}`)
  }
  const known = Object.entries(properties).filter(
    ([, { since = 0, until = 1000 }]) => version >= since && version <= until,
  )
  const given = value as { readonly [name: string]: unknown }
  for (const [key, { types, values }] of known) {
    if (!(key in given)) continue
    const one = given[key]
    if (!types.includes(kindOf(one))) {
      throw invalid(key, one, `${python(one)} is not of type ${types.map((type) => `'${type}'`).join(', ')}`)
    }
    if (values && !values.includes(one)) throw invalid(key, one, notOneOf(one, values))
  }
  const missing = known.find(([key, { required }]) => required && !(key in given))
  if (missing) throw invalid(name, value, `'${missing[0]}' is a required property`)
  const strange = Object.keys(given).filter((key) => !known.some(([one]) => one === key))
  if (strange.length > 0) throw invalid(name, value, unexpected(strange))
}

export function unexpected(names: readonly string[]): string {
  const verb = names.length === 1 ? 'was' : 'were'
  return `Additional properties are not allowed (${names.map((one) => `'${one}'`).join(', ')} ${verb} unexpected)`
}

export const notOneOf = (one: unknown, values: readonly unknown[]): string =>
  `${python(one)} is not one of ${python(values)}`

export const invalid = (name: string, value: unknown, why: string) =>
  new ApiFailure(400, `Invalid input for field/attribute ${name}. Value: ${plain(value)}. ${why}`)

const kindOf = (value: unknown) =>
  value === null ? 'null' : (typeof value as 'string' | 'boolean' | 'number' | 'object')

const plain = (value: unknown): string => (typeof value === 'string' ? value : python(value))

/** `True`, `on`, `1`: as Nova reads a word for yes. */
export const isYes = (value: unknown): boolean => booleans.includes(value as string)
