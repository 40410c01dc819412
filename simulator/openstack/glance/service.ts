import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Service } from '../http/api.ts'
import { healthRoute, healthyUnnamed } from '../http/health.ts'
import { pageOf } from '../http/paging.ts'
import { barePage, middlewareUnauthorized } from '../http/webob.ts'
import { projectOf } from '../keystone/state.ts'
import { zulu } from '../time.ts'
import { createImage, removeImage, upload } from './changes.ts'
import { contentOf, type Image } from './state.ts'

/** Glance v2. */
export function glanceService(world: CloudWorld): Service {
  const { glance } = world.cloud
  return {
    name: 'glance',
    routes: [
      { method: 'GET', path: '/', open: true, handle: ({ origin }) => versionsReply(300, origin) },
      { method: 'GET', path: '/versions', open: true, handle: ({ origin }) => versionsReply(200, origin) },
      healthRoute(healthyUnnamed),
      { method: 'GET', path: '/v2/images', unrehearsed, handle: (request) => list(glance.images, request) },
      {
        method: 'GET',
        path: '/v2/images/:id',
        handle: (request) => {
          const { id = '' } = request.params
          const found = glance.images.find((one) => one.id === id && visible(request)(one))
          if (!found) throw new ApiFailure(404, `No image found with ID ${id}`)
          return json(200, view(found))
        },
      },
      { method: 'POST', path: '/v2/images', handle: (request) => json(201, view(createImage(world, request))) },
      { method: 'PUT', path: '/v2/images/:id/file', handle: (request) => upload(world, request) },
      { method: 'DELETE', path: '/v2/images/:id', handle: (request) => removeImage(world, request) },
    ],
    guarded: below,
    failure: ({ status, message }, { accept }) => barePage(status, message, accept),
    unknownPath: ({ accept, origin, path }) =>
      below.test(path) ? barePage(404, 'The resource could not be found.', accept) : versionsReply(300, origin),
    unauthorized: (keystone, { accept }) => {
      const page = barePage(401, refusal, accept)
      const { headers } = middlewareUnauthorized(keystone)
      return { ...page, headers: { ...headers, ...page.headers }, idHeaders: [] }
    },
  }
}

const below = /^\/v2(\/|$)/
const refusal =
  'This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.'

const refusals = {
  limit: () => new ApiFailure(400, 'limit param must be positive'),
  marker: (marker: string) => new ApiFailure(400, `No image found with ID ${marker}`),
}

const versionsReply = (status: number, origin: string): Reply => ({
  ...json(status, { versions: versions(origin) }),
  idHeaders: [],
})

const supported = ['v2.15', 'v2.13', 'v2.12', 'v2.11', 'v2.10', 'v2.9', 'v2.8', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3']

const versions = (origin: string) =>
  [...supported, 'v2.2', 'v2.1', 'v2.0'].map((id, index) => ({
    id,
    status: index === 0 ? 'CURRENT' : 'SUPPORTED',
    links: [{ rel: 'self', href: `${origin}/v2/` }],
  }))

/** Pages of 25 unless more is asked for; the next one is named by a path, not by an address. */
function list(images: readonly Image[], request: ApiRequest): Reply {
  const { query } = request
  const wanted = query
    .getAll('status')
    .flatMap((status) => (status.startsWith('in:') ? status.slice(3).split(',') : [status]))
  const found = images
    .filter(
      (one) => visible(request)(one) && (wanted.length === 0 || wanted.includes(one.status)) && fitsFields(one, query),
    )
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const page = pageOf(found, request, { max: 1000, usual: 25, refusals })
  const first = [...query].filter(([name]) => name !== 'marker')
  const start = first.length > 0 ? `/v2/images?${new URLSearchParams(first)}` : '/v2/images'
  return json(200, {
    images: page.items.map(view),
    first: start,
    ...(page.next && { next: page.next.slice(request.origin.length) }),
    schema: '/v2/schemas/images',
  })
}

/** What images are not looked for or sorted by in a rehearsal. */
const unrehearsed = [
  ...['tag', 'member_status', 'created_at', 'updated_at', 'size_min', 'size_max', 'changes-since'],
  ...['sort', 'sort_key', 'sort_dir'],
]
const understood = ['status', 'limit', 'marker']

/** Any other name is that of a field, or of a property that somebody gave it. */
function fitsFields(one: Image, query: URLSearchParams): boolean {
  const fields = view(one) as { readonly [name: string]: unknown }
  return [...new Set(query.keys())].every((name) => {
    if (understood.includes(name)) return true
    const several = ['id', 'name', 'disk_format', 'container_format'].includes(name)
    const values = query.getAll(name).flatMap((value) => {
      return several && value.startsWith('in:') ? value.slice(3).split(',') : [value]
    })
    if (name === 'visibility' && values.includes('all')) return true
    const has = fields[name]
    return typeof has === 'boolean'
      ? values.some((value) => value.toLowerCase() === String(has))
      : values.includes(String(has))
  })
}

const visible =
  ({ token }: ApiRequest) =>
  ({ visibility, owner }: Image): boolean =>
    visibility === 'public' || visibility === 'community' || owner === projectOf(token) || token.roles.includes('admin')

const view = (image: Image): object => ({
  ...image.properties,
  name: image.name,
  visibility: image.visibility,
  status: image.status,
  protected: false,
  min_ram: image.least?.ram ?? 0,
  min_disk: image.least?.disk ?? 0,
  owner: image.owner,
  os_hidden: false,
  ...contentOf(image),
  id: image.id,
  created_at: zulu(image.createdAt),
  updated_at: zulu(image.updatedAt),
  tags: [],
  self: `/v2/images/${image.id}`,
  file: `/v2/images/${image.id}/file`,
  schema: '/v2/schemas/image',
})
