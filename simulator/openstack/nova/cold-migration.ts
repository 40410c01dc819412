import type { CloudWorld } from '../cloud.ts'
import { second } from '../time.ts'
import { type Asker, beginEvent, change, fail, onHost, recordAction, succeed } from './lifecycle.ts'
import { addMigration, bindPorts, leaveFor, release, update } from './moves.ts'
import { hostsFor, noValidHost } from './schedule.ts'
import type { Flavor, InstanceAction, Migration, NovaServer } from './state.ts'

interface Resize {
  readonly server: NovaServer
  readonly migration: Migration
  readonly record: InstanceAction
}

/** Moves a server with its guest off, to another host, with another flavor or with its own; then it waits for a word. */
export function beginResize(
  world: CloudWorld,
  server: NovaServer,
  asker: Asker,
  wanted: { readonly flavor?: Flavor; readonly host?: string | null },
): void {
  const { clock } = world
  const kind = wanted.flavor ? 'resize' : 'migration'
  const record = recordAction(world, server, wanted.flavor ? 'resize' : 'migrate', asker)
  change(server, clock.now(), { taskState: 'resize_prep' })
  const flavor = wanted.flavor ?? server.flavor
  const migration = addMigration(world, server, {
    kind,
    status: 'pre-migrating',
    destination: null,
    asker,
    newFlavor: flavor,
  })
  beginEvent(world, record, 'cold_migrate')
  const resize = { server, migration, record }
  clock.after(second, () => {
    if (server.taskState !== 'resize_prep') return
    const [host] = hostsFor(world, { flavor, server, host: wanted.host, not: server.host })
    if (host === undefined) {
      change(server, clock.now(), { taskState: null })
      update(world, migration, { status: 'error' })
      fail(world, record, noValidHost(`No valid host found for ${kind === 'resize' ? 'resize' : 'cold migrate'}`))
      return
    }
    leaveFor(world, server, migration, { host, flavor })
    update(world, migration, { destination: host })
    beginEvent(world, record, 'compute_prep_resize', host)
    onHost(world, server.host, () => copy(world, resize, host, flavor))
  })
}

function copy(world: CloudWorld, { server, migration, record }: Resize, host: string, flavor: Flavor): void {
  const { clock } = world
  const was = server.powerState
  const steps: readonly (readonly [number, string, () => void])[] = [
    [
      second,
      'resize_migrating',
      () => {
        beginEvent(world, record, 'compute_resize_instance', migration.source)
        update(world, migration, { status: 'migrating' })
        server.powerState = 4
      },
    ],
    [
      // a guest that runs is asked to end first
      3 * second + (was === 1 ? (server.shutdown ?? 0) : 0),
      'resize_migrated',
      () => {
        update(world, migration, { status: 'post-migrating' })
        server.host = host
        bindPorts(world, server, host)
      },
    ],
    [second, 'resize_finish', () => void beginEvent(world, record, 'compute_finish_resize', host)],
  ]
  let at = 0
  let task = 'resize_prep'
  const underWay = () => server.taskState === task && server.vmState !== 'deleted'
  for (const [after, next, happens] of steps) {
    at += after
    clock.after(at, () => {
      if (!underWay()) return
      task = next
      change(server, clock.now(), { taskState: next })
      happens()
    })
  }
  clock.after(at + 2 * second, () => {
    if (!underWay()) return
    update(world, migration, { status: 'finished' })
    const now = clock.now()
    change(server, now, { flavor, vmState: 'resized', taskState: null, powerState: was, launchedAt: now })
    server.claimed = undefined
    succeed(world, record)
  })
}

/** The move that a server in `resized` waits with. */
export const pendingResizeOf = ({ cloud: { nova } }: CloudWorld, { id }: NovaServer): Migration | undefined =>
  nova.migrations.find(({ server, status }) => server === id && status === 'finished')

const restingState = ({ powerState }: NovaServer) => (powerState === 4 ? ('stopped' as const) : ('active' as const))

export function confirmResize(world: CloudWorld, server: NovaServer, migration: Migration, asker: Asker): void {
  const record = recordAction(world, server, 'confirmResize', asker)
  update(world, migration, { status: 'confirming' })
  onHost(world, migration.source, () => {
    beginEvent(world, record, 'compute_confirm_resize', migration.source)
    world.clock.after(2 * second, () => {
      release(world, migration)
      update(world, migration, { status: 'confirmed' })
      change(server, world.clock.now(), { vmState: restingState(server), taskState: null })
      succeed(world, record)
    })
  })
}

export function revertResize(world: CloudWorld, server: NovaServer, migration: Migration, asker: Asker): void {
  const record = recordAction(world, server, 'revertResize', asker)
  update(world, migration, { status: 'reverting' })
  change(server, world.clock.now(), { taskState: 'resize_reverting' })
  onHost(world, migration.destination, () => {
    beginEvent(world, record, 'compute_revert_resize', migration.destination)
    world.clock.after(3 * second, () => {
      release(world, migration)
      update(world, migration, { status: 'reverted' })
      const { flavor, vmState } = migration.before ?? { flavor: server.flavor, vmState: 'active' as const }
      const powerState = vmState === 'stopped' ? 4 : 1
      change(server, world.clock.now(), { host: migration.source, flavor, vmState, powerState, taskState: null })
      bindPorts(world, server, migration.source)
      succeed(world, record)
    })
  })
}
