import type { CloudWorld } from '../cloud.ts'
import { lastBeat } from '../heartbeat.ts'
import { minute } from '../time.ts'
import type { NovaServiceRecord } from './state.ts'

/** A service that has not been heard of for so long is down; Nova and Cinder agree on it. */
export const downAfter = minute

/** What Nova makes of a service's heartbeats. */
export function health(
  world: CloudWorld,
  service: NovaServiceRecord,
): { readonly seenAt: number; readonly up: boolean } {
  const now = world.clock.now()
  const seenAt = lastBeat(service, now, world.estate) + world.cloud.skewOf(service.host)
  // the difference counts without its sign: a clock that is ahead makes a service look dead as well
  return { seenAt, up: !service.forcedDown && Math.abs(now - seenAt) <= downAfter }
}

/** Whether the compute service of a host takes work at all, whatever Nova believes of it. */
export function computeWorks(world: CloudWorld, host: string): boolean {
  const service = computeOn(world, host)
  if (!service) return false
  const unit = world.estate.unit(host, service.unit)
  const { silent } = service
  return (unit?.running ?? true) && (!silent || (unit !== undefined && unit.since > silent.noticed))
}

export const computeOn = ({ cloud: { nova } }: CloudWorld, host: string | null): NovaServiceRecord | undefined =>
  nova.services.find((one) => one.binary === 'nova-compute' && one.host === host)

/** Whether Nova believes that the compute service of a host works. */
export function computeIsUp(world: CloudWorld, host: string | null): boolean {
  const service = computeOn(world, host)
  return service !== undefined && health(world, service).up
}
