import type { Clock } from './clock.ts'
import type { HostEstate } from './hosts/estate.ts'
import type { CloudState } from './openstack/cloud.ts'
import type { Random } from './random.ts'
import type { Topology } from './topology.ts'

/** All there is in a rehearsal: the OpenStack services, the hosts they run on, and the time both live in. */
export interface World {
  readonly topology: Topology
  readonly clock: Clock
  readonly random: Random
  readonly cloud: CloudState
  readonly estate: HostEstate
  /**
   * Records a change made to the world from outside: what a real cloud would have been left with.
   * @param kind `openstack` or `host`, then what was done: `openstack.compute_service.disable`, `host.command`
   * @param what the thing it was done to, as an operator names it: `cmp3`, `web-1 (3f2a…)`
   */
  effect(kind: string, what: string, detail?: unknown): void
}

/**
 * What the cloud asks of the machines below it; the estate answers.
 * A service beats while its unit runs, so a host that reboots falls silent in Nova and Neutron and comes back.
 */
export interface Machines {
  /**
   * Whether a systemd unit runs (`nova-compute`, no `.service`), and since when it runs or does not, in world
   * milliseconds since 1970. A unit of a host that is off does not run. `stoppedAt`: when it had stopped before it was
   * started last, if it ever was. `undefined`: no such host, or no such unit on it.
   */
  unit(
    host: string,
    name: string,
  ): { readonly running: boolean; readonly since: number; readonly stoppedAt?: number } | undefined
}
