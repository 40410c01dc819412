import type { CloudWorld } from '../cloud.ts'
import { second } from '../time.ts'
import { type Asker, beginEvent, change, fail, recordAction, succeed } from './lifecycle.ts'
import { addMigration, bindPorts, dropHolds, update } from './moves.ts'
import { hostsFor, noValidHost } from './schedule.ts'
import { instanceNameOf } from './server-view.ts'
import type { NovaServer } from './state.ts'

/**
 * Builds a server anew on another host, from what is left of it. For a second it is `ACTIVE` while Nova still names
 * its old host. Its domain there stays until the compute service of that host is back and clears it away.
 */
export function beginEvacuation(
  world: CloudWorld,
  server: NovaServer,
  asker: Asker,
  wish: { readonly host: string | null; readonly force: boolean; readonly stopped: boolean },
): void {
  const { clock, cloud } = world
  const { nova } = cloud
  const source = server.host ?? ''
  const stays = server.vmState === 'stopped' || wish.stopped
  const record = recordAction(world, server, 'evacuate', asker)
  change(server, clock.now(), { taskState: 'rebuilding' })
  const migration = addMigration(world, server, {
    kind: 'evacuation',
    status: 'accepted',
    destination: wish.host,
    asker,
  })
  beginEvent(world, record, 'rebuild_server')
  let task = 'rebuilding'
  const underWay = () => server.taskState === task && server.vmState !== 'deleted'
  const next = (to: string) => {
    task = to
    change(server, clock.now(), { taskState: to })
  }
  clock.after(second, () => {
    if (!underWay()) return
    const [host] =
      wish.force && wish.host !== null
        ? [wish.host]
        : hostsFor(world, { flavor: server.flavor, server, host: wish.host, not: source })
    if (host === undefined) {
      const message = noValidHost()
      const fault = { code: 500, message, created: clock.now(), details: `nova.exception.NoValidHost: ${message}` }
      change(server, clock.now(), { vmState: 'error', taskState: null, fault })
      update(world, migration, { status: 'error' })
      fail(world, record, message)
      return
    }
    update(world, migration, { destination: host, status: 'pre-migrating' })
    server.claimed = { host, flavor: server.flavor }
    nova.holds.push({ consumer: server.id, server: server.id, host: source, flavor: server.flavor })
    beginEvent(world, record, 'compute_rebuild_instance', host)
    clock.after(2 * second, () => underWay() && next('rebuild_block_device_mapping'))
    clock.after(4 * second, () => underWay() && next('rebuild_spawning'))
    clock.after(9 * second, () => {
      if (!underWay()) return
      const domain = { host: source, uuid: server.id, name: instanceNameOf(server), evacuated: migration.uuid }
      nova.orphans.push({ ...domain, running: server.powerState === 1 && !server.guestOff })
      const end = stays
        ? ({ vmState: 'stopped', powerState: 4 } as const)
        : ({ vmState: 'active', powerState: 1 } as const)
      change(server, clock.now(), { ...end, taskState: null, fault: null, guestOff: undefined })
      clock.after(second, () => {
        change(server, clock.now(), { host, claimed: undefined })
        bindPorts(world, server, host)
        update(world, migration, { status: 'done' })
        succeed(world, record)
      })
    })
  })
}

/** The compute service of a host is back: it clears away what was evacuated from it. */
export function clearEvacuated(world: CloudWorld, host: string): void {
  const { nova } = world.cloud
  for (const migration of nova.migrations) {
    if (migration.kind !== 'evacuation' || migration.source !== host || migration.status !== 'done') continue
    dropHolds(nova.holds, (hold) => hold.consumer === migration.server && hold.host === host)
    dropHolds(nova.orphans, ({ evacuated }) => evacuated === migration.uuid)
    update(world, migration, { status: 'completed' })
  }
}
