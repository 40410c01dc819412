import { afterAll, expect, test } from 'vitest'
import { at, compute, placement, rows, volume } from './contract/api.ts'
import { cloudOf } from './support.ts'

const cloud = cloudOf()
afterAll(async () => (await cloud).close())

for (const [service, path, headers] of [
  ['nova', '/v2.1/servers?ip6=fe80', compute('2.74')],
  ['nova', '/v2.1/servers/detail?tags=red', compute('2.90')],
  ['nova', '/v2.1/os-quota-sets/{project}?user_id=one', compute('2.90')],
  ['cinder', '/v3/{project}/volumes?bootable=true', volume('3.59')],
  ['cinder', '/v3/{project}/snapshots/detail?sort_key=name', volume('3.59')],
  ['glance', '/v2/images?tag=red', {}],
  ['glance', '/v2/images?sort=name:asc', {}],
  ['keystone', '/v3/projects?name__contains=shop', {}],
  ['keystone', '/v3/role_assignments?effective', {}],
  ['placement', '/allocation_candidates?resources1=VCPU:1&group_policy=none', placement('1.39')],
] as const) {
  test(`${service} says of ${path} that the rehearsal does not know it, instead of giving everything`, async () => {
    const { admin } = await cloud
    const answer = await admin.get(service, path.replace('{project}', admin.project), headers)
    expect(answer.status).toBe(501)
    expect(JSON.stringify(answer.body)).toMatch(/a meaning in a real cloud, and none in this rehearsal/)
  })
}

test('Placement says of a disabled host that it is, and gives others when that is forbidden', async () => {
  const own = await cloudOf()
  try {
    const named = async (query: string) => {
      const { body } = await own.admin.get('placement', `/resource_providers?${query}`, placement('1.39'))
      return rows(body, 'resource_providers').map(({ name }) => name)
    }
    const all = await named('')
    const services = await own.admin.get('nova', '/v2.1/os-services?host=cmp2&binary=nova-compute', compute('2.95'))
    const path = `/v2.1/os-services/${String(at(services.body, 'services', 0, 'id'))}`
    expect(await named('required=COMPUTE_STATUS_DISABLED')).toEqual([])
    expect((await own.admin.call('PUT', 'nova', path, { status: 'disabled' }, compute('2.95'))).status).toBe(200)
    expect(await named('required=COMPUTE_STATUS_DISABLED')).toEqual(['cmp2'])
    expect(await named('required=!COMPUTE_STATUS_DISABLED')).toEqual(all.filter((name) => name !== 'cmp2'))
    const asked = '/allocation_candidates?resources=VCPU:1'
    const counted = async (query: string) =>
      rows((await own.admin.get('placement', `${asked}${query}`, placement('1.39'))).body, 'allocation_requests').length
    expect(await counted('&required=!COMPUTE_STATUS_DISABLED')).toBe((await counted('')) - 1)
  } finally {
    await own.close()
  }
})
