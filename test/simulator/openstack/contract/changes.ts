import { expect } from 'vitest'
import { type Answer, type Api, at, compute, keysOf, placement, type Runner, rows, volume, words } from './api.ts'

/**
 * What else is true of an OpenStack: how images, snapshots and tokens come and go, what each service refuses and in which
 * words, whole walks through pages, and what there is at which microversion; as `openstackContract`. What it makes it
 * takes away.
 */
export function openstackChanges({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  const state = (name: string, holds: (api: Api) => Promise<void>) => test(name, async () => holds(await makeApi()))

  describe('images that come and go', () => {
    const bytes = { 'content-type': 'application/octet-stream' }
    const wanted = { name: 'simnova-image', disk_format: 'raw', container_format: 'bare' }

    state('an image is queued, has its bytes and its checksums, and is gone', async (api) => {
      const made = await api.post('glance', '/v2/images', wanted)
      expect(made.status).toBe(201)
      expect(made.body).toMatchObject({ status: 'queued', size: null, checksum: null, os_hash_value: null })
      const path = `/v2/images/${String(at(made.body, 'id'))}`
      try {
        expect((await api.call('PUT', 'glance', `${path}/file`, { what: 'bytes' }, bytes)).status).toBe(204)
        const { body } = await api.get('glance', path)
        expect(body).toMatchObject({ status: 'active', size: JSON.stringify({ what: 'bytes' }).length })
        expect(at(body, 'checksum')).toMatch(/^[0-9a-f]{32}$/)
        expect(at(body, 'os_hash_algo')).toBe('sha512')
        expect(at(body, 'os_hash_value')).toMatch(/^[0-9a-f]{128}$/)
        // bytes are given once
        expect((await api.call('PUT', 'glance', `${path}/file`, { what: 'more' }, bytes)).status).toBe(409)
      } finally {
        expect((await api.call('DELETE', 'glance', path)).status).toBe(204)
      }
      expect((await api.get('glance', path)).status).toBe(404)
      expect((await api.call('DELETE', 'glance', path)).status).toBe(404)
    })

    state('bytes for an image that there is not are 404', async (api) => {
      const path = `/v2/images/${nobodys}/file`
      expect((await api.call('PUT', 'glance', path, { what: 'bytes' }, bytes)).status).toBe(404)
    })

    state('nobody says of an image that it is active', async (api) => {
      const answer = await api.post('glance', '/v2/images', { ...wanted, status: 'active' })
      expect(answer.status).toBe(403)
    })
  })

  describe('volumes with snapshots', () => {
    state('a snapshot is being made at first, and its volume is not deleted before it', async (api) => {
      const [volumes, snapshots] = [`/v3/${api.project}/volumes`, `/v3/${api.project}/snapshots`]
      const made = await api.post('cinder', volumes, { volume: { name: 'simnova-kept', size: 1 } }, cinder)
      const volume_id = String(at(made.body, 'volume', 'id'))
      const status = async (path: string, kind: string) =>
        at((await api.get('cinder', path, cinder)).body, kind, 'status')
      await until(api, async () => (await status(`${volumes}/${volume_id}`, 'volume')) === 'available')
      const taken = await api.post('cinder', snapshots, { snapshot: { name: 'simnova-kept', volume_id } }, cinder)
      expect(taken.status).toBe(202)
      expect(at(taken.body, 'snapshot', 'status')).toBe('creating')
      const snapshot = `${snapshots}/${String(at(taken.body, 'snapshot', 'id'))}`
      await until(api, async () => (await status(snapshot, 'snapshot')) !== 'creating')

      const held = await api.call('DELETE', 'cinder', `${volumes}/${volume_id}`, undefined, cinder)
      expect(held.status).toBe(400)
      expect(at(held.body, 'badRequest', 'message')).toContain('have snapshots')

      expect((await api.call('DELETE', 'cinder', snapshot, undefined, cinder)).status).toBe(202)
      await until(api, async () => (await api.get('cinder', snapshot, cinder)).status === 404)
      expect((await api.get('cinder', snapshot, cinder)).status).toBe(404)
      expect((await api.call('DELETE', 'cinder', `${volumes}/${volume_id}`, undefined, cinder)).status).toBe(202)
    })

    state('a snapshot of a volume that there is not is 404', async (api) => {
      const wanted = { snapshot: { name: 'simnova-none', volume_id: nobodys } }
      const answer = await api.post('cinder', `/v3/${api.project}/snapshots`, wanted, cinder)
      expect(answer.status).toBe(404)
      expect(keysOf(answer.body)).toEqual(['itemNotFound'])
    })
  })

  describe('tokens that come and go', () => {
    const subject = (token: string) => ({ 'X-Subject-Token': token })

    state('a token is made from another, shown, and gone once revoked; the other one holds', async (api) => {
      const auth = {
        identity: { methods: ['token'], token: { id: api.token } },
        scope: { project: { id: api.project } },
      }
      const made = await api.post('keystone', '/v3/auth/tokens', { auth })
      expect(made.status).toBe(201)
      const token = made.headers['x-subject-token'] ?? ''
      expect(token).not.toBe('')
      expect(token).not.toBe(api.token)
      expect(keysOf(at(made.body, 'token'))).toEqual(
        expect.arrayContaining(words('methods user project roles catalog expires_at issued_at audit_ids')),
      )
      const shown = await api.get('keystone', '/v3/auth/tokens', subject(token))
      expect(shown.status).toBe(200)
      expect(at(shown.body, 'token', 'audit_ids', 0)).toBe(at(made.body, 'token', 'audit_ids', 0))

      expect((await api.call('DELETE', 'keystone', '/v3/auth/tokens', undefined, subject(token))).status).toBe(204)
      expect((await api.get('keystone', '/v3/auth/tokens', subject(token))).status).toBe(404)
      expect((await api.get('keystone', '/v3/auth/tokens', subject(api.token))).status).toBe(200)
    })

    for (const [path, kind] of [
      ['/v3/projects', 'project'],
      ['/v3/domains', 'domain'],
      ['/v3/users', 'user'],
      ['/v3/services', 'service'],
      ['/v3/endpoints', 'endpoint'],
    ] as const) {
      state(`identity says of what it does not find under ${path} that it is no ${kind}`, async (api) => {
        const answer = await api.get('keystone', `${path}/nosuch`)
        expect(answer.status).toBe(404)
        expect(answer.body).toEqual({
          error: { code: 404, message: `Could not find ${kind}: nosuch.`, title: 'Not Found' },
        })
      })

      state(`identity has no pages under ${path}: its links lead nowhere`, async (api) => {
        const { body } = await api.get('keystone', path)
        expect(at(body, 'links')).toMatchObject({ next: null, previous: null, self: expect.stringContaining(path) })
      })
    }
  })

  describe('what network refuses', () => {
    state('an attribute nobody knows is refused by its name, and changes nothing', async (api) => {
      const { body } = await api.get('neutron', '/v2.0/ports?limit=1')
      const [port] = rows(body, 'ports')
      if (!port) return
      const path = `/v2.0/ports/${String(port['id'])}`
      const answer = await api.call('PUT', 'neutron', path, { port: { nosuch: 1 } })
      expect(answer.status).toBe(400)
      expect(answer.body).toEqual({
        NeutronError: { type: 'HTTPBadRequest', message: "Unrecognized attribute(s) 'nosuch'", detail: '' },
      })
      expect(at((await api.get('neutron', path)).body, 'port', 'revision_number')).toBe(port['revision_number'])
    })

    for (const [plural, noun] of [
      ['networks', 'network'],
      ['subnets', 'subnet'],
      ['ports', 'port'],
    ] as const) {
      state(`a ${noun} that is changed is shown as it is then, and counts that`, async (api) => {
        const [before] = rows((await api.get('neutron', `/v2.0/${plural}?limit=1`)).body, plural)
        if (!before) return
        const path = `/v2.0/${plural}/${String(before['id'])}`
        const describe = (description: unknown) => api.call('PUT', 'neutron', path, { [noun]: { description } })
        try {
          const { status, body } = await describe('of a test')
          expect(status).toBe(200)
          expect(keysOf(body)).toEqual([noun])
          expect(keysOf(at(body, noun))).toEqual(keysOf(at((await api.get('neutron', path)).body, noun)))
          expect(at(body, noun)).toMatchObject({ id: before['id'], description: 'of a test', name: before['name'] })
          expect(at(body, noun, 'revision_number')).toBeGreaterThan(Number(before['revision_number']))
          const shown = (await api.get('neutron', path)).body
          expect(at(shown, noun, 'description')).toBe('of a test')
          expect((await api.call('PUT', 'neutron', path, { [noun]: {} })).status).toBe(200)
          const none = `/v2.0/${plural}/${nobodys}`
          expect((await api.call('PUT', 'neutron', none, { [noun]: { name: 'x' } })).status).toBe(404)
          const wrong = await api.call('PUT', 'neutron', path, { wrong: {} })
          const message = `Unable to find '${noun}' in request body`
          expect(wrong.body).toEqual({ NeutronError: { type: 'HTTPBadRequest', message, detail: '' } })
        } finally {
          await describe(before['description'])
        }
      })
    }

    for (const { plural, noun, wanted, type, message } of [
      ...(['id', 'status'] as const).map((field) => readOnly('networks', 'network', field)),
      ...(['cidr', 'network_id'] as const).map((field) => readOnly('subnets', 'subnet', field)),
      ...(['network_id', 'status'] as const).map((field) => readOnly('ports', 'port', field)),
      noBoolean('networks', 'network', 'admin_state_up'),
      noBoolean('subnets', 'subnet', 'enable_dhcp'),
      noBoolean('ports', 'port', 'admin_state_up'),
      {
        plural: 'subnets',
        noun: 'subnet',
        wanted: { dns_nameservers: ['nope'] },
        type: 'HTTPBadRequest',
        message:
          "Invalid input for dns_nameservers. Reason: 'nope' is not a valid nameserver. 'nope' is not a valid IP address.",
      },
      {
        plural: 'ports',
        noun: 'port',
        wanted: { extra_dhcp_opts: [{ opt_name: 'mtu' }] },
        type: 'InvalidInput',
        message: "Invalid input for operation: No valid key specs matched for: {'opt_name': 'mtu'}.",
      },
    ]) {
      state(`${JSON.stringify(wanted)} is no change for a ${noun}, and changes nothing`, async (api) => {
        const [before] = rows((await api.get('neutron', `/v2.0/${plural}?limit=1`)).body, plural)
        if (!before) return
        const path = `/v2.0/${plural}/${String(before['id'])}`
        const answer = await api.call('PUT', 'neutron', path, { [noun]: wanted })
        expect(answer.status).toBe(400)
        expect(answer.body).toEqual({ NeutronError: { type, message, detail: '' } })
        expect(at((await api.get('neutron', path)).body, noun)).toEqual(before)
      })
    }

    state('the DHCP options of a port are told one by one, and null takes one away', async (api) => {
      const all = rows((await api.get('neutron', '/v2.0/ports')).body, 'ports')
      const port = all.find(({ device_owner }) => String(device_owner).startsWith('compute:'))
      if (!port) return
      const path = `/v2.0/ports/${String(port['id'])}`
      const tell = async (...options: object[]) => {
        const { body } = await api.call('PUT', 'neutron', path, { port: { extra_dhcp_opts: options } })
        return rows(body, 'port', 'extra_dhcp_opts').filter(({ opt_name }) => String(opt_name).startsWith('simnova-'))
      }
      const [one, two] = ['simnova-one', 'simnova-two'].map((opt_name) => ({ opt_name, opt_value: '1', ip_version: 4 }))
      try {
        expect(await tell({ opt_name: 'simnova-one', opt_value: '1' })).toEqual([one])
        const both = await tell({ opt_name: 'simnova-two', opt_value: '1' })
        expect(both.map(({ opt_name }) => opt_name).sort()).toEqual(['simnova-one', 'simnova-two'])
        expect(await tell({ opt_name: 'simnova-one', opt_value: null })).toEqual([two])
      } finally {
        for (const opt_name of ['simnova-one', 'simnova-two']) await tell({ opt_name, opt_value: null })
      }
    })

    state('only the fields are shown that are asked for', async (api) => {
      const { body } = await api.get('neutron', '/v2.0/ports?fields=id&fields=status')
      for (const port of rows(body, 'ports')) expect(keysOf(port)).toEqual(['id', 'status'])
    })

    state('an agent is not given a network twice, and loses none that it has not', async (api) => {
      const { body } = await api.get('neutron', '/v2.0/agents?agent_type=DHCP%20agent')
      const agents = rows(body, 'agents').filter(({ alive }) => alive === true)
      for (const { id } of agents) {
        const path = `/v2.0/agents/${String(id)}/dhcp-networks`
        const [network] = rows((await api.get('neutron', path)).body, 'networks')
        if (!network) continue
        const again = await api.post('neutron', path, { network_id: network['id'] })
        expect(again.status).toBe(409)
        expect(at(again.body, 'NeutronError', 'type')).toBe('NetworkHostedByDHCPAgent')
        const none = await api.call('DELETE', 'neutron', `${path}/${nobodys}`)
        expect(none.status).toBe(409)
        expect(at(none.body, 'NeutronError', 'type')).toBe('NetworkNotHostedByDhcpAgent')
        return
      }
    })
  })

  describe('whole walks', () => {
    const walks = [
      { service: 'nova', path: '/v2.1/servers/detail?all_tenants=1', list: 'servers', headers: compute('2.92') },
      { service: 'nova', path: '/v2.1/os-hypervisors', list: 'hypervisors', headers: compute('2.92') },
      { service: 'nova', path: '/v2.1/flavors?is_public=None', list: 'flavors', headers: compute('2.92') },
      { service: 'nova', path: '/v2.1/os-migrations', list: 'migrations', headers: compute('2.92') },
      { service: 'neutron', path: '/v2.0/ports?fields=id', list: 'ports', headers: {} },
      { service: 'neutron', path: '/v2.0/networks?fields=id', list: 'networks', headers: {} },
      {
        service: 'cinder',
        path: '/v3/{project}/volumes/detail?all_tenants=1',
        list: 'volumes',
        headers: volume('3.70'),
      },
      { service: 'glance', path: '/v2/images?visibility=public', list: 'images', headers: {} },
    ]
    for (const { service, path, list, headers } of walks) {
      state(`by pages of two everybody meets each of the ${list} of ${service} once`, async (api) => {
        const asked = path.replace('{project}', api.project)
        const all = async () => rows((await api.get(service, asked, headers)).body, list).map(idOf)
        const before = await all()
        const walked: string[] = []
        let next: string | undefined = `${asked}${asked.includes('?') ? '&' : '?'}limit=2`
        for (let pages = 0; next !== undefined && pages < 500; pages += 1) {
          const { status, body }: Answer = await api.get(service, next, headers)
          expect(status).toBe(200)
          const page = rows(body, list).map(idOf)
          expect(page.length).toBeLessThanOrEqual(2)
          walked.push(...page)
          next = nextOf(body, list)
        }
        expect(next).toBeUndefined()
        expect(new Set(walked).size).toBe(walked.length)
        // others may make some and take some away meanwhile
        const after = new Set(await all())
        expect(walked).toEqual(expect.arrayContaining(before.filter((id) => after.has(id))))
      })
    }
  })

  describe('what there is at which microversion', () => {
    state('the migrations of a server are listed since 2.23, and given up since 2.24', async (api) => {
      const [server] = rows(
        (await api.get('nova', '/v2.1/servers?all_tenants=1&limit=1', compute('2.92'))).body,
        'servers',
      )
      if (!server) return
      const path = `/v2.1/servers/${String(server['id'])}/migrations`
      expect((await api.get('nova', path, compute('2.22'))).status).toBe(404)
      expect((await api.get('nova', path, compute('2.23'))).status).toBe(200)
      expect((await api.call('DELETE', 'nova', `${path}/999999`, undefined, compute('2.23'))).status).toBe(404)
    })

    state('a compute service is changed by its UUID since 2.53 only, and by its host before', async (api) => {
      const { body } = await api.get('nova', '/v2.1/os-services?binary=nova-compute', compute('2.53'))
      const path = `/v2.1/os-services/${String(rows(body, 'services')[0]?.['id'])}`
      const byHost = { host: 'nosuch-host', binary: 'nova-compute' }
      expect((await api.call('PUT', 'nova', path, byHost, compute('2.52'))).status).toBe(404)
      // the body is looked at before what is to be done
      expect((await api.call('PUT', 'nova', path, { status: 'enabled' }, compute('2.52'))).status).toBe(400)
      expect((await api.call('PUT', 'nova', '/v2.1/os-services/disable', byHost, compute('2.53'))).status).toBe(400)
    })

    state('only compute services are changed', async (api) => {
      const { body } = await api.get('nova', '/v2.1/os-services?binary=nova-conductor', compute('2.92'))
      const [conductor] = rows(body, 'services')
      const path = `/v2.1/os-services/${String(conductor?.['id'])}`
      const answer = await api.call('PUT', 'nova', path, { status: 'disabled' }, compute('2.92'))
      const message = 'Updating a nova-conductor service is not supported. Only nova-compute services can be updated.'
      expect(answer.body).toEqual({ badRequest: { code: 400, message } })
    })

    for (const { version, action, event } of [
      { version: '2.51', action: '', event: '' },
      { version: '2.58', action: 'updated_at', event: '' },
      { version: '2.62', action: 'updated_at', event: 'host hostId' },
      { version: '2.84', action: 'updated_at', event: 'host hostId details' },
    ]) {
      state(
        `at ${version} what was done to a server has ${`${action} ${event}`.trim() || 'nothing'} beside its times`,
        async (api) => {
          const listed = await api.get('nova', '/v2.1/servers?all_tenants=1&limit=1', compute('2.92'))
          const [server] = rows(listed.body, 'servers')
          if (!server) return
          const path = `/v2.1/servers/${String(server['id'])}/os-instance-actions`
          const [done] = rows((await api.get('nova', path, compute(version))).body, 'instanceActions')
          const usual = 'action instance_uuid message project_id request_id start_time user_id'
          expect(keysOf(done)).toEqual(words(`${usual} ${action}`))
          const shown = await api.get('nova', `${path}/${String(done?.['request_id'])}`, compute(version))
          expect(keysOf(at(shown.body, 'instanceAction'))).toEqual(words(`${usual} events ${action}`))
          for (const one of rows(shown.body, 'instanceAction', 'events'))
            expect(keysOf(one)).toEqual(words(`event start_time finish_time result traceback ${event}`))
        },
      )
    }

    for (const [service, path, headers] of [
      ['cinder', '/v3/{project}/volumes', volume('3.999')],
      ['placement', '/resource_providers', placement('1.999')],
    ] as const) {
      state(`${service} knows no microversion from the future`, async (api) => {
        const answer = await api.get(service, path.replace('{project}', api.project), headers)
        expect(answer.status).toBe(406)
      })
    }
  })

  describe('candidates of placement', () => {
    const asked = '/allocation_candidates?resources=VCPU:1,MEMORY_MB:64'

    state('are there since 1.10, limited since 1.16, with mappings since 1.34', async (api) => {
      expect((await api.get('placement', asked, placement('1.9'))).status).toBe(404)
      expect((await api.get('placement', asked, placement('1.10'))).status).toBe(200)
      expect((await api.get('placement', `${asked}&limit=1`, placement('1.15'))).status).toBe(400)
      const limited = await api.get('placement', `${asked}&limit=1`, placement('1.33'))
      expect(rows(limited.body, 'allocation_requests').map(keysOf)).toEqual([['allocations']])
      const mapped = await api.get('placement', `${asked}&limit=1`, placement('1.34'))
      expect(rows(mapped.body, 'allocation_requests').map(keysOf)).toEqual([['allocations', 'mappings']])
    })

    state('are none where nobody has the room', async (api) => {
      const { status, body } = await api.get(
        'placement',
        '/allocation_candidates?resources=VCPU:100000',
        placement('1.39'),
      )
      expect(status).toBe(200)
      expect(body).toEqual({ allocation_requests: [], provider_summaries: {} })
    })

    state('are refused for a resource that there is not', async (api) => {
      const answer = await api.get('placement', '/allocation_candidates?resources=NOSUCH:1', placement('1.39'))
      expect(answer.status).toBe(400)
      expect(keysOf(at(answer.body, 'errors', 0))).toEqual(
        expect.arrayContaining(words('status title detail request_id')),
      )
    })

    state('who has nothing allocated has an empty list of it', async (api) => {
      const answer = await api.get('placement', `/allocations/${nobodys}`, placement('1.39'))
      expect(answer).toMatchObject({ status: 200, body: { allocations: {} } })
    })
  })
}

const readOnly = (plural: string, noun: string, field: string) => ({
  plural,
  noun,
  wanted: { [field]: 'x' },
  type: 'HTTPBadRequest',
  message: `Cannot update read-only attribute ${field}`,
})

const noBoolean = (plural: string, noun: string, field: string) => ({
  plural,
  noun,
  wanted: { [field]: 'maybe' },
  type: 'InvalidInput',
  message: "Invalid input for operation: 'maybe' cannot be converted to boolean.",
})

const nobodys = '00000000-0000-0000-0000-000000000000'
const cinder = volume('3.70')

const idOf = (item: { readonly [key: string]: unknown }) => String(item['uuid'] ?? item['id'])

/** The next page as a path: Nova, Neutron and Cinder link to it, Glance names it. */
function nextOf(body: unknown, list: string): string | undefined {
  const next = at(body, 'next')
  if (typeof next === 'string') return next
  const link = rows(body, `${list}_links`).find(({ rel }) => rel === 'next')
  if (!link) return undefined
  const { pathname, search } = new URL(String(link['href']))
  return `${pathname}${search}`
}

async function until(api: Api, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 80; tries += 1) {
    if (await holds()) return
    await api.wait(1_000)
  }
}
