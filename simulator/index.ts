import { createClock } from './clock.ts'
import type { Rehearsal, RehearsalOptions } from './contract.ts'
import { layPaths } from './data-path/index.ts'
import { createEstate, type ServedEstate, serveEstate } from './hosts/index.ts'
import { createCloud } from './openstack/cloud.ts'
import { followHosts } from './openstack/nova/follow-hosts.ts'
import { type ServedCloud, serveCloud } from './openstack/serve-cloud.ts'
import { createRandom } from './random.ts'
import { readScenario, ScenarioError } from './scenario.ts'
import { type Topology, topologyOf } from './topology.ts'
import type { World } from './world.ts'

export { loadScenario, ScenarioError, scenarioNames } from './scenario.ts'

/**
 * Brings up the world of a scenario on loopback: OpenStack over HTTP, hosts over SSH.
 * Throws `ScenarioError` when the scenario says what cannot be.
 */
export async function startRehearsal(options: RehearsalOptions): Promise<Rehearsal> {
  const scenario = readScenario(options.scenario)
  const topology = topologyOf(scenario.topology)
  const clock = createClock({ startAt: options.startAt ?? Date.now(), speed: options.speed })
  const random = createRandom(scenario.name)
  const estate = createEstate(topology, clock, random)
  const cloud = createCloud(topology, clock.now())
  const waiting = scenario.faults.filter(({ once }) => once !== undefined)
  const world: World = {
    topology,
    clock,
    random,
    estate,
    cloud,
    effect(kind, what, detail) {
      const at = new Date(clock.now()).toISOString()
      options.onEffect?.({ at, kind, what, ...(detail !== undefined && { detail }) })
      for (const planned of waiting.filter(({ once }) => begins(`${kind} ${what}`, once))) {
        waiting.splice(waiting.indexOf(planned), 1)
        clock.after(planned.after, () => happen(world, planned))
      }
    },
  }
  followHosts(world)
  // seconds, as chrony counts
  cloud.skewOf = (host) => Math.round((estate.machines.get(host)?.clockOffset ?? 0) * 1000)
  layPaths(world)
  let services: ServedCloud | undefined
  let hosts: ServedEstate | undefined
  const close = async () => {
    clock.close()
    await Promise.all([services?.close(), hosts?.close()])
  }
  try {
    for (const planned of scenario.faults) plan(world, scenario.name, planned)
    services = await serveCloud(world)
    hosts = await serveEstate(world)
  } catch (error) {
    await close()
    throw error
  }
  return {
    clouds: services.clouds,
    inventory: inventoryOf(topology, hosts.hosts),
    ssh: { knownHosts: hosts.knownHosts, privateKey: hosts.privateKey },
    clock,
    close,
  }
}

type Planned = ReturnType<typeof readScenario>['faults'][number]

function plan(world: World, scenario: string, planned: Planned): void {
  const { fault, params, after, once } = planned
  const host = params['host']
  if (host !== undefined && !world.estate.machines.has(String(host))) {
    throw new ScenarioError(
      `scenario \`${scenario}\`: \`${fault.name}\` names the host \`${host}\`, and there is none`,
      {
        hint: `the hosts are ${[...world.estate.machines.keys()].join(', ')}`,
      },
    )
  }
  if (once !== undefined) return
  if (after > 0) world.clock.after(after, () => happen(world, planned))
  else fault.apply(world, params)
}

/** A fault that comes later and then cannot be: it must not end the rehearsal of those who are in it. */
function happen(world: World, { fault, params }: Planned): void {
  try {
    fault.apply(world, params)
  } catch (error) {
    world.effect('rehearsal.fault_failed', fault.name, { why: String(error) })
  }
}

/** `openstack.server.stop` begins `openstack.server.stop web-1 (9f…)`; so does `openstack.server.stop web-1`. */
function begins(change: string, once: string | undefined): boolean {
  return once !== undefined && `${change} `.startsWith(`${once} `)
}

function inventoryOf(topology: Topology, served: ServedEstate['hosts']): Rehearsal['inventory'] {
  const { controllers, computes, ceph, databases } = topology
  const groups = { controllers, computes, ceph, databases }
  return {
    apiVersion: 'runbook/v1',
    hosts: Object.fromEntries(
      Object.entries(served).map(([name, { address, port }]) => [name, { address, ssh: { port, user: 'root' } }]),
    ),
    cloud: 'rehearsal',
    groups: Object.fromEntries(Object.entries(groups).map(([name, hosts]) => [name, { hosts }])),
  }
}
