import { number, text } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'

/** What is added to a service or an agent that reports. */
export const heartbeatFields: { readonly [name: string]: Schema } = {
  heartbeat_at: text('When it last reported, ISO 8601 with its zone'),
  heartbeat_age: number('Seconds from its last report to the answer, by the clocks of the cloud'),
}

/** Reads the field in which a service says when something reported; both are null where it does not say. */
export function heartbeatOf(reported: Json | undefined, date: string | null): JsonObject {
  const at = momentOf(reported)
  return {
    heartbeat_at: at === undefined ? null : new Date(at).toISOString(),
    heartbeat_age: at === undefined || date === null ? null : (Date.parse(date) - at) / 1_000,
  }
}

/** Services write UTC without saying so, with a `T` or a space, and with microseconds. */
export function momentOf(reported: Json | undefined): number | undefined {
  if (typeof reported !== 'string') return undefined
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:?\d\d)?$/.exec(reported)
  if (!parts) return undefined
  const [, day, time, fraction = '', zone = 'Z'] = parts
  const at = Date.parse(`${day}T${time}${fraction}${zone}`)
  return Number.isNaN(at) ? undefined : at
}
