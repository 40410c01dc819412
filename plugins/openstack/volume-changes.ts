import { type ActionContext, type Settled, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { attemptMark } from './attempt.ts'
import { call, partOf } from './call.ts'
import { paramsOf } from './fields.ts'
import { uuid } from './find-server.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { orMissing } from './missing.ts'
import { listAll, pageSize } from './paging.ts'
import { type Session, sessionOf } from './session.ts'

import {
  backups,
  find,
  type Kind,
  named,
  naming,
  shown,
  snapshots,
  statusOf,
  versions,
  volumes,
} from './volume-kind.ts'
import { type Ends, gone, reached } from './volume-wait.ts'

interface Making {
  readonly kind: Kind
  readonly name: WorkAction['name']
  readonly summary: string
  readonly params: { readonly [name: string]: Schema }
  readonly required: readonly string[]
  readonly example: JsonObject
  readonly busy: readonly string[]
  /** What the request says, found out from the parameters. */
  body(session: Session, params: JsonObject, signal: AbortSignal): Promise<JsonObject>
}

/** It is marked with the attempt that made it, so that after a crash it is known again. */
function makingAction({ kind, name, summary, params, required, example, busy, body }: Making): WorkAction {
  const ends: Ends = { good: ['available'], busy: ['creating', ...busy] }
  return {
    name,
    summary,
    description: `Waits until it is \`available\`. It carries \`runbook_attempt\` in its metadata, by which it is found again after a crash.`,
    effect: 'change',
    params: paramsOf(params, required),
    result: closedObject({ [kind.noun]: kind.item }),
    examples: [example],
    async plan(ctx, given, signal) {
      const session = await sessionOf(ctx, given)
      const wanted = await body(session, given, signal)
      const label = `${kind.noun} ${String(given['name'])}`
      return { summary: `would make the ${label}`, changes: [{ path: label, after: wanted }] }
    },
    async run(ctx, given, signal) {
      const session = await sessionOf(ctx, given)
      const wanted = await body(session, given, signal)
      const made = await call(
        session,
        {
          service: 'block-storage',
          method: 'POST',
          path: kind.path,
          microversion: versions,
          body: { [kind.noun]: { ...wanted, metadata: { ...asMap(wanted['metadata']), ...attemptMark(ctx) } } },
        },
        signal,
      )
      const id = textAt(partOf(made, kind.noun), 'id') ?? ''
      return { [kind.noun]: await reached(session, kind, id, ends, signal) }
    },
    async settled(ctx, given, signal): Promise<Settled> {
      const session = await sessionOf(ctx, given)
      const own = await arrived(ctx, signal, () => marked(session, kind, ctx, given, signal))
      if (!own) return { happened: 'no' }
      return await settledBy(async () => ({
        [kind.noun]: await reached(session, kind, textAt(own, 'id') ?? '', ends, signal),
      }))
    },
  }
}

const asMap = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null ? (value as JsonObject) : {}

async function marked(session: Session, kind: Kind, ctx: ActionContext, params: JsonObject, signal: AbortSignal) {
  const found = await named(session, kind, String(params['name']), signal)
  return found.find(({ metadata }) => textAt(metadata, 'runbook_attempt') === ctx.step.attempt)
}

/** What was asked for and came to nothing is left to a person. */
async function settledBy(look: () => Promise<Json>): Promise<Settled> {
  try {
    return { happened: 'yes', result: await look() }
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    return { happened: 'unknown', why: `it was asked for, and then: ${error.message}` }
  }
}

function deletion(kind: Kind, description: string): WorkAction {
  const { noun, path, family } = kind
  return {
    name: `openstack.${family}.delete`,
    summary: `deletes a ${noun}, and waits until it is gone`,
    description: `${description} An id that does not exist is as wanted; a name that does not exist fails.`,
    effect: 'destructive',
    idempotent: true,
    params: paramsOf({ [noun]: naming(noun) }, [noun]),
    result: closedObject({ changed: flag('False where it was gone already') }),
    examples: [{ [noun]: '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11' }],
    async plan(ctx, params, signal) {
      const session = await sessionOf(ctx, params)
      const now = await orGone(session, kind, String(params[noun]), signal)
      if (!now) return { summary: `there is no such ${noun}`, changes: [] }
      refuseState(kind, now)
      await refuseSnapshots(session, kind, now, signal)
      const changes = [{ path: `${noun} ${shown(now)}`, before: statusOf(now), after: null }]
      return { summary: `would delete the ${noun} \`${shown(now)}\``, changes }
    },
    async run(ctx, params, signal) {
      const session = await sessionOf(ctx, params)
      const now = await orGone(session, kind, String(params[noun]), signal)
      if (!now) return { changed: false }
      const id = textAt(now, 'id') ?? ''
      if (statusOf(now) !== 'deleting') {
        refuseState(kind, now)
        await refuseSnapshots(session, kind, now, signal)
        const asked = { service: 'block-storage', method: 'DELETE', path: `${path}/${segment(id)}` } as const
        await call(session, { ...asked, microversion: versions }, signal)
      }
      await gone(session, kind, id, signal)
      return { changed: true }
    },
    async settled(ctx, params, signal): Promise<Settled> {
      const session = await sessionOf(ctx, params)
      const wanted = String(params[noun])
      const going = await arrived(ctx, signal, async () => {
        const now = await orMissing(() => find(session, kind, wanted, signal))
        return !now || statusOf(now) === 'deleting' ? { now } : undefined
      })
      if (!going) return { happened: 'no' }
      return await settledBy(async () => {
        if (going.now) await gone(session, kind, textAt(going.now, 'id') ?? '', signal)
        return { changed: true }
      })
    },
  }
}

const orGone = (session: Session, kind: Kind, wanted: string, signal: AbortSignal) =>
  uuid.test(wanted) ? orMissing(() => find(session, kind, wanted, signal)) : find(session, kind, wanted, signal)

function refuseState({ noun, deletable }: Kind, now: JsonObject): void {
  if (deletable.includes(statusOf(now))) return
  const from = deletable.map((one) => `\`${one}\``).join(', ')
  throw new StepFailure(
    'wrong_state',
    `${noun} \`${shown(now)}\` is \`${statusOf(now)}\`; it is deleted from ${from}`,
    {
      detail: { id: now['id'] ?? null, status: now['status'] ?? null },
    },
  )
}

/** Cinder refuses a volume that has snapshots, in words that name everything it might be. */
async function refuseSnapshots(session: Session, kind: Kind, now: JsonObject, signal: AbortSignal): Promise<void> {
  if (kind !== volumes) return
  const id = textAt(now, 'id') ?? ''
  const query = { volume_id: id, all_tenants: 1, limit: pageSize }
  const asked = { service: 'block-storage', path: '/snapshots/detail', query, collection: 'snapshots' }
  const { items } = await listAll(session, { ...asked, microversion: versions }, signal)
  const own = items.filter((one) => one['volume_id'] === id)
  if (own.length === 0) return
  throw new StepFailure(
    'has_snapshots',
    `volume \`${shown(now)}\` has ${own.length === 1 ? 'a snapshot' : `${own.length} snapshots`}: ${own.map((one) => `\`${shown(one)}\``).join(', ')}`,
    {
      hint: 'delete them first, with `openstack.volume_snapshot.delete`',
      detail: { id, snapshots: own.map((one) => one['id'] ?? null) },
    },
  )
}

const newName = text('What it is called', { minLength: 1, maxLength: 255 })
const given = (params: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name] as Json]])))

const volumeShow: WorkAction = {
  name: 'openstack.volume.show',
  summary: 'one volume',
  effect: 'read',
  params: paramsOf({ volume: naming('volume') }, ['volume']),
  result: closedObject({ volume: volumes.item }),
  examples: [{ volume: 'db-data' }],
  async run(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    return { volume: await find(session, volumes, String(params['volume']), signal) }
  },
}

const volumeCreate = makingAction({
  kind: volumes,
  name: 'openstack.volume.create',
  summary: 'makes a volume, empty or from an image or a snapshot',
  params: {
    name: newName,
    size: whole('GiB', { minimum: 1 }),
    type: text('Its type; that of the cloud unless told', { minLength: 1 }),
    image: text('The image it is filled from, by id', { minLength: 1 }),
    snapshot: text('The snapshot it is filled from, by id', { minLength: 1 }),
    description: text('What it is for'),
  },
  required: ['name', 'size'],
  example: { name: 'db-data', size: 100 },
  busy: ['downloading'],
  async body(_session, params) {
    const { type, image, snapshot } = params
    return {
      ...given(params, 'name', 'size', 'description'),
      ...(type !== undefined && { volume_type: type }),
      ...(image !== undefined && { imageRef: image }),
      ...(snapshot !== undefined && { snapshot_id: snapshot }),
    }
  },
})

const snapshotCreate = makingAction({
  kind: snapshots,
  name: 'openstack.volume_snapshot.create',
  summary: 'makes a snapshot of a volume, also of one that is in use',
  params: { volume: naming('volume'), name: newName, description: text('What it is for') },
  required: ['volume', 'name'],
  example: { volume: 'db-data', name: 'db-data before the upgrade' },
  busy: [],
  async body(session, params, signal) {
    const volume = await find(session, volumes, String(params['volume']), signal)
    return { ...given(params, 'name', 'description'), volume_id: volume['id'] ?? null }
  },
})

const backupCreate = makingAction({
  kind: backups,
  name: 'openstack.volume_backup.create',
  summary: 'makes a backup of a volume',
  params: {
    volume: naming('volume'),
    name: newName,
    incremental: flag('Only what changed since the last backup', { default: false }),
    force: flag('Also of a volume that is in use', { default: false }),
    description: text('What it is for'),
  },
  required: ['volume', 'name'],
  example: { volume: 'db-data', name: 'db-data by hand', incremental: true },
  busy: [],
  async body(session, params, signal) {
    const volume = await find(session, volumes, String(params['volume']), signal)
    return { ...given(params, 'name', 'description', 'incremental', 'force'), volume_id: volume['id'] ?? null }
  },
})

const backupRestore: WorkAction = {
  name: 'openstack.volume_backup.restore',
  summary: 'writes a backup into a new volume, or over one that nobody uses',
  description: 'What the volume held is lost. Without `volume` Cinder makes a new one.',
  effect: 'destructive',
  params: paramsOf({ backup: naming('backup'), volume: naming('volume to write over') }, ['backup']),
  result: closedObject({ volume: volumes.item }),
  examples: [{ backup: 'db-data-nightly' }],
  async plan(ctx, params, signal) {
    const { backup, volume } = await restoring(await sessionOf(ctx, params), params, signal)
    const path = volume ? `volume ${shown(volume)}` : 'a new volume'
    const changes = [{ path, before: volume ? 'its content' : null, after: `backup ${shown(backup)}` }]
    return { summary: `would write the backup \`${shown(backup)}\` into ${path}`, changes }
  },
  async run(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    const { backup, volume } = await restoring(session, params, signal)
    const begun = await call(
      session,
      {
        service: 'block-storage',
        method: 'POST',
        path: `/backups/${segment(backup['id'])}/restore`,
        microversion: versions,
        body: { restore: volume ? { volume_id: volume['id'] ?? null } : {} },
      },
      signal,
    )
    const id = textAt(partOf(begun, 'restore'), 'volume_id') ?? ''
    await reached(session, backups, textAt(backup, 'id') ?? '', { good: ['available'], busy: ['restoring'] }, signal)
    const busy = ['creating', 'restoring-backup']
    return { volume: await reached(session, volumes, id, { good: ['available'], busy }, signal) }
  },
  async settled(): Promise<Settled> {
    return { happened: 'unknown', why: 'Cinder keeps no record of what was written into a volume' }
  },
}

async function restoring(session: Session, params: JsonObject, signal: AbortSignal) {
  const backup = await find(session, backups, String(params['backup']), signal)
  const wanted = params['volume']
  const volume = wanted === undefined ? undefined : await find(session, volumes, String(wanted), signal)
  for (const [noun, one] of [
    ['backup', backup],
    ['volume', volume],
  ] as const) {
    if (!one || statusOf(one) === 'available') continue
    throw new StepFailure('wrong_state', `${noun} \`${shown(one)}\` is \`${statusOf(one)}\`, not \`available\``, {
      detail: { id: one['id'] ?? null, status: one['status'] ?? null },
    })
  }
  return { backup, volume }
}

export const volumeChangeActions: readonly WorkAction[] = [
  volumeShow,
  volumeCreate,
  deletion(volumes, 'What it holds is lost. One that is attached, or has snapshots, is refused.'),
  snapshotCreate,
  deletion(snapshots, 'What it holds is lost.'),
  backupCreate,
  deletion(backups, 'What it holds is lost. One that a later backup needs is refused.'),
  backupRestore,
]
