import { StepFailure } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { refuseWrongHost } from './chosen-host.ts'
import { orNull } from './fields.ts'
import { detailOf, type Look, type Verdict } from './follow.ts'
import { textAt } from './json-body.ts'
import { migrationItem } from './migration-item.ts'
import { nameOf, type Operation, type Prepared } from './operation.ts'
import { hostOf, taskOf } from './server-state.ts'

const anywhere = 'another host'
export const movedResult = {
  migration: orNull(migrationItem),
  host: orNull(text('The host it is on now')),
}
export const toHost = orNull(
  text('The host to move it to, exactly as Nova names it; null or left out: the scheduler chooses', { minLength: 1 }),
)

/** What the scheduler is asked for; without it, it chooses. */
export const hostAsked = ({ host }: JsonObject): string | undefined => (typeof host === 'string' ? host : undefined)

/** A host that is asked for has to be one that can be moved to. */
export const toChosenHost: NonNullable<Operation['prepare']> = async ({ session, params }, signal) => {
  const host = hostAsked(params)
  if (host !== undefined) await refuseWrongHost(session, host, signal)
  return {}
}

export const migrationStatus = ({ seen }: Look): string => textAt(seen.migration, 'status') ?? ''

export function movePreview(what: string, { server, params }: Prepared) {
  const name = nameOf(server)
  return {
    summary: `would ${what} \`${name}\``,
    changes: [{ path: `${name}.host`, before: hostOf(server), after: params['host'] ?? anywhere }],
  }
}

/** Where it is already is no place to move to. */
export const isThere = (server: JsonObject, params: JsonObject): boolean =>
  hostAsked(params) !== undefined && hostOf(server) === hostAsked(params) && taskOf(server) === null

export const minute = 60_000
const gib = 1024

/** What may have to go over the wire, in GiB: its memory, and what is not on a volume, for it may be on its host alone. */
function sizeOf({ flavor, image }: JsonObject): number {
  const of = (name: string) => Number((flavor as JsonObject | undefined)?.[name] ?? 0)
  return (of('ram') + of('swap')) / gib + of('ephemeral') + (image === '' ? 0 : of('disk'))
}

/** Half a minute for each GiB is normal; ten minutes are always given. */
export const timeFor = (server: JsonObject): number => Math.max(10 * minute, sizeOf(server) * 30_000)

/** The migration has ended in `error`; the server is told apart. */
export function broken(look: Look): Verdict {
  if (taskOf(look.seen.server) !== null) return 'waiting'
  return new StepFailure('migration_failed', `the migration failed; the server is on \`${hostOf(look.seen.server)}\``, {
    detail: detailOf(look.attempt, look.seen),
  })
}
