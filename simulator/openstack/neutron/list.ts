import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { askedBy, booleans, integers } from './filters.ts'

interface Resource {
  readonly id: string
  readonly project_id?: string
}

const reserved = ['limit', 'marker', 'fields', 'sort_key', 'sort_dir', 'page_reverse']

/** What a collection knows besides its fields. */
export interface Manner {
  readonly plural: string
  /** Whether a project sees it though it is not its own. */
  readonly shared?: (one: object) => boolean
  /** What else may be filtered by, as `[name]` to the values a resource has under it. */
  readonly more?: { readonly [name: string]: (one: never) => readonly string[] }
}

/** A Neutron collection: own resources only unless the caller is an administrator; filters, `fields`, sorting, pages. */
export function list<T extends Resource>(request: ApiRequest, all: readonly T[], manner: Manner): Reply {
  const { query, token } = request
  const admin = token.roles.includes('admin')
  const visible = all.filter((one) => admin || one.project_id === projectOf(token) || manner.shared?.(one))
  const found = visible.filter(filter(query, manner))
  const { items, links } = page(request, sorted(found, query, manner.plural), manner.plural)
  const fields = query.getAll('fields')
  const seen = items.map((one) => seenBy(request, manner.plural, one))
  const shown = fields.length === 0 ? seen : seen.map((one) => pick(one, fields))
  return json(200, { [manner.plural]: shown, ...links })
}

/** What is said of a resource to an administrator alone, as Neutron's usual policy has it. */
const forAdmins: { readonly [plural: string]: readonly string[] } = {
  networks: ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'],
  ports: ['binding:host_id', 'binding:profile', 'binding:vif_details', 'binding:vif_type'],
  routers: ['distributed', 'ha'],
}

export function seenBy({ token }: ApiRequest, plural: string, one: object): object {
  const kept = forAdmins[plural] ?? []
  if (token.roles.includes('admin')) return one
  return Object.fromEntries(Object.entries(one).filter(([name]) => !kept.includes(name)))
}

function filter<T extends Resource>(query: URLSearchParams, { plural, more = {} }: Manner): (one: T) => boolean {
  const names = [...new Set(query.keys())].filter((name) => !reserved.includes(name))
  const known = askedBy[plural]?.filter ?? []
  const wrong = names.filter((name) => !known.includes(name))
  if (wrong.length > 0) throw badRequest(`${listed(wrong)} is invalid attribute for filtering`)
  const asked = names.map((name) => ({ name, values: query.getAll(name).map((value) => converted(name, value)) }))
  return (one) =>
    asked.every(({ name, values }) => {
      if (/^(not-)?tags(-any)?$/.test(name)) return tagged(one, name, values)
      const has = more[name]?.(one as never) ?? valuesOf(Reflect.get(one, name))
      return values.some((wanted) => has.some((value) => same(value, wanted)))
    })
}

const listed = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(', ')}]`

const badRequest = (message: string): ApiFailure => new ApiFailure(400, message, { kind: 'HTTPBadRequest' })

/** A value of a query as Neutron reads it. */
function converted(name: string, value: string): string {
  const invalid = (why: string) =>
    new ApiFailure(400, `Invalid input for operation: '${value}' ${why}.`, { kind: 'InvalidInput' })
  if (booleans.includes(name)) {
    const found = { true: 'true', '1': 'true', false: 'false', '0': 'false' }[value.toLowerCase()]
    if (found === undefined) throw invalid('cannot be converted to boolean')
    return found
  }
  if (integers.includes(name) && !/^-?\d+$/.test(value)) throw invalid('is not an integer')
  return value
}

/** All of the tags, one of them, not all, or none; several in one value are separated by commas. */
function tagged(one: object, name: string, values: readonly string[]): boolean {
  const has = valuesOf(Reflect.get(one, 'tags') ?? [])
  const wanted = values.flatMap((value) => value.split(','))
  const found = name.endsWith('-any')
    ? wanted.some((tag) => has.includes(tag))
    : wanted.every((tag) => has.includes(tag))
  return found !== name.startsWith('not-')
}

const valuesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value ?? '')])

const booleanText: { readonly [text: string]: string } = { True: 'true', False: 'false' }
const same = (value: string, wanted: string): boolean => value === wanted || value === booleanText[wanted]

function sorted<T extends Resource>(items: readonly T[], query: URLSearchParams, plural: string): T[] {
  const keys = query.getAll('sort_key').filter(Boolean)
  const directions = query.getAll('sort_dir').filter(Boolean)
  if (keys.length !== directions.length) throw badRequest('The number of sort_keys and sort_dirs must be same')
  const wrong = keys.filter((key) => askedBy[plural]?.sort.includes(key) !== true)
  if (wrong.length > 0) throw badRequest(`${listed(wrong)} is invalid attribute for sort_keys`)
  const odd = directions.filter((direction) => !['asc', 'desc'].includes(direction))
  if (odd.length > 0) {
    throw badRequest(`${listed(odd)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`)
  }
  const of = (one: T, key: string) => String(Reflect.get(one, key) ?? '')
  return [...items].sort((a, b) => {
    for (const [index, key] of keys.entries()) {
      const sign = directions[index] === 'desc' ? -1 : 1
      if (of(a, key) !== of(b, key)) return of(a, key) < of(b, key) ? -sign : sign
    }
    return a.id < b.id ? -1 : 1
  })
}

function page<T extends Resource>(
  { query, origin, path }: ApiRequest,
  all: readonly T[],
  plural: string,
): { readonly items: readonly T[]; readonly links: object } {
  const asked = query.get('limit')
  // a marker without a limit is not looked at
  const marker = asked === null ? null : query.get('marker')
  if (asked !== null && !/^\d+$/.test(asked)) {
    const message = `Bad limit request: Limit must be an integer 0 or greater and not '${asked}'.`
    throw new ApiFailure(400, message, { kind: 'BadRequest' })
  }
  const place = all.findIndex(({ id }) => id === marker)
  if (marker !== null && place === -1) throw notFound(plural, marker)
  const limit = Number(asked ?? 0) || Number.POSITIVE_INFINITY
  const back = query.get('page_reverse')?.toLowerCase() === 'true'
  const end = marker === null ? all.length : place
  const items = back ? all.slice(Math.max(0, end - limit), end) : all.slice(place + 1, place + 1 + limit)
  const rel = (name: string, id: string | undefined, reverse: boolean) => {
    const next = new URLSearchParams(query)
    next.delete('marker')
    next.delete('page_reverse')
    if (id !== undefined) next.set('marker', id)
    if (reverse) next.set('page_reverse', 'True')
    return { rel: name, href: `${origin}${path}?${next}` }
  }
  const links = [
    // a page that is not full is the last one in its direction, and only in that
    ...(items.length === limit || back ? [rel('next', items.at(-1)?.id, false)] : []),
    ...(items.length === limit || !back ? [rel('previous', items[0]?.id, true)] : []),
  ]
  return { items, links: Number.isFinite(limit) ? { [`${plural}_links`]: links } : {} }
}

function pick(one: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(one).filter(([name]) => fields.includes(name)))
}

/** One resource by its id. Throws `ApiFailure` 404 in Neutron's words: `PortNotFound`. */
export function find<T extends Resource>(
  { params: { id = '' }, token }: ApiRequest,
  all: readonly T[],
  { plural, shared }: { plural: string; shared?: (one: T) => boolean },
): T {
  const found = all.find((one) => one.id === id)
  const mine = found && (token.roles.includes('admin') || found.project_id === projectOf(token) || shared?.(found))
  if (!found || !mine) throw notFound(plural, id)
  return found
}

/** How Neutron calls what it does not find; routers and floating addresses without a full stop. */
const missing: { readonly [plural: string]: { readonly kind: string; readonly words: (id: string) => string } } = {
  agents: { kind: 'AgentNotFound', words: (id) => `Agent ${id} could not be found.` },
  networks: { kind: 'NetworkNotFound', words: (id) => `Network ${id} could not be found.` },
  subnets: { kind: 'SubnetNotFound', words: (id) => `Subnet ${id} could not be found.` },
  ports: { kind: 'PortNotFound', words: (id) => `Port ${id} could not be found.` },
  routers: { kind: 'RouterNotFound', words: (id) => `Router ${id} could not be found` },
  floatingips: { kind: 'FloatingIPNotFound', words: (id) => `Floating IP ${id} could not be found` },
  security_groups: { kind: 'SecurityGroupNotFound', words: (id) => `Security group ${id} does not exist` },
}

function notFound(plural: string, id: string): ApiFailure {
  const { kind, words } = missing[plural] ?? { kind: 'HTTPNotFound', words: () => 'The resource could not be found.' }
  return new ApiFailure(404, words(id), { kind })
}
