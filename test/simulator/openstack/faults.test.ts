import { expect, test } from 'vitest'
import { openstackFaults } from '../../../simulator/openstack/faults.ts'
import { checkParameters } from '../../../simulator/parameters.ts'
import type { World } from '../../../simulator/world.ts'
import { at, compute, placement, rows } from './contract/api.ts'
import { cloudOf, type TestCloud } from './support.ts'

const latest = compute('2.95')

/** A cloud in which something is wrong. */
async function cloudWith(name: string, given: { [name: string]: unknown } = {}): Promise<TestCloud> {
  const cloud = await cloudOf()
  const fault = openstackFaults.find((one) => one.name === name)
  if (!fault) throw new Error(`no fault ${name}`)
  const { params, problems } = checkParameters(fault.params, given)
  expect(problems).toEqual([])
  fault.apply(cloud.world as unknown as World, params)
  return cloud
}

const list = async ({ admin }: TestCloud, service: string, path: string, name: string, headers = {}) =>
  rows((await admin.get(service, path.replace('{project}', admin.project), headers)).body, name)

test('nova.compute_down: the service is down, long since, and a restart of its unit ends it', async () => {
  const cloud = await cloudWith('nova.compute_down', { host: 'cmp3', minutes: 20 })
  const service = async () => (await list(cloud, 'nova', '/v2.1/os-services?host=cmp3', 'services', latest))[0]
  expect(await service()).toMatchObject({ state: 'down', status: 'enabled' })
  const seen = Date.parse(`${(await service())?.['updated_at']}Z`)
  expect(cloud.clock.now() - seen).toBeGreaterThan(19 * 60_000)
  expect((await list(cloud, 'nova', '/v2.1/os-services?host=cmp2', 'services', latest))[0]).toMatchObject({
    state: 'up',
  })
  const restarted = cloud.clock.now() + 1000
  Object.assign(cloud.world.estate, { unit: () => ({ running: true, since: restarted, stoppedAt: restarted - 500 }) })
  await cloud.clock.advance(20_000)
  expect(await service()).toMatchObject({ state: 'up' })
  await cloud.close()
})

test('nova.compute_disabled: the reason and the day are those of the one who did it', async () => {
  const cloud = await cloudWith('nova.compute_disabled', { host: 'cmp2', reason: 'a new fan', since: 30 })
  const [service] = await list(cloud, 'nova', '/v2.1/os-services?host=cmp2', 'services', latest)
  expect(service).toMatchObject({ status: 'disabled', state: 'up', disabled_reason: 'a new fan' })
  await cloud.close()
})

test('nova.servers_in_error: as many as said, each with a fault', async () => {
  const cloud = await cloudWith('nova.servers_in_error', { count: 3 })
  const found = await list(cloud, 'nova', '/v2.1/servers/detail?all_tenants=1&status=ERROR', 'servers', latest)
  expect(found).toHaveLength(3)
  for (const server of found) expect(at(server, 'fault', 'message')).toMatch(/qemu/)
  await cloud.close()
})

test('nova.servers_stuck: in a task for hours', async () => {
  const cloud = await cloudWith('nova.servers_stuck', { count: 2, task_state: 'image_uploading' })
  const path = '/v2.1/servers/detail?all_tenants=1&task_state=image_uploading'
  const found = await list(cloud, 'nova', path, 'servers', latest)
  expect(found).toHaveLength(2)
  for (const server of found)
    expect(cloud.clock.now() - Date.parse(String(server['updated']))).toBeGreaterThan(3_600_000)
  await cloud.close()
})

test('nova.flavor_spec: the flavor says so where the server shows it, and the other servers of that flavor do not', async () => {
  const cloud = await cloudWith('nova.flavor_spec', { server: 'web-1', name: 'resources:VGPU' })
  const found = await list(cloud, 'nova', '/v2.1/servers/detail?all_tenants=1', 'servers', latest)
  const said = found.filter((server) => at(server, 'flavor', 'extra_specs', 'resources:VGPU') === '1')
  expect(said).toMatchObject([{ name: 'web-1' }])
  await cloud.close()
})

test('glance.image_property: it stands beside the fields of that image', async () => {
  const cloud = await cloudWith('glance.image_property', { name: 'hw_cpu_policy', value: 'dedicated' })
  const found = await list(cloud, 'glance', '/v2/images', 'images')
  expect(found.filter((image) => image['hw_cpu_policy'] === 'dedicated')).toMatchObject([{ name: 'debian-12' }])
  await cloud.close()
})

test('nova.failed_migration: one row, found by its exact status only', async () => {
  const cloud = await cloudWith('nova.failed_migration', { host: 'cmp2' })
  const found = await list(cloud, 'nova', '/v2.1/os-migrations?status=error', 'migrations', latest)
  expect(found).toMatchObject([{ source_compute: 'cmp2', migration_type: 'live-migration' }])
  expect(await list(cloud, 'nova', '/v2.1/os-migrations?status=error,failed', 'migrations', latest)).toEqual([])
  await cloud.close()
})

test('neutron.agent_dead: that agent of that host and no other', async () => {
  const cloud = await cloudWith('neutron.agent_dead', { host: 'ctl2', agent_type: 'DHCP agent' })
  const dead = (await list(cloud, 'neutron', '/v2.0/agents', 'agents')).filter(({ alive }) => !alive)
  expect(dead).toMatchObject([{ host: 'ctl2', agent_type: 'DHCP agent' }])
  await cloud.close()
})

test('neutron.dhcp_missing: nobody serves the network', async () => {
  const cloud = await cloudWith('neutron.dhcp_missing', { network: 'ci-net' })
  const [network] = await list(cloud, 'neutron', '/v2.0/networks?name=ci-net', 'networks')
  expect(await list(cloud, 'neutron', `/v2.0/networks/${network?.['id']}/dhcp-agents`, 'agents')).toEqual([])
  await cloud.close()
})

test('neutron.l3_two_active: two agents of one router', async () => {
  const cloud = await cloudWith('neutron.l3_two_active', { router: 'shop-router' })
  const [router] = await list(cloud, 'neutron', '/v2.0/routers?name=shop-router', 'routers')
  const agents = await list(cloud, 'neutron', `/v2.0/routers/${router?.['id']}/l3-agents`, 'agents')
  expect(agents.filter(({ ha_state }) => ha_state === 'active')).toHaveLength(2)
  await cloud.close()
})

test('neutron.port_binding_failed: as many ports as said', async () => {
  const cloud = await cloudWith('neutron.port_binding_failed', { count: 2 })
  const ports = await list(cloud, 'neutron', '/v2.0/ports', 'ports')
  expect(ports.filter((port) => port['binding:vif_type'] === 'binding_failed')).toHaveLength(2)
  await cloud.close()
})

test.each(['public', 'ci-net'])('neutron.ip_pool_nearly_used: %s to the percent', async (network) => {
  const cloud = await cloudWith('neutron.ip_pool_nearly_used', { network, percent: 96 })
  const path = `/v2.0/network-ip-availabilities?network_name=${network}`
  const [row] = await list(cloud, 'neutron', path, 'network_ip_availabilities')
  expect(Math.round((Number(row?.['used_ips']) / Number(row?.['total_ips'])) * 100)).toBe(96)
  await cloud.close()
})

test('cinder.service_down: the volume service of the host', async () => {
  const cloud = await cloudWith('cinder.service_down', { host: 'ctl1' })
  const services = await list(cloud, 'cinder', '/v3/{project}/os-services', 'services')
  expect(services.filter(({ state }) => state === 'down')).toMatchObject([
    { host: 'ctl1@ceph', binary: 'cinder-volume' },
  ])
  await cloud.close()
})

test('cinder.pool_full: to the percent, in every pool', async () => {
  const cloud = await cloudWith('cinder.pool_full', { percent_free: 5 })
  const pools = await list(cloud, 'cinder', '/v3/{project}/scheduler-stats/get_pools?detail=true', 'pools')
  expect(pools).toHaveLength(3)
  for (const { capabilities } of pools)
    expect(capabilities).toMatchObject({ free_capacity_gb: 2048, total_capacity_gb: 40_960 })
  await cloud.close()
})

test('cinder.volumes_stuck: found by their status', async () => {
  const cloud = await cloudWith('cinder.volumes_stuck', { count: 2, status: 'deleting' })
  const path = '/v3/{project}/volumes/detail?all_tenants=1&status=deleting'
  expect(await list(cloud, 'cinder', path, 'volumes')).toHaveLength(2)
  await cloud.close()
})

test('glance.image_stuck: an image without bytes', async () => {
  const cloud = await cloudWith('glance.image_stuck', { status: 'saving' })
  const images = await list(cloud, 'glance', '/v2/images?status=saving', 'images')
  expect(images).toMatchObject([{ size: null, checksum: null, disk_format: null }])
  await cloud.close()
})

test('placement.provider_missing: Nova knows the host, Placement does not', async () => {
  const cloud = await cloudWith('placement.provider_missing', { host: 'cmp5' })
  const version = placement('1.39')
  expect(await list(cloud, 'placement', '/resource_providers?name=cmp5', 'resource_providers', version)).toEqual([])
  expect(await list(cloud, 'placement', '/resource_providers', 'resource_providers', version)).toHaveLength(5)
  expect(await list(cloud, 'nova', '/v2.1/os-hypervisors', 'hypervisors', latest)).toHaveLength(6)
  await cloud.close()
})

test('placement.overcommitted: claims without servers fill the memory', async () => {
  const cloud = await cloudWith('placement.overcommitted', { host: 'cmp1', percent: 95 })
  const [provider] = await list(cloud, 'placement', '/resource_providers?name=cmp1', 'resource_providers')
  const { body } = await cloud.admin.get('placement', `/resource_providers/${provider?.['uuid']}/usages`)
  expect(Number(at(body, 'usages', 'MEMORY_MB')) / (131_072 - 8192)).toBeCloseTo(0.95, 3)
  await cloud.close()
})

test('nova.cell_down: its servers and its service are there, and nothing else is known of them', async () => {
  const cloud = await cloudWith('nova.cell_down', { host: 'cmp3' })
  const [service] = await list(cloud, 'nova', '/v2.1/os-services?host=cmp3', 'services', latest)
  expect(service).toEqual({ binary: 'nova-compute', host: 'cmp3', status: 'UNKNOWN' })
  const found = await list(cloud, 'nova', '/v2.1/servers/detail?all_tenants=1', 'servers', latest)
  const silent = found.filter(({ status }) => status === 'UNKNOWN')
  expect(silent.length).toBeGreaterThan(0)
  for (const server of silent)
    expect(Object.keys(server).sort()).toEqual(['created', 'id', 'links', 'status', 'tenant_id'])
  // whoever asks for less than all is told less, and an older client that there is nothing
  expect(await list(cloud, 'nova', '/v2.1/servers/detail?all_tenants=1&host=cmp3', 'servers', latest)).toEqual([])
  const old = await list(cloud, 'nova', '/v2.1/servers/detail?all_tenants=1', 'servers', compute('2.68'))
  expect(old).toHaveLength(found.length - silent.length)
  const shown = await cloud.admin.get('nova', `/v2.1/servers/${silent[0]?.['id']}`, latest)
  expect(at(shown.body, 'server', 'status')).toBe('UNKNOWN')
  expect(at(shown.body, 'server', 'name')).toBeUndefined()
  await cloud.close()
})

test('nova.old_release: it says so, and refuses what is newer', async () => {
  const cloud = await cloudWith('nova.old_release', { minor: 67 })
  const document = await cloud.admin.get('nova', '/v2.1/')
  expect(at(document.body, 'version', 'version')).toBe('2.67')
  expect((await cloud.admin.get('nova', '/v2.1/servers', compute('2.67'))).status).toBe(200)
  expect((await cloud.admin.get('nova', '/v2.1/servers', compute('2.68'))).status).toBe(406)
  await cloud.close()
})

test('keystone.token_life and keystone.tokens_revoked: a token holds for so long, or no longer', async () => {
  for (const [name, given, wait] of [
    ['keystone.token_life', { seconds: 30 }, 31_000],
    ['keystone.tokens_revoked', {}, 0],
  ] as const) {
    const cloud = await cloudOf()
    const fault = openstackFaults.find((one) => one.name === name)
    if (name === 'keystone.token_life') fault?.apply(cloud.world as unknown as World, given)
    const before = await cloud.enter('admin', 'admin')
    expect((await before.get('nova', '/v2.1/servers')).status).toBe(200)
    if (name === 'keystone.tokens_revoked') fault?.apply(cloud.world as unknown as World, given)
    await cloud.clock.advance(wait)
    expect((await before.get('nova', '/v2.1/servers')).status, name).toBe(401)
    const after = await cloud.enter('admin', 'admin')
    expect((await after.get('nova', '/v2.1/servers')).status, name).toBe(200)
    await cloud.close()
  }
})

test('keystone.failing: no token for anybody', async () => {
  const cloud = await cloudWith('keystone.failing', { status: 503 })
  expect((await cloud.admin.post('keystone', '/v3/auth/tokens', {})).status).toBe(503)
  expect((await cloud.admin.get('keystone', '/v3')).status).toBe(503)
  await cloud.close()
})

test('keystone.projects_hidden: nobody is told what projects there are, and all else goes on', async () => {
  const cloud = await cloudWith('keystone.projects_hidden')
  for (const path of ['/v3/projects', '/v3/projects/0123']) {
    const refused = await cloud.admin.get('keystone', path)
    expect(refused.status).toBe(403)
    expect(at(refused.body, 'error', 'message')).toMatch(
      /^You are not authorized to perform the requested action: identity:/,
    )
  }
  expect((await cloud.admin.get('keystone', '/v3/users')).status).toBe(200)
  await cloud.close()
})

test('api.slow: a call takes its seconds of the world', async () => {
  const cloud = await cloudWith('api.slow', { service: 'glance', seconds: 90 })
  const done = cloud.clock.busy()
  const before = cloud.clock.now()
  expect((await cloud.admin.get('glance', '/v2/images')).status).toBe(200)
  expect(cloud.clock.now() - before).toBeGreaterThanOrEqual(90_000)
  const then = cloud.clock.now()
  await cloud.admin.get('nova', '/v2.1/servers')
  expect(cloud.clock.now() - then).toBeLessThan(60_000)
  done()
  await cloud.close()
})

test('api.flaky: every second call is refused, with the time to wait', async () => {
  const cloud = await cloudWith('api.flaky', { service: 'cinder', status: 429, every: 2, retry_after: 7 })
  const answers = []
  for (let call = 0; call < 4; call += 1)
    answers.push(await cloud.admin.get('cinder', `/v3/${cloud.admin.project}/volumes`))
  expect(answers.map(({ status }) => status)).toEqual([200, 429, 200, 429])
  expect(answers[1]?.headers['retry-after']).toBe('7')
  await cloud.close()
})

test('api.endpoint_broken: the catalogue leads astray on that side only', async () => {
  const cloud = await cloudWith('api.endpoint_broken', { service: 'nova', interface: 'internal' })
  const { body } = await cloud.admin.get('keystone', '/v3/auth/catalog')
  const nova = rows(body, 'catalog').find(({ type }) => type === 'compute')
  const statuses = await Promise.all(
    rows(nova, 'endpoints').map(async ({ interface: side, url }) => [side, (await fetch(String(url))).status]),
  )
  expect(Object.fromEntries(statuses)).toEqual({ public: 200, internal: 503, admin: 200 })
  await cloud.close()
})
