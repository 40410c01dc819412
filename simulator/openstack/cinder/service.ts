import type { CloudWorld } from '../cloud.ts'
import {
  ApiFailure,
  type ApiRequest,
  idHeader,
  idHeaders,
  json,
  type Reply,
  type Route,
  type Service,
} from '../http/api.ts'
import { healthRoute, healthy } from '../http/health.ts'
import { fits, isOn, nextLink, pageOf } from '../http/paging.ts'
import { barePage, middlewareUnauthorized } from '../http/webob.ts'
import { projectOf, type Token } from '../keystone/state.ts'
import { failure } from '../nova/service.ts'
import { changeRoutes } from './changes.ts'
import { quotaRoute } from './quotas.ts'
import { backupView, poolsOf, serviceView, snapshotView, volumeView } from './views.ts'
import { typeRoutes } from './volume-types.ts'

const max = 70

/** Cinder v3, 3.0 to 3.70. */
export function cinderService(world: CloudWorld): Service {
  const { cinder } = world.cloud
  const api: Route[] = [
    {
      method: 'GET',
      path: '/os-services',
      admin: 'volume_extension:services:index',
      handle: ({ query, version }) => {
        const found = cinder.services.filter(
          ({ name, host, binary }) =>
            (fits(query, 'host', name) || fits(query, 'host', host)) && fits(query, 'binary', binary),
        )
        return json(200, { services: found.map((service) => serviceView(world, service, version)) })
      },
    },
    {
      method: 'GET',
      path: '/scheduler-stats/get_pools',
      admin: 'scheduler_extension:scheduler_stats:get_pools',
      handle: ({ query }) => json(200, { pools: poolsOf(world, isOn(query, 'detail')) }),
    },
    ...collection('volumes', 'Volume', cinder.volumes, (one, request) => volumeView(cinder, one, request)),
    ...collection('snapshots', 'Snapshot', cinder.snapshots, snapshotView),
    ...collection('backups', 'Backup', cinder.backups, backupView),
    ...changeRoutes(world),
    ...typeRoutes(),
    quotaRoute(cinder),
  ]
  return {
    name: 'cinder',
    microversions: { service: 'volume', major: 3, min: 0, max },
    projectInPath: /^(\/v3)\/([0-9a-f]{32})(?=\/.)/,
    checkProject,
    routes: [
      { method: 'GET', path: '/', open: true, handle: ({ origin }) => json(300, { versions: [version(origin)] }) },
      { method: 'GET', path: '/v3', handle: ({ origin }) => json(200, { versions: [version(origin)] }) },
      healthRoute(healthy),
      ...api.map((route) => ({ ...route, path: `/v3${route.path}` })),
    ],
    idHeaders,
    guarded: /^\/v3(\/|$)/,
    failure,
    unknownPath: ({ accept }) => ({
      ...barePage(404, 'The resource could not be found.', accept),
      idHeaders: [idHeader],
    }),
    unauthorized: (keystone) => ({ ...middlewareUnauthorized(keystone), idHeaders: [idHeader] }),
  }
}

function checkProject(project: string, token: Token): void {
  if (project !== projectOf(token)) throw new ApiFailure(400, 'Malformed request url')
}

const version = (origin: string) => ({
  id: 'v3.0',
  status: 'CURRENT',
  version: `3.${max}`,
  min_version: '3.0',
  updated: '2022-08-31T00:00:00Z',
  links: [
    { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
    { rel: 'self', href: `${origin}/v3/` },
  ],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
})

interface Owned {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly project: string
  readonly createdAt: number
}

function collection<T extends Owned>(
  plural: string,
  noun: string,
  all: readonly T[],
  view: (one: T, request: ApiRequest) => object,
): Route[] {
  const singular = plural.slice(0, -1)
  const short = (one: T, request: ApiRequest) => {
    const full = view(one, request) as { links?: unknown }
    return { id: one.id, name: one.name, ...(full.links ? { links: full.links } : {}) }
  }
  const shown = (request: ApiRequest, how: typeof view): Reply => {
    const page = pageOf(sorted(all.filter(visible(request)), request), request, {
      max: 1000,
      refusals: {
        limit: () => new ApiFailure(400, 'limit param must be positive'),
        marker: (marker) => new ApiFailure(404, `${noun} ${marker} could not be found.`),
      },
    })
    return json(200, { [plural]: page.items.map((one) => how(one, request)), ...nextLink(plural, page) })
  }
  return [
    { method: 'GET', path: `/${plural}`, unrehearsed, handle: (request) => shown(request, short) },
    { method: 'GET', path: `/${plural}/detail`, unrehearsed, handle: (request) => shown(request, view) },
    {
      method: 'GET',
      path: `/${plural}/:id`,
      handle: (request) => {
        const { id = '' } = request.params
        const mine = ({ project }: T) => project === projectOf(request.token) || request.token.roles.includes('admin')
        const found = all.find((one) => one.id === id && mine(one))
        if (!found) throw new ApiFailure(404, `${noun} ${id} could not be found.`)
        return json(200, { [singular]: view(found, request) })
      },
    },
  ]
}

/** What volumes, snapshots and backups are not looked for by in a rehearsal. */
const unrehearsed = [
  ...['metadata', 'glance_metadata', 'bootable', 'migration_status', 'availability_zone', 'group_id', 'size', 'host'],
  ...['created_at', 'updated_at', 'consumes_quota', 'use_quota', 'with_count', 'offset', 'sort_key', 'sort_dir'],
  ...[
    'user_id',
    'tenant_id',
    'volume_type_id',
    'snapshot_id',
    'source_volid',
    'attach_status',
    'id',
    'encryption_key_id',
  ],
  ...['display_name', 'name~', 'status~', 'cluster_name', 'image_metadata', 'no_migration_targets', 'multiattach'],
]

function visible({ query, token }: ApiRequest): (one: Owned) => boolean {
  const admin = token.roles.includes('admin')
  // to those who are no administrators the word means nothing
  const everyone = admin && query.has('all_tenants') && isOn(query, 'all_tenants')
  return (one) =>
    (everyone || one.project === projectOf(token)) &&
    fits(query, 'status', one.status) &&
    fits(query, 'name', one.name) &&
    (!everyone || fits(query, 'project_id', one.project)) &&
    fits(query, 'volume_id', (one as { volume?: string }).volume)
}

function sorted<T extends Owned>(all: readonly T[], { query }: ApiRequest): T[] {
  const [key = 'created_at', direction = 'desc'] = (query.get('sort') ?? 'created_at:desc').split(':')
  const of = (one: T) => (key === 'created_at' ? one.createdAt : String(Reflect.get(one, key) ?? ''))
  const sign = direction === 'asc' ? 1 : -1
  return [...all].sort((a, b) => {
    if (of(a) !== of(b)) return of(a) < of(b) ? -sign : sign
    return a.id < b.id ? -sign : sign
  })
}
