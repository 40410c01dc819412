import { StepFailure } from '../../engine/action/contract.ts'
import { flag } from '../../engine/action/define.ts'
import { detailOf, type Look, type Verdict } from './follow.ts'
import { textAt } from './json-body.ts'
import { hasMoved, notYet, restsIn } from './judges.ts'
import { isThere, migrationStatus, minute, movedResult, movePreview, timeFor, toChosenHost, toHost } from './moving.ts'
import type { Operation } from './operation.ts'
import { progressOf } from './records.ts'
import { hostOf, taskOf, vmStateOf } from './server-state.ts'
import { computeVersions } from './versions.ts'

const pollsToStall = 5

/**
 * Done: on another host, as before, with nothing being done to it, and its own migration `completed`. A server can be
 * ACTIVE on the target while its migration still runs. A migration that broke off may show nowhere but in its row.
 */
function judgeLive(look: Look): Verdict {
  const { seen, attempt } = look
  const { server } = seen
  const status = migrationStatus(look)
  const asBefore = attempt.before
    ? vmStateOf(server) === vmStateOf(attempt.before)
    : restsIn(server, 'active', 'paused')
  if (status === 'completed' && taskOf(server) === null && asBefore && hasMoved(look)) return 'done'
  if (['error', 'failed', 'cancelled'].includes(status))
    return taskOf(server) === null ? brokenOff(look, status) : 'waiting'
  if (Number(seen.more['polls_without_progress'] ?? 0) >= pollsToStall) return stalled(look)
  return status === 'completed' || status === '' ? notYet(look) : 'waiting'
}

/** A pre-check that fails has found no destination yet, and nothing has moved. */
function brokenOff(look: Look, status: string): StepFailure {
  const { seen } = look
  const host = hostOf(seen.server)
  const refused = status === 'error' && textAt(seen.migration, 'dest_compute') === undefined
  const message = {
    error: refused ? `the migration was refused before anything moved; the server is on \`${host}\`` : undefined,
    cancelled: `the migration was aborted; the server is on \`${host}\``,
  }[status]
  return new StepFailure(
    refused ? 'migration_refused' : 'migration_failed',
    message ?? `the migration broke off (\`${status}\`); the server is on \`${host}\``,
    { hint: 'the log of nova-compute on both hosts tells more', detail: detailOf(look.attempt, seen) },
  )
}

function stalled(look: Look): StepFailure {
  const { seen, attempt } = look
  const left = Math.round(Number(seen.more['remaining']) / 2 ** 20)
  return new StepFailure(
    'migration_stalled',
    `the migration does not come to an end: ${left} MiB are left, and have not become less in ${pollsToStall} looks`,
    {
      hint: 'it goes on: wait, or `openstack.server_migration.force_complete` (the guest stands still for it), or `openstack.server_migration.abort`',
      detail: { ...detailOf(attempt, seen), memory_remaining_bytes: seen.more['memory'] ?? null },
    },
  )
}

/**
 * The least that was ever left, and for how many looks it has not become less. Disks that are on the host alone go first:
 * as long as they become less, nothing is known of the memory, and what it said until then does not count.
 */
async function lookAtProgress(...[session, { seen, attempt }, signal]: Parameters<NonNullable<Operation['look']>>) {
  const id = seen.migration?.['id']
  if (id === undefined || migrationStatus({ seen, attempt }) !== 'running') return {}
  const progress = await progressOf(session, attempt.server, id, signal)
  const memory = progress?.['memory_remaining_bytes']
  if (typeof memory !== 'number') return {}
  const disks = Number(progress?.['disk_remaining_bytes'] ?? 0)
  const before = (name: string) => Number(seen.more[name] ?? Number.POSITIVE_INFINITY)
  const found = { memory, remaining: memory + disks, lowest_disks: Math.min(disks, before('lowest_disks')) }
  if (disks > 0 && disks < before('lowest_disks')) return { ...found, polls_without_progress: 0 }
  const begun = progress?.['memory_total_bytes'] !== 0
  if (begun && memory < before('lowest')) return { ...found, lowest: memory, polls_without_progress: 0 }
  const polls = Number(seen.more['polls_without_progress'] ?? 0) + 1
  return { ...found, ...('lowest' in seen.more && { lowest: seen.more['lowest'] }), polls_without_progress: polls }
}

export const liveMigrate: Operation = {
  name: 'openstack.server.live_migrate',
  summary: 'moves a running server to another host, and waits until its migration is completed there',
  description:
    'Done means: on another host, in the state it was in, nothing being done to it, and its own migration `completed`. Fails with `migration_refused` (a check failed, nothing moved), `migration_failed`, `no_valid_host`, and with `migration_stalled` when what is left of its disks and its memory does not become less; then the migration is left running, and `failure.detail.migration` names it. The scheduler checks the host that is asked for; it is never forced.',
  effect: 'change',
  params: {
    host: toHost,
    block_migration: flag('Whether local disks are copied; Nova finds that out unless told'),
  },
  example: { host: 'compute-2' },
  result: movedResult,
  action: 'live-migration',
  from: ['active', 'paused'],
  holds: isThere,
  migrates: { types: ['live-migration'], own: true },
  prepare: toChosenHost,
  // from 2.68 on `force` is refused; it is never sent
  request: ({ params: { host = null, block_migration = 'auto' } }) => ({
    versions: computeVersions,
    body: () => ({ 'os-migrateLive': { host, block_migration } }),
  }),
  look: lookAtProgress,
  judge: judgeLive,
  failure: 'migration_refused',
  grace: minute,
  limit: timeFor,
  pace: 15_000,
  preview: (it) => movePreview('live-migrate', it),
}
