import { ApiFailure, type ApiRequest } from './api.ts'

export interface PagingManner {
  /** The most a page may hold. */
  readonly max: number
  /** How many come without `limit`; `max` unless told. */
  readonly usual?: number
  /** What is said of a limit that is none, and of a marker nothing has; in Nova's words unless told. */
  readonly refusals?: {
    limit(asked: string): ApiFailure
    marker(marker: string): ApiFailure
  }
}

const usualRefusals: NonNullable<PagingManner['refusals']> = {
  limit: (asked) => {
    const message = `Invalid input for query parameters limit. Value: ${asked}. '${asked}' does not match '^[0-9]*$'`
    return new ApiFailure(400, message)
  },
  marker: (marker) => new ApiFailure(400, `marker [${marker}] not found`),
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; undefined when the page was not full. */
  readonly next: string | undefined
}

/**
 * Cuts a page out of a sorted list by `limit` and `marker`. A full page always has a next one, even an empty one:
 * that is how these services know. Throws `ApiFailure` for a bad limit or an unknown marker.
 */
export function pageOf<T extends { readonly id: string | number }>(
  all: readonly T[],
  { query, origin, path }: ApiRequest,
  { max, usual = max, refusals = usualRefusals }: PagingManner,
): Page<T> {
  const asked = query.get('limit')
  if (asked !== null && !/^\d+$/.test(asked)) throw refusals.limit(asked)
  const limit = Math.min(max, asked === null ? usual : Number(asked))
  const marker = query.get('marker')
  const start = marker === null ? 0 : all.findIndex(({ id }) => String(id) === marker) + 1
  if (marker !== null && start === 0) throw refusals.marker(marker)
  const items = all.slice(start, start + limit)
  const last = items.at(-1)
  if (!last || items.length < limit) return { items, next: undefined }
  const following = new URLSearchParams(query)
  following.set('marker', String(last.id))
  return { items, next: `${origin}${path}?${following}` }
}

/** `{ servers_links: [{ rel: 'next', href }] }` when there is a next page. */
export function nextLink(name: string, { next }: Page<unknown>): object {
  return next === undefined ? {} : { [`${name}_links`]: [{ rel: 'next', href: next }] }
}

/** Equal fields, several values of one name being alternatives. */
export function fits(query: URLSearchParams, name: string, value: string | number | null | undefined): boolean {
  const wanted = query.getAll(name)
  return wanted.length === 0 || wanted.includes(String(value))
}

/** Whether a flag of a query says yes, in any of the spellings the services know. */
export function isOn(query: URLSearchParams, name: string): boolean {
  return ['1', 'true', 't', 'yes', 'on', ''].includes((query.get(name) ?? 'no').toLowerCase())
}

/** A moment in a query, in milliseconds since 1970. Throws `ApiFailure` 400 for what is none. */
export function momentIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const at = Date.parse(/([zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(at)) {
    throw new ApiFailure(
      400,
      `Invalid input for query parameters ${name}. Value: ${text}. '${text}' is not a 'date-time'`,
    )
  }
  return at
}
