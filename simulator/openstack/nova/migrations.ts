import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { fits, nextLink, pageOf } from '../http/paging.ts'
import { micro } from '../time.ts'
import { serverOf } from './find.ts'
import type { Migration } from './state.ts'

/** Statuses of a live migration that `servers/{id}/migrations` still shows. */
const inProgress = ['queued', 'preparing', 'running', 'post-migrating']

const filters = [
  ...['hidden', 'host', 'instance_uuid', 'source_compute', 'status', 'migration_type', 'limit', 'marker'],
  ...['changes-since', 'changes-before', 'user_id', 'project_id'],
]

export function migrationRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/os-migrations',
      admin: 'os_compute_api:os-migrations:index',
      query: { since: 59, names: filters },
      handle: (request) => list(world, request),
    },
    {
      method: 'GET',
      path: '/servers/:id/migrations',
      since: 23,
      admin: 'os_compute_api:servers:migrations:index',
      handle: (request) => {
        const { id } = serverOf(world, request)
        const running = world.cloud.nova.migrations.filter(
          ({ server, kind, status }) => server === id && kind === 'live-migration' && inProgress.includes(status),
        )
        return json(200, { migrations: running.map((migration) => progressView(migration, request)) })
      },
    },
  ]
}

function list(world: CloudWorld, request: ApiRequest): Reply {
  const { query, version } = request
  const since = version >= 59 ? moment(query, 'changes-since') : undefined
  const before = version >= 66 ? moment(query, 'changes-before') : undefined
  const host = query.get('host')
  const found = world.cloud.nova.migrations
    .filter(
      (one) =>
        (host === null || one.source === host || one.destination === host) &&
        // one value, compared as it is: a list separated by commas names no status
        fits(query, 'status', one.status) &&
        fits(query, 'source_compute', one.source) &&
        fits(query, 'instance_uuid', one.server) &&
        fits(query, 'migration_type', one.kind) &&
        (version < 80 || (fits(query, 'user_id', one.user) && fits(query, 'project_id', one.project))) &&
        (since === undefined || one.updatedAt >= since) &&
        (before === undefined || one.updatedAt <= before),
    )
    .sort((a, b) => b.createdAt - a.createdAt || b.id - a.id)
  if (version < 59) return json(200, { migrations: found.map((one) => view(one, version)) })
  const byUuid = found.map((migration) => ({ id: migration.uuid, migration }))
  const page = pageOf(byUuid, request, { max: 1000 })
  const migrations = page.items.map(({ migration }) => view(migration, version))
  return json(200, { migrations, ...nextLink('migrations', page) })
}

function moment(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const at = Date.parse(/([zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(at)) throw new ApiFailure(400, `Invalid input for query parameters ${name}. Value: ${text}.`)
  return at
}

const view = (migration: Migration, version: number): object => ({
  id: migration.id,
  ...(version >= 59 && { uuid: migration.uuid }),
  source_compute: migration.source,
  dest_compute: migration.destination,
  source_node: migration.source,
  dest_node: migration.destination,
  dest_host: null,
  old_instance_type_id: migration.flavor,
  new_instance_type_id: migration.flavor,
  instance_uuid: migration.server,
  status: migration.status,
  ...(version >= 23 && { migration_type: migration.kind }),
  ...(version >= 80 && { user_id: migration.user, project_id: migration.project }),
  created_at: micro(migration.createdAt),
  updated_at: micro(migration.updatedAt),
})

const progressView = (migration: Migration, { version }: ApiRequest): object => ({
  id: migration.id,
  ...(version >= 59 && { uuid: migration.uuid }),
  server_uuid: migration.server,
  source_compute: migration.source,
  dest_compute: migration.destination,
  source_node: migration.source,
  dest_node: migration.destination,
  dest_host: null,
  status: migration.status,
  memory_total_bytes: null,
  memory_processed_bytes: null,
  memory_remaining_bytes: null,
  disk_total_bytes: null,
  disk_processed_bytes: null,
  disk_remaining_bytes: null,
  created_at: micro(migration.createdAt),
  updated_at: micro(migration.updatedAt),
  ...(version >= 80 && { user_id: migration.user, project_id: migration.project }),
})
