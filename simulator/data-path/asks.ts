import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { breaksOf, finished } from './model.ts'

/** From a guest's link, or its start, to its first question. */
const afterPlug = 2_000
const afterBoot = 6_000

/** When a guest has reason to ask for an address, whether it has one or not: it starts, or sees its link come back. */
export function reasonsToAsk(world: World, port: Port): number[] {
  const { neutron, nova } = world.cloud
  const boots = nova.actions
    .filter(({ server, action }) => server === port.device_id && ['create', 'start', 'reboot'].includes(action))
    .filter(({ events }) => finished(events))
    .map(({ updatedAt }) => updatedAt + afterBoot)
  const plugs = neutron.path.plugged.filter((one) => one.port === port.id).map(({ at }) => at + afterPlug)
  // one that keeps the address it has does not look at its link
  const keeps = breaksOf(world, 'guest_keeps_address').some((one) => one.port === port.id)
  return keeps ? boots : [...boots, ...plugs]
}
