import type { Guest } from '../../hosts/estate.ts'
import type { CloudWorld } from '../cloud.ts'
import { minute } from '../time.ts'
import { computeWorks } from './alive.ts'
import { clearEvacuated } from './evacuation.ts'
import { loseMigrationsOf } from './live-migration.ts'
import { dropHolds } from './moves.ts'
import { instanceNameOf } from './server-view.ts'
import { begin, transitions } from './transitions.ts'
import { serversOn } from './usage.ts'
import { usersAct } from './users.ts'

/** The domains that are really on a host, whatever Nova's books say. */
export function domainsOn(world: CloudWorld, host: string): Guest[] {
  const { nova } = world.cloud
  const own = serversOn(nova, host).map((server): Guest => {
    const on = (power: number) => server.powerState === power && !server.guestOff
    return { uuid: server.id, name: instanceNameOf(server), running: on(1), paused: on(3) }
  })
  const orphans = nova.orphans
    .filter((one) => one.host === host)
    .map(({ uuid, name, running }): Guest => ({ uuid, name, running, paused: false }))
  return [...own, ...orphans]
}

/** A host lost power or rebooted: every guest on it is off, and nobody has told Nova. */
export function loseGuests(world: CloudWorld, host: string): void {
  const { nova } = world.cloud
  loseMigrationsOf(world, host)
  for (const server of serversOn(nova, host)) {
    if (server.powerState === 1 || server.powerState === 3) server.guestOff = true
  }
  for (const orphan of nova.orphans) if (orphan.host === host) orphan.running = false
  usersAct(world, 'reboot', host)
}

/** When the first look at the guests comes after a start, and how often after that. */
const firstSync = minute
const everySync = 10 * minute

/**
 * The compute service of a host has started: it takes what waits for it, clears away what was evacuated, and looks at
 * its guests a minute later. A server whose guest it finds off it stops.
 */
export function computeStarted(world: CloudWorld, host: string, stillRuns: () => boolean): void {
  const { nova } = world.cloud
  if (!computeWorks(world, host)) return
  const waiting = nova.queued.filter((one) => one.host === host)
  dropHolds(nova.queued, (one) => one.host === host)
  for (const { take } of waiting) take()
  clearEvacuated(world, host)
  usersAct(world, 'back', host)
  const sync = () => {
    if (!stillRuns()) return
    syncPower(world, host)
    world.clock.after(everySync, sync)
  }
  world.clock.after(firstSync, sync)
}

function syncPower(world: CloudWorld, host: string): void {
  const stop = transitions['os-stop']
  for (const server of serversOn(world.cloud.nova, host)) {
    if (!server.guestOff || server.taskState !== null || !stop) continue
    if (server.vmState !== 'active' && server.vmState !== 'paused') continue
    const requestId = `req-${world.random.uuid()}`
    begin(world, server, { ...stop, takes: 1000 }, { requestId, user: server.user, project: server.project })
  }
}
