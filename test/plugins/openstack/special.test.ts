import { expect, test } from 'vitest'
import { never } from '../../support/context.ts'
import { type Routes, versions } from '../../support/openstack-server.ts'
import { event, fakeNova, id } from './fake-nova.ts'
import { runAction } from './run-action.ts'

const speaking = { 'GET /compute/v2.1/': versions('v2.1', '2.1', '2.93') }

test('a token is described and not given away', async () => {
  const { result } = await runAction('openstack.token.issue', {}, {})
  expect(result).toEqual({
    took: 0,
    issued_at: '2026-03-01T12:00:00.000Z',
    expires_at: '2026-03-01T13:00:00.000Z',
    user: { id: 'u1', name: 'ops', domain: 'Default' },
    project: { id: 'p1', name: 'admin', domain: 'Default' },
    roles: ['admin'],
    services: ['identity', 'compute', 'network', 'image', 'volumev3', 'placement'].map((type) => ({
      type,
      name: type,
      interfaces: ['internal', 'public'],
      regions: ['RegionOne'],
    })),
  })
})

test('an endpoint that is broken is a row among those that answer', async () => {
  const catalog = {
    compute: '/compute/v2.1/p1',
    network: '/network',
    image: 'http://127.0.0.1:1/image',
    placement: '/placement',
  }
  const routes: Routes = {
    ...speaking,
    'GET /network/v2.0/': { status: 503, text: 'no server is available' },
    'GET /placement/': { status: 401 },
  }
  const { result } = await runAction('openstack.endpoint.check', {}, routes, never, { catalog })
  expect(result).toMatchObject({
    endpoints: [
      {
        type: 'compute',
        interface: 'public',
        ok: true,
        status: 200,
        code: null,
        url: expect.stringMatching(/\/compute\/v2\.1\/$/),
      },
      { type: 'network', ok: false, status: 503, code: 'server_error', error: 'answered 503' },
      { type: 'image', ok: false, status: null, code: 'connection_refused', error: expect.stringContaining('refused') },
      { type: 'placement', ok: true, status: 401 },
    ],
  })
})

test('endpoints are checked at the interfaces, services and the region that are asked for', async () => {
  const catalog = { 'compute@North': '/n', 'compute@South': '/s', 'image@North': '/i' }
  const params = { interfaces: ['public', 'internal'], services: ['compute'], region: 'North' }
  const { result } = await runAction('openstack.endpoint.check', params, {}, never, { catalog })
  expect(result).toMatchObject({
    endpoints: [
      { type: 'compute', region: 'North', interface: 'public' },
      { type: 'compute', region: 'North', interface: 'internal' },
    ],
  })
})

test('the version documents are asked for without the token', async () => {
  const { asked } = await runAction('openstack.endpoint.check', { services: ['compute'] }, speaking)
  expect(asked.map(({ headers }) => headers['x-auth-token'])).toEqual([undefined])
})

const placement: Routes = {
  'GET /placement/': versions('v1.0', '1.0', '1.39'),
  'GET /placement/resource_providers': {
    json: { resource_providers: ['a', 'b', 'gone'].map((name) => ({ uuid: name, name, generation: 1 })) },
  },
  'GET /placement/resource_providers/a/inventories': {
    json: { inventories: { VCPU: { total: 4, allocation_ratio: 16 } } },
  },
  'GET /placement/resource_providers/a/usages': { json: { usages: { VCPU: 2 } } },
  'GET /placement/resource_providers/b/inventories': { json: { inventories: {} } },
  'GET /placement/resource_providers/b/usages': { json: { usages: {} } },
}

test('a resource provider comes with what it has and what is used; one that has gone away meanwhile is left out', async () => {
  const { result } = await runAction('openstack.resource_provider.list', {}, placement)
  expect(result).toMatchObject({
    resource_providers: [
      { uuid: 'a', inventories: { VCPU: { total: 4 } }, usages: { VCPU: 2 } },
      { uuid: 'b', inventories: {}, usages: {} },
    ],
  })
})

test('a resource provider that cannot be read fails the whole list', async () => {
  const { error } = await runAction(
    'openstack.resource_provider.list',
    {},
    {
      ...placement,
      'GET /placement/resource_providers/b/usages': { status: 403 },
    },
  )
  expect(error).toMatchObject({ code: 'forbidden' })
})

const keypairs = {
  'GET /compute/v2.1/os-keypairs': {
    headers: { 'x-secret': 's', 'x-openstack-request-id': 'req-1' },
    json: { keypairs: [{ private_key: 'x', name: 'k' }] },
  },
}

test.each(['/os-keypairs', 'os-keypairs', '/v2.1/os-keypairs'])('anything can be read: %s', async (path) => {
  const { result } = await runAction(
    'openstack.api.get',
    { service: 'compute', path, query: { a: ['1', '2'] } },
    keypairs,
  )
  expect(result).toMatchObject({
    status: 200,
    headers: { 'x-openstack-request-id': 'req-1' },
    body: { keypairs: [{ name: 'k' }] },
  })
  expect(JSON.stringify(result)).not.toMatch(/private_key|x-secret/)
})

test('a query in the path and beside it are one', async () => {
  const { asked } = await runAction(
    'openstack.api.get',
    { service: 'compute', path: '/os-keypairs?a=1&a=2', query: { b: 3 } },
    keypairs,
  )
  expect(asked.at(-1)?.query.toString()).toBe('a=1&a=2&b=3')
})

test('all pages are read where the name of the list is given', async () => {
  const { result } = await runAction(
    'openstack.api.get',
    { service: 'network', path: '/floatingips', paginate: 'floatingips' },
    {
      'GET /network/v2.0/floatingips': ({ query }) =>
        query.get('marker') === '1'
          ? { json: { floatingips: [{ id: '2' }] } }
          : {
              json: {
                floatingips: [{ id: '1' }],
                floatingips_links: [{ rel: 'next', href: 'http://x.invalid/?marker=1' }],
              },
            },
    },
  )
  expect(result).toMatchObject({ body: { floatingips: [{ id: '1' }, { id: '2' }] } })
})

test('a microversion that the service does not speak is refused before it is asked', async () => {
  const { error } = await runAction(
    'openstack.api.get',
    { service: 'compute', path: '/os-keypairs', microversion: '2.999' },
    { ...speaking, ...keypairs },
  )
  expect(error).toMatchObject({ code: 'cloud_too_old' })
})

test.each([
  'http://evil.example/v2.1/servers',
  '../../identity/v3/users',
  '/%2e%2e/%2e%2e/identity',
  'https://127.0.0.1/compute/v2.1/x',
  'file:///etc/passwd',
])('the token is not carried to %s', async (path) => {
  const { error, asked } = await runAction('openstack.api.get', { service: 'compute', path }, {})
  expect(error).toMatchObject({ code: 'foreign_address' })
  expect(asked).toEqual([])
})

test('two slashes at the beginning are no other host', async () => {
  const { asked } = await runAction('openstack.api.get', { service: 'compute', path: '//evil.example/x' }, {})
  expect(asked.map(({ path }) => path)).toEqual(['/compute/v2.1/evil.example/x'])
})

test('an image that is protected, and one that is still there after its deletion, are not said to be gone', async () => {
  const id = '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11'
  const image = { id, name: 'base', status: 'active' }
  const path = `/image/v2/images/${id}`
  const kept = { [`GET ${path}`]: { json: { ...image, protected: true } } }
  const { error: refused } = await runAction('openstack.image.delete', { image: id }, kept)
  expect(refused).toMatchObject({ code: 'protected' })
  const stays = { [`GET ${path}`]: { json: image }, [`DELETE ${path}`]: { status: 204 } }
  const { error: ended } = await runAction('openstack.image.delete', { image: id }, stays)
  expect(ended).toMatchObject({ code: 'image_not_gone' })
})

test('a list of servers by host keeps those whose cell does not answer: nobody can say that they are not there', async () => {
  const servers = [
    { id: '1', status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'a' },
    { id: '2', status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'b' },
    { id: '3', status: 'UNKNOWN', created: '2026-03-01T12:00:00Z' },
  ]
  const { result } = await runAction(
    'openstack.server.list',
    { host: 'a' },
    { ...speaking, 'GET /compute/v2.1/servers/detail': { json: { servers } } },
  )
  expect(result).toMatchObject({ servers: [{ id: '1' }, { id: '3', status: 'UNKNOWN' }] })
})

test('what was done to a server comes with its events, even when the server is deleted', async () => {
  const actions = [
    { action: 'create', request_id: 'req-1', start_time: '2026-03-01T10:00:00.000000' },
    { action: 'delete', request_id: 'req-2', start_time: '2026-03-01T11:00:00.000000' },
  ]
  const routes: Routes = {
    ...speaking,
    [`GET /compute/v2.1/servers/${id}/os-instance-actions`]: { json: { instanceActions: actions } },
    [`GET /compute/v2.1/servers/${id}/os-instance-actions/req-2`]: {
      json: { instanceAction: { ...actions[1], events: [event('Success')] } },
    },
  }
  const { result } = await runAction('openstack.instance_action.list', { server: id }, routes)
  expect(result).toMatchObject({
    actions: [
      { action: 'delete', events: [{ result: 'Success' }] },
      { action: 'create', events: [] },
    ],
  })
})

test('server groups are counted on, for their list has no next page', async () => {
  const group = (index: number) => ({ id: `g${index}`, name: 'g', members: [] })
  const routes: Routes = {
    ...speaking,
    'GET /compute/v2.1/os-server-groups': ({ query }) => {
      const from = Number(query.get('offset'))
      return {
        json: {
          server_groups: Array.from({ length: Math.min(1_000, 1_500 - from) }, (_, index) => group(from + index)),
        },
      }
    },
  }
  const { result, asked } = await runAction('openstack.server_group.list', {}, routes)
  expect((result as { server_groups: unknown[] }).server_groups).toHaveLength(1_500)
  expect(asked.at(-1)?.query.get('all_projects')).toBe('true')
})

test('what Placement could give is asked as the scheduler asks, and named by provider', async () => {
  const routes: Routes = {
    'GET /placement/': versions('v1.0', '1.0', '1.39'),
    'GET /placement/allocation_candidates': {
      json: {
        allocation_requests: [{ allocations: { rp1: { resources: { VCPU: 1 } } } }],
        provider_summaries: { rp1: { resources: { VCPU: { capacity: 8, used: 1 } }, traits: [] } },
      },
    },
    'GET /placement/resource_providers': { json: { resource_providers: [{ uuid: 'rp1', name: 'c1' }] } },
    'GET /placement/allocations/s1': { json: { allocations: { rp1: { generation: 3, resources: { VCPU: 1 } } } } },
    'GET /placement/allocations/s2': { json: { allocations: {} } },
  }
  const params = { resources: { VCPU: 1, MEMORY_MB: 512 }, required: ['A'], forbidden: ['B'], member_of: ['x', 'y'] }
  const { result, asked } = await runAction('openstack.allocation_candidate.list', params, routes)
  expect(result).toMatchObject({
    candidates: [{ allocations: { rp1: {} } }],
    providers: [{ uuid: 'rp1', name: 'c1', resources: { VCPU: { capacity: 8 } } }],
  })
  expect(Object.fromEntries(asked.find(({ path }) => path.endsWith('candidates'))?.query ?? [])).toEqual({
    resources: 'VCPU:1,MEMORY_MB:512',
    required: 'A,!B',
    member_of: 'in:x,y',
  })
  const held = await runAction('openstack.allocation.list', { consumer: 's1' }, routes)
  expect(held.result).toMatchObject({ allocations: [{ provider: 'rp1', name: 'c1', resources: { VCPU: 1 } }] })
  expect((await runAction('openstack.allocation.list', { consumer: 's2' }, routes)).result).toMatchObject({
    allocations: [],
  })
})

test('reading a console is a read, though it is a POST', async () => {
  const routes = fakeNova({ answer: { status: 200, json: { output: 'login:' } } })
  const { result, asked } = await runAction('openstack.server.console', { server: id, length: 5 }, routes)
  expect(result).toEqual({ output: 'login:' })
  expect(asked.at(-1)?.body).toEqual({ 'os-getConsoleOutput': { length: 5 } })
})
