import type { CloudWorld } from '../cloud.ts'
import { lastBeat, runningSince } from '../heartbeat.ts'
import { second, spaced } from '../time.ts'
import type { Agent } from './state.ts'

/** An agent that has not been heard of for so long is dead. */
export const agentDeadAfter = 75 * second

function agentHealth(world: CloudWorld, agent: Agent): { readonly seenAt: number; readonly alive: boolean } {
  const now = world.clock.now()
  const seenAt = lastBeat(agent, now, world.estate) + world.cloud.skewOf(agent.host)
  // unlike Nova, Neutron only minds a heartbeat that is too old, not one from the future
  return { seenAt, alive: now - seenAt <= agentDeadAfter }
}

export function agentView(world: CloudWorld, agent: Agent): { readonly id: string; readonly [field: string]: unknown } {
  const { seenAt, alive } = agentHealth(world, agent)
  const skew = world.cloud.skewOf(agent.host)
  return {
    id: agent.id,
    agent_type: agent.agent_type,
    binary: agent.binary,
    topic: agent.topic,
    host: agent.host,
    admin_state_up: agent.admin_state_up,
    created_at: spaced(agent.createdAt),
    started_at: spaced(Math.min(seenAt, runningSince(agent, world.estate) + skew)),
    heartbeat_timestamp: spaced(seenAt),
    description: agent.description ?? null,
    resources_synced: null,
    availability_zone: agent.zone,
    alive,
    configurations: { ...agent.configurations, ...countsOf(world, agent) },
  }
}

function countsOf({ cloud: { neutron } }: CloudWorld, agent: Agent): object {
  switch (agent.agent_type) {
    case 'DHCP agent': {
      const networks = [...neutron.dhcp].filter(([, agents]) => agents.includes(agent.id)).map(([network]) => network)
      const held = <T extends { network_id: string }>(all: readonly T[]) =>
        all.filter(({ network_id }) => networks.includes(network_id)).length
      return { networks: networks.length, ports: held(neutron.ports), subnets: held(neutron.subnets) }
    }
    case 'L3 agent': {
      const routers = [...neutron.l3].filter(([, agents]) => agents.some((one) => one.agent === agent.id))
      return { routers: routers.length, ex_gw_ports: routers.length, interfaces: routers.length, floating_ips: 0 }
    }
    case 'Open vSwitch agent':
    case 'Linux bridge agent':
      return { devices: neutron.ports.filter((port) => port['binding:host_id'] === agent.host).length }
    default:
      return {}
  }
}
