import { expect, test } from 'vitest'
import { at, compute, rows } from './contract/api.ts'
import { cloudOf, startAt, type TestCloud } from './support.ts'

const latest = compute('2.95')

async function serviceOf({ admin }: TestCloud, host: string) {
  const { body } = await admin.get('nova', `/v2.1/os-services?host=${host}&binary=nova-compute`, latest)
  return rows(body, 'services')[0] as { [key: string]: unknown }
}

async function serverNamed({ admin }: TestCloud, name: string) {
  const { body } = await admin.get('nova', `/v2.1/servers/detail?all_tenants=1&name=^${name}$`, latest)
  return rows(body, 'servers')[0] as { [key: string]: unknown }
}

test('a compute host is taken out of service with a reason, which is recorded', async () => {
  const cloud = await cloudOf()
  const { id } = await serviceOf(cloud, 'cmp1')
  const body = { status: 'disabled', disabled_reason: 'a new fan' }
  const answer = await cloud.admin.call('PUT', 'nova', `/v2.1/os-services/${id}`, body, latest)
  expect(at(answer.body, 'service')).toMatchObject({ host: 'cmp1', ...body })
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ ...body, state: 'up' })
  expect(cloud.effects).toMatchObject([{ kind: 'openstack.compute_service.disable', what: 'cmp1' }])
  await cloud.admin.call('PUT', 'nova', `/v2.1/os-services/${id}`, { status: 'enabled' }, latest)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ status: 'enabled', disabled_reason: null })
  await cloud.close()
})

test('a forced-down service is down at once', async () => {
  const cloud = await cloudOf()
  const { id } = await serviceOf(cloud, 'cmp1')
  await cloud.admin.call('PUT', 'nova', `/v2.1/os-services/${id}`, { forced_down: true }, latest)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ state: 'down', forced_down: true })
  await cloud.close()
})

test.each([
  { body: {}, status: 400 },
  { body: { status: 'off' }, status: 400 },
  { body: { status: 'enabled', disabled_reason: 'x' }, status: 400 },
])('a change of a service that says $body is $status and changes nothing', async ({ body, status }) => {
  const cloud = await cloudOf()
  const { id } = await serviceOf(cloud, 'cmp1')
  expect((await cloud.admin.call('PUT', 'nova', `/v2.1/os-services/${id}`, body, latest)).status).toBe(status)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ status: 'enabled' })
  expect(cloud.effects).toEqual([])
  await cloud.close()
})

test('a server is stopped and started over time', async () => {
  const cloud = await cloudOf()
  const { id } = await serverNamed(cloud, 'web-1')
  const act = (body: object) => cloud.admin.post('nova', `/v2.1/servers/${id}/action`, body, latest)
  expect((await act({ 'os-stop': null })).status).toBe(202)
  expect(await serverNamed(cloud, 'web-1')).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'powering-off' })
  expect((await act({ 'os-stop': null })).body).toMatchObject({ conflictingRequest: { code: 409 } })
  await cloud.clock.advance(10_000)
  expect(await serverNamed(cloud, 'web-1')).toMatchObject({
    status: 'SHUTOFF',
    'OS-EXT-STS:task_state': null,
    'OS-EXT-STS:power_state': 4,
  })
  expect((await act({ 'os-start': null })).status).toBe(202)
  await cloud.clock.advance(10_000)
  expect(await serverNamed(cloud, 'web-1')).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:power_state': 1 })
  const actions = await cloud.admin.get('nova', `/v2.1/servers/${id}/os-instance-actions`, latest)
  expect(rows(actions.body, 'instanceActions').map(({ action }) => action)).toEqual(['start', 'stop', 'create'])
  expect(cloud.effects.map(({ kind }) => kind)).toEqual(['openstack.server.stop', 'openstack.server.start'])
  await cloud.close()
})

test('a reboot shows in the status, hard and soft in different words', async () => {
  const cloud = await cloudOf()
  for (const [type, status] of [
    ['SOFT', 'REBOOT'],
    ['HARD', 'HARD_REBOOT'],
  ] as const) {
    const { id } = await serverNamed(cloud, 'web-1')
    await cloud.admin.post('nova', `/v2.1/servers/${id}/action`, { reboot: { type } }, latest)
    expect(await serverNamed(cloud, 'web-1')).toMatchObject({ status })
    await cloud.clock.advance(15_000)
    expect(await serverNamed(cloud, 'web-1')).toMatchObject({ status: 'ACTIVE' })
  }
  await cloud.close()
})

test('an action on a host whose compute service is dead stays where it is', async () => {
  const cloud = await cloudOf()
  const service = cloud.world.cloud.nova.services.find((one) => one.unit === 'nova-compute' && one.host === 'cmp1')
  Object.assign(service ?? {}, { silent: { from: startAt - 1_200_000, noticed: startAt } })
  const { id } = await serverNamed(cloud, 'web-1')
  await cloud.admin.post('nova', `/v2.1/servers/${id}/action`, { 'os-stop': null }, latest)
  await cloud.clock.advance(600_000)
  expect(await serverNamed(cloud, 'web-1')).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'powering-off' })
  await cloud.close()
})

test('a new server is built on a host, with a port and a claim of its own', async () => {
  const cloud = await cloudOf()
  const owner = await cloud.enter('shop-owner', 'shop')
  const { body: flavors } = await owner.get('nova', '/v2.1/flavors', latest)
  const server = { name: 'new-1', flavorRef: rows(flavors, 'flavors')[1]?.['id'], imageRef: 'x', networks: 'auto' }
  const made = await owner.post('nova', '/v2.1/servers', { server }, latest)
  expect(made.status).toBe(202)
  const id = String(at(made.body, 'server', 'id'))
  expect(made.headers['location']).toMatch(new RegExp(`/servers/${id}$`))
  expect(await serverNamed(cloud, 'new-1')).toMatchObject({ id, status: 'BUILD', 'OS-EXT-SRV-ATTR:host': null })
  await cloud.clock.advance(15_000)
  const built = await serverNamed(cloud, 'new-1')
  expect(built).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:power_state': 1 })
  expect(at(built, 'addresses', 'shop-net', 0, 'addr')).toMatch(/^10\.10\./)
  const claim = await cloud.admin.get('placement', `/allocations/${id}`)
  expect(Object.values(at(claim.body, 'allocations') as object)).toMatchObject([{ resources: { MEMORY_MB: 4096 } }])
  await owner.call('DELETE', 'nova', `/v2.1/servers/${id}`)
  await cloud.clock.advance(5_000)
  expect((await owner.get('nova', `/v2.1/servers/${id}`)).status).toBe(404)
  await cloud.close()
})

test('a server that no host would take is in ERROR, and only asking for it alone tells the reason', async () => {
  const cloud = await cloudOf()
  for (const service of cloud.world.cloud.nova.services) service.disabled = true
  const { body: flavors } = await cloud.admin.get('nova', '/v2.1/flavors', latest)
  const server = { name: 'nowhere', flavorRef: rows(flavors, 'flavors')[0]?.['id'], networks: 'none' }
  const { body: made } = await cloud.admin.post('nova', '/v2.1/servers', { server }, latest)
  await cloud.clock.advance(5_000)

  const listed = await serverNamed(cloud, 'nowhere')
  expect(listed).toMatchObject({ status: 'ERROR', hostId: '' })
  expect(listed).not.toHaveProperty('fault')

  const path = `/v2.1/servers/${at(made, 'server', 'id')}`
  const { body: shown } = await cloud.admin.get('nova', path, latest)
  expect(at(shown, 'server', 'fault')).toMatchObject({
    code: 500,
    message: expect.stringMatching(/^No valid host was found/),
  })
  const { body: actions } = await cloud.admin.get('nova', `${path}/os-instance-actions`, latest)
  expect(rows(actions, 'instanceActions')).toMatchObject([{ action: 'create', message: 'Error' }])
  await cloud.close()
})

test('walking the pages meets every server once', async () => {
  const cloud = await cloudOf({ topology: { servers: 23 } })
  const seen: unknown[] = []
  let path: string | undefined = '/v2.1/servers/detail?all_tenants=1&limit=7'
  while (path) {
    const { body }: { body: unknown } = await cloud.admin.get('nova', path, latest)
    seen.push(...rows(body, 'servers').map(({ id }) => id))
    const href = rows(body, 'servers_links')[0]?.['href']
    path = href === undefined ? undefined : String(href).replace(/^http:\/\/[^/]+/, '')
  }
  expect(seen).toHaveLength(23)
  expect(new Set(seen).size).toBe(23)
  await cloud.close()
})

test('a page never holds more than a thousand servers, whatever is asked for', async () => {
  const cloud = await cloudOf({ topology: { servers: 1010 } })
  const { body } = await cloud.admin.get('nova', '/v2.1/servers?all_tenants=1&limit=5000', latest)
  expect(rows(body, 'servers')).toHaveLength(1000)
  expect(rows(body, 'servers_links')).toHaveLength(1)
  await cloud.close()
})

test('servers are filtered by status, host and time of change', async () => {
  const cloud = await cloudOf()
  const count = async (query: string) => {
    const { body } = await cloud.admin.get('nova', `/v2.1/servers/detail?all_tenants=1&${query}`, latest)
    return rows(body, 'servers').length
  }
  expect(await count('status=SHUTOFF')).toBe(3)
  expect(await count('status=SHUTOFF&status=ACTIVE')).toBe(40)
  expect(await count('status=ERROR')).toBe(0)
  expect(await count('host=cmp1')).toBe(7)
  expect(await count('host=cmp')).toBe(0)
  expect(await count(`changes-since=${new Date(startAt - 5 * 86_400_000).toISOString()}`)).toBe(3)
  await cloud.close()
})

test('a host that stops falls silent after a minute and is heard of again soon after it is back', async () => {
  const unit = { running: true, since: startAt - 86_400_000, stoppedAt: undefined as number | undefined }
  const cloud = await cloudOf({
    machines: { unit: (host) => (host === 'cmp1' ? { ...unit, stoppedAt: unit.stoppedAt ?? 0 } : undefined) },
  })
  const seen = async () => Date.parse(`${(await serviceOf(cloud, 'cmp1'))['updated_at']}Z`)
  Object.assign(unit, { running: false, since: cloud.clock.now() })
  await cloud.clock.advance(30_000)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ state: 'up' })
  await cloud.clock.advance(45_000)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ state: 'down' })
  const stopped = unit.since
  Object.assign(unit, { running: true, since: cloud.clock.now(), stoppedAt: stopped })
  expect(await seen()).toBeLessThanOrEqual(stopped)
  await cloud.clock.advance(15_000)
  expect(await serviceOf(cloud, 'cmp1')).toMatchObject({ state: 'up' })
  expect(await seen()).toBeGreaterThan(unit.since - 1000)
  await cloud.close()
})
