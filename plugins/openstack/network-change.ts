import { isDeepStrictEqual } from 'node:util'
import { type Preview, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, text, whole } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject, type Schema } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { call, partOf } from './call.ts'
import { paramsOf } from './fields.ts'
import { withoutSecrets } from './json-body.ts'
import { segment } from './list.ts'
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
      const session = await sessionOf(ctx, params)
      const found = await arrived(ctx, signal, async () => {
        const now = await read(session, params, signal)
        return differences(now, wantedOf(params)).length === 0 ? now : undefined
      })
      return found ? { happened: 'yes', result: { [noun]: withoutSecrets(found), changed: true } } : { happened: 'no' }
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

/** What can be set of Neutron's ports, subnets, networks and agents. */
export const networkChangeActions: readonly WorkAction[] = [agentUpdate, networkUpdate, subnetUpdate, portUpdate]
