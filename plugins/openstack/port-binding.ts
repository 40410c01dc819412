import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { call, objectIn, partOf } from './call.ts'
import { paramsOf } from './fields.ts'
import { objectsIn, withoutSecrets } from './json-body.ts'
import { segment } from './list.ts'
import { portItem } from './network.ts'
import { type Session, sessionOf } from './session.ts'

const unbound: readonly Json[] = ['unbound', 'binding_failed']

/** Whether a port is bound on a host, as Neutron shows it. */
const isBoundOn = (port: JsonObject, host: Json | undefined): boolean =>
  port['binding:host_id'] === host && !unbound.includes(port['binding:vif_type'] ?? 'unbound')

export const portBind: WorkAction = {
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
    const session = await sessionOf(ctx, params)
    const found = await arrived(ctx, signal, async () => {
      const now = await readPort(session, params, signal)
      return isBoundOn(now, params['host']) ? now : undefined
    })
    return found ? { happened: 'yes', result: { port: withoutSecrets(found), changed: true } } : { happened: 'no' }
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
