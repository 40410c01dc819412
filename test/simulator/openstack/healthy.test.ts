import { afterAll, expect, test } from 'vitest'
import { compute, placement, rows, volume } from './contract/api.ts'
import { cloudOf } from './support.ts'

const opened = cloudOf()
afterAll(async () => (await opened).close())

async function all(service: string, path: string, list: string, headers = {}) {
  const { admin } = await opened
  return rows((await admin.get(service, path.replace('{project}', admin.project), headers)).body, list)
}

const servers = () => all('nova', '/v2.1/servers/detail?all_tenants=1', 'servers', compute('2.95'))
const ports = () => all('neutron', '/v2.0/ports', 'ports')
const volumes = () => all('cinder', '/v3/{project}/volumes/detail?all_tenants=1', 'volumes', volume('3.70'))

test('every compute service is enabled, up and not forced down', async () => {
  const services = await all('nova', '/v2.1/os-services', 'services', compute('2.95'))
  expect(services).toHaveLength(12)
  for (const service of services) {
    expect(service).toMatchObject({ status: 'enabled', state: 'up', forced_down: false, disabled_reason: null })
  }
})

test('every heartbeat is younger than a minute by the Date of the answer', async () => {
  const { admin } = await opened
  const nova = await admin.get('nova', '/v2.1/os-services', compute('2.95'))
  const neutron = await admin.get('neutron', '/v2.0/agents')
  const age = (answer: typeof nova, at: unknown) =>
    Date.parse(answer.headers['date'] ?? '') - Date.parse(`${at}Z`.replace(' ', 'T'))
  const ages = [
    ...rows(nova.body, 'services').map(({ updated_at }) => age(nova, updated_at)),
    ...rows(neutron.body, 'agents').map(({ heartbeat_timestamp }) => age(neutron, heartbeat_timestamp)),
  ]
  expect(ages).toHaveLength(12 + 18)
  expect(Math.max(...ages)).toBeLessThan(60_000)
  expect(Math.min(...ages)).toBeGreaterThanOrEqual(-1000)
})

test('every network with DHCP has two agents that live', async () => {
  const subnets = await all('neutron', '/v2.0/subnets', 'subnets')
  const served = subnets.filter(({ enable_dhcp }) => enable_dhcp).map(({ network_id }) => network_id)
  expect(served).toHaveLength(3)
  for (const network of served) {
    const agents = await all('neutron', `/v2.0/networks/${network}/dhcp-agents`, 'agents')
    expect(agents.filter(({ alive }) => alive)).toHaveLength(2)
  }
})

test('every highly available router has exactly one active agent', async () => {
  const routers = await all('neutron', '/v2.0/routers', 'routers')
  expect(routers).toHaveLength(3)
  for (const { id, ha } of routers) {
    expect(ha).toBe(true)
    const agents = await all('neutron', `/v2.0/routers/${id}/l3-agents`, 'agents')
    expect(agents.map(({ ha_state }) => ha_state).sort()).toEqual(['active', 'standby', 'standby'])
  }
})

test('no address pool is half used, and no two ports share an address', async () => {
  for (const { used_ips, total_ips } of await all(
    'neutron',
    '/v2.0/network-ip-availabilities',
    'network_ip_availabilities',
  )) {
    expect(Number(used_ips) / Number(total_ips)).toBeLessThan(0.5)
  }
  const addresses = (await ports()).flatMap(({ network_id, fixed_ips }) =>
    (fixed_ips as { ip_address: string }[]).map(({ ip_address }) => `${network_id} ${ip_address}`),
  )
  expect(new Set(addresses).size).toBe(addresses.length)
})

test('every server has a bound port on its own host, up when the server is', async () => {
  const byDevice = new Map((await ports()).map((port) => [port['device_id'], port]))
  const found = await servers()
  expect(found).toHaveLength(40)
  for (const server of found) {
    expect(byDevice.get(server['id'])).toMatchObject({
      'binding:vif_type': 'ovs',
      'binding:host_id': server['OS-EXT-SRV-ATTR:host'],
      status: server['status'] === 'ACTIVE' ? 'ACTIVE' : 'DOWN',
    })
  }
})

test('servers are active or switched off, in no task, and their power agrees', async () => {
  const found = await servers()
  expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['ACTIVE', 'SHUTOFF']))
  for (const server of found) {
    expect(server['OS-EXT-STS:task_state']).toBe(null)
    expect(server['OS-EXT-STS:power_state']).toBe(server['status'] === 'ACTIVE' ? 1 : 4)
    expect(server['fault']).toBeUndefined()
  }
})

test('the usage in Placement is the sum of the flavors on the host', async () => {
  const providers = await all('placement', '/resource_providers', 'resource_providers', placement('1.39'))
  const found = await servers()
  const { admin } = await opened
  expect(providers).toHaveLength(6)
  for (const { uuid, name } of providers) {
    const { body } = await admin.get('placement', `/resource_providers/${uuid}/usages`, placement('1.39'))
    const here = found.filter((server) => server['OS-EXT-SRV-ATTR:host'] === name)
    const flavors = here.map(({ flavor }) => flavor as { vcpus: number; ram: number })
    expect(here.length).toBeGreaterThan(4)
    expect(body).toMatchObject({
      usages: {
        VCPU: flavors.reduce((sum, { vcpus }) => sum + vcpus, 0),
        MEMORY_MB: flavors.reduce((sum, { ram }) => sum + ram, 0),
      },
    })
  }
})

test('the servers of the fullest host fit on the others', async () => {
  const hypervisors = await all('nova', '/v2.1/os-hypervisors/detail', 'hypervisors', compute('2.87'))
  const used = hypervisors.map(({ memory_mb_used }) => Number(memory_mb_used) - 8192)
  const free = hypervisors.map(({ free_ram_mb }) => Number(free_ram_mb))
  const fullest = used.indexOf(Math.max(...used))
  const elsewhere = free.reduce((sum, mb, index) => (index === fullest ? sum : sum + mb), 0)
  expect(elsewhere).toBeGreaterThan(used[fullest] as number)
  for (const [index, mb] of used.entries()) expect(mb / (mb + (free[index] as number))).toBeLessThan(0.9)
})

test('every volume in use hangs on a server that knows of it, and the other way round', async () => {
  const attached = (await volumes()).flatMap(({ id, status, attachments }) => {
    const hanging = attachments as { server_id: string; host_name: string }[]
    expect(hanging).toHaveLength(status === 'in-use' ? 1 : 0)
    return hanging.map(({ server_id }) => `${server_id} ${id}`)
  })
  const known = (await servers()).flatMap((server) =>
    (server['os-extended-volumes:volumes_attached'] as { id: string }[]).map(({ id }) => `${server['id']} ${id}`),
  )
  expect(attached.length).toBeGreaterThan(8)
  expect(attached.sort()).toEqual(known.sort())
})

test('every volume that is to be saved daily has a good backup of the last day', async () => {
  const guarded = (await volumes()).filter(({ metadata }) => (metadata as { backup?: string }).backup === 'daily')
  const backups = await all('cinder', '/v3/{project}/backups/detail?all_tenants=1', 'backups', volume('3.70'))
  const { clock } = await opened
  expect(guarded.length).toBeGreaterThan(3)
  for (const { id } of guarded) {
    const own = backups.filter(({ volume_id, status }) => volume_id === id && status === 'available')
    const newest = Math.max(...own.map(({ created_at }) => Date.parse(`${created_at}Z`)))
    expect(clock.now() - newest).toBeLessThan(24 * 3_600_000)
  }
})

test('the storage pools have more than half free, and their services are up', async () => {
  for (const { capabilities } of await all('cinder', '/v3/{project}/scheduler-stats/get_pools?detail=true', 'pools')) {
    const { total_capacity_gb, free_capacity_gb } = capabilities as { [key: string]: number }
    expect((free_capacity_gb as number) / (total_capacity_gb as number)).toBeGreaterThan(0.5)
  }
  const services = await all('cinder', '/v3/{project}/os-services', 'services', volume('3.70'))
  expect(services).toHaveLength(9)
  for (const service of services) expect(service).toMatchObject({ status: 'enabled', state: 'up' })
})

test('no quota is nearly used', async () => {
  const { admin } = await opened
  for (const { id } of await all('keystone', '/v3/projects', 'projects')) {
    const nova = await admin.get('nova', `/v2.1/os-quota-sets/${id}/detail`, compute('2.95'))
    const neutron = await admin.get('neutron', `/v2.0/quotas/${id}/details.json`)
    const cinder = await admin.get('cinder', `/v3/${admin.project}/os-quota-sets/${id}?usage=True`)
    for (const set of [nova, neutron, cinder].flatMap(({ body }) => Object.values(body as object))) {
      for (const row of Object.values(set as object) as { limit: number; in_use?: number; used?: number }[]) {
        if (row.limit > 0) expect((row.in_use ?? row.used ?? 0) / row.limit).toBeLessThan(0.9)
      }
    }
  }
})

test('images are active, migrations are completed', async () => {
  for (const { status } of await all('glance', '/v2/images', 'images')) expect(status).toBe('active')
  const migrations = await all('nova', '/v2.1/os-migrations', 'migrations', compute('2.95'))
  expect(migrations.length).toBeGreaterThan(0)
  for (const { status } of migrations) expect(status).toBe('completed')
})

test('the catalogue leads to services that answer', async () => {
  const { admin } = await opened
  const { body } = await admin.get('keystone', '/v3/auth/catalog')
  const urls = rows(body, 'catalog').flatMap(({ endpoints }) => rows(endpoints).map(({ url }) => String(url)))
  expect(urls).toHaveLength(18)
  for (const url of new Set(urls)) {
    const { status } = await fetch(url, { headers: { 'X-Auth-Token': admin.token } })
    expect([200, 300, 404]).toContain(status)
    expect((await fetch(new URL('/', url))).status).toBeLessThan(400)
  }
})
