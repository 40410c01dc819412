import type { Frame, Question } from '../hosts/wiring.ts'
import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import { reasonsToAsk } from './asks.ts'
import { exchange, reaches } from './exchange.ts'
import { breaksOf, broken, metadataOn } from './model.ts'
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

interface Asked {
  readonly host: string
  readonly namespace: string
  readonly address: string
  readonly question: Question
}

/** What is answered in the namespaces of a guest's own network: by the guest, once it has its address, or for it. */
export function answers(world: World, { host, namespace, address, question }: Asked): string | undefined {
  const network =
    servedOn(world, host).find((served) => namespace === `qdhcp-${served.network.id}`)?.network.id ??
    metadataOn(world, host).find(({ network_id }) => namespace === `ovnmeta-${network_id}`)?.network_id
  return world.cloud.neutron.ports
    .filter((port) => port.network_id === network && port.device_owner.startsWith('compute:'))
    .filter((port) => port.fixed_ips.some(({ ip_address }) => ip_address === address))
    .find((port) => {
      // a responder knows the guests whose ports are wired, and need not ask them; OVN lets no question for them through
      const answered =
        world.cloud.neutron.path.backend === 'ovn'
          ? question !== 'echo'
          : question === 'arp_broadcast' && breaksOf(world, 'arp_responder').length > 0
      if (answered && port.status === 'ACTIVE') return true
      // what other ports send reaches a guarded guest only as its security groups allow: ARP does, an echo request does not
      if (question === 'echo' && port.port_security_enabled) return false
      return (keeps(world, port) && reaches(world, port)) || exchange(world, port).outcome.is === 'lease'
    })?.mac_address
}

/** It was given its address long ago, or sets it by itself: whether anybody would give it one now does not matter. */
const keeps = (world: World, port: Port): boolean =>
  (['guest_keeps_address', 'guest_static'] as const).some((kind) =>
    broken(world, kind, { port: port.id, host: port['binding:host_id'] }),
  )

/** When a guest asks for an address, after one moment and not after another. */
function asksAt(world: World, port: Port, from: number, to: number): number[] {
  const [crowd] = breaksOf(world, 'crowded')
  if (crowd?.network === port.network_id && crowd.port !== port.id) {
    const times = Math.floor((to - from) / crowdedEvery)
    return Array.from({ length: times }, (_, index) => from + (index + 1) * crowdedEvery)
  }
  const within = reasonsToAsk(world, port).filter((at) => at > from && at <= to)
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
