import type { Frame } from '../hosts/wiring.ts'
import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { exchange } from './exchange.ts'
import { breaksOf, broken, finished } from './model.ts'
import { servedOn } from './served.ts'

interface Place {
  readonly host: string
  readonly device: string
  readonly namespace: string | undefined
  readonly from: number
  readonly to: number
}

/** A guest without an address asks again so often: rarely, as real clients do once they have tried for a while. */
const retryEvery = 300_000
/** From a guest's link, or its start, to its first question. */
const afterPlug = 2_000
const afterBoot = 6_000
/** In a crowd every other guest of the network asks so often, in milliseconds. */
const crowdedEvery = 50

export function passing(world: World, { host, device, namespace, from, to }: Place): Frame[] {
  const { neutron } = world.cloud
  const copied = neutron.path.mirrors
    .filter((one) => one.host === host && one.mirror.to === device && namespace === undefined)
    .flatMap(({ mirror }) => mirror.from)
  const devices = [device, ...copied]
  return neutron.ports
    .filter((port) => port.device_owner.startsWith('compute:'))
    .flatMap((port) => asksAt(world, port, from, to).map((at) => ({ at, seen: exchange(world, port).sightings })))
    .flatMap(({ at, seen }) =>
      seen
        .filter(({ hop }) => hop.host === host && devices.includes(hop.device) && hop.namespace === namespace)
        .map(({ frame }) => ({ ...frame, at })),
    )
}

/** A guest answers at its address once it has been given it, and from the namespaces of its own network. */
export function answers(world: World, host: string, namespace: string, address: string): string | undefined {
  const found = servedOn(world, host).find(({ network }) => namespace === `qdhcp-${network.id}`)
  return world.cloud.neutron.ports
    .filter((port) => port.network_id === found?.network.id && port.device_owner.startsWith('compute:'))
    .filter((port) => port.fixed_ips.some(({ ip_address }) => ip_address === address))
    .find((port) => keeps(world, port) || exchange(world, port).outcome.is === 'lease')?.mac_address
}

/** It was given its address long ago, or sets it by itself: whether anybody would give it one now does not matter. */
const keeps = (world: World, port: Port): boolean =>
  (['guest_keeps_address', 'guest_static'] as const).some((kind) =>
    broken(world, kind, { port: port.id, host: port['binding:host_id'] }),
  )

/** When a guest asks for an address, after one moment and not after another. */
function asksAt(world: World, port: Port, from: number, to: number): number[] {
  const { neutron, nova } = world.cloud
  const [crowd] = breaksOf(world, 'crowded')
  if (crowd?.network === port.network_id && crowd.port !== port.id) {
    const times = Math.floor((to - from) / crowdedEvery)
    return Array.from({ length: times }, (_, index) => from + (index + 1) * crowdedEvery)
  }
  const boots = nova.actions
    .filter(({ server, action }) => server === port.device_id && ['create', 'start', 'reboot'].includes(action))
    .filter(({ events }) => finished(events))
    .map(({ updatedAt }) => updatedAt + afterBoot)
  const plugs = neutron.path.plugged.filter((one) => one.port === port.id).map(({ at }) => at + afterPlug)
  const within = [...boots, ...plugs].filter((at) => at > from && at <= to)
  if (within.length > 0) return within
  const phase = Number.parseInt(port.id.slice(0, 4), 16) * 1000
  const retry = Math.floor((to - phase) / retryEvery) * retryEvery + phase
  return retry > from && worthAsking(world, port) ? [retry] : []
}

/** A guest with an address keeps quiet for most of a day. */
function worthAsking(world: World, port: Port): boolean {
  if (world.cloud.neutron.path.breaks.length === 0 && port.admin_state_up) return false
  return exchange(world, port).outcome.is !== 'lease'
}
