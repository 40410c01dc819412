import { expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { never } from '../../support/context.ts'
import { type Routes, versions } from '../../support/openstack-server.ts'
import { runAction } from './run-action.ts'

const speaking = {
  'GET /compute/v2.1/': versions('v2.1', '2.1', '2.93'),
  'GET /volume/v3/': versions('v3.0', '3.0', '3.70'),
}
const servers = (items: readonly JsonObject[]): Routes => ({
  ...speaking,
  'GET /compute/v2.1/servers/detail': { json: { servers: items } },
})
const c1 = 'OS-EXT-SRV-ATTR:host'

test('a filter that the service ignores is kept all the same, by equality', async () => {
  const items = [
    { id: '1', status: 'ACTIVE', [c1]: 'c1' },
    { id: '2', status: 'ACTIVE', [c1]: 'c10' },
    { id: '3', status: 'ERROR', [c1]: 'c1' },
  ]
  const { result, asked } = await runAction('openstack.server.list', { host: 'c1', status: 'ACTIVE' }, servers(items))
  expect(result).toMatchObject({ servers: [{ id: '1' }] })
  expect(asked.at(-1)?.query.toString()).toBe('limit=1000&all_tenants=1&host=c1&status=ACTIVE')
})

test('a filter that cannot be checked, as the field is not shown, fails instead of passing for a short list', async () => {
  const { error } = await runAction('openstack.server.list', { host: 'c1' }, servers([{ id: '1', status: 'ACTIVE' }]))
  expect(error).toMatchObject({ code: 'filter_unverified', hint: expect.stringContaining('administrator') })
})

test('several statuses are asked for as the service can: Nova each, Glance in one word, Cinder not at all', async () => {
  const nova = await runAction('openstack.server.list', { status: ['ERROR', 'BUILD'] }, servers([]))
  expect(nova.asked.at(-1)?.query.getAll('status')).toEqual(['ERROR', 'BUILD'])
  const glance = await runAction(
    'openstack.image.list',
    { status: ['queued', 'saving'] },
    { 'GET /image/v2/images': { json: { images: [] } } },
  )
  expect(glance.asked.at(-1)?.query.getAll('status')).toEqual(['in:queued,saving'])
  const volumes = [
    { id: '1', status: 'error', size: 1 },
    { id: '2', status: 'available', size: 1 },
  ]
  const cinder = await runAction(
    'openstack.volume.list',
    { status: ['error', 'error_deleting'] },
    { ...speaking, 'GET /volume/v3/p1/volumes/detail': { json: { volumes } } },
  )
  expect(cinder.asked.at(-1)?.query.has('status')).toBe(false)
  expect(cinder.result).toMatchObject({ volumes: [{ id: '1' }] })
})

test('a name that Nova would read as a pattern is not sent, and compared exactly', async () => {
  const items = [
    { id: '1', status: 'ACTIVE', name: 'a+b' },
    { id: '2', status: 'ACTIVE', name: 'aab' },
  ]
  const { result, asked } = await runAction('openstack.server.list', { name: 'a+b' }, servers(items))
  expect(asked.at(-1)?.query.has('name')).toBe(false)
  expect(result).toMatchObject({ servers: [{ id: '1' }] })
})

test('who may not list every project is told how to list their own', async () => {
  const refused = { status: 403, json: { forbidden: { message: "Policy doesn't allow it" } } }
  const { error } = await runAction(
    'openstack.server.list',
    {},
    { ...speaking, 'GET /compute/v2.1/servers/detail': refused },
  )
  expect(error).toMatchObject({ code: 'forbidden', hint: expect.stringContaining('all_projects: false') })
  const own = await runAction('openstack.server.list', { all_projects: false }, servers([]))
  expect(own.asked.at(-1)?.query.has('all_tenants')).toBe(false)
})

test('what services hand out as secrets does not come out, at any depth', async () => {
  const items = [
    {
      id: '1',
      status: 'ACTIVE',
      adminPass: 'x',
      'OS-EXT-SRV-ATTR:user_data': 'x',
      metadata: { private_key: 'x', a: 'b' },
    },
  ]
  const { result } = await runAction('openstack.server.list', {}, servers(items))
  expect(result).toMatchObject({ servers: [{ id: '1', status: 'ACTIVE', metadata: { a: 'b' } }] })
  expect(JSON.stringify(result)).not.toContain('"x"')
})

test.each([
  { updated_at: '2026-03-01T11:59:30.500000', at: '2026-03-01T11:59:30.500Z', age: 29.5 },
  { updated_at: '2026-03-01 11:59:30', at: '2026-03-01T11:59:30.000Z', age: 30 },
  { updated_at: '2026-03-01T12:59:30+01:00', at: '2026-03-01T11:59:30.000Z', age: 30 },
  { updated_at: null, at: null, age: null },
  { updated_at: 'yesterday', at: null, age: null },
])('the age of a report of $updated_at is by the clocks of the cloud', async ({ updated_at, at, age }) => {
  const { result } = await runAction(
    'openstack.compute_service.list',
    {},
    {
      ...speaking,
      'GET /compute/v2.1/os-services': {
        headers: { date: 'Sun, 01 Mar 2026 12:00:00 GMT' },
        json: { services: [{ binary: 'nova-compute', host: 'c1', status: 'enabled', updated_at }] },
      },
    },
  )
  expect(result).toMatchObject({
    date: '2026-03-01T12:00:00.000Z',
    services: [{ heartbeat_at: at, heartbeat_age: age, updated_at }],
  })
})

test('a name in a path stays in its place', async () => {
  const { asked } = await runAction('openstack.network.dhcp_agents', { network: '../agents?x=' }, {})
  expect(asked[0]?.path).toBe('/network/v2.0/networks/..%2Fagents%3Fx%3D/dhcp-agents')
})

const id = '16ddfc18-0fa0-4df2-bab0-5df9bdb27152'

test('a server is shown by its id, or by a name that only one has', async () => {
  const byId = await runAction(
    'openstack.server.show',
    { server: id },
    {
      ...speaking,
      [`GET /compute/v2.1/servers/${id}`]: { json: { server: { id, status: 'ACTIVE', adminPass: 'x' } } },
    },
  )
  expect(byId.result).toEqual({ server: { id, status: 'ACTIVE' }, date: expect.any(String) })
  const items = [
    { id: '1', status: 'ACTIVE', name: 'vm1' },
    { id: '2', status: 'ACTIVE', name: 'vm10' },
  ]
  const byName = await runAction('openstack.server.show', { server: 'vm1' }, servers(items))
  expect(byName.result).toMatchObject({ server: { id: '1' } })
})

test.each([
  { what: 'an id nobody has', server: id, items: [], code: 'not_found' },
  { what: 'a name nobody has', server: 'vm', items: [{ id: '1', status: 'ACTIVE', name: 'vm1' }], code: 'not_found' },
  {
    what: 'a name that two have',
    server: 'vm',
    items: ['1', '2'].map((one) => ({ id: one, status: 'ACTIVE', name: 'vm' })),
    code: 'ambiguous',
  },
])('$what is $code', async ({ server, items, code }) => {
  const { error } = await runAction('openstack.server.show', { server }, servers(items))
  expect(error).toMatchObject({ code })
})

test('a name is looked for in the own project by who may not look in every one', async () => {
  const { result } = await runAction(
    'openstack.server.show',
    { server: 'vm' },
    {
      ...speaking,
      'GET /compute/v2.1/servers/detail': ({ query }) =>
        query.has('all_tenants') ? { status: 403 } : { json: { servers: [{ id: '1', status: 'ACTIVE', name: 'vm' }] } },
    },
  )
  expect(result).toMatchObject({ server: { id: '1' } })
})

test('an action that is cancelled rejects with the reason of its signal', async () => {
  const stop = new AbortController()
  stop.abort(new Error('stopped'))
  const { error } = await runAction('openstack.network.list', {}, {}, stop.signal)
  expect(error).toMatchObject({ message: 'stopped' })
  expect(never.aborted).toBe(false)
})
