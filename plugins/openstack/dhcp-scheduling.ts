import { type ActionContext, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, text } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { call, objectIn } from './call.ts'
import { paramsOf } from './fields.ts'
import { listAction, segment } from './list.ts'
import { networkItem } from './network.ts'
import { type Session, sessionOf } from './session.ts'

const dhcpNetworks = listAction({
  name: 'openstack.dhcp_network.list',
  summary: 'the networks that a DHCP agent serves',
  service: 'network',
  path: ({ agent }) => `/agents/${segment(agent)}/dhcp-networks`,
  collection: 'networks',
  paged: false,
  switches: { agent: text('The agent, by id', { minLength: 1 }) },
  required: ['agent'],
  item: networkItem,
  examples: [{ agent: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7' }],
})

const scheduling = paramsOf(
  { agent: text('The DHCP agent, by id', { minLength: 1 }), network: text('The network, by id', { minLength: 1 }) },
  ['agent', 'network'],
)
const scheduled = closedObject({
  agent: text('The DHCP agent'),
  network: text('The network'),
  changed: flag('Whether it was different before'),
  agents: listOf(text('UUID'), 'The DHCP agents that have the network now'),
})
const schedulingExample = {
  agent: '4d2e1f0a-58b3-4d0e-8a52-6b1f6d7c9a11',
  network: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7',
}

/** The DHCP agents that have the network, by id. */
async function agentsOf(session: Session, network: Json | undefined, signal: AbortSignal): Promise<readonly string[]> {
  const path = `/networks/${segment(network)}/dhcp-agents`
  const { agents } = objectIn(await call(session, { service: 'network', path }, signal))
  return (Array.isArray(agents) ? agents : []).filter(isObject).map(({ id }) => String(id))
}

/** An action that gives a network to a DHCP agent, or takes it away; the list afterwards says whether it came to that. */
function schedule(how: 'add' | 'remove', described: Pick<WorkAction, 'summary' | 'description'>): WorkAction {
  const wanted = how === 'add'
  const look = async (ctx: ActionContext, params: JsonObject, signal: AbortSignal) => {
    const session = await sessionOf(ctx, params)
    const agents = await agentsOf(session, params['network'], signal)
    return { session, agents, done: agents.includes(String(params['agent'])) === wanted }
  }
  const told = ({ agent = null, network = null }: JsonObject, agents: readonly string[], changed: boolean): Json => ({
    agent,
    network,
    changed,
    agents,
  })
  return {
    name: `openstack.dhcp_network.${how}`,
    ...described,
    effect: 'change',
    idempotent: true,
    params: scheduling,
    result: scheduled,
    examples: [schedulingExample],
    async plan(ctx, params, signal) {
      const { agents, done } = await look(ctx, params, signal)
      if (done) return { summary: `the network is ${wanted ? 'on' : 'not on'} that agent already`, changes: [] }
      const agent = String(params['agent'])
      const after = wanted ? [...agents, agent] : agents.filter((one) => one !== agent)
      return {
        summary: `would ${wanted ? 'give the network to' : 'take the network from'} a DHCP agent`,
        changes: [{ path: 'dhcp_agents', before: agents, after }],
      }
    },
    async run(ctx, params, signal) {
      const { session, agents, done } = await look(ctx, params, signal)
      if (done) return told(params, agents, false)
      const below = `/agents/${segment(params['agent'])}/dhcp-networks`
      const { network = null } = params
      await call(
        session,
        wanted
          ? { service: 'network', method: 'POST', path: below, body: { network_id: network } }
          : { service: 'network', method: 'DELETE', path: `${below}/${segment(network)}` },
        signal,
      )
      const after = await look(ctx, params, signal)
      if (after.done) return told(params, after.agents, true)
      throw new StepFailure('not_changed', 'Neutron took the change, and the agents of the network are as before', {
        hint: 'somebody, or the automatic rescheduling of Neutron, changed it at the same time: look again',
        detail: { agents: after.agents },
      })
    },
    async settled(ctx, params, signal) {
      const found = await arrived(ctx, signal, async () => {
        const now = await look(ctx, params, signal)
        return now.done ? now : undefined
      })
      return found ? { happened: 'yes', result: told(params, found.agents, true) } : { happened: 'no' }
    },
  }
}

const dhcpAdd = schedule('add', {
  summary: 'give a network to a DHCP agent',
  description: 'The agent makes the namespace, the port and the DHCP server some seconds later; this only asks for it.',
})
const dhcpRemove = schedule('remove', {
  summary: 'take a network from a DHCP agent',
  description:
    'The agent ends its DHCP server for it. Guests with a lease keep it; without another agent nobody renews it.',
})

/** Which DHCP agent has which network. */
export const dhcpSchedulingActions: readonly WorkAction[] = [dhcpNetworks, dhcpAdd, dhcpRemove]
