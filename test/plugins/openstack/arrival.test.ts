import { expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud, type Reply, type Routes, versions } from '../../support/openstack-server.ts'
import { changesIn } from './fake-nova.ts'
import { actionCalled } from './run-action.ts'

const id = '5d0c1f2e-58b3-4d0e-8a52-6b1f6d7c9a11'
const missing: Reply = { status: 404, json: { itemNotFound: { code: 404, message: 'could not be found' } } }
const service = { id: 's1', host: 'c1', binary: 'nova-compute', state: 'up', forced_down: false }
const made = { id, name: 'new', status: 'available', metadata: { runbook_attempt: 'a1' } }

/** What a look shows before what was asked for has arrived, and after. */
const cases: readonly { name: string; params: JsonObject; route: string; before: Reply; after: Reply }[] = [
  {
    name: 'compute_service.disable',
    params: { host: 'c1', reason: 'mine' },
    route: 'GET /compute/v2.1/os-services',
    before: { json: { services: [{ ...service, status: 'enabled', disabled_reason: null }] } },
    after: { json: { services: [{ ...service, status: 'disabled', disabled_reason: 'mine' }] } },
  },
  {
    name: 'port.update',
    params: { port: 'p1', admin_state_up: false },
    route: 'GET /network/v2.0/ports/p1',
    before: { json: { port: { id: 'p1', admin_state_up: true } } },
    after: { json: { port: { id: 'p1', admin_state_up: false } } },
  },
  {
    name: 'port.bind',
    params: { port: 'p1', host: 'c1' },
    route: 'GET /network/v2.0/ports/p1',
    before: { json: { port: { id: 'p1', 'binding:host_id': 'c1', 'binding:vif_type': 'binding_failed' } } },
    after: { json: { port: { id: 'p1', 'binding:host_id': 'c1', 'binding:vif_type': 'ovs' } } },
  },
  {
    name: 'dhcp_network.add',
    params: { agent: 'a1', network: 'n1' },
    route: 'GET /network/v2.0/networks/n1/dhcp-agents',
    before: { json: { agents: [] } },
    after: { json: { agents: [{ id: 'a1' }] } },
  },
  {
    name: 'volume.create',
    params: { name: 'new', size: 1 },
    route: 'GET /volume/v3/p1/volumes/detail',
    before: { json: { volumes: [] } },
    after: { json: { volumes: [made] } },
  },
  {
    name: 'volume.delete',
    params: { volume: id },
    route: `GET /volume/v3/p1/volumes/${id}`,
    before: { json: { volume: made } },
    after: missing,
  },
  {
    name: 'image.delete',
    params: { image: id },
    route: `GET /image/v2/images/${id}`,
    before: { json: { id, name: 'debian', status: 'active' } },
    after: missing,
  },
]

const routesOf = (route: string, reply: (before: number) => Reply): Routes => ({
  'GET /compute/v2.1/': versions('v2.1', '2.1', '2.93'),
  'GET /volume/v3/': versions('v3.0', '3.0', '3.71'),
  [`GET /volume/v3/p1/volumes/${id}`]: { json: { volume: made } },
  [route]: (_, before) => reply(before),
})

async function looked(name: string, params: JsonObject, routes: Routes) {
  await using cloud = await fakeCloud(routes)
  await using world = testContext([cloud.cloud])
  const ctx = { ...world.ctx, step: { ...world.ctx.step, attempt: 'a1' } }
  const said = await actionCalled(`openstack.${name}`).settled?.(ctx, params, never)
  expect(changesIn(cloud.asked)).toEqual([])
  return said
}

test.each(cases)('a change that shows only a while after it was asked for has happened: $name', async (one) => {
  const { name, params, route, before, after } = one
  expect(
    await looked(
      name,
      params,
      routesOf(route, (looks) => (looks === 0 ? before : after)),
    ),
  ).toMatchObject({
    happened: 'yes',
  })
  expect(
    await looked(
      name,
      params,
      routesOf(route, () => before),
    ),
  ).toEqual({ happened: 'no' })
})
