import { expect } from 'vitest'
import { type Api, at, compute, keysOf, placement, type Runner, rows } from './api.ts'

/**
 * What may stand in a query, and what is refused: a filter that a service passes over gives everything, and whoever
 * asked takes it for what he asked for. As `openstackContract`; nothing is changed.
 */
export function openstackQueries({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  const state = (name: string, holds: (api: Api) => Promise<void>) => test(name, async () => holds(await makeApi()))

  describe('what Neutron is asked by', () => {
    for (const [collection, field] of [
      ['routers', 'status'],
      ['routers', 'ha'],
      ['ports', 'binding:vif_type'],
      ['ports', 'binding:vnic_type'],
      ['ports', 'port_security_enabled'],
      ['ports', 'created_at'],
      ['networks', 'subnets'],
      ['networks', 'port_security_enabled'],
      ['networks', 'availability_zones'],
      ['subnets', 'allocation_pools'],
      ['floatingips', 'subnet_id'],
      ['agents', 'created_at'],
      ['security-groups', 'stateful'],
      ['network-ip-availabilities', 'used_ips'],
    ] as const) {
      state(`${collection} are not looked for by ${field}, though they show it`, async (api) => {
        const { status, body } = await api.get('neutron', `/v2.0/${collection}?${field}=x`)
        expect(status).toBe(400)
        expect(body).toEqual({
          NeutronError: {
            type: 'HTTPBadRequest',
            message: `['${field}'] is invalid attribute for filtering`,
            detail: '',
          },
        })
      })
    }

    for (const query of [
      ...['routers?name=nosuch&id=nosuch&project_id=nosuch&tags=nosuch', 'ports?device_id=nosuch&status=ACTIVE'],
      ...['ports?binding:host_id=nosuch&security_groups=nosuch', 'networks?router:external=True&name=nosuch'],
      ...['subnets?cidr=1.2.3.0/24&enable_dhcp=0', 'floatingips?status=ACTIVE&port_id=nosuch', 'agents?host=nosuch'],
      ...['security-groups?name=nosuch', 'security-group-rules?security_group_id=nosuch'],
      ...['network-ip-availabilities?network_name=nosuch', 'ports?description=nosuch&revision_number=7'],
    ]) {
      state(`${query} leaves nothing`, async (api) => {
        const { status, body } = await api.get('neutron', `/v2.0/${query}`)
        expect({ status, found: Object.values(body as object)[0] }).toEqual({ status: 200, found: [] })
      })
    }

    state('addresses of one version are counted by themselves', async (api) => {
      const asked = async (query: string) => {
        const { body } = await api.get('neutron', `/v2.0/network-ip-availabilities${query}`)
        return rows(body, 'network_ip_availabilities').map((network) => ({
          id: String(network['network_id']),
          versions: rows(network, 'subnet_ip_availability').map(({ ip_version }) => ip_version),
        }))
      }
      const all = await asked('')
      const four = await asked('?ip_version=4')
      expect(four.length).toBeGreaterThan(0)
      expect(four.map(({ id }) => id).sort()).toEqual(
        all.flatMap(({ id, versions }) => (versions.includes(4) ? [id] : [])).sort(),
      )
      expect(four.flatMap(({ versions }) => versions).filter((version) => version !== 4)).toEqual([])
      expect((await asked('?ip_version=6')).flatMap(({ versions }) => versions)).not.toContain(4)
    })

    state('a tag that nothing has excludes nothing', async (api) => {
      const all = await api.get('neutron', '/v2.0/networks')
      const without = await api.get('neutron', '/v2.0/networks?not-tags=nosuch&not-tags-any=nosuch,neither')
      expect(rows(without.body, 'networks')).toHaveLength(rows(all.body, 'networks').length)
      const withAny = await api.get('neutron', '/v2.0/networks?tags-any=nosuch,neither')
      expect(rows(withAny.body, 'networks')).toEqual([])
    })

    for (const [query, message] of [
      ['sort_key=name', 'The number of sort_keys and sort_dirs must be same'],
      ['sort_key=subnets&sort_dir=asc', "['subnets'] is invalid attribute for sort_keys"],
      ['sort_key=name&sort_dir=up', "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'"],
    ] as const) {
      state(`networks are not sorted by ${query}`, async (api) => {
        const { status, body } = await api.get('neutron', `/v2.0/networks?${query}`)
        expect({ status, message: at(body, 'NeutronError', 'message') }).toEqual({ status: 400, message })
      })
    }

    state('what is neither yes nor no, and what is no number, is refused', async (api) => {
      for (const query of ['networks?admin_state_up=maybe', 'subnets?enable_dhcp=maybe', 'subnets?ip_version=six']) {
        const { status, body } = await api.get('neutron', `/v2.0/${query}`)
        expect({ query, status, kind: at(body, 'NeutronError', 'type') }).toEqual({
          ...{ query, status: 400, kind: 'InvalidInput' },
        })
      }
    })

    state('a page leads forward and back, and back again leads to where one came from', async (api) => {
      const sorted = '/v2.0/ports?fields=id&sort_key=id&sort_dir=asc'
      const all = rows((await api.get('neutron', sorted)).body, 'ports').map(({ id }) => id)
      const first = await api.get('neutron', `${sorted}&limit=1`)
      expect(rows(first.body, 'ports')).toEqual([{ id: all[0] }])
      const rels = rows(first.body, 'ports_links').map(({ rel }) => rel)
      expect(rels).toEqual(['next', 'previous'])
      const second = await api.get('neutron', `${sorted}&limit=1&marker=${String(all[0])}`)
      expect(rows(second.body, 'ports')).toEqual(all.slice(1, 2).map((id) => ({ id })))
      const back = await api.get('neutron', `${sorted}&limit=1&marker=${String(all[1])}&page_reverse=True`)
      expect(rows(back.body, 'ports')).toEqual([{ id: all[0] }])
      const before = await api.get('neutron', `${sorted}&limit=1&marker=${String(all[0])}&page_reverse=True`)
      expect(rows(before.body, 'ports')).toEqual([])
      expect(rows(before.body, 'ports_links').map(({ rel }) => rel)).toEqual(['next'])
    })
  })

  describe('what Placement is asked by', () => {
    const some = 'resources=VCPU:1'
    const asked = async (api: Api, query: string, version: string) => {
      const { status, body } = await api.get('placement', `/allocation_candidates?${query}`, placement(version))
      return {
        status,
        found: rows(body, 'allocation_requests').length,
        detail: String(at(body, 'errors', 0, 'detail')),
      }
    }
    const nosuch = '00000000-0000-4000-8000-000000000000'

    state('a trait is required or forbidden, and one that nobody has leaves nobody', async (api) => {
      const { found } = await asked(api, some, '1.39')
      expect(found).toBeGreaterThan(0)
      expect((await asked(api, `${some}&required=COMPUTE_NODE`, '1.39')).found).toBe(found)
      expect((await asked(api, `${some}&required=!COMPUTE_NODE`, '1.39')).found).toBe(0)
      expect((await asked(api, `${some}&required=HW_GPU_API_VULKAN`, '1.39')).found).toBe(0)
      expect((await asked(api, `${some}&required=!HW_GPU_API_VULKAN`, '1.39')).found).toBe(found)
      expect((await asked(api, `${some}&required=in:HW_GPU_API_VULKAN,COMPUTE_NODE`, '1.39')).found).toBe(found)
      // of several, only the last one counted
      const twice = `${some}&required=HW_GPU_API_VULKAN&required=COMPUTE_NODE`
      expect([(await asked(api, twice, '1.38')).found, (await asked(api, twice, '1.39')).found]).toEqual([found, 0])
    })

    state('only members of an aggregate, and only what is in a tree, are candidates', async (api) => {
      const { found } = await asked(api, some, '1.39')
      expect((await asked(api, `${some}&member_of=${nosuch}`, '1.39')).found).toBe(0)
      expect((await asked(api, `${some}&member_of=in:${nosuch},${nosuch.replace('4', '5')}`, '1.39')).found).toBe(0)
      expect((await asked(api, `${some}&member_of=!${nosuch}`, '1.39')).found).toBe(found)
      expect((await asked(api, `${some}&in_tree=${nosuch}`, '1.39')).found).toBe(0)
      const { body } = await api.get('placement', '/resource_providers', placement('1.39'))
      const one = String(rows(body, 'resource_providers')[0]?.['uuid'])
      expect((await asked(api, `${some}&in_tree=${one}`, '1.39')).found).toBe(1)
    })

    for (const [query, version, detail] of [
      [`${some}&required=NOSUCH`, '1.39', 'No such trait(s): NOSUCH.'],
      [`${some}&required=,`, '1.39', 'Got an empty trait in: ,'],
      [`${some}&required=!COMPUTE_NODE`, '1.21', "Expected 'required' parameter value of the form"],
      [`${some}&required=in:COMPUTE_NODE`, '1.38', 'only supported since microversion 1.39'],
      [`${some}&required=COMPUTE_NODE`, '1.16', "'required' was unexpected"],
      [`${some}&member_of=nosuch`, '1.39', "Expected 'member_of' parameter to contain valid UUID(s). Got: nosuch"],
      [`${some}&member_of=${nosuch},${nosuch}`, '1.39', "must be prefixed with the 'in:' or '!in:' keyword"],
      [`${some}&member_of=${nosuch}&member_of=${nosuch}`, '1.23', 'Multiple member_of parameters are not supported'],
      [`${some}&member_of=!${nosuch}`, '1.31', 'Forbidden member_of parameters are not supported'],
      [`${some}&member_of=${nosuch}`, '1.20', "'member_of' was unexpected"],
      [`${some}&in_tree=nosuch`, '1.39', "Expected 'in_tree' parameter to be a format of uuid"],
      [`${some}&in_tree=${nosuch}`, '1.30', 'in_tree'],
      [`${some}&limit=0`, '1.39', "'0' does not match"],
      [`${some}&host=nosuch`, '1.39', 'host'],
      ['limit=1', '1.39', ''],
      ['resources=VCPU:0', '1.39', 'Requested resource VCPU requires amount >= 1. Got: 0.'],
      ['resources=VCPU:one', '1.39', 'Requested resource VCPU expected positive integer amount. Got: one.'],
      ['resources=VCPU', '1.39', 'Badly formed resources parameter.'],
      ['resources=', '1.39', 'Got: empty string.'],
    ] as const) {
      state(`candidates with ${query} at ${version} are refused`, async (api) => {
        const answer = await asked(api, query, version)
        expect(answer).toEqual({ status: 400, found: 0, detail: expect.stringContaining(detail) })
      })
    }

    state('hosts are listed by their room, traits and trees as well', async (api) => {
      const names = async (query: string, version = '1.39') => {
        const { status, body } = await api.get('placement', `/resource_providers?${query}`, placement(version))
        return status === 200 ? rows(body, 'resource_providers').length : status
      }
      const all = await names('')
      expect(all).toBeGreaterThan(0)
      expect(await names('resources=VCPU:1')).toBe(all)
      expect(await names('resources=VCPU:1000000')).toBe(0)
      expect(await names('required=COMPUTE_NODE')).toBe(all)
      expect(await names('required=!COMPUTE_NODE')).toBe(0)
      expect(await names(`in_tree=${nosuch}`)).toBe(0)
      expect(await names(`member_of=${nosuch}`)).toBe(0)
      for (const [query, version] of [
        ['resources=VCPU:1', '1.3'],
        ['required=COMPUTE_NODE', '1.17'],
        [`in_tree=${nosuch}`, '1.13'],
        [`member_of=${nosuch}`, '1.2'],
        ['host=nosuch', '1.39'],
        ['limit=1', '1.39'],
      ] as const)
        expect(await names(query, version), `${query} ${version}`).toBe(400)
    })

    state('what a project uses is told by the kind of who uses it, since 1.38', async (api) => {
      const used = async (query: string, version: string) => {
        const { status, body } = await api.get('placement', `/usages?${query}`, placement(version))
        return status === 200 ? at(body, 'usages') : status
      }
      const mine = `project_id=${api.project}`
      expect(await used(`${mine}&consumer_type=INSTANCE`, '1.37')).toBe(400)
      expect(await used(`${mine}&host=nosuch`, '1.39')).toBe(400)
      expect(await used('', '1.39')).toBe(400)
      const kinds = (await used(mine, '1.39')) as { readonly [kind: string]: object }
      for (const one of Object.values(kinds)) expect(keysOf(one)).toContain('consumer_count')
      expect(await used(`${mine}&consumer_type=NOSUCH`, '1.39')).toEqual({})
    })
  })

  describe('what Nova is asked by', () => {
    const flavors = async (api: Api, query: string) => {
      const { status, body } = await api.get('nova', `/v2.1/flavors/detail?${query}`, compute('2.74'))
      return { status, found: rows(body, 'flavors') }
    }

    state(
      'a flavor tells its extra specs where they are asked for, and one that is not there is not found',
      async (api) => {
        const [flavor] = (await flavors(api, 'is_public=None')).found
        const specs = await api.get('nova', `/v2.1/flavors/${String(flavor?.['id'])}/os-extra_specs`)
        expect(specs).toMatchObject({ status: 200, body: { extra_specs: flavor?.['extra_specs'] } })
        expect((await api.get('nova', '/v2.1/flavors/nosuch/os-extra_specs')).status).toBe(404)
      },
    )

    state('flavors are left that are large enough, in the order that is asked for', async (api) => {
      const all = (await flavors(api, 'is_public=None')).found
      const most = Math.max(...all.map(({ ram }) => Number(ram)))
      const large = (await flavors(api, `is_public=None&minRam=${most}`)).found
      expect(large.length).toBeLessThan(all.length)
      expect(large.every(({ ram }) => ram === most)).toBe(true)
      expect((await flavors(api, `minDisk=${10 ** 6}`)).found).toEqual([])
      expect(
        (await flavors(api, 'is_public=False')).found.every((one) => one['os-flavor-access:is_public'] === false),
      ).toBe(true)
      const sorted = (await flavors(api, 'sort_key=memory_mb&sort_dir=desc')).found.map(({ ram }) => Number(ram))
      expect(sorted).toEqual(sorted.toSorted((a, b) => b - a))
    })

    for (const [query, message] of [
      ['minRam=much', 'Invalid minRam filter [much]'],
      ['minDisk=much', 'Invalid minDisk filter [much]'],
      ['is_public=perhaps', 'Invalid is_public filter [perhaps]'],
    ] as const) {
      state(`flavors with ${query} are refused`, async (api) => {
        const { status, body } = await api.get('nova', `/v2.1/flavors?${query}`, compute('2.74'))
        expect({ status, message: at(body, 'badRequest', 'message') }).toEqual({ status: 400, message })
      })
    }

    state('migrations know each of their filters since the microversion that brought it', async (api) => {
      const status = async (query: string, version: string) =>
        (await api.get('nova', `/v2.1/os-migrations?${query}`, compute(version))).status
      const long = '2015-01-01T00:00:00Z'
      expect(await status(`changes-since=${long}`, '2.59')).toBe(200)
      expect(await status(`changes-before=${long}`, '2.65')).toBe(400)
      expect(await status(`changes-before=${long}`, '2.66')).toBe(200)
      expect(await status(`user_id=nosuch`, '2.79')).toBe(400)
      expect(await status(`user_id=nosuch`, '2.80')).toBe(200)
      expect(await status('nosuch=1', '2.58')).toBe(200)
      expect(await status('nosuch=1', '2.59')).toBe(400)
      const hidden = await api.get('nova', '/v2.1/os-migrations?hidden=True', compute('2.80'))
      expect(rows(hidden.body, 'migrations')).toEqual([])
    })

    state('what was done to a server is left by when it changed, since 2.58 and 2.66', async (api) => {
      const servers = await api.get('nova', '/v2.1/servers?all_tenants=1&limit=1', compute('2.74'))
      const [server] = rows(servers.body, 'servers')
      if (!server) return
      const path = `/v2.1/servers/${String(server['id'])}/os-instance-actions`
      const done = async (query: string, version: string) => {
        const { status, body } = await api.get('nova', `${path}?${query}`, compute(version))
        return status === 200 ? rows(body, 'instanceActions').length : status
      }
      const all = await done('', '2.66')
      expect(all).toBeGreaterThan(0)
      expect(await done('changes-since=2015-01-01T00:00:00Z', '2.58')).toBe(all)
      expect(await done('changes-since=2099-01-01T00:00:00Z', '2.58')).toBe(0)
      expect(await done('changes-before=2015-01-01T00:00:00Z', '2.66')).toBe(0)
      expect(await done('changes-before=2015-01-01T00:00:00Z', '2.65')).toBe(400)
      expect(await done('changes-since=yesterday', '2.58')).toBe(400)
      expect(await done('nosuch=1', '2.58')).toBe(400)
    })
  })

  describe('what Glance and Keystone are asked by', () => {
    const found = async (api: Api, path: string, name: string) => {
      const { status, body } = await api.get(name === 'images' ? 'glance' : 'keystone', path)
      expect(status).toBe(200)
      return rows(body, name)
    }

    state('images are looked for by each of their fields, and by what somebody wrote on them', async (api) => {
      const all = await found(api, '/v2/images?limit=1000', 'images')
      for (const query of ['disk_format=nosuch', 'checksum=nosuch', 'min_ram=999999', 'nobody_wrote_this=1'])
        expect(await found(api, `/v2/images?${query}`, 'images'), query).toEqual([])
      const [one] = all
      if (!one) return
      const byId = await found(api, `/v2/images?id=in:${String(one['id'])}`, 'images')
      expect(byId.map(({ id }) => id)).toEqual([one['id']])
      const format = await found(api, `/v2/images?limit=1000&disk_format=${String(one['disk_format'])}`, 'images')
      expect(format).toHaveLength(all.filter((each) => each['disk_format'] === one['disk_format']).length)
    })

    state('projects, users and endpoints are left by what Keystone knows, and the rest is passed over', async (api) => {
      for (const [path, name] of [
        ['/v3/projects?name=nosuch', 'projects'],
        ['/v3/projects?domain_id=nosuch', 'projects'],
        ['/v3/users?name=nosuch', 'users'],
        ['/v3/endpoints?service_id=nosuch', 'endpoints'],
        ['/v3/services?type=nosuch', 'services'],
        ['/v3/roles?name=nosuch', 'roles'],
      ] as const)
        expect(await found(api, path, name), path).toEqual([])
      const all = await found(api, '/v3/projects', 'projects')
      expect(await found(api, '/v3/projects?description=nosuch', 'projects')).toHaveLength(all.length)
      expect(await found(api, '/v3/projects?enabled=True', 'projects')).toHaveLength(
        all.filter(({ enabled }) => enabled).length,
      )
    })
  })
}
