import type { JsonObject } from '../../engine/json.ts'
import { textAt } from './json-body.ts'

/** What Nova holds a server for; its status is made of this and of the task. */
export type VmState =
  | 'active'
  | 'building'
  | 'paused'
  | 'suspended'
  | 'stopped'
  | 'rescued'
  | 'resized'
  | 'soft-delete'
  | 'deleted'
  | 'error'
  | 'shelved'
  | 'shelved_offloaded'

export type TaskState = string

/** Statuses that tell the state by themselves, where the extended fields are not shown. */
const byStatus: { readonly [status: string]: VmState } = {
  ACTIVE: 'active',
  BUILD: 'building',
  PAUSED: 'paused',
  SUSPENDED: 'suspended',
  SHUTOFF: 'stopped',
  RESCUE: 'rescued',
  VERIFY_RESIZE: 'resized',
  SOFT_DELETED: 'soft-delete',
  DELETED: 'deleted',
  ERROR: 'error',
  SHELVED: 'shelved',
  SHELVED_OFFLOADED: 'shelved_offloaded',
}

export function vmStateOf(server: JsonObject): VmState {
  const shown = textAt(server, 'OS-EXT-STS:vm_state') as VmState | undefined
  return shown ?? byStatus[textAt(server, 'status') ?? ''] ?? 'building'
}

export const taskOf = (server: JsonObject): TaskState | null => textAt(server, 'OS-EXT-STS:task_state') ?? null

/** Nova gives little of a server whose cell does not answer. */
export const cellIsDown = (server: JsonObject): boolean =>
  server['status'] === 'UNKNOWN' && textAt(server, 'OS-EXT-STS:vm_state') === undefined

/** Null where it has none, and for who may not know. */
export const hostOf = (server: JsonObject): string | null => textAt(server, 'OS-EXT-SRV-ATTR:host') ?? null

/** `ACTIVE`, `SHUTOFF (powering-on)`, for messages. */
export function sayState(server: JsonObject): string {
  const task = taskOf(server)
  return `${textAt(server, 'status') ?? 'without a status'}${task === null ? '' : ` (${task})`}`
}
