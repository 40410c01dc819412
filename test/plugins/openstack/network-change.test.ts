import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CloudConfig } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import type { Rehearsal } from '../../../simulator/contract.ts'
import { startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import { actionCalled, runAction } from './run-action.ts'

const effects: { kind: string; what: string; detail?: unknown }[] = []
let rehearsal: Rehearsal
let cloud: CloudConfig

beforeAll(async () => {
  const topology = { controllers: 3, computes: 2, ceph: 0, databases: 1, osds_per_host: 0, servers: 4 }
  const scenario = { apiVersion: 'runbook/v1', name: 'changes', topology }
  rehearsal = await startRehearsal({ scenario, onEffect: (effect) => effects.push(effect) })
  cloud = cloudConfig({ clouds: rehearsal.clouds as Json, env: {} })
})
afterAll(() => rehearsal.close())

// biome-ignore lint/suspicious/noExplicitAny: what the API gives, looked at field by field
type Found = { [field: string]: any }

async function run(name: string, params: JsonObject): Promise<Found> {
  await using world = testContext([cloud], { clock: rehearsal.clock })
  const action = actionCalled(name)
  const done = rehearsal.clock.busy()
  const result = await action.run(world.ctx, params, never).finally(done)
  expect(validatorOf(action.result)(result)).toEqual([])
  return result as object
}

async function ask(name: string, what: 'plan' | 'settled', params: JsonObject) {
  await using world = testContext([cloud], { clock: rehearsal.clock })
  const done = rehearsal.clock.busy()
  return await actionCalled(name)[what]?.(world.ctx, params, never).finally(done)
}

/** What happened to the world meanwhile. */
async function effectsOf(work: () => Promise<unknown>): Promise<string[]> {
  const before = effects.length
  await work()
  return effects.slice(before).map(({ kind }) => kind)
}

const serverPort = async () => {
  const { ports } = await run('openstack.port.list', { owner: 'compute:nova' })
  return String(ports[0].id)
}

test('a port is switched off and on, is planned and settled by what it is, and is not touched when it is as wanted', async () => {
  const port = await serverPort()
  const off = { port, admin_state_up: false }
  expect(await ask('openstack.port.update', 'plan', off)).toMatchObject({
    changes: [{ path: 'admin_state_up', before: true, after: false }],
  })
  expect(await ask('openstack.port.update', 'settled', off)).toEqual({ happened: 'no' })
  const first = await effectsOf(async () => {
    expect(await run('openstack.port.update', off)).toMatchObject({ changed: true, port: { status: 'DOWN' } })
  })
  expect(first).toEqual(['openstack.port.update'])
  expect(await ask('openstack.port.update', 'settled', off)).toMatchObject({ happened: 'yes' })
  const again = await effectsOf(async () => {
    expect(await run('openstack.port.update', off)).toMatchObject({ changed: false })
  })
  expect(again).toEqual([])
  await run('openstack.port.update', { port, admin_state_up: true })
  await rehearsal.clock.advance(5_000)
  expect((await run('openstack.port.show', { port })).port).toMatchObject({ status: 'ACTIVE', admin_state_up: true })
})

test('a DHCP option is set and taken away, and the others stay', async () => {
  const port = await serverPort()
  const set = (opt_name: string, opt_value: string | null) =>
    run('openstack.port.update', { port, extra_dhcp_opts: [{ opt_name, opt_value }] })
  await set('mtu', '1400')
  await set('dhcp_disabled', 'true')
  const { port: both } = await run('openstack.port.show', { port })
  expect(both.extra_dhcp_opts.map((one: { opt_name: string }) => one.opt_name)).toEqual(['mtu', 'dhcp_disabled'])
  expect(await set('dhcp_disabled', null)).toMatchObject({
    changed: true,
    port: { extra_dhcp_opts: [{ opt_name: 'mtu' }] },
  })
  expect(await set('dhcp_disabled', null)).toMatchObject({ changed: false })
})

test('a network is taken from one DHCP agent and given to another; asking twice changes nothing', async () => {
  const { subnets } = await run('openstack.subnet.list', {})
  const network = subnets.find((one: { enable_dhcp: boolean }) => one.enable_dhcp).network_id
  const { agents: all } = await run('openstack.network_agent.list', { agent_type: 'DHCP agent' })
  const { agents: serving } = await run('openstack.network.dhcp_agents', { network })
  const [from] = serving.map((one: { id: string }) => one.id)
  const to = all
    .map((one: { id: string }) => one.id)
    .find((id: string) => !serving.some((one: { id: string }) => one.id === id))
  const kinds = await effectsOf(async () => {
    const removed = await run('openstack.dhcp_network.remove', { network, agent: from })
    expect(removed).toMatchObject({ changed: true, agents: [serving[1].id] })
    expect(await run('openstack.dhcp_network.remove', { network, agent: from })).toMatchObject({ changed: false })
    expect(await ask('openstack.dhcp_network.add', 'settled', { network, agent: to })).toEqual({ happened: 'no' })
    expect(await run('openstack.dhcp_network.add', { network, agent: to })).toMatchObject({
      changed: true,
      agents: expect.arrayContaining([serving[1].id, to]),
    })
    expect(await run('openstack.dhcp_network.add', { network, agent: to })).toMatchObject({ changed: false })
  })
  expect(kinds).toEqual(['openstack.dhcp_network.remove', 'openstack.dhcp_network.add'])
  const { networks } = await run('openstack.dhcp_network.list', { agent: to })
  expect(networks.map((one: { id: string }) => one.id)).toContain(network)
  // the address of the DHCP server goes with the network to the agent that comes next
  const { ports } = await run('openstack.port.list', { network, owner: 'network:dhcp' })
  expect(ports).toHaveLength(2)
})

test('a subnet and an agent are switched', async () => {
  const { subnets } = await run('openstack.subnet.list', {})
  const subnet = subnets.find((one: { enable_dhcp: boolean }) => one.enable_dhcp).id
  expect(await run('openstack.subnet.update', { subnet, enable_dhcp: false })).toMatchObject({
    changed: true,
    subnet: { enable_dhcp: false },
  })
  await run('openstack.subnet.update', { subnet, enable_dhcp: true })
  const { agents } = await run('openstack.network_agent.list', { agent_type: 'DHCP agent' })
  expect(await run('openstack.network_agent.update', { agent: agents[0].id, admin_state_up: false })).toMatchObject({
    changed: true,
    agent: { admin_state_up: false },
  })
})

test('a change that Neutron takes and does not make is a failure, not a success', async () => {
  const port = { id: 'p1', network_id: 'n1', admin_state_up: false }
  const routes = { 'GET /network/v2.0/ports/p1': { json: { port } }, 'PUT /network/v2.0/ports/p1': { json: { port } } }
  const { error } = await runAction('openstack.port.update', { port: 'p1', admin_state_up: true }, routes)
  expect(error).toMatchObject({ code: 'not_changed' })
  const networks = {
    'GET /network/v2.0/networks/n1/dhcp-agents': { json: { agents: [] } },
    'POST /network/v2.0/agents/a1/dhcp-networks': { status: 201, json: null },
  }
  const given = await runAction('openstack.dhcp_network.add', { network: 'n1', agent: 'a1' }, networks)
  expect(given.error).toMatchObject({ code: 'not_changed' })
})

test('a change that names no field is an error', async () => {
  const { error, asked } = await runAction('openstack.port.update', { port: 'p1' }, {})
  expect(error).toMatchObject({ code: 'nothing_to_change' })
  expect(asked).toEqual([])
  const planned = ask('openstack.port.update', 'plan', { port: await serverPort() })
  await expect(planned).rejects.toMatchObject({ code: 'nothing_to_change' })
})
