import { expect } from 'vitest'
import { type Api, at, compute, keysOf, nobody, placement, type Runner, rows, volume, words } from './api.ts'
import { shapes } from './shapes.ts'

/**
 * What is true of an OpenStack, whoever plays it: every statement holds for the rehearsal cloud and for a real one.
 * `makeApi` is called once for each statement.
 */
export function openstackContract({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  const state = (name: string, holds: (api: Api) => Promise<void>) => test(name, async () => holds(await makeApi()))

  describe('lists', () => {
    for (const { service, path, headers = {}, list, keys } of shapes) {
      const version = headers['OpenStack-API-Version'] ?? ''
      state(`${service} ${path} holds ${list} with exactly their fields ${version}`, async (api) => {
        const answer = await api.get(service, path.replace('{project}', api.project), headers)
        expect(answer.status).toBe(200)
        expect(Array.isArray(at(answer.body, list))).toBe(true)
        for (const row of rows(answer.body, list)) expect(keysOf(row)).toEqual(keys)
      })
    }
  })

  describe('version documents', () => {
    const documents = [
      { service: 'keystone', path: '/', status: 300 },
      { service: 'keystone', path: '/v3', status: 200 },
      { service: 'nova', path: '/', status: 200 },
      { service: 'nova', path: '/v2.1/', status: 200 },
      { service: 'neutron', path: '/', status: 200 },
      { service: 'cinder', path: '/', status: 300 },
      { service: 'glance', path: '/', status: 300 },
      { service: 'placement', path: '/', status: 200 },
    ]
    for (const { service, path, status } of documents) {
      state(`${service} tells its versions at ${path} without a token, with ${status}`, async (api) => {
        const answer = await api.get(service, path, nobody)
        expect(answer.status).toBe(status)
        expect(keysOf(answer.body)).toEqual([expect.stringMatching(/^versions?$/)])
      })
    }

    state('compute tells the range of its microversions', async (api) => {
      const { body } = await api.get('nova', '/v2.1/', nobody)
      expect(keysOf(at(body, 'version'))).toEqual(words('id status version min_version updated links media-types'))
      expect(at(body, 'version', 'min_version')).toBe('2.1')
    })
  })

  describe('tokens', () => {
    const wrong = { user: { name: 'admin', domain: { id: 'default' }, password: 'certainly not' } }

    for (const { what, identity, message } of [
      {
        what: 'a token that there is not',
        identity: { methods: ['token'], token: { id: 'abc' } },
        message: 'Could not recognize Fernet token',
      },
      {
        what: 'an application credential that there is not',
        identity: { methods: ['application_credential'], application_credential: { id: 'nope', secret: 'x' } },
        message: 'Could not find Application Credential: nope.',
      },
    ]) {
      state(`${what} is 404 in the shape of Keystone`, async (api) => {
        const answer = await api.post('keystone', '/v3/auth/tokens', { auth: { identity } }, nobody)
        expect(answer.status).toBe(404)
        expect(answer.body).toMatchObject({ error: { code: 404, message } })
      })
    }

    state('a wrong password is 401 in the shape of Keystone', async (api) => {
      const auth = { identity: { methods: ['password'], password: wrong } }
      const answer = await api.post('keystone', '/v3/auth/tokens', { auth }, nobody)
      expect(answer.status).toBe(401)
      expect(keysOf(at(answer.body, 'error'))).toEqual(words('code message title'))
      expect(at(answer.body, 'error', 'code')).toBe(401)
    })

    for (const [service, path] of [
      ['nova', '/v2.1/servers'],
      ['neutron', '/v2.0/networks'],
      ['cinder', '/v3/{project}/volumes'],
      ['glance', '/v2/images'],
      ['placement', '/resource_providers'],
    ] as const) {
      state(`${service} answers 401 to a call without a token`, async (api) => {
        const answer = await api.get(service, path.replace('{project}', api.project), nobody)
        expect(answer.status).toBe(401)
      })
    }

    state('compute refuses a call without a token with an error object', async (api) => {
      const { body } = await api.get('nova', '/v2.1/servers', nobody)
      expect(keysOf(at(body, 'error'))).toEqual(words('code title message'))
    })
  })

  describe('microversions', () => {
    state('compute echoes the microversion in two headers', async (api) => {
      const { headers } = await api.get('nova', '/v2.1/os-services', compute('2.92'))
      expect(headers['openstack-api-version']).toBe('compute 2.92')
      expect(headers['x-openstack-nova-api-version']).toBe('2.92')
      expect(headers['vary']).toMatch(/OpenStack-API-Version/i)
    })

    state('compute without a microversion answers as 2.1', async (api) => {
      const { headers } = await api.get('nova', '/v2.1/os-services')
      expect(headers['openstack-api-version']).toBe('compute 2.1')
    })

    state('a microversion that does not exist is 406 and names the range', async (api) => {
      const answer = await api.get('nova', '/v2.1/os-services', compute('2.999'))
      expect(answer.status).toBe(406)
      expect(at(answer.body, 'computeFault', 'message')).toMatch(
        /^Version 2\.999 is not supported by the API\. Minimum is 2\.1 and maximum is 2\.\d+\.$/,
      )
    })

    state('compute services are known by a number before 2.53 and by a UUID from then on', async (api) => {
      const before = await api.get('nova', '/v2.1/os-services', compute('2.52'))
      const since = await api.get('nova', '/v2.1/os-services', compute('2.53'))
      for (const { id } of rows(before.body, 'services')) expect(id).toEqual(expect.any(Number))
      for (const { id } of rows(since.body, 'services')) expect(id).toMatch(/^[0-9a-f]{8}-/)
    })

    state('the flavor stands inside a server from 2.47 on', async (api) => {
      const before = await api.get('nova', '/v2.1/servers/detail?all_tenants=1', compute('2.46'))
      const since = await api.get('nova', '/v2.1/servers/detail?all_tenants=1', compute('2.47'))
      const embedded = words('vcpus ram disk ephemeral swap original_name extra_specs')
      for (const { flavor } of rows(before.body, 'servers')) expect(keysOf(flavor)).toEqual(['id', 'links'])
      for (const { flavor } of rows(since.body, 'servers')) expect(keysOf(flavor)).toEqual(embedded)
    })

    state('a hypervisor and its resource provider have the same UUID', async (api) => {
      const compute_ = await api.get('nova', '/v2.1/os-hypervisors', compute('2.92'))
      const place = await api.get('placement', '/resource_providers', placement('1.39'))
      const hypervisors = rows(compute_.body, 'hypervisors').map(({ id }) => id)
      expect(rows(place.body, 'resource_providers').map(({ uuid }) => uuid)).toEqual(
        expect.arrayContaining(hypervisors),
      )
    })

    state('volume echoes its microversion and shows nothing newer', async (api) => {
      const { headers } = await api.get('cinder', `/v3/${api.project}/os-services`, volume('3.0'))
      expect(headers['openstack-api-version']).toBe('volume 3.0')
    })

    state('placement knows no aggregates before 1.1', async (api) => {
      const list = await api.get('placement', '/resource_providers', placement('1.39'))
      const uuid = rows(list.body, 'resource_providers')[0]?.['uuid']
      const early = await api.get('placement', `/resource_providers/${uuid}/aggregates`, placement('1.0'))
      const later = await api.get('placement', `/resource_providers/${uuid}/aggregates`, placement('1.39'))
      expect(early.status).toBe(404)
      expect(keysOf(later.body)).toEqual(words('aggregates resource_provider_generation'))
    })
  })

  describe('errors', () => {
    const none = '00000000-0000-0000-0000-000000000000'

    state('an unknown server is 404 as itemNotFound', async (api) => {
      const answer = await api.get('nova', `/v2.1/servers/${none}`, compute('2.92'))
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual({ itemNotFound: { code: 404, message: `Instance ${none} could not be found.` } })
    })

    state('an unknown port is 404 as PortNotFound', async (api) => {
      const answer = await api.get('neutron', `/v2.0/ports/${none}`)
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual({
        NeutronError: { type: 'PortNotFound', message: `Port ${none} could not be found.`, detail: '' },
      })
    })

    state('an unknown volume is 404 as itemNotFound', async (api) => {
      const answer = await api.get('cinder', `/v3/${api.project}/volumes/${none}`, volume('3.70'))
      expect(answer.status).toBe(404)
      expect(at(answer.body, 'itemNotFound', 'code')).toBe(404)
    })

    state('an unknown resource provider is 404 in a list of errors', async (api) => {
      const answer = await api.get('placement', `/resource_providers/${none}`, placement('1.39'))
      expect(answer.status).toBe(404)
      expect(keysOf(at(answer.body, 'errors', 0))).toEqual(
        expect.arrayContaining(words('status title detail request_id')),
      )
    })

    for (const [service, path] of [
      ['nova', '/v2.1/nonesuch'],
      ['neutron', '/v2.0/nonesuch'],
      ['cinder', '/v3/{project}/nonesuch'],
      ['glance', '/v2/nonesuch'],
      ['placement', '/nonesuch'],
      ['keystone', '/v3/nonesuch'],
    ] as const) {
      state(`${service} has no ${path}`, async (api) => {
        const answer = await api.get(service, path.replace('{project}', api.project))
        expect(answer.status).toBe(404)
      })
    }

    state('a marker that names no server is 400', async (api) => {
      const answer = await api.get('nova', `/v2.1/servers?all_tenants=1&marker=${none}`, compute('2.92'))
      expect(answer.status).toBe(400)
      expect(at(answer.body, 'badRequest', 'message')).toBe(`marker [${none}] not found`)
    })

    state('a limit that is no number is 400', async (api) => {
      const answer = await api.get('nova', '/v2.1/servers?limit=many', compute('2.92'))
      expect(answer.status).toBe(400)
    })

    state('every answer of a service behind a token names its request', async (api) => {
      for (const [service, path] of [
        ['nova', '/v2.1/servers'],
        ['neutron', '/v2.0/networks'],
        ['cinder', `/v3/${api.project}/volumes`],
        ['glance', '/v2/images'],
        ['placement', '/resource_providers'],
        ['keystone', '/v3/projects'],
      ] as const) {
        const { headers } = await api.get(service, path)
        expect(headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
      }
    })
  })

  describe('pages', () => {
    const walks = [
      { service: 'nova', path: '/v2.1/servers/detail?all_tenants=1&limit=1', list: 'servers', id: 'id' },
      { service: 'neutron', path: '/v2.0/ports?limit=1', list: 'ports', id: 'id' },
      { service: 'cinder', path: '/v3/{project}/volumes/detail?all_tenants=1&limit=1', list: 'volumes', id: 'id' },
    ]
    for (const { service, path, list } of walks) {
      state(
        `${service} names the next page of its ${list} after a full one, with the last as its marker`,
        async (api) => {
          const { body } = await api.get(service, path.replace('{project}', api.project))
          const [only] = rows(body, list)
          if (!only) return
          const next = rows(body, `${list}_links`).find(({ rel }) => rel === 'next')
          expect(new URL(String(next?.['href'])).searchParams.get('marker')).toBe(only['id'])
        },
      )
    }

    state('glance names the next page by a path', async (api) => {
      const { body } = await api.get('glance', '/v2/images?limit=1')
      if (rows(body, 'images').length === 0) return
      expect(at(body, 'next')).toMatch(/^\/v2\/images\?.*marker=/)
      expect(keysOf(body)).toEqual(words('images first next schema'))
    })
  })

  describe('quotas', () => {
    state('compute shows limit, use and reservation of each resource', async (api) => {
      const { body } = await api.get('nova', `/v2.1/os-quota-sets/${api.project}/detail`, compute('2.92'))
      const { id, ...resources } = at(body, 'quota_set') as { [key: string]: unknown }
      expect(id).toBe(api.project)
      expect(keysOf(resources)).toEqual(
        words('cores instances key_pairs metadata_items ram server_group_members server_groups'),
      )
      for (const resource of Object.values(resources)) expect(keysOf(resource)).toEqual(words('limit in_use reserved'))
    })

    state('network shows limit, use and reservation of each resource', async (api) => {
      const { body } = await api.get('neutron', `/v2.0/quotas/${api.project}/details.json`)
      const resources = at(body, 'quota') as object
      expect(keysOf(resources)).toEqual(
        words('network subnet subnetpool port router floatingip rbac_policy security_group security_group_rule'),
      )
      for (const resource of Object.values(resources)) expect(keysOf(resource)).toEqual(words('limit used reserved'))
    })

    state('volume shows use only when asked for it', async (api) => {
      const path = `/v3/${api.project}/os-quota-sets/${api.project}`
      const plain = await api.get('cinder', path, volume('3.70'))
      const used = await api.get('cinder', `${path}?usage=True`, volume('3.70'))
      expect(at(plain.body, 'quota_set', 'volumes')).toEqual(expect.any(Number))
      expect(keysOf(at(used.body, 'quota_set', 'volumes'))).toEqual(words('limit in_use reserved'))
    })
  })

  describe('placement', () => {
    state('shows inventories and usages of a provider by resource class', async (api) => {
      const list = await api.get('placement', '/resource_providers', placement('1.39'))
      for (const { uuid } of rows(list.body, 'resource_providers')) {
        const inventories = await api.get('placement', `/resource_providers/${uuid}/inventories`, placement('1.39'))
        const usages = await api.get('placement', `/resource_providers/${uuid}/usages`, placement('1.39'))
        expect(keysOf(inventories.body)).toEqual(words('resource_provider_generation inventories'))
        expect(keysOf(at(inventories.body, 'inventories', 'VCPU'))).toEqual(
          words('total reserved min_unit max_unit step_size allocation_ratio'),
        )
        expect(keysOf(usages.body)).toEqual(words('resource_provider_generation usages'))
        expect(keysOf(at(usages.body, 'usages'))).toEqual(words('VCPU MEMORY_MB DISK_GB'))
      }
    })

    state('finds candidates with room', async (api) => {
      const path = '/allocation_candidates?resources=VCPU:1,MEMORY_MB:64'
      const { body } = await api.get('placement', path, placement('1.39'))
      expect(keysOf(body)).toEqual(words('allocation_requests provider_summaries'))
      for (const request of rows(body, 'allocation_requests'))
        expect(keysOf(request)).toEqual(words('allocations mappings'))
    })
  })
}
