import { expect, test } from 'vitest'
import { addPort } from '../../../simulator/openstack/neutron/ports.ts'
import { rows } from './contract/api.ts'
import { cloudOf, type TestCloud } from './support.ts'

const agentsOf = async ({ admin }: TestCloud, router: string) =>
  rows((await admin.get('neutron', `/v2.0/routers/${router}/l3-agents`)).body, 'agents')

test('only a highly available router has an agent that is active and others that stand by', async () => {
  const cloud = await cloudOf()
  const [router] = cloud.world.cloud.neutron.routers
  if (!router) throw new Error('there is no router')
  const states = (await agentsOf(cloud, router.id)).map((agent) => agent['ha_state'])
  expect(states.sort()).toEqual(['active', 'standby', 'standby'])

  Object.assign(router, { ha: false })
  const agents = await agentsOf(cloud, router.id)
  expect(agents.map((agent) => agent['ha_state'])).toEqual([null, null, null])
  await cloud.close()
})

test('a subnet gives each of its addresses once, and a freed one again', async () => {
  const cloud = await cloudOf({ topology: { servers: 0 } })
  const { neutron } = cloud.world.cloud
  const subnet = neutron.subnets.find(({ cidr }) => cidr === '203.0.113.0/24')
  if (!subnet) throw new Error('there is no outside')
  const add = (name: string) =>
    addPort(neutron, { name, subnet, owner: 'test', device: name, host: '', project: '', at: 0 })
  const addresses = neutron.ports.flatMap(({ fixed_ips }) => fixed_ips.filter((ip) => ip.subnet_id === subnet.id))
  const given = addresses.map((ip) => ip.ip_address)
  for (let port = add('0'), count = 1; port; port = add(String(count)), count += 1) {
    given.push(port.fixed_ips[0]?.ip_address ?? '')
  }
  expect(given).toHaveLength(241)
  expect(new Set(given).size).toBe(241)

  const freed = neutron.ports.findIndex(({ fixed_ips }) => fixed_ips[0]?.ip_address === given[100])
  neutron.ports.splice(freed, 1)
  expect(add('again')?.fixed_ips).toEqual([{ subnet_id: subnet.id, ip_address: given[100] }])
  expect(add('once more')).toBeUndefined()
  await cloud.close()
})

test('where a port is bound, how a network is made and whether a router is redundant is for administrators', async () => {
  const cloud = await cloudOf()
  const owner = await cloud.enter('shop-owner', 'shop')
  for (const [collection, field] of [
    ['ports', 'binding:vif_type'],
    ['networks', 'provider:segmentation_id'],
    ['routers', 'ha'],
  ] as const) {
    const [own] = rows((await owner.get('neutron', `/v2.0/${collection}`)).body, collection)
    const path = `/v2.0/${collection}/${String(own?.['id'])}`
    const alone = Object.values((await owner.get('neutron', path)).body as object)[0]
    const whole = Object.values((await cloud.admin.get('neutron', path)).body as object)[0]
    expect(own).toMatchObject({ id: expect.any(String), name: expect.any(String) })
    expect(own).not.toHaveProperty([field])
    expect(alone).not.toHaveProperty([field])
    expect(whole).toHaveProperty([field])
  }
  await cloud.close()
})
