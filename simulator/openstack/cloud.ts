import type { Topology } from '../topology.ts'
import type { Machines, World } from '../world.ts'
import { buildCinder } from './cinder/build.ts'
import type { CinderState } from './cinder/state.ts'
import { type Conditions, createConditions } from './conditions.ts'
import { buildGlance, type GlanceState } from './glance/state.ts'
import { createKeystone, type KeystoneState } from './keystone/state.ts'
import { buildNeutron } from './neutron/build.ts'
import type { NeutronState } from './neutron/state.ts'
import { buildNova } from './nova/build.ts'
import type { NovaServer, NovaState } from './nova/state.ts'
import { createPlacement, type PlacementState } from './placement/state.ts'

/** Everything the OpenStack services know. */
export interface CloudState {
  readonly region: string
  readonly conditions: Conditions
  /** By how many milliseconds a host's clock is ahead (behind, when negative); all are right until the hosts say. */
  skewOf: (host: string) => number
  /** What the serial console of a server shows; little until there are hosts below it. */
  consoleOf: (server: NovaServer) => string
  readonly keystone: KeystoneState
  readonly nova: NovaState
  readonly neutron: NeutronState
  readonly cinder: CinderState
  readonly glance: GlanceState
  readonly placement: PlacementState
}

/** The part of the world the services need: any machines will do. */
export type CloudWorld = Omit<World, 'estate'> & { readonly estate: Machines }

/** The cloud of a topology, healthy, as it stands at a moment of the world. */
export function createCloud(topology: Topology, startAt: number): CloudState {
  return {
    region: topology.region,
    conditions: createConditions(),
    skewOf: () => 0,
    consoleOf: ({ name }) => `Debian GNU/Linux 12 ${name} ttyS0\n\n${name} login: `,
    keystone: createKeystone(),
    nova: buildNova(topology, startAt),
    neutron: buildNeutron(topology, startAt),
    cinder: buildCinder(topology, startAt),
    glance: buildGlance(startAt),
    placement: createPlacement(),
  }
}
