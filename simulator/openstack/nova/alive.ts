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
  const service = world.cloud.nova.services.find((one) => one.binary === 'nova-compute' && one.host === host)
  const now = world.clock.now()
  return service !== undefined && now - lastBeat(service, now, world.estate) <= downAfter
}
