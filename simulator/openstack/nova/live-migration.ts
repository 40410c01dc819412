import type { CloudWorld } from '../cloud.ts'
import { second } from '../time.ts'
import { computeIsUp, computeWorks } from './alive.ts'
import { type Asker, beginEvent, change, fail, failEvents, recordAction, succeed, upsetOf } from './lifecycle.ts'
import { addMigration, bindPorts, leaveFor, release, update } from './moves.ts'
import { hostsFor, noValidHost } from './schedule.ts'
import type { InstanceAction, Migration, NovaServer } from './state.ts'

/** Where a server is to go: any host, one the scheduler must agree with, or one it is not asked about. */
export interface Wish {
  readonly host: string | null
  readonly force: boolean
}

/** One live migration while it is under way. */
interface Flight {
  readonly server: NovaServer
  readonly migration: Migration
  readonly record: InstanceAction
}

/**
 * Moves a running server: looked for a host within a second, then `queued`, `preparing`, `running`. It is on the
 * target for two seconds before its migration says `completed`.
 * @returns why it is refused, where the caller has to be told at once
 */
export function beginLiveMigration(
  world: CloudWorld,
  server: NovaServer,
  asker: Asker,
  wish: Wish & { readonly wait: boolean },
): string | undefined {
  const { clock } = world
  const record = recordAction(world, server, 'live-migration', asker)
  change(server, clock.now(), { taskState: 'migrating' })
  const destination = wish.force ? wish.host : null
  const migration = addMigration(world, server, { kind: 'live-migration', status: 'accepted', destination, asker })
  beginEvent(world, record, 'conductor_live_migrate_instance')
  const flight = { server, migration, record }
  if (wish.wait) return depart(world, flight, wish)
  clock.after(second, () => void depart(world, flight, wish))
  return undefined
}

/** Finds a host and lets it check, before anything moves. */
function depart(world: CloudWorld, flight: Flight, wish: Wish): string | undefined {
  const { server, migration, record } = flight
  if (!flying(flight)) return undefined
  const host = destinationOf(world, flight, wish)
  if ('refusal' in host) {
    migration.destination = wish.force ? wish.host : null
    end(world, flight, 'error')
    failEvents(world, record, record.events.slice(0, 1), host.refusal)
    return host.refusal
  }
  update(world, migration, { destination: host.name, status: 'queued' })
  leaveFor(world, server, migration, { host: host.name, flavor: server.flavor })
  beginEvent(world, record, 'compute_live_migration', migration.source)
  step(world, flight, second / 2, 'preparing', () => {
    beginEvent(world, record, 'compute_pre_live_migration', host.name)
    step(world, flight, 1.5 * second, 'running', () => transfer(world, flight))
  })
  return undefined
}

function destinationOf(
  world: CloudWorld,
  { server, migration, record }: Flight,
  { host, force }: Wish,
): { readonly name: string } | { readonly refusal: string } {
  const unavailable = (name: string) => ({ refusal: `Compute service of ${name} is unavailable at this time.` })
  if (!computeIsUp(world, migration.source)) return unavailable(migration.source)
  if (force && host === server.host) {
    return { refusal: `Unable to migrate instance (${server.id}) to current host (${host}).` }
  }
  if (force && host !== null && !computeIsUp(world, host)) return unavailable(host)
  const asked =
    force && host !== null ? [host] : hostsFor(world, { flavor: server.flavor, server, host, not: server.host })
  const upset = asked.length > 0 ? upsetOf(world, server, 'precheck') : undefined
  const checks = (upset ? asked : asked.slice(0, 1)).map((name) =>
    beginEvent(world, record, 'compute_check_can_live_migrate_destination', name),
  )
  if (upset) {
    // the one after the other is asked; what they say is written down beside the first of them
    failEvents(world, record, checks.slice(0, 1), upset.message)
    return { refusal: force ? upset.message : noValidHost() }
  }
  const [found] = asked
  if (found === undefined) return { refusal: noValidHost() }
  checks.push(beginEvent(world, record, 'compute_check_can_live_migrate_source', migration.source))
  for (const check of checks) Object.assign(check, { finishedAt: world.clock.now(), result: 'Success' })
  return { name: found }
}

/** How long the memory of a guest takes, undisturbed: the setting up, and 4 GiB a second. */
const transferTime = ({ flavor }: NovaServer): number => 4 * second + (flavor.ram / 4096) * second

/** Disks that are on the host alone go first. */
function disksTime(world: CloudWorld, server: NovaServer): number {
  const local = server.image === '' ? undefined : upsetOf(world, server, 'local')
  return local ? ((server.flavor.disk * 1024) / local.factor) * second : 0
}

function transfer(world: CloudWorld, flight: Flight): void {
  const { clock } = world
  const { server, migration } = flight
  const factor = upsetOf(world, server, 'slow')?.factor ?? 1
  const stalls = upsetOf(world, server, 'stalls') !== undefined
  const memory = stalls ? Number.POSITIVE_INFINITY : transferTime(server) * factor
  const disks = disksTime(world, server)
  const takes = disks + memory
  migration.transfer = { startedAt: clock.now(), disks, memory }
  if (stalls) return
  if (upsetOf(world, server, 'breaks')) {
    clock.after(takes * 0.6, () => {
      if (!flying(flight)) return
      end(world, flight, 'failed')
      // the host notes it in its log; the record of the action knows nothing of it
      succeed(world, flight.record)
    })
    return
  }
  clock.after(takes, () => arrive(world, flight))
}

/** The guest runs on the target; a little later its old host says so too. */
function arrive(world: CloudWorld, flight: Flight): void {
  const { clock } = world
  const { server, migration, record } = flight
  const { destination } = migration
  if (!flying(flight) || destination === null) return
  if (!computeWorks(world, migration.source) || !computeWorks(world, destination)) {
    end(world, flight, 'error')
    fail(world, record, 'Timed out waiting for a reply')
    return
  }
  beginEvent(world, record, 'compute_post_live_migration_at_destination', destination)
  change(server, clock.now(), { host: destination, taskState: null, claimed: undefined })
  bindPorts(world, server, destination)
  clock.after(2 * second, () => {
    release(world, migration)
    update(world, migration, { status: 'completed', transfer: undefined })
    succeed(world, record)
  })
}

/** It is over, and the server is where it was. */
function end(world: CloudWorld, { server, migration }: Flight, status: 'error' | 'failed' | 'cancelled'): void {
  change(server, world.clock.now(), { taskState: null, claimed: undefined })
  release(world, migration)
  update(world, migration, { status, transfer: undefined })
}

/** Still on its way: not arrived, not given up, its server not deleted. */
const flying = ({ server, migration }: Flight): boolean =>
  server.taskState === 'migrating' && ['accepted', 'queued', 'preparing', 'running'].includes(migration.status)

function step(world: CloudWorld, flight: Flight, after: number, status: string, then: () => void): void {
  world.clock.after(after, () => {
    if (!flying(flight)) return
    update(world, flight.migration, { status })
    then()
  })
}

/** Gives a live migration up: some seconds later the server is where it was. */
export function abortLiveMigration(world: CloudWorld, server: NovaServer, migration: Migration, asker: Asker): void {
  recordOrder(world, server, migration, asker, {
    action: 'live_migration_cancel',
    event: 'compute_live_migration_abort',
  })
  world.clock.after(5 * second, () => {
    const flight = flightOf(world, server, migration)
    if (!flight || !flying(flight)) return
    end(world, flight, 'cancelled')
    succeed(world, flight.record)
  })
}

/** Stops the guest until the rest of its memory has come over. */
export function forceLiveMigration(world: CloudWorld, server: NovaServer, migration: Migration, asker: Asker): void {
  recordOrder(world, server, migration, asker, {
    action: 'live_migration_force_complete',
    event: 'compute_live_migration_force_complete',
  })
  world.clock.after(3 * second, () => {
    const flight = flightOf(world, server, migration)
    if (flight) arrive(world, flight)
  })
}

/** What Nova writes down of a word to a live migration: an action of its own, which is over in a second. */
function recordOrder(
  world: CloudWorld,
  server: NovaServer,
  { source }: Migration,
  asker: Asker,
  { action, event }: { readonly action: string; readonly event: string },
): void {
  const record = recordAction(world, server, action, asker)
  beginEvent(world, record, event, source)
  world.clock.after(second, () => succeed(world, record))
}

function flightOf(world: CloudWorld, server: NovaServer, migration: Migration): Flight | undefined {
  const record = world.cloud.nova.actions.findLast(
    (one) => one.server === server.id && one.action === 'live-migration' && one.startedAt <= migration.createdAt,
  )
  return record && { server, migration, record }
}

/** The hosts of a migration lost power: the guest it moved is where its books say. */
export function loseMigrationsOf(world: CloudWorld, host: string): void {
  for (const migration of world.cloud.nova.migrations) {
    if (migration.kind !== 'live-migration' || (migration.source !== host && migration.destination !== host)) continue
    const server = world.cloud.nova.servers.find(({ id }) => id === migration.server)
    const flight = server && flightOf(world, server, migration)
    if (!flight || !flying(flight)) continue
    end(world, flight, 'error')
    fail(world, flight.record, 'Timed out waiting for a reply')
  }
}
