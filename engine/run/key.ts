import type { Json } from '../json.ts'

/** `block/step`: a step inside another. */
export function within(key: string, id: string): string {
  return key === '' ? id : `${key}/${id}`
}

/** `drain[9f3c]`: one item of a loop. What would end the brackets early is written as in a URL. */
export function itemKey(key: string, item: string): string {
  return `${key}[${item.replaceAll(/[%[\]/~!\u0000-\u001f\u007f]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}]`
}

/** `drain[9f3c]~2`: the second time the same thing is done. */
export function tryKey(key: string, attempt: number): string {
  return attempt === 1 ? key : `${key}~${attempt}`
}

/** `drain!again2`: the second time, because a person wanted it. */
export function roundKey(key: string, round: number): string {
  return round === 1 ? key : about(key, `again${round}`)
}

/** The key of the first time. */
export function firstRound(key: string): string {
  return key.replaceAll(/!again\d+/g, '')
}

/** `drain!paused`: something about a step. */
export function about(key: string, what: string): string {
  return `${key}!${what}`
}

/** A value as the name of an item: texts and numbers as they are. */
export function nameOf(value: Json): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}
