import type { Preview } from '../../engine/action/contract.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import type { ServiceAnswer, ServiceCall } from './call.ts'
import { type Attempt, type Followed, follow, type Seen } from './follow.ts'
import { textAt, withoutSecrets } from './json-body.ts'
import { hostOf, type TaskState, type VmState } from './server-state.ts'
import type { Session } from './session.ts'
import type { Microversions } from './versions.ts'

/**
 * Something that is done to a server: data, and predicates over what the cloud shows. How it is refused, asked for, waited
 * for and looked up after a crash is the same for all of them: `operation-action.ts`, `operation-settled.ts`.
 */
export interface Operation extends Followed {
  readonly name: `openstack.${string}`
  readonly summary: string
  readonly description?: string
  readonly effect: 'change' | 'destructive'
  readonly idempotent?: boolean
  readonly params?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  /** What the result has beside `server` and `changed`. */
  readonly result?: { readonly [name: string]: Schema }
  readonly example?: JsonObject
  /** How `os-instance-actions` names it. */
  readonly action: string
  /** The `vm_state`s that it may begin in; any where absent. */
  readonly from?: readonly VmState[] | ((params: JsonObject) => readonly VmState[])
  /** The tasks that mean that just this is under way: it is waited for, not asked for again. */
  readonly underWay?: readonly TaskState[]
  /** Whether it may break into a task. */
  readonly breaksInto?: (task: TaskState, params: JsonObject) => boolean
  /** Nova accepts it while the host does not answer, and nothing ever happens: refused then. */
  readonly needsHost?: boolean
  /** What is wanted is that its guest runs: on a host that does not answer nobody knows whether it does. */
  readonly runs?: boolean
  /** What is wanted is that the server is gone: one that does not exist is as wanted. */
  readonly removes?: boolean
  /** Whether what is wanted holds, and nothing has to be done. */
  readonly holds?: (server: JsonObject, params: JsonObject, migrations: readonly JsonObject[] | undefined) => boolean
  /** What else must be so, and what the request needs to know. */
  readonly prepare?: (it: Preparing, signal: AbortSignal) => Promise<JsonObject>
  /** The request; the body is that of the version that was agreed on. */
  readonly request: (it: Prepared) => OperationRequest
  /** What the answer to the request tells, for the wait. */
  readonly answered?: (answer: ServiceAnswer) => JsonObject
  /** What would change. */
  readonly preview: (it: Prepared) => Preview
}

export interface Preparing {
  readonly session: Session
  readonly server: JsonObject
  readonly params: JsonObject
}

export interface Prepared extends Preparing {
  /** What `prepare` found. */
  readonly found: JsonObject
}

export interface OperationRequest extends Pick<ServiceCall, 'method'> {
  /** Below the server; `/action` unless told. */
  readonly path?: string
  readonly versions: Microversions & { readonly what?: string }
  readonly body?: (version: string) => Json
}

/** Waits until it is done. */
export async function toTheEnd(
  operation: Operation,
  session: Session,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Json> {
  return resultOf(operation, await follow(session, operation, attempt, signal), true)
}

export function resultOf({ result = {} }: Operation, seen: Seen, changed: boolean): Json {
  const { server, migration = null, more } = seen
  const known: JsonObject = { ...more, migration, host: hostOf(server) }
  const asked = Object.fromEntries(Object.keys(result).map((name) => [name, known[name] ?? null]))
  return { server: withoutSecrets(server), changed, ...asked }
}

/** How a server is seen that is not there any more. */
export const gone = (wanted: string): Seen => ({
  server: { id: wanted, status: 'DELETED' },
  migration: undefined,
  more: {},
})

export const idOf = (server: JsonObject): string => String(server['id'])
export const nameOf = (server: JsonObject): string => textAt(server, 'name') ?? idOf(server)
