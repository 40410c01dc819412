import { expect } from 'vitest'
import { type Api, at, compute, keysOf, nobody, type Runner, rows, words } from './api.ts'

/** What a real OpenStack says in front of its APIs, and to questions they do not know; as `openstackContract`. */
export function openstackDoors({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  const state = (name: string, holds: (api: Api) => Promise<void>) => test(name, async () => holds(await makeApi()))

  describe('health', () => {
    const inJson = [
      { service: 'keystone', reasons: [] },
      { service: 'neutron', reasons: ['OK'] },
      { service: 'cinder', reasons: ['OK'] },
      { service: 'glance', reasons: ['OK'] },
    ]
    for (const { service, reasons } of inJson) {
      state(`${service} is healthy in JSON for those who take nothing else`, async (api) => {
        const answer = await api.get(service, '/healthcheck', nobody)
        expect(answer.status).toBe(200)
        expect(answer.body).toEqual({ detailed: false, reasons })
      })
      state(`${service} is healthy in text for those who take anything`, async (api) => {
        const answer = await api.get(service, '/healthcheck', { ...nobody, Accept: '*/*' })
        expect(answer.headers['content-type']).toMatch(/^text\/plain/)
        expect(answer.body).toBe(reasons.join(''))
      })
    }

    state('compute has no health of its own: it offers its versions', async (api) => {
      const answer = await api.get('nova', '/healthcheck', nobody)
      expect(answer.status).toBe(300)
      expect(rows(answer.body, 'choices').map(({ id }) => id)).toEqual(['v2.0', 'v2.1'])
    })

    state('placement wants a token even for its health', async (api) => {
      const answer = await api.get('placement', '/healthcheck', nobody)
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri="http.+\/"$/)
    })
  })

  describe('paths outside of the versions, without a token', () => {
    const answers = [
      { service: 'keystone', status: 404, type: 'text/html' },
      { service: 'nova', status: 300, type: 'application/json' },
      { service: 'neutron', status: 404, type: 'application/json' },
      { service: 'cinder', status: 404, type: 'application/json' },
      { service: 'glance', status: 300, type: 'application/json' },
      { service: 'placement', status: 401, type: 'application/json' },
    ]
    for (const { service, status, type } of answers) {
      state(`${service} answers ${status} in ${type}`, async (api) => {
        const answer = await api.get(service, '/nosuch', nobody)
        expect(answer.status).toBe(status)
        expect(answer.headers['content-type']?.split(';')[0]).toBe(type)
      })
    }
  })

  describe('the versions of network, image and volume', () => {
    for (const [service, path] of [
      ['neutron', '/v2.0/'],
      ['glance', '/v2/'],
      ['cinder', '/v3/'],
    ] as const) {
      state(`${service} wants a token at ${path}`, async (api) => {
        expect((await api.get(service, path, nobody)).status).toBe(401)
      })
    }

    state('the project in the path of a volume endpoint leads nowhere by itself', async (api) => {
      const path = `/v3/${api.project}`
      expect((await api.get('cinder', path, nobody)).status).toBe(401)
      expect((await api.get('cinder', path)).status).toBe(404)
      expect((await api.get('cinder', `${path}/`)).status).toBe(404)
    })
  })

  describe('headers', () => {
    for (const [service, path] of [
      ['nova', '/v2.1/servers'],
      ['cinder', '/v3/{project}/volumes'],
    ] as const) {
      state(`${service} tells the id of a call under its old name too`, async (api) => {
        const { headers } = await api.get(service, path.replace('{project}', api.project))
        expect(headers['x-openstack-request-id']).toMatch(/^req-/)
        expect(headers['x-compute-request-id']).toBe(headers['x-openstack-request-id'])
      })
    }

    for (const [service, path] of [
      ['keystone', '/v3/projects'],
      ['placement', '/resource_providers'],
    ] as const) {
      state(`${service} does not tell its time`, async (api) => {
        const { headers, status } = await api.get(service, path)
        expect(status).toBe(200)
        expect(headers).not.toHaveProperty('date')
      })
    }

    state('a call that never reached the code of a service has no id', async (api) => {
      for (const service of ['nova', 'neutron', 'glance']) {
        const { headers } = await api.get(service, '/', nobody)
        expect(headers).not.toHaveProperty('x-openstack-request-id')
        expect(headers).not.toHaveProperty('openstack-api-version')
      }
    })
  })

  describe('questions nobody knows', () => {
    for (const path of ['/servers', '/servers/detail', '/os-services', '/flavors', '/limits']) {
      state(`compute refuses an unknown filter of ${path} since 2.75, and ignored it before`, async (api) => {
        const asked = `/v2.1${path}?bogus=1`
        expect((await api.get('nova', asked, compute('2.74'))).status).toBe(200)
        const refused = await api.get('nova', asked, compute('2.75'))
        expect(refused.status).toBe(400)
        expect(at(refused.body, 'badRequest', 'message')).toContain("'bogus'")
      })
    }

    state('compute refuses a status that is none since 2.38, and finds nothing before', async (api) => {
      const path = '/v2.1/servers/detail?all_tenants=1&status=NOSUCH'
      expect((await api.get('nova', path, compute('2.37'))).body).toMatchObject({ servers: [] })
      const refused = await api.get('nova', path, compute('2.38'))
      expect(at(refused.body, 'badRequest', 'message')).toBe('Invalid status value')
      expect((await api.get('nova', `${path}&status=active`, compute('2.38'))).status).toBe(200)
    })

    state('a network nobody knows is served by no agents, without an error', async (api) => {
      const path = '/v2.0/networks/00000000-0000-0000-0000-000000000000/dhcp-agents'
      expect((await api.get('neutron', path)).body).toEqual({ agents: [] })
    })

    const nobodys = '00000000-0000-0000-0000-000000000000'
    for (const [path, type, message] of [
      ['agents', 'AgentNotFound', `Agent ${nobodys} could not be found.`],
      ['networks', 'NetworkNotFound', `Network ${nobodys} could not be found.`],
      ['subnets', 'SubnetNotFound', `Subnet ${nobodys} could not be found.`],
      ['ports', 'PortNotFound', `Port ${nobodys} could not be found.`],
      ['routers', 'RouterNotFound', `Router ${nobodys} could not be found`],
      ['floatingips', 'FloatingIPNotFound', `Floating IP ${nobodys} could not be found`],
      ['security-groups', 'SecurityGroupNotFound', `Security group ${nobodys} does not exist`],
    ] as const) {
      state(`network calls what it does not find among ${path} by its name`, async (api) => {
        const answer = await api.get('neutron', `/v2.0/${path}/${nobodys}`)
        expect(answer.status).toBe(404)
        expect(answer.body).toEqual({ NeutronError: { type, message, detail: '' } })
      })
    }

    state('network looks at a marker only beside a limit, and sorts by what there is', async (api) => {
      const networks = '/v2.0/networks'
      expect((await api.get('neutron', `${networks}?marker=${nobodys}`)).status).toBe(200)
      expect((await api.get('neutron', `${networks}?marker=${nobodys}&limit=1`)).status).toBe(404)
      const limit = await api.get('neutron', `${networks}?limit=junk`)
      const message = "Bad limit request: Limit must be an integer 0 or greater and not 'junk'."
      expect(at(limit.body, 'NeutronError')).toEqual({ type: 'BadRequest', message, detail: '' })
      const sorted = await api.get('neutron', `${networks}?sort_key=bogus&sort_dir=asc`)
      expect(sorted.status).toBe(400)
    })

    state('volumes and images have words of their own for a bad page', async (api) => {
      const volumes = `/v3/${api.project}/volumes/detail`
      const limit = await api.get('cinder', `${volumes}?limit=-1`)
      expect(limit.body).toEqual({ badRequest: { code: 400, message: 'limit param must be positive' } })
      expect((await api.get('cinder', `${volumes}?marker=nosuch`)).status).toBe(404)
      const marker = await api.get('glance', '/v2/images?marker=nosuch')
      expect(marker.status).toBe(400)
      expect(keysOf(marker.body)).toEqual(words('message code title'))
    })
  })

  describe('limits', () => {
    for (const { version, more } of [
      { version: '2.1', more: ['maxImageMeta', 'maxTotalFloatingIps', 'maxPersonality'] },
      { version: '2.36', more: ['maxImageMeta', 'maxPersonality'] },
      { version: '2.39', more: ['maxPersonality'] },
      { version: '2.57', more: [] },
    ]) {
      state(`at ${version} compute tells its limits with ${more.join(', ') || 'what is left'}`, async (api) => {
        const { body } = await api.get('nova', '/v2.1/limits', compute(version))
        const absolute = at(body, 'limits', 'absolute')
        const changing = ['maxImageMeta', 'maxTotalFloatingIps', 'maxPersonality']
        expect(keysOf(absolute)).toEqual(expect.arrayContaining(words('maxTotalCores totalInstancesUsed')))
        expect(keysOf(absolute).filter((key) => changing.includes(key))).toEqual(expect.arrayContaining(more))
        expect(keysOf(absolute).filter((key) => changing.includes(key))).toHaveLength(more.length)
      })
    }
  })
}
