import type { JsonObject } from '../../engine/json.ts'
import type { Judge, Look, Verdict } from './follow.ts'
import { stateOf } from './records.ts'
import { hostOf, taskOf, type VmState, vmStateOf } from './server-state.ts'

/** Not done: under way while a task is shown, else idle. */
export const notYet = ({ seen }: Look): Verdict => (taskOf(seen.server) === null ? 'idle' : 'waiting')

/** Whether a server rests in one of these states: nothing is being done to it. */
export const restsIn = (server: JsonObject, ...states: readonly VmState[]): boolean =>
  taskOf(server) === null && states.includes(vmStateOf(server))

/** Done when the server rests in one of these states. */
export const arrives =
  (...states: readonly VmState[]): Judge =>
  (look) =>
    restsIn(look.seen.server, ...states) ? 'done' : notYet(look)

/** Done when the server rests and Nova wrote down that the request is over and went well. */
export const recorded =
  (asWanted: (look: Look) => boolean): Judge =>
  (look) => {
    const { action, server } = look.seen
    const { over, error } = action ? stateOf(action) : { over: false, error: undefined }
    return over && error === undefined && taskOf(server) === null && asWanted(look) ? 'done' : notYet(look)
  }

/** The host it was on: the migration knows after a crash. */
const hostBefore = ({ seen, attempt }: Look): string | null =>
  attempt.before ? hostOf(attempt.before) : ((seen.migration?.['source_compute'] as string | undefined) ?? null)

/** Whether it is on another host than before, and on the wanted one where one was asked for. */
export function hasMoved(look: Look): boolean {
  const now = hostOf(look.seen.server)
  const wanted = look.attempt.params['host']
  return now !== null && now !== hostBefore(look) && (typeof wanted !== 'string' || now === wanted)
}
