import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { type Routes, versions } from '../../support/openstack-server.ts'
import { runAction } from './run-action.ts'

const gib = 1024

interface FakeHost {
  readonly name: string
  readonly free?: number
  readonly zone?: string
  readonly status?: string
  readonly state?: string
  /** False where Placement does not know it. */
  readonly known?: boolean
}

const server = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  name: id,
  status: 'ACTIVE',
  tenant_id: 'p1',
  'OS-EXT-SRV-ATTR:host': 'c1',
  image: { id: 'i1' },
  flavor: { original_name: 'f', vcpus: 2, ram: 4 * gib, disk: 20, ephemeral: 0, extra_specs: {} },
  ...more,
})

/** `c1` and the hosts told, each with so many GiB of memory to give. */
function cloud(
  hosts: readonly FakeHost[],
  servers: readonly JsonObject[],
  more: { readonly holds?: JsonObject; readonly groups?: Json; readonly aggregates?: Json } = {},
): Routes {
  const all: readonly FakeHost[] = [{ name: 'c1' }, ...hosts]
  const memory = (free = 64) => ({
    VCPU: { total: 32, reserved: 0, allocation_ratio: 4, max_unit: 32 },
    MEMORY_MB: { total: free * gib + 2 * gib, reserved: gib, allocation_ratio: 1, max_unit: 256 * gib },
    DISK_GB: { total: 1000, reserved: 0, allocation_ratio: 1, max_unit: 1000 },
  })
  const compute = '/compute/v2.1'
  return {
    [`GET ${compute}/`]: versions('v2.1', '2.1', '2.95'),
    'GET /placement/': versions('v1.0', '1.0', '1.39'),
    [`GET ${compute}/os-services`]: {
      json: {
        services: all.map(({ name, zone = 'nova', status = 'enabled', state = 'up' }) => ({
          ...{ binary: 'nova-compute', host: name, zone, status, state },
        })),
      },
    },
    [`GET ${compute}/os-hypervisors/detail`]: {
      json: {
        hypervisors: all.map(({ name }) => ({
          id: `rp-${name}`,
          hypervisor_hostname: `${name}.lan`,
          service: { host: name },
        })),
      },
    },
    [`GET ${compute}/os-aggregates`]: { json: { aggregates: more.aggregates ?? [] } },
    [`GET ${compute}/os-server-groups`]: { json: { server_groups: more.groups ?? [] } },
    [`GET ${compute}/servers/detail`]: { json: { servers: [...servers] } },
    'GET /placement/resource_providers': {
      json: {
        resource_providers: all
          .filter(({ known = true }) => known)
          .map(({ name }) => ({ uuid: `rp-${name}`, name: `${name}.lan`, generation: 1 })),
      },
    },
    'GET /placement/resource_providers/rp-c1/allocations': { json: { allocations: more.holds ?? {} } },
    ...Object.fromEntries(
      all.flatMap(({ name, free }) => [
        [`GET /placement/resource_providers/rp-${name}/inventories`, { json: { inventories: memory(free) } }],
        [
          `GET /placement/resource_providers/rp-${name}/usages`,
          { json: { usages: { VCPU: 0, MEMORY_MB: gib, DISK_GB: 0 } } },
        ],
      ]),
    ),
  }
}

async function fitted(params: JsonObject, routes: Routes) {
  const { result, error, asked } = await runAction('openstack.placement.fit', { from: 'c1', ...params }, routes)
  if (error) throw error
  const { placed, unplaced, out, needed, providers } = result as {
    readonly placed: Json
    readonly unplaced: { readonly name: string; readonly why: string }[]
    readonly out: Json
    readonly needed: Json
    readonly providers: Json
  }
  return { placed, unplaced, out, needed, providers, asked }
}

test('room enough in sum, and no single host for the last server: it is named, with what each host lacks', async () => {
  const servers = ['a', 'b', 'c'].map((id) => server(id))
  const { placed, unplaced } = await fitted(
    {},
    cloud(
      [
        { name: 'c2', free: 7 },
        { name: 'c3', free: 7 },
      ],
      servers,
    ),
  )
  expect(placed).toHaveLength(2)
  expect(unplaced).toMatchObject([
    {
      name: 'c',
      why: '`c2`: it has 3072 MiB of memory left, 4096 are needed; `c3`: it has 3072 MiB of memory left, 4096 are needed',
    },
  ])
})

test('a server needs what it holds in Placement; one that Placement does not know needs what its flavor asks for', async () => {
  const holds = { a: { resources: { VCPU: 1, MEMORY_MB: 9 * gib } } }
  const { placed, needed } = await fitted(
    {},
    cloud(
      [
        { name: 'c2', free: 10 },
        { name: 'c3', free: 4 },
      ],
      [server('a'), server('b')],
      { holds },
    ),
  )
  expect(placed).toEqual([
    { server: 'a', name: 'a', host: 'c2' },
    { server: 'b', name: 'b', host: 'c3' },
  ])
  expect(needed).toEqual({ VCPU: 3, MEMORY_MB: 13 * gib, DISK_GB: 20 })
})

test('only hosts that are enabled, up, in the same zone and known to Placement take servers', async () => {
  const hosts: readonly FakeHost[] = [
    { name: 'c2', status: 'disabled' },
    { name: 'c3', state: 'down' },
    { name: 'c4', zone: 'far' },
    { name: 'c5', known: false },
  ]
  const nobody = await fitted({}, cloud(hosts, [server('a')]))
  expect(nobody.unplaced).toMatchObject([
    { why: '`c2`: it is disabled; `c3`: it is down; `c4`: it is in zone `far`; `c5`: Placement does not know it' },
  ])
  expect(nobody.asked.filter(({ path }) => /rp-c[234]\//.test(path))).toEqual([])
  const chosen = cloud([{ name: 'c2' }, { name: 'c3' }], [server('a')])
  expect((await fitted({ to: 'c3' }, chosen)).placed).toMatchObject([{ host: 'c3' }])
  expect((await fitted({ to: 'c9' }, chosen)).unplaced).toMatchObject([{ name: 'a' }])
  expect((await fitted({ to: 'c1' }, chosen)).unplaced).toMatchObject([{ name: 'a' }])
  await expect(fitted({ from: 'c9' }, chosen)).rejects.toMatchObject({ code: 'not_found' })
})

test('the resource providers of the host that they leave are told, and Placement is asked for its list once', async () => {
  const { providers, asked } = await fitted({}, cloud([{ name: 'c2' }], [server('a')]))
  expect(providers).toEqual(['rp-c1'])
  expect(asked.filter(({ path }) => /^\/placement\/resource_providers(\?|$)/.test(path))).toHaveLength(1)
})

test('only the servers that were asked for count', async () => {
  const { placed } = await fitted({ servers: ['b'] }, cloud([{ name: 'c2', free: 5 }], [server('a'), server('b')]))
  expect(placed).toMatchObject([{ name: 'b', host: 'c2' }])
})

test('a server group is kept with members that are on other hosts', async () => {
  const groups = [{ id: 'g', name: 'ring', policy: 'anti-affinity', rules: {}, members: ['a', 'far', 'gone'] }]
  const routes = {
    ...cloud([{ name: 'c2' }, { name: 'c3', free: 4 }], [server('a')], { groups }),
    'GET /compute/v2.1/servers/far': { json: { server: server('far', { 'OS-EXT-SRV-ATTR:host': 'c2' }) } },
  }
  expect((await fitted({}, routes)).placed).toMatchObject([{ host: 'c3' }])
})

test('before version 2.64 a group has a list of rules', async () => {
  const groups = [{ id: 'g', name: 'ring', policies: ['affinity'], members: ['a', 'b'] }]
  const { unplaced } = await fitted({}, cloud([{ name: 'c2' }], [server('a'), server('b')], { groups }))
  expect(unplaced.map(({ name }) => name)).toEqual(['a', 'b'])
})

test('aggregates close hosts: those without what the flavor asks for, and those kept for other projects', async () => {
  const ssd = {
    vcpus: 1,
    ram: gib,
    disk: 0,
    ephemeral: 0,
    extra_specs: { 'aggregate_instance_extra_specs:disk': 'ssd' },
  }
  const aggregates = [
    { id: 1, name: 'fast', hosts: ['c1', 'c2'], metadata: { disk: 'ssd' } },
    { id: 2, name: 'slow', hosts: ['c3'], metadata: { disk: 'hdd' } },
    { id: 3, name: 'theirs', hosts: ['c2'], metadata: { filter_tenant_id: 'p2,p3' } },
  ]
  const hosts = [{ name: 'c2' }, { name: 'c3' }]
  const mine = cloud(hosts, [server('a', { flavor: ssd })], { aggregates })
  expect((await fitted({}, mine)).unplaced).toMatchObject([
    { why: '`c2`: its aggregate is kept for other projects; `c3`: none of its aggregates is the like as to `disk`' },
  ])
  const theirs = cloud(hosts, [server('a', { flavor: ssd, tenant_id: 'p3' })], { aggregates })
  expect((await fitted({}, theirs)).placed).toMatchObject([{ host: 'c2' }])
})
