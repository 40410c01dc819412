import { isDeepStrictEqual } from 'node:util'
import { type ActionContext, type Preview, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, text, whole } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject, type Schema } from '../../engine/json.ts'
import { call, objectIn, partOf } from './call.ts'
import { paramsOf } from './fields.ts'
import { objectsIn, withoutSecrets } from './json-body.ts'
import { listAction, segment } from './list.ts'
import { networkItem, portItem, subnetItem } from './network.ts'
import { agentItem } from './network-agent.ts'
import { type Session, sessionOf } from './session.ts'

interface UpdateSpec {
  /** The name of the parameter and of the result: `port`. */
  readonly noun: string
  /** Its name in the action: `port`, `network_agent`. */
  readonly family: string
  readonly summary: string
  readonly description?: string
  readonly path: string
  readonly item: Schema
  readonly fields: { readonly [name: string]: Schema }
  readonly example: JsonObject
}

/** An action that sets fields of one thing; what is not named stays as it is. */
function updateAction(spec: UpdateSpec): WorkAction {
  const { noun, path, fields } = spec
  const at = (params: JsonObject) => `${path}/${segment(params[noun])}`
  const wantedOf = (params: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(params).filter(([name]) => name in fields))
  const read = async (session: Session, params: JsonObject, signal: AbortSignal) =>
    partOf(await call(session, { service: 'network', path: at(params) }, signal), noun)
  const refuseNothing = (params: JsonObject): void => {
    if (Object.keys(wantedOf(params)).length > 0) return
    throw new StepFailure('nothing_to_change', `no field of the ${noun} is named`, {
      hint: `name one of ${Object.keys(fields).join(', ')}`,
    })
  }
  return {
    name: `openstack.${spec.family}.update`,
    summary: spec.summary,
    ...(spec.description !== undefined && { description: spec.description }),
    effect: 'change',
    idempotent: true,
    params: paramsOf({ [noun]: text('Its id', { minLength: 1 }), ...fields }, [noun]),
    result: closedObject({ [noun]: spec.item, changed: flag('Whether anything was different before') }),
    examples: [{ [noun]: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7', ...spec.example }],
    async plan(ctx, params, signal) {
      refuseNothing(params)
      const before = await read(await sessionOf(ctx, params), params, signal)
      const changes = differences(before, wantedOf(params))
      const name = String(before['name'] || params[noun])
      return {
        summary: changes.length === 0 ? `${noun} ${name} is as wanted` : `would change ${noun} ${name}`,
        changes,
      }
    },
    async run(ctx, params, signal): Promise<Json> {
      refuseNothing(params)
      const wanted = wantedOf(params)
      const session = await sessionOf(ctx, params)
      const before = await read(session, params, signal)
      if (differences(before, wanted).length === 0) return { [noun]: withoutSecrets(before), changed: false }
      const body = { [noun]: wanted }
      const answer = await call(session, { service: 'network', method: 'PUT', path: at(params), body }, signal)
      const after = partOf(answer, noun)
      const left = differences(after, wanted)
      if (left.length > 0) {
        throw new StepFailure(
          'not_changed',
          `Neutron took the change and shows ${left.map(({ path }) => path)} as before`,
        )
      }
      return { [noun]: withoutSecrets(after), changed: true }
    },
    async settled(ctx, params, signal) {
      const now = await read(await sessionOf(ctx, params), params, signal)
      if (differences(now, wantedOf(params)).length > 0) return { happened: 'no' }
      return { happened: 'yes', result: { [noun]: withoutSecrets(now), changed: true } }
    },
  }
}

function differences(before: JsonObject, wanted: JsonObject): Preview['changes'] {
  return Object.entries(wanted).flatMap(([path, after]) =>
    same(before[path], after) ? [] : [{ path, ...(before[path] !== undefined && { before: before[path] }), after }],
  )
}

/** A DHCP option with the value null is one to be taken away: it is as wanted when it is not there. */
function same(before: Json | undefined, after: Json): boolean {
  if (!Array.isArray(after) || !after.some((one) => isObject(one) && 'opt_name' in one)) {
    return isDeepStrictEqual(before, after)
  }
  const has = (Array.isArray(before) ? before : []).filter(isObject)
  return after.filter(isObject).every(({ opt_name, opt_value }) => {
    const found = has.find((one) => one['opt_name'] === opt_name)
    return opt_value === null ? !found : found?.['opt_value'] === opt_value
  })
}

const portUpdate = updateAction({
  noun: 'port',
  family: 'port',
  summary: 'change a port: switch it on or off, its DHCP options',
  path: '/ports',
  item: portItem,
  fields: {
    admin_state_up: flag('Whether it is switched on'),
    name: text('Its name'),
    description: text('What to write about it'),
    extra_dhcp_opts: listOf(
      closedObject(
        {
          opt_name: text('The option: `mtu`, `dhcp_disabled`'),
          opt_value: { type: ['string', 'null'], description: 'Its value; null takes it away' },
          ip_version: whole('4 or 6'),
        },
        ['ip_version'],
      ),
      'DHCP options to set; the others stay',
    ),
  },
  example: { admin_state_up: true },
})

const unbound: readonly Json[] = ['unbound', 'binding_failed']

/** Whether a port is bound on a host, as Neutron shows it. */
const isBoundOn = (port: JsonObject, host: Json | undefined): boolean =>
  port['binding:host_id'] === host && !unbound.includes(port['binding:vif_type'] ?? 'unbound')

const portBind: WorkAction = {
  name: 'openstack.port.bind',
  summary: 'bind a port on a host, once more where Neutron could not',
  description:
    'Neutron asks which layer-2 agent of the host is alive and takes it: mend the agent first. It does not plug the port: that is done by a hard reboot of its server. A port that is bound there is left alone.',
  effect: 'change',
  idempotent: true,
  params: paramsOf(
    { port: text('Its id', { minLength: 1 }), host: text('The host, as Nova names it', { minLength: 1 }) },
    ['port', 'host'],
  ),
  result: closedObject({ port: portItem, changed: flag('Whether it was not bound there before') }),
  examples: [{ port: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7', host: 'compute-1' }],
  async plan(ctx, params, signal) {
    const before = await readPort(await sessionOf(ctx, params), params, signal)
    const { host = null } = params
    if (isBoundOn(before, host)) return { summary: 'the port is bound there already', changes: [] }
    await refuseDeafHost(await sessionOf(ctx, params), String(host), signal)
    const now = before['binding:host_id'] ?? null
    return {
      summary: `would bind port ${params['port']} on ${host}`,
      changes: [
        ...(now === host ? [] : [{ path: 'binding:host_id', before: now, after: host }]),
        { path: 'binding:vif_type', before: before['binding:vif_type'] ?? null, after: 'as the agent there binds' },
      ],
    }
  },
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { host = null } = params
    const before = await readPort(session, params, signal)
    if (isBoundOn(before, host)) return { port: withoutSecrets(before), changed: false }
    await refuseDeafHost(session, String(host), signal)
    const body = { port: { 'binding:host_id': host } }
    const path = `/ports/${segment(params['port'])}`
    const after = partOf(await call(session, { service: 'network', method: 'PUT', path, body }, signal), 'port')
    if (isBoundOn(after, host)) return { port: withoutSecrets(after), changed: true }
    throw new StepFailure(
      'not_bound',
      `Neutron could not bind the port on ${host}: it is ${after['binding:vif_type']}`,
      {
        hint: 'see that the layer-2 agent of the host is alive, and knows the physical network of the port',
      },
    )
  },
  async settled(ctx, params, signal) {
    const now = await readPort(await sessionOf(ctx, params), params, signal)
    if (!isBoundOn(now, params['host'])) return { happened: 'no' }
    return { happened: 'yes', result: { port: withoutSecrets(now), changed: true } }
  },
}

/** What binds ports. Some networks are made without such agents: then Neutron alone knows. */
const layer2 = ['Open vSwitch agent', 'Linux bridge agent', 'OVN Controller agent', 'NIC Switch agent', 'Macvtap agent']

/**
 * Refuses a host whose layer-2 agent is dead, or that has none where others have: Neutron would take the port from where it
 * is, and bind it nowhere. Whoever may not see agents is left to what Neutron does.
 */
async function refuseDeafHost(session: Session, host: string, signal: AbortSignal): Promise<void> {
  const agents = await bindingAgents(session, { host }, signal)
  if (agents === undefined || agents.some(({ alive }) => alive === true)) return
  if (agents.length > 0)
    throw new StepFailure(
      'agent_down',
      `the layer-2 agent on \`${host}\` does not report, so nothing can be bound there`,
      { hint: 'mend it first: a restart, and wait until it reports', detail: { host } },
    )
  if ((await bindingAgents(session, {}, signal))?.length === 0) return
  throw new StepFailure(
    'no_such_host',
    `Neutron knows no layer-2 agent on \`${host}\`, so nothing can be bound there`,
    {
      hint: 'it has to be exactly as Neutron names it: `openstack.network_agent.list`',
      detail: { host },
    },
  )
}

async function bindingAgents(
  session: Session,
  query: { readonly host?: string },
  signal: AbortSignal,
): Promise<readonly JsonObject[] | undefined> {
  try {
    const answer = await call(session, { service: 'network', path: '/agents', query }, signal)
    return objectsIn(objectIn(answer)['agents']).filter(({ agent_type }) => layer2.includes(String(agent_type)))
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'forbidden') return undefined
    throw error
  }
}

const readPort = async (session: Session, params: JsonObject, signal: AbortSignal): Promise<JsonObject> =>
  partOf(await call(session, { service: 'network', path: `/ports/${segment(params['port'])}` }, signal), 'port')

const subnetUpdate = updateAction({
  noun: 'subnet',
  family: 'subnet',
  summary: 'change a subnet: switch DHCP on or off, its name servers',
  path: '/subnets',
  item: subnetItem,
  fields: {
    enable_dhcp: flag('Whether DHCP serves it'),
    name: text('Its name'),
    description: text('What to write about it'),
    dns_nameservers: listOf(text('An address'), 'Name servers, all of them'),
  },
  example: { enable_dhcp: true },
})

const networkUpdate = updateAction({
  noun: 'network',
  family: 'network',
  summary: 'change a network: switch it on or off, its name',
  path: '/networks',
  item: networkItem,
  fields: {
    admin_state_up: flag('Whether it is switched on'),
    name: text('Its name'),
    description: text('What to write about it'),
  },
  example: { admin_state_up: true },
})

const agentUpdate = updateAction({
  noun: 'agent',
  family: 'network_agent',
  summary: 'switch an agent of Neutron on or off',
  description: 'A DHCP agent that is switched off gives its networks away; it goes on to report.',
  path: '/agents',
  item: agentItem,
  fields: { admin_state_up: flag('Whether it is switched on'), description: text('What to write about it') },
  example: { admin_state_up: false },
})

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
      const { agents, done } = await look(ctx, params, signal)
      return done ? { happened: 'yes', result: told(params, agents, true) } : { happened: 'no' }
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

/** What can be changed of Neutron, and which DHCP agent has which network. */
export const networkChangeActions: readonly WorkAction[] = [
  networkUpdate,
  subnetUpdate,
  portUpdate,
  portBind,
  agentUpdate,
  dhcpNetworks,
  dhcpAdd,
  dhcpRemove,
]
