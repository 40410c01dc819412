import type { CloudWorld } from '../cloud.ts'
import { computeWorks } from './alive.ts'
import type { ActionEvent, InstanceAction, NovaServer, Upset } from './state.ts'

/** Who asked, for the record. */
export interface Asker {
  readonly requestId: string
  readonly user: string
  readonly project: string
}

/** Opens the record of an action on a server. */
export function recordAction(world: CloudWorld, server: NovaServer, action: string, asker: Asker): InstanceAction {
  const now = world.clock.now()
  const record: InstanceAction = {
    server: server.id,
    requestId: asker.requestId,
    action,
    user: asker.user,
    project: asker.project,
    startedAt: now,
    updatedAt: now,
    message: null,
    events: [],
  }
  world.cloud.nova.actions.push(record)
  return record
}

/** Opens an event of an action, on the host that does it. */
export function beginEvent(
  world: CloudWorld,
  record: InstanceAction,
  event: string,
  host: string | null = conductorOf(world),
): ActionEvent {
  const startedAt = world.clock.now()
  const opened: ActionEvent = { event, startedAt, finishedAt: null, result: null, host, details: null }
  record.events.push(opened)
  return opened
}

const conductorOf = ({ topology }: CloudWorld): string | null => topology.controllers[0] ?? null

/** Everything of an action that is open ends well. */
export function succeed(world: CloudWorld, record: InstanceAction): void {
  const now = world.clock.now()
  record.updatedAt = now
  for (const event of record.events) {
    if (event.finishedAt === null) Object.assign(event, { finishedAt: now, result: 'Success' })
  }
}

/** What is open of an action ends badly; the last event tells why. */
export function fail(world: CloudWorld, record: InstanceAction, details: string): void {
  const open = record.events.filter(({ finishedAt }) => finishedAt === null)
  failEvents(world, record, open, details)
}

/** These of its events end badly, for a reason of their own. */
export function failEvents(
  world: CloudWorld,
  record: InstanceAction,
  events: readonly ActionEvent[],
  details: string,
): void {
  const now = world.clock.now()
  record.updatedAt = now
  record.message = 'Error'
  for (const event of events) Object.assign(event, { finishedAt: now, result: 'Error', details })
}

/** Changes a server, and the time of its last change with it. */
export function change(server: NovaServer, at: number, to: Partial<NovaServer>): void {
  Object.assign(server, to, { updatedAt: at })
}

/** Gives a host something to do; it waits until the compute service of the host takes it. */
export function onHost(world: CloudWorld, host: string | null, take: () => void): void {
  if (host === null || computeWorks(world, host)) take()
  else world.cloud.nova.queued.push({ host, take })
}

/** Whether an operation on a server is to go wrong in a way, and then how; it counts. */
export function upsetOf({ cloud: { nova } }: CloudWorld, { id, name }: NovaServer, kind: Upset['kind']) {
  const found = nova.upsets.find(
    (one) => one.kind === kind && one.left > 0 && (one.server === undefined || [id, name].includes(one.server)),
  )
  if (found) found.left -= 1
  return found
}
