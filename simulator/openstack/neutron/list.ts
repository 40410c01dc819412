import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'

interface Resource {
  readonly id: string
  readonly project_id?: string
}

const reserved = ['limit', 'marker', 'fields', 'sort_key', 'sort_dir', 'page_reverse']

/** What a collection knows besides its fields. */
export interface Manner {
  readonly plural: string
  /** Fields that are shown but cannot be filtered by: asking for it is an error, not an empty filter. */
  readonly noFilter?: readonly string[]
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
  const found = visible.filter(filter(query, all, manner))
  const { items, links } = page(request, sorted(found, query), manner.plural)
  const fields = query.getAll('fields')
  const shown = fields.length === 0 ? items : items.map((one) => pick(one, fields))
  return json(200, { [manner.plural]: shown, ...links })
}

function filter<T extends Resource>(
  query: URLSearchParams,
  all: readonly T[],
  { noFilter = [], more = {} }: Manner,
): (one: T) => boolean {
  const names = [...new Set(query.keys())].filter((name) => !reserved.includes(name))
  const known = new Set(all.flatMap((one) => Object.keys(one)))
  const wrong = names.filter((name) => noFilter.includes(name) || (all.length > 0 && !known.has(name) && !more[name]))
  if (wrong.length > 0) {
    const message = `[${wrong.map((name) => `'${name}'`).join(', ')}] is invalid attribute for filtering`
    throw new ApiFailure(400, message, { kind: 'HTTPBadRequest' })
  }
  return (one) =>
    names.every((name) => {
      const has = more[name]?.(one as never) ?? valuesOf(Reflect.get(one, name))
      return query.getAll(name).some((wanted) => has.some((value) => same(value, wanted)))
    })
}

const valuesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value ?? '')])

const booleans: { readonly [text: string]: string } = { True: 'true', False: 'false', '1': 'true', '0': 'false' }
const same = (value: string, wanted: string): boolean => value === wanted || value === booleans[wanted]

function sorted<T extends Resource>(items: readonly T[], query: URLSearchParams): T[] {
  const keys = query.getAll('sort_key')
  const directions = query.getAll('sort_dir')
  const wrong = keys.filter((key) => items.length > 0 && !items.some((one) => key in one))
  if (wrong.length > 0) {
    const message = `[${wrong.map((key) => `'${key}'`).join(', ')}] is invalid attribute for sort_keys`
    throw new ApiFailure(400, message, { kind: 'HTTPBadRequest' })
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
  const start = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1
  if (marker !== null && start === 0) throw notFound(plural, marker)
  const limit = Number(asked ?? 0) || Number.POSITIVE_INFINITY
  const items = all.slice(start, start + limit)
  const rel = (name: string, id: string | undefined, reverse: boolean) => {
    const next = new URLSearchParams(query)
    next.set('marker', id ?? '')
    if (reverse) next.set('page_reverse', 'True')
    return { rel: name, href: `${origin}${path}?${next}` }
  }
  const links = [
    ...(items.length === limit ? [rel('next', items.at(-1)?.id, false)] : []),
    ...(marker !== null ? [rel('previous', items[0]?.id, true)] : []),
  ]
  return { items, links: links.length > 0 && asked !== null ? { [`${plural}_links`]: links } : {} }
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
