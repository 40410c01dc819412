import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject, type Schema } from '../../../engine/json.ts'
import { schemaProblem, validatorOf } from '../../../engine/schema.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud, type Routes } from '../../support/openstack-server.ts'
import { actionCalled } from './run-action.ts'
import { unknownFields } from './unknown-fields.ts'

const all = actions.map((action) => ({ name: action.name, action }))

describe.each(all)('$name', ({ action }) => {
  test('reads, or can say what it would change and whether it did; and has schemas that are schemas', () => {
    if (action.effect !== 'read')
      expect(action).toMatchObject({ plan: expect.any(Function), settled: expect.any(Function) })
    expect(schemaProblem(action.params)).toBeUndefined()
    expect(schemaProblem(action.result)).toBeUndefined()
    expect(action.params).toMatchObject({ additionalProperties: false })
    expect(action.result).toMatchObject({ additionalProperties: false })
  })

  test('describes every parameter and every field of its result', () => {
    expect([...undescribed(action.params, 'with'), ...undescribed(action.result, 'result')]).toEqual([])
  })

  test('has examples that fit', () => {
    expect(action.examples.length).toBeGreaterThan(0)
    for (const example of action.examples) expect(validatorOf(action.params)(example)).toEqual([])
  })
})

/** Answers of a real cloud (OpenStack Zed), two items of each list. */
const captured: Routes = Object.assign(
  {},
  ...['cinder', 'glance', 'keystone', 'neutron', 'nova', 'placement'].map((name) =>
    JSON.parse(readFileSync(new URL(`answers/${name}.json`, import.meta.url), 'utf8')),
  ),
)

const onCaptured: readonly { name: string; params?: JsonObject; count: number }[] = [
  { name: 'openstack.service.list', count: 2 },
  { name: 'openstack.service.list', params: { type: 'identity' }, count: 1 },
  { name: 'openstack.endpoint.list', count: 2 },
  { name: 'openstack.project.list', count: 2 },
  { name: 'openstack.compute_service.list', count: 2 },
  { name: 'openstack.compute_service.list', params: { host: 'ctl-1', binary: 'nova-scheduler' }, count: 1 },
  { name: 'openstack.compute_service.list', params: { host: 'ctl' }, count: 0 },
  { name: 'openstack.hypervisor.list', count: 2 },
  { name: 'openstack.hypervisor.list', params: { hostname: 'compute-2' }, count: 1 },
  { name: 'openstack.flavor.list', count: 2 },
  { name: 'openstack.migration.list', count: 2 },
  { name: 'openstack.migration.list', params: { host: 'compute-3', status: ['confirmed', 'error'] }, count: 1 },
  { name: 'openstack.aggregate.list', count: 0 },
  { name: 'openstack.server.list', count: 2 },
  { name: 'openstack.server.list', params: { host: 'compute-3', status: ['ACTIVE'], name: 'vm1' }, count: 1 },
  { name: 'openstack.network.list', count: 1 },
  { name: 'openstack.subnet.list', count: 1 },
  { name: 'openstack.port.list', count: 2 },
  { name: 'openstack.port.list', params: { vif_type: 'binding_failed' }, count: 0 },
  { name: 'openstack.router.list', count: 0 },
  { name: 'openstack.ip_availability.list', count: 1 },
  { name: 'openstack.network_agent.list', count: 2 },
  { name: 'openstack.network.dhcp_agents', params: { network: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7' }, count: 1 },
  { name: 'openstack.volume_service.list', count: 2 },
  { name: 'openstack.volume_pool.list', count: 1 },
  { name: 'openstack.volume.list', count: 1 },
  { name: 'openstack.volume_snapshot.list', count: 0 },
  { name: 'openstack.volume_backup.list', count: 0 },
  { name: 'openstack.image.list', count: 2 },
  { name: 'openstack.image.list', params: { status: ['queued', 'saving'] }, count: 1 },
  { name: 'openstack.resource_provider.list', count: 1 },
]

test.each(onCaptured)(
  '$name with $params gives $count of a real cloud, all in fields it knows',
  async ({ name, params = {}, count }) => {
    await using cloud = await fakeCloud(captured)
    await using world = testContext([cloud.cloud])
    const action = actionCalled(name)
    const result = await action.run(world.ctx, params, never)
    expect(validatorOf(action.result)(result)).toEqual([])
    expect(unknownFields(action.result, result, 'result').filter((field) => !ofTheImage(field))).toEqual([])
    expect(Object.values(isObject(result) ? result : {}).find(Array.isArray)).toHaveLength(count)
  },
)

test('a result that lacks what a service always gives does not fit, and one with more does', () => {
  const { result } = actionCalled('openstack.network.list')
  const fits = validatorOf(result)
  expect(fits({ networks: [{ id: 'n', brand_new: 1 }], date: null })).toEqual([])
  expect(fits({ networks: [{ name: 'n' }], date: null })).not.toEqual([])
  expect(fits({ networks: [], date: null, more: 1 })).not.toEqual([])
})

/** An image carries its further properties beside its fields. */
const ofTheImage = (field: string): boolean => /images\.\d+\.(owner_|boot_)/.test(field)

function* undescribed(schema: Schema, at: string): Generator<string> {
  const properties = schema['properties']
  if (isObject(properties)) {
    for (const [name, inner] of Object.entries(properties)) {
      if (!isObject(inner)) continue
      if (typeof inner['description'] !== 'string' || inner['description'] === '') yield `${at}.${name}`
      yield* undescribed(inner, `${at}.${name}`)
    }
  }
  for (const key of ['items', 'additionalProperties']) {
    const inner = schema[key]
    if (isObject(inner)) yield* undescribed(inner, `${at}[]`)
  }
}
