import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { fits, isOn, momentIn, nextLink, pageOf } from '../http/paging.ts'
import { micro } from '../time.ts'
import { serverOf } from './find.ts'
import { abortLiveMigration, forceLiveMigration } from './live-migration.ts'
import { nameOf } from './names.ts'
import { askerOf, conflict, refuseLocked } from './server-actions.ts'
import type { Migration, NovaServer } from './state.ts'

/** Statuses of a live migration that `servers/{id}/migrations` still shows. */
const inProgress = ['queued', 'preparing', 'running', 'post-migrating']

const query = {
  since: 59,
  names: [
    ...['hidden', 'host', 'instance_uuid', 'source_compute', 'status', 'migration_type', 'limit', 'marker'],
    'changes-since',
  ],
  later: { 'changes-before': 66, user_id: 80, project_id: 80 },
}

export function migrationRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/os-migrations',
      admin: 'os_compute_api:os-migrations:index',
      query,
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
        return json(200, { migrations: running.map((migration) => progressView(world, migration, request)) })
      },
    },
    {
      method: 'GET',
      path: '/servers/:id/migrations/:migration',
      since: 23,
      admin: 'os_compute_api:servers:migrations:show',
      handle: (request) => showProgress(world, request),
    },
    {
      method: 'DELETE',
      path: '/servers/:id/migrations/:migration',
      since: 24,
      admin: 'os_compute_api:servers:migrations:delete',
      handle: (request) => abort(world, request),
    },
    {
      method: 'POST',
      path: '/servers/:id/migrations/:migration/action',
      since: 22,
      admin: 'os_compute_api:servers:migrations:force_complete',
      handle: (request) => forceComplete(world, request),
    },
  ]
}

function showProgress(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  const wanted = request.params['migration'] ?? ''
  const found = migrationOf(world, server, wanted)
  if (!found) {
    throw new ApiFailure(404, `In-progress live migration ${wanted} is not found for server ${server.id}.`)
  }
  if (found.kind !== 'live-migration') {
    throw new ApiFailure(404, `Migration ${wanted} for server ${server.id} is not live-migration.`)
  }
  if (!inProgress.includes(found.status)) {
    throw new ApiFailure(404, `Live migration ${wanted} for server ${server.id} is not in progress.`)
  }
  return json(200, { migration: progressView(world, found, request) })
}

function abort(world: CloudWorld, request: ApiRequest): Reply {
  const { server, migration } = movingOf(world, request, 'abort live migration')
  const allowed = request.version >= 65 ? ['running', 'queued', 'preparing'] : ['running']
  if (!allowed.includes(migration.status)) throw wrongState(server, migration, 'abort live migration')
  world.effect('openstack.server_migration.abort', nameOf(server), { migration: migration.id })
  abortLiveMigration(world, server, migration, askerOf(request))
  return { status: 202 }
}

function forceComplete(world: CloudWorld, request: ApiRequest): Reply {
  const [action] = Object.keys((request.body ?? {}) as object)
  if (action !== 'force_complete') throw new ApiFailure(400, `There is no such action: ${action}`)
  const server = serverOf(world, request)
  if (server.vmState !== 'active') throw conflict(server, 'force_complete', 'vm_state', server.vmState)
  const { migration } = movingOf(world, request, 'force_complete', 400)
  if (migration.status !== 'running') throw wrongState(server, migration, 'force complete')
  world.effect('openstack.server_migration.force_complete', nameOf(server), { migration: migration.id })
  forceLiveMigration(world, server, migration, askerOf(request))
  return { status: 202 }
}

/** The server and the migration of a path, where the server is on its way. */
function movingOf(world: CloudWorld, request: ApiRequest, action: string, status = 404) {
  const server = serverOf(world, request)
  refuseLocked(server, request)
  if (server.taskState !== 'migrating') throw conflict(server, action, 'task_state', server.taskState)
  const wanted = request.params['migration'] ?? ''
  const migration = migrationOf(world, server, wanted)
  if (!migration) throw new ApiFailure(status, `Migration ${wanted} not found for instance ${server.id}`)
  return { server, migration }
}

const migrationOf = ({ cloud: { nova } }: CloudWorld, { id }: NovaServer, wanted: string): Migration | undefined =>
  nova.migrations.find((one) => one.server === id && String(one.id) === wanted)

const wrongState = ({ id }: NovaServer, migration: Migration, action: string) =>
  new ApiFailure(
    400,
    `Migration ${migration.id} state of instance ${id} is ${migration.status}. Cannot ${action} while the migration is in this state.`,
  )

function list(world: CloudWorld, request: ApiRequest): Reply {
  const { query, version } = request
  const since = version >= 59 ? momentIn(query, 'changes-since') : undefined
  const before = version >= 66 ? momentIn(query, 'changes-before') : undefined
  const host = query.get('host')
  const found = world.cloud.nova.migrations
    .filter(
      (one) =>
        (host === null || one.source === host || one.destination === host) &&
        // none of them is hidden
        !(query.has('hidden') && isOn(query, 'hidden')) &&
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

const view = (migration: Migration, version: number): object => ({
  id: migration.id,
  ...(version >= 59 && { uuid: migration.uuid }),
  source_compute: migration.source,
  dest_compute: migration.destination,
  source_node: migration.source,
  dest_node: migration.destination,
  dest_host: null,
  old_instance_type_id: migration.flavor,
  new_instance_type_id: migration.newFlavor ?? migration.flavor,
  instance_uuid: migration.server,
  status: migration.status,
  ...(version >= 23 && { migration_type: migration.kind }),
  ...(version >= 80 && { user_id: migration.user, project_id: migration.project }),
  created_at: micro(migration.createdAt),
  updated_at: micro(migration.updatedAt),
})

function progressView(world: CloudWorld, migration: Migration, { version }: ApiRequest): object {
  const server = world.cloud.nova.servers.find(({ id }) => id === migration.server)
  const memory = memoryOf(world, migration, server)
  const disk = disksOf(world, migration, server)
  return {
    id: migration.id,
    ...(version >= 59 && { uuid: migration.uuid }),
    server_uuid: migration.server,
    source_compute: migration.source,
    dest_compute: migration.destination,
    source_node: migration.source,
    dest_node: migration.destination,
    dest_host: null,
    status: migration.status,
    memory_total_bytes: memory.total,
    memory_processed_bytes: memory.processed,
    memory_remaining_bytes: memory.remaining,
    disk_total_bytes: disk.total,
    disk_processed_bytes: disk.processed,
    disk_remaining_bytes: disk.remaining,
    created_at: micro(migration.createdAt),
    updated_at: micro(migration.updatedAt),
    ...(version >= 80 && { user_id: migration.user, project_id: migration.project }),
  }
}

/** What has come over: the disks first, and before they have, nothing is known of the memory. */
function disksOf({ clock }: CloudWorld, { transfer }: Migration, server: NovaServer | undefined): Amounts {
  if (!transfer) return unknown
  const total = transfer.disks === 0 ? 0 : (server?.flavor.disk ?? 0) * 1024 ** 3
  const processed =
    transfer.disks === 0 ? 0 : Math.round(total * Math.min(1, (clock.now() - transfer.startedAt) / transfer.disks))
  return { total, processed, remaining: total - processed }
}

/** Of one that stalls the rest goes up and down, while ever more is sent. */
function memoryOf({ clock }: CloudWorld, { transfer }: Migration, server: NovaServer | undefined): Amounts {
  if (!transfer) return unknown
  const total = (server?.flavor.ram ?? 0) * 1024 ** 2
  const elapsed = clock.now() - transfer.startedAt - transfer.disks
  if (elapsed < 0) return { total: 0, processed: 0, remaining: 0 }
  if (!Number.isFinite(transfer.memory)) {
    const remaining = Math.round(total * (0.2 + 0.08 * Math.abs(Math.sin(elapsed / 7000))))
    return { total, processed: Math.round((total * 0.8 * elapsed) / 4000), remaining }
  }
  const processed = Math.round(total * Math.min(0.98, elapsed / transfer.memory))
  return { total, processed, remaining: total - processed }
}

interface Amounts {
  readonly total: number | null
  readonly processed: number | null
  readonly remaining: number | null
}

const unknown: Amounts = { total: null, processed: null, remaining: null }
