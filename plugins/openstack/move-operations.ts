import { StepFailure } from '../../engine/action/contract.ts'
import { flag, text } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { refuseWrongHost } from './chosen-host.ts'
import { computeServices } from './compute-services.ts'
import { orNull } from './fields.ts'
import { flavorCalled } from './find-flavor.ts'
import { detailOf, type Look, type Verdict } from './follow.ts'
import { textAt } from './json-body.ts'
import { hasMoved, notYet, restsIn } from './judges.ts'
import { migrationItem } from './migration-item.ts'
import { nameOf, type Operation, type Prepared } from './operation.ts'
import { progressOf } from './records.ts'
import { hostOf, taskOf, vmStateOf } from './server-state.ts'
import { computeVersions } from './versions.ts'

const anywhere = 'another host'
const movedResult = {
  migration: orNull(migrationItem),
  host: orNull(text('The host it is on now')),
}
const toHost = orNull(
  text('The host to move it to, exactly as Nova names it; null or left out: the scheduler chooses', { minLength: 1 }),
)

/** What the scheduler is asked for; without it, it chooses. */
const hostAsked = ({ host }: JsonObject): string | undefined => (typeof host === 'string' ? host : undefined)

const hostIn = (params: JsonObject): JsonObject => {
  const host = hostAsked(params)
  return host === undefined ? {} : { host }
}

/** A host that is asked for has to be one that can be moved to. */
const toChosenHost: NonNullable<Operation['prepare']> = async ({ session, params }, signal) => {
  const host = hostAsked(params)
  if (host !== undefined) await refuseWrongHost(session, host, signal)
  return {}
}

const migrationStatus = ({ seen }: Look): string => textAt(seen.migration, 'status') ?? ''

function movePreview(what: string, { server, params }: Prepared) {
  const name = nameOf(server)
  return {
    summary: `would ${what} \`${name}\``,
    changes: [{ path: `${name}.host`, before: hostOf(server), after: params['host'] ?? anywhere }],
  }
}

/** Where it is already is no place to move to. */
const isThere = (server: JsonObject, params: JsonObject): boolean =>
  hostAsked(params) !== undefined && hostOf(server) === hostAsked(params) && taskOf(server) === null

const minute = 60_000
const gib = 1024

/** What may have to go over the wire, in GiB: its memory, and what is not on a volume, for it may be on its host alone. */
function sizeOf({ flavor, image }: JsonObject): number {
  const of = (name: string) => Number((flavor as JsonObject | undefined)?.[name] ?? 0)
  return (of('ram') + of('swap')) / gib + of('ephemeral') + (image === '' ? 0 : of('disk'))
}

/** Half a minute for each GiB is normal; ten minutes are always given. */
const timeFor = (server: JsonObject): number => Math.max(10 * minute, sizeOf(server) * 30_000)

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

const liveMigrate: Operation = {
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

const coldTypes = ['migration', 'resize']

const migrate: Operation = {
  name: 'openstack.server.migrate',
  summary: 'moves a server to another host with its guest switched off, up to where it waits for a confirmation',
  description:
    'An ACTIVE server is switched off for it. It ends in VERIFY_RESIZE: `openstack.server.confirm_resize` or `openstack.server.revert_resize` must follow, until then both hosts hold room for it.',
  effect: 'change',
  params: { host: toHost },
  result: movedResult,
  action: 'migrate',
  from: ['active', 'stopped'],
  holds: (server, params) => isThere(server, params) && restsIn(server, 'active', 'stopped', 'resized'),
  migrates: { types: coldTypes, own: true },
  prepare: toChosenHost,
  request: ({ params }) => {
    const host = hostAsked(params)
    return {
      versions:
        host === undefined ? computeVersions : { min: '2.56', max: '2.100', what: 'a migration to a chosen `host`' },
      body: () => ({ migrate: host === undefined ? null : { host } }),
    }
  },
  judge: (look) => {
    const status = migrationStatus(look)
    if (status === 'error') return broken(look)
    const waits = status === 'finished' && restsIn(look.seen.server, 'resized')
    // a cloud may confirm by itself
    const confirmed = status === 'confirmed' && restsIn(look.seen.server, 'active', 'stopped')
    return (waits || confirmed) && hasMoved(look) ? 'done' : notYet(look)
  },
  failure: 'migration_failed',
  grace: minute,
  limit: timeFor,
  preview: (it) => movePreview('switch off and move', it),
}

/** The migration has ended in `error`; the server is told apart. */
function broken(look: Look): Verdict {
  if (taskOf(look.seen.server) !== null) return 'waiting'
  return new StepFailure('migration_failed', `the migration failed; the server is on \`${hostOf(look.seen.server)}\``, {
    detail: detailOf(look.attempt, look.seen),
  })
}

const flavorName = (server: JsonObject): string | undefined => textAt(server, 'flavor', 'original_name')

const resize: Operation = {
  name: 'openstack.server.resize',
  summary: 'gives a server another flavor, up to where it waits for a confirmation',
  description:
    'It ends in VERIFY_RESIZE, perhaps on another host: `openstack.server.confirm_resize` or `openstack.server.revert_resize` must follow, until then both sizes are held.',
  effect: 'change',
  params: { flavor: text('The new flavor, by id or exact name', { minLength: 1 }) },
  required: ['flavor'],
  example: { flavor: 'm1.large' },
  result: movedResult,
  action: 'resize',
  from: ['active', 'stopped'],
  holds: (server, { flavor }) => restsIn(server, 'active', 'stopped', 'resized') && flavorName(server) === flavor,
  migrates: { types: ['resize', 'migration'], own: true },
  prepare: async ({ session, server, params }, signal) => {
    const flavor = await flavorCalled(session, String(params['flavor']), signal)
    if (flavor['name'] === flavorName(server))
      throw new StepFailure('wrong_state', `\`${nameOf(server)}\` has the flavor \`${String(flavor['name'])}\` already`)
    return { flavor: flavor['id'] ?? null, flavor_name: flavor['name'] ?? null }
  },
  request: ({ found }) => ({
    versions: computeVersions,
    body: () => ({ resize: { flavorRef: found['flavor'] ?? null } }),
  }),
  judge: (look) => {
    if (migrationStatus(look) === 'error') return broken(look)
    const wanted = look.attempt.facts['flavor_name'] ?? flavorName(look.seen.server)
    const asWanted = flavorName(look.seen.server) === wanted
    return asWanted && restsIn(look.seen.server, 'resized') ? 'done' : notYet(look)
  },
  grace: minute,
  limit: timeFor,
  preview: ({ server, found }) => ({
    summary: `would resize \`${nameOf(server)}\``,
    changes: [
      { path: `${nameOf(server)}.flavor`, before: flavorName(server) ?? null, after: found['flavor_name'] ?? null },
    ],
  }),
}

/** Ends a resize or a cold migration, one way or the other. */
function ending(name: 'confirm_resize' | 'revert_resize', call: string, status: string, action: string): Operation {
  const confirms = name === 'confirm_resize'
  return {
    name: `openstack.server.${name}`,
    summary: confirms
      ? 'confirms a resize or a cold migration, and waits until the server is back in its state'
      : 'takes a resize or a cold migration back, and waits until the server is where it was',
    effect: 'change',
    idempotent: true,
    result: movedResult,
    action,
    from: ['resized'],
    underWay: confirms ? [] : ['resize_reverting'],
    // a cloud may confirm by itself after a while
    holds: (server, _, migrations) =>
      restsIn(server, 'active', 'stopped') && migrations?.find(isCold)?.['status'] === status,
    migrates: { types: coldTypes, own: false },
    request: () => ({ versions: computeVersions, body: () => ({ [call]: null }) }),
    judge: (look) => {
      const now = migrationStatus(look)
      if (now === 'error') return broken(look)
      if (now === 'confirming' || now === 'reverting') return 'waiting'
      // who may not see migrations has the server alone to go by
      const ended = look.seen.migration === undefined || now === status
      return ended && restsIn(look.seen.server, 'active', 'stopped') ? 'done' : notYet(look)
    },
    failure: 'migration_failed',
    grace: minute,
    preview: ({ server }) => ({
      summary: `would ${confirms ? 'confirm' : 'take back'} what \`${nameOf(server)}\` waits for`,
      changes: [
        {
          path: `${nameOf(server)}.status`,
          before: server['status'] ?? null,
          after: confirms ? 'as before' : 'as before, where it was',
        },
      ],
    }),
  }
}

const isCold = (migration: JsonObject): boolean => coldTypes.includes(String(migration['migration_type']))

const evacuate: Operation = {
  name: 'openstack.server.evacuate',
  summary: 'builds a server anew on another host after its own has died, and waits until it is there',
  description:
    'Only for a host that is surely off: a guest that still runs there would run twice. Disks that are only on the old host are lost. The server comes up as it was; with `stopped` it stays shut off (needs version 2.95). Fails with `host_up` while the compute service of the host is up and was not declared down.',
  effect: 'destructive',
  params: { host: toHost, stopped: flag('Whether it is left shut off on the new host') },
  result: movedResult,
  action: 'evacuate',
  from: ['active', 'stopped', 'error'],
  needsHost: false,
  // on a host that is dead it is not where it should be, though that host was asked for
  holds: (server, params) => isThere(server, params) && !['DOWN', 'UNKNOWN'].includes(String(server['host_status'])),
  migrates: { types: ['evacuation'], own: true },
  prepare: async (it, signal) => {
    const { session, server } = it
    await toChosenHost(it, signal)
    const host = hostOf(server)
    const services = await computeServices(session, { host, binary: 'nova-compute' }, signal)
    const [service] = services
    if (!service) return {}
    if (service['state'] === 'up' && service['forced_down'] !== true)
      throw new StepFailure('host_up', `the compute service of \`${host}\` is up: nothing is evacuated from it`, {
        hint: 'move its servers with `openstack.server.live_migrate`; once the host is surely off, `openstack.compute_service.force_down`',
        detail: { server: server['id'] ?? null, host },
      })
    return {}
  },
  // below 2.95 it comes up as it was, from 2.95 on it stays shut off; `force` and `onSharedStorage` are never sent
  request: ({ params }) => ({
    versions:
      params['stopped'] === true
        ? { min: '2.95', max: '2.100', what: 'an evacuation that leaves the server `stopped`' }
        : { ...computeVersions, max: '2.94', what: 'an evacuation that brings the server up as it was' },
    body: () => ({ evacuate: hostIn(params) }),
  }),
  judge: (look) => {
    const { seen, attempt } = look
    const status = migrationStatus(look)
    if (['error', 'failed'].includes(status)) return broken(look)
    const rests =
      attempt.params['stopped'] === true ? restsIn(seen.server, 'stopped') : restsIn(seen.server, 'active', 'stopped')
    // for an instant the server shows ACTIVE with no task while it is still on the old host
    return ['done', 'completed'].includes(status) && rests && hasMoved(look) ? 'done' : notYet(look)
  },
  failure: 'migration_failed',
  grace: minute,
  limit: timeFor,
  preview: (it) => movePreview('build anew on another host', it),
}

export const moveOperations: readonly Operation[] = [
  liveMigrate,
  migrate,
  resize,
  ending('confirm_resize', 'confirmResize', 'confirmed', 'confirmResize'),
  ending('revert_resize', 'revertResize', 'reverted', 'revertResize'),
  evacuate,
]
