import { StepFailure } from '../../engine/action/contract.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { badAnswer, call, objectIn, type Query, type ServiceAnswer, type ServiceCall } from './call.ts'
import { objectsIn, textAt } from './json-body.ts'
import type { Session } from './session.ts'

/** What services allow at most. */
export const pageSize = 1_000
/** A list that is longer than this many pages does not end. */
const mostPages = 1_000

export interface Listed {
  readonly items: readonly JsonObject[]
  /** Of the first page. */
  readonly first: ServiceAnswer
}

/**
 * All items of a list, page after page, whatever way the service has to say that there are more: `servers_links`,
 * `links.next`, `next`. Of such a link only the query is used, for its host may be a name from inside.
 * Throws `paging_loop` when the pages come round again, `bad_answer` when the list is not there.
 */
export async function listAll(
  session: Session,
  request: ServiceCall & { readonly collection: string },
  signal: AbortSignal,
): Promise<Listed> {
  const { collection, ...page } = request
  const seen = new Set<string>()
  const items: JsonObject[] = []
  let query = page.query ?? {}
  let first: ServiceAnswer | undefined
  for (;;) {
    const answer = await call(session, { ...page, query }, signal)
    first ??= answer
    const body = objectIn(answer)
    const found = body[collection]
    if (!Array.isArray(found)) throw badAnswer(answer.url, answer.status, `without a list \`${collection}\``)
    items.push(...objectsIn(found))
    if (body['truncated'] === true) throw truncated(request, items.length)

    const next = nextIn(body, collection)
    if (next === undefined) return { items, first }
    query = queryOf(next, query, answer)
    const mark = JSON.stringify(query)
    if (seen.has(mark) || seen.size >= mostPages) throw loop(request, items.length)
    seen.add(mark)
    session.ctx.progress(`${items.length} ${collection.replaceAll('_', ' ')} so far`)
  }
}

function nextIn(body: JsonObject, collection: string): string | undefined {
  const links = [...objectsIn(body[`${collection}_links`]), ...objectsIn(body['links'])]
  const link = links.find(({ rel }) => rel === 'next')
  return textAt(link, 'href') ?? textAt(body, 'links', 'next') ?? textAt(body, 'next') ?? nextObject(body['links'])
}

/** `{links: {next: {href}}}`. */
const nextObject = (links: Json | undefined): string | undefined =>
  isObject(links) ? textAt(links, 'next', 'href') : undefined

/** What the link says, over what we asked: a service that forgets a filter in its link does not lose it. */
function queryOf(next: string, asked: Query, { url, status }: ServiceAnswer): Query {
  if (!URL.canParse(next, url)) throw badAnswer(url, status, `its next page is \`${next}\``)
  const search = new URL(next, url).searchParams
  const said = [...new Set(search.keys())].map((name) => {
    const values = search.getAll(name)
    return [name, values.length === 1 ? values[0] : values] as const
  })
  return { ...asked, ...Object.fromEntries(said) }
}

/** Keystone cuts a list off at its own limit and has no next page. */
function truncated({ service, path, collection }: ServiceCall & { collection: string }, count: number): StepFailure {
  return new StepFailure('list_truncated', `\`${service}\` cut the list \`${path}\` off after ${count} ${collection}`, {
    hint: 'narrow it with a filter, or raise `list_limit` of the service',
    detail: { service, path, count },
  })
}

function loop({ service, path, collection }: ServiceCall & { collection: string }, count: number): StepFailure {
  return new StepFailure(
    'paging_loop',
    `\`${service}\` gives the same page of \`${path}\` again and again: ${count} ${collection}, and no end`,
    { hint: 'the list cannot be trusted to be whole: look at the service', detail: { service, path, count } },
  )
}
