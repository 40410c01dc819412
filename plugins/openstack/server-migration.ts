import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, objectIn } from './call.ts'
import { apiObject, dateOfAnswer, orNull, paramsOf } from './fields.ts'
import { findServer, serverParam } from './find-server.ts'
import { detailOf, type Look, type Verdict } from './follow.ts'
import { objectsIn, textAt } from './json-body.ts'
import { notYet, restsIn } from './judges.ts'
import { segment } from './list.ts'
import { migrationItem } from './migration-item.ts'
import { nameOf, type Operation, type Prepared } from './operation.ts'
import { operationAction } from './operation-action.ts'
import { migrationsOf } from './records.ts'
import { hostOf, taskOf } from './server-state.ts'
import { sessionOf } from './session.ts'
import { computeVersions } from './versions.ts'

const bytes = (what: string) => whole(`${what}, bytes; null where the driver does not say`)

const list: WorkAction = {
  name: 'openstack.server_migration.list',
  summary: 'the live migrations of a server that are under way, with what is left of them',
  description: 'Those that are over are in `openstack.migration.list`.',
  effect: 'read',
  params: paramsOf({ server: serverParam }, ['server']),
  result: closedObject({
    migrations: listOf(
      apiObject(
        'A migration under way',
        {
          id: whole('Number'),
          uuid: text('UUID'),
          server_uuid: text('The server'),
          status: text('`queued`, `preparing`, `running`, `post-migrating`'),
          source_compute: text('From this host'),
          dest_compute: text('To this host'),
          source_node: text('From this hypervisor'),
          dest_node: text('To this hypervisor'),
          dest_host: text('Address of the destination'),
          memory_total_bytes: bytes('Memory of the guest'),
          memory_processed_bytes: bytes('Memory that went over'),
          memory_remaining_bytes: bytes('Memory that is left'),
          disk_total_bytes: bytes('Disks'),
          disk_processed_bytes: bytes('Disks that went over'),
          disk_remaining_bytes: bytes('Disks that are left'),
          user_id: text('Who asked for it'),
          project_id: text('Project of who asked'),
          created_at: text('When it began, without a zone'),
          updated_at: text('When it last changed, without a zone'),
        },
        ['id', 'status'],
      ),
      'Those under way',
    ),
    date: dateOfAnswer,
  }),
  examples: [{ server: 'vm1' }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { server } = await findServer(session, String(params['server']), signal)
    const path = `/servers/${segment(server['id'])}/migrations`
    const answer = await call(session, { service: 'compute', path, microversion: computeVersions }, signal)
    return { migrations: objectsIn(objectIn(answer)['migrations']), date: answer.date }
  },
}

const params = { migration: whole('Its number, as `openstack.server_migration.list` shows it', { minimum: 1 }) }
const result = { migration: orNull(migrationItem), host: orNull(text('The host the server is on now')) }

const statusOf = (migrations: readonly JsonObject[] | undefined, { migration }: JsonObject): string =>
  textAt(
    migrations?.find(({ id }) => id === migration),
    'status',
  ) ?? ''

/** What is done to a live migration that is under way. */
function onMigration(
  own: Pick<Operation, 'summary' | 'description' | 'idempotent' | 'action' | 'request' | 'judge'> & {
    readonly verb: 'abort' | 'force_complete'
    readonly wanted: string
    readonly allowed: readonly string[]
    readonly says: string
  },
): Operation {
  const { verb, wanted, allowed, says, ...more } = own
  return {
    ...more,
    name: `openstack.server_migration.${verb}`,
    effect: 'change',
    params,
    required: ['migration'],
    example: { migration: 7 },
    result,
    breaksInto: (task) => task === 'migrating',
    holds: (server, asked, migrations) => taskOf(server) === null && statusOf(migrations, asked) === wanted,
    migrates: { types: ['live-migration'], own: false, named: true },
    async prepare({ session, server, params: asked }, signal) {
      const status = statusOf(await migrationsOf(session, String(server['id']), signal), asked)
      if (status === '')
        throw new StepFailure('not_found', `\`${nameOf(server)}\` has no migration ${String(asked['migration'])}`)
      if (!allowed.includes(status))
        throw new StepFailure(
          'wrong_state',
          `the migration is \`${status}\`: \`${verb}\` works while it is ${allowed.map((one) => `\`${one}\``).join(', ')}`,
          {
            detail: {
              server: server['id'] ?? null,
              migration: asked['migration'] ?? null,
              status,
              allowed: [...allowed],
            },
          },
        )
      return { status }
    },
    failure: 'migration_failed',
    grace: 60_000,
    preview: ({ server, params: asked, found }: Prepared) => ({
      summary: `would ${says} the migration of \`${nameOf(server)}\``,
      changes: [
        { path: `migration ${String(asked['migration'])}.status`, before: found['status'] ?? null, after: wanted },
      ],
    }),
  }
}

/** It came to another end than was wanted. */
function otherEnd(look: Look, status: string): StepFailure {
  const host = hostOf(look.seen.server)
  return new StepFailure(
    status === 'completed' ? 'migration_completed' : 'migration_failed',
    `the migration ended \`${status}\`; the server is on \`${host}\``,
    { detail: detailOf(look.attempt, look.seen) },
  )
}

const endsAs =
  (wanted: string, ends: readonly string[]) =>
  (look: Look): Verdict => {
    const status = textAt(look.seen.migration, 'status') ?? ''
    const rests = restsIn(look.seen.server, 'active', 'paused')
    if (status === wanted && rests) return 'done'
    if (ends.includes(status) && rests) return otherEnd(look, status)
    return status === wanted ? notYet(look) : 'waiting'
  }

const place = ({ migration }: JsonObject): string => `/migrations/${segment(migration)}`

const abort = onMigration({
  verb: 'abort',
  wanted: 'cancelled',
  allowed: ['queued', 'preparing', 'running'],
  says: 'abort',
  summary: 'aborts a live migration, and waits until the server rests on the host it was on',
  description:
    'One that is still `queued` or `preparing` takes version 2.65. Fails with `migration_completed` when it was faster.',
  idempotent: true,
  action: 'live_migration_cancel',
  request: ({ params: asked, found }) => ({
    method: 'DELETE',
    path: place(asked),
    versions:
      found['status'] === 'running'
        ? computeVersions
        : { min: '2.65', max: computeVersions.max, what: 'aborting a migration before it runs' },
  }),
  judge: endsAs('cancelled', ['completed', 'failed', 'error']),
})

const forceComplete = onMigration({
  verb: 'force_complete',
  wanted: 'completed',
  allowed: ['running'],
  says: 'force the end of',
  summary: 'forces a live migration to its end, and waits until the server rests on its new host',
  description: 'The guest is paused, or runs on the new host while its memory is fetched, as the hosts are configured.',
  action: 'live_migration_force_complete',
  request: ({ params: asked }) => ({
    path: `${place(asked)}/action`,
    versions: computeVersions,
    body: () => ({ force_complete: null }),
  }),
  judge: endsAs('completed', ['cancelled', 'failed', 'error']),
})

/** What is done to a migration under way. */
export const migrationOperations: readonly Operation[] = [abort, forceComplete]

export const serverMigrationActions: readonly WorkAction[] = [list, ...migrationOperations.map(operationAction)]
