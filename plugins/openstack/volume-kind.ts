import { flag, listOf, text, whole } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { apiObject, labels } from './fields.ts'
import { uuid } from './find-server.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { onlyNamed } from './only-named.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'
import type { Microversions } from './versions.ts'

/** Marks on backups came with 3.43; snapshots of volumes in use need no word of force from 3.66 on. */
export const versions: Microversions = { min: '3.43', max: '3.71' }

/** One of the three kinds of thing that Cinder keeps. */
export interface Kind {
  readonly noun: 'volume' | 'snapshot' | 'backup'
  readonly path: '/volumes' | '/snapshots' | '/backups'
  readonly family: 'volume' | 'volume_snapshot' | 'volume_backup'
  /** The statuses it may be deleted from. */
  readonly deletable: readonly string[]
  readonly item: Schema
}

const common = {
  id: text('UUID'),
  name: text('Its name'),
  description: text('What somebody wrote about it'),
  status: text('`available`, `in-use`, `error`, …'),
  size: whole('GiB'),
  metadata: labels('What its owner wrote on it'),
  created_at: text('When it was made, without a zone'),
  updated_at: text('When it last changed, without a zone'),
}

export const attachments = listOf(
  apiObject('An attachment', {
    server_id: text('The server'),
    attachment_id: text('UUID'),
    id: text('The volume'),
    volume_id: text('The volume'),
    host_name: text('The host'),
    device: text('The disk inside'),
    attached_at: text('Since when, without a zone'),
  }),
  'Where it is attached',
)

export const volumes: Kind = {
  noun: 'volume',
  path: '/volumes',
  family: 'volume',
  deletable: ['available', 'error', 'error_restoring', 'error_extending', 'error_managing'],
  item: apiObject(
    'The volume',
    {
      ...common,
      bootable: text('`true` or `false`, as text'),
      volume_type: text('Type'),
      attachments,
      snapshot_id: text('The snapshot it was made from'),
      source_volid: text('The volume it was made from'),
    },
    ['id', 'status', 'size'],
  ),
}

export const snapshots: Kind = {
  noun: 'snapshot',
  path: '/snapshots',
  family: 'volume_snapshot',
  deletable: ['available', 'error'],
  item: apiObject('The snapshot', { ...common, volume_id: text('The volume it was made from') }, ['id', 'status']),
}

export const backups: Kind = {
  noun: 'backup',
  path: '/backups',
  family: 'volume_backup',
  deletable: ['available', 'error'],
  item: apiObject(
    'The backup',
    {
      ...common,
      volume_id: text('The volume it was made from'),
      is_incremental: flag('Whether it needs an earlier one'),
      has_dependent_backups: flag('Whether a later one needs it'),
      fail_reason: text('Why it failed'),
    },
    ['id', 'status'],
  ),
}

export const naming = (noun: string): Schema =>
  text(`The ${noun}, by its id, or by its exact name where only one has it`, { minLength: 1 })

export async function byId(
  session: Session,
  { noun, path }: Kind,
  id: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const asked = { service: 'block-storage', path: `${path}/${segment(id)}`, microversion: versions }
  return partOf(await call(session, asked, signal), noun)
}

export async function named(session: Session, { path }: Kind, name: string, signal: AbortSignal) {
  const { items } = await listAll(
    session,
    {
      service: 'block-storage',
      path: `${path}/detail`,
      query: { limit: pageSize, all_tenants: 1, name },
      collection: path.slice(1),
      microversion: versions,
    },
    signal,
  )
  return items.filter((one) => one['name'] === name)
}

/** The one with this id or with exactly this name. Throws `not_found`, `ambiguous`. */
export async function find(session: Session, kind: Kind, wanted: string, signal: AbortSignal): Promise<JsonObject> {
  if (uuid.test(wanted)) return await byId(session, kind, wanted, signal)
  return onlyNamed(await named(session, kind, wanted, signal), kind.noun, wanted)
}

export const shown = (one: JsonObject): string => `${textAt(one, 'name') || 'without a name'} (${textAt(one, 'id')})`
export const statusOf = (one: JsonObject): string => textAt(one, 'status') ?? 'unknown'
