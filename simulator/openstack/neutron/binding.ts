import type { CloudWorld } from '../cloud.ts'
import { lastBeat } from '../heartbeat.ts'
import { agentDeadAfter } from './agent-view.ts'
import { bindingOf } from './ports.ts'
import type { Agent, Port } from './state.ts'

/** Whether an agent has been heard of lately, by the true time of the world. */
export function works(world: CloudWorld, agent: Agent): boolean {
  const now = world.clock.now()
  return now - lastBeat(agent, now, world.estate) <= agentDeadAfter
}

const layer2Types = ['Open vSwitch agent', 'Linux bridge agent', 'OVN Controller agent']

const failed = { 'binding:vif_type': 'binding_failed', 'binding:vif_details': {} }

export const isBound = (port: Port): boolean => !['unbound', 'binding_failed'].includes(port['binding:vif_type'])

/** Neutron binds a port on a host whose layer-2 agent is heard of, and says that it could not on any other. */
export function bind(world: CloudWorld, port: Port, host: string): void {
  const { neutron } = world.cloud
  const agent = neutron.agents.find((one) => one.host === host && layer2Types.includes(one.agent_type))
  const refused = host !== '' && (agent === undefined || !works(world, agent))
  Object.assign(port, bindingOf(neutron, host), { status: 'DOWN' }, refused ? failed : {})
}

/** The ports of a server that its host cannot plug, for it is not told how. */
export const unpluggable = ({ cloud: { neutron } }: CloudWorld, server: string): readonly Port[] =>
  neutron.ports.filter((port) => port.device_id === server && port['binding:vif_type'] === 'binding_failed')

/** Nova has plugged the ports of a server again, and the agent wires those that are switched on. */
export function plugged({ cloud: { neutron } }: CloudWorld, server: string): void {
  for (const port of neutron.ports) {
    if (port.device_id === server && port.admin_state_up && isBound(port)) port.status = 'ACTIVE'
  }
}
