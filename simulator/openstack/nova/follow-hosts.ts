import { sayConnected } from '../../hosts/commands/journal.ts'
import type { World } from '../../world.ts'
import { computeOn } from './alive.ts'
import { computeStarted, domainsOn, loseGuests } from './guests.ts'

/** Nova learns from the machines: guests go down with their host, and a compute service that starts looks around. */
export function followHosts(world: World): void {
  const { estate, topology, clock } = world
  const startOf = (host: string) => {
    const unit = estate.unit(host, 'nova-compute')
    return unit?.running ? unit.since : undefined
  }
  estate.guests = (host) => domainsOn(world, host)
  const starts = new Map(topology.computes.map((host) => [host, startOf(host)]))
  const connects = (host: string, at: number) => {
    const machine = estate.machines.get(host)
    const rabbit = estate.machines.get(topology.controllers[0] ?? '')
    if (machine && rabbit) sayConnected(machine, rabbit.address, at)
  }
  for (const [host, since] of starts) if (since !== undefined) connects(host, since)
  for (const host of topology.computes) estate.machines.get(host)?.power.onOff(() => loseGuests(world, host))
  estate.onChange(() => {
    for (const [host, before] of starts) {
      const start = startOf(host)
      if (start === before) continue
      starts.set(host, start)
      if (start === undefined) continue
      connects(host, start)
      const service = computeOn(world, host)
      if (service && world.cloud.nova.mute.delete(host)) {
        const stopped = estate.unit(host, 'nova-compute')?.stoppedAt ?? start
        service.silent = { from: stopped, noticed: clock.now() }
      }
      computeStarted(world, host, () => startOf(host) === start)
    }
  })
}
