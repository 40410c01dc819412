import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CloudConfig } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import { isObject, type Json, type JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import type { Rehearsal } from '../../../simulator/contract.ts'
import { loadScenario, startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import { actionCalled } from './run-action.ts'
import { unknownFields } from './unknown-fields.ts'

let rehearsal: Rehearsal
let cloud: CloudConfig

beforeAll(async () => {
  rehearsal = await startRehearsal({ scenario: await loadScenario('healthy') })
  cloud = cloudConfig({ clouds: rehearsal.clouds as Json, env: {} })
})
afterAll(() => rehearsal.close())

/** Lists that no healthy cloud can lack. */
const neverEmpty = [
  'openstack.service.list',
  'openstack.endpoint.list',
  'openstack.project.list',
  'openstack.compute_service.list',
  'openstack.hypervisor.list',
  'openstack.flavor.list',
  'openstack.server.list',
  'openstack.network.list',
  'openstack.subnet.list',
  'openstack.port.list',
  'openstack.network_agent.list',
  'openstack.ip_availability.list',
  'openstack.volume_service.list',
  'openstack.volume_pool.list',
  'openstack.volume.list',
  'openstack.image.list',
  'openstack.resource_provider.list',
]
/** Properties stand beside the fields of an image; the number of a router's VRRP group is not part of the API. */
const beside = /images\.\d+\.|\.ha_vr_id$/
const lists = actions.filter(
  ({ name, params }) => /\.list$/.test(name) && !('required' in params && (params['required'] as string[]).length > 0),
)

test.each(lists.map(({ name }) => ({ name })))(
  '$name reads the rehearsal cloud, and knows every field it gives',
  async ({ name }) => {
    const { result, schema } = await run(name)
    expect(unknownFields(schema, result, 'result').filter((field) => !beside.test(field))).toEqual([])
    const items = Object.values(isObject(result) ? result : {}).find(Array.isArray)
    if (neverEmpty.includes(name)) expect(items).not.toHaveLength(0)
    else expect(items).toBeDefined()
  },
)

test('routers are left by their status though Neutron is not asked for it, and refuses to be', async () => {
  const all = await itemsOf('openstack.router.list', 'routers')
  const active = await itemsOf('openstack.router.list', 'routers', { status: 'ACTIVE' })
  expect(active.length).toBeGreaterThan(0)
  expect(active).toEqual(all.filter((router) => router['status'] === 'ACTIVE'))
  expect(await itemsOf('openstack.router.list', 'routers', { status: 'ERROR' })).toEqual([])
})

test('candidates are asked for with traits and aggregates that they must have, and must not have', async () => {
  const found = (more: JsonObject) =>
    itemsOf('openstack.allocation_candidate.list', 'candidates', { resources: { VCPU: 1 }, ...more })
  const all = await found({})
  expect(all.length).toBeGreaterThan(0)
  expect(await found({ required: ['COMPUTE_NODE'] })).toHaveLength(all.length)
  expect(await found({ forbidden: ['COMPUTE_NODE'] })).toEqual([])
  expect(await found({ member_of: ['00000000-0000-4000-8000-000000000000'] })).toEqual([])
})

test('what a list names can be looked at', async () => {
  const servers = await itemsOf('openstack.server.list', 'servers')
  const shown = await run('openstack.server.show', { server: servers[0]?.['id'] ?? '' })
  expect(shown.result).toMatchObject({ server: { id: servers[0]?.['id'] } })
  const networks = await itemsOf('openstack.network.list', 'networks')
  const agents = await run('openstack.network.dhcp_agents', { network: networks[0]?.['id'] ?? '' })
  expect(agents.result).toMatchObject({ agents: expect.any(Array) })
  const routers = await itemsOf('openstack.router.list', 'routers')
  for (const { id } of routers.slice(0, 1)) {
    const held = await run('openstack.router.l3_agents', { router: id ?? '' })
    expect(held.result).toMatchObject({ agents: expect.any(Array) })
  }
})

test('the servers of one host are those of the whole list that are on it', async () => {
  const all = await itemsOf('openstack.server.list', 'servers')
  const host = String(all[0]?.['OS-EXT-SRV-ATTR:host'])
  const here = await itemsOf('openstack.server.list', 'servers', { host })
  const ids = (servers: readonly JsonObject[]) => servers.map(({ id }) => String(id)).sort()
  expect(ids(here)).toEqual(ids(all.filter((server) => server['OS-EXT-SRV-ATTR:host'] === host)))
})

test('services report to the clock of the world', async () => {
  const services = await itemsOf('openstack.compute_service.list', 'services')
  for (const { heartbeat_age } of services) expect(heartbeat_age).toBeLessThan(120)
})

test('Keystone issues tokens, every endpoint answers, and anything else can be read', async () => {
  expect((await run('openstack.token.issue')).result).toMatchObject({ roles: expect.arrayContaining(['admin']) })
  const { result } = await run('openstack.endpoint.check')
  const endpoints = isObject(result) && Array.isArray(result['endpoints']) ? result['endpoints'] : []
  expect(endpoints.length).toBeGreaterThan(5)
  expect(endpoints.filter((endpoint) => isObject(endpoint) && endpoint['ok'] !== true)).toEqual([])
  const read = await run('openstack.api.get', {
    service: 'compute',
    path: '/servers',
    paginate: 'servers',
    query: { all_tenants: 1 },
  })
  expect(read.result).toMatchObject({ status: 200, body: { servers: expect.any(Array) } })
})

async function itemsOf(name: string, collection: string, params: JsonObject = {}): Promise<readonly JsonObject[]> {
  const { result } = await run(name, params)
  const items = isObject(result) ? result[collection] : undefined
  return Array.isArray(items) ? items.filter(isObject) : []
}

async function run(name: string, params: JsonObject = {}) {
  const action = actionCalled(name)
  await using world = testContext([cloud], { clock: rehearsal.clock })
  const done = rehearsal.clock.busy()
  try {
    const result = await action.run(world.ctx, params, never)
    expect(validatorOf(action.result)(result)).toEqual([])
    return { result, schema: action.result }
  } finally {
    done()
  }
}
