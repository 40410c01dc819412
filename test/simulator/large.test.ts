import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Rehearsal } from '../../simulator/contract.ts'
import { loadScenario, startRehearsal } from '../../simulator/index.ts'
import { at, rows } from './openstack/contract/api.ts'

let rehearsal: Rehearsal
let token: string
let endpoints: ReadonlyMap<unknown, unknown>

beforeAll(async () => {
  const scenario = (await loadScenario('healthy')) as object
  rehearsal = await startRehearsal({ scenario: { ...scenario, topology: { computes: 50, servers: 2_500 } } })
  const auth = at(rehearsal.clouds, 'clouds', 'rehearsal', 'auth') as { [name: string]: string }
  const domain = { id: 'default' }
  const identity = {
    methods: ['password'],
    password: { user: { name: auth['username'], password: auth['password'], domain } },
  }
  const body = JSON.stringify({ auth: { identity, scope: { project: { name: auth['project_name'], domain } } } })
  const signedIn = await fetch(`${auth['auth_url']}/auth/tokens`, { method: 'POST', body })
  token = signedIn.headers.get('x-subject-token') ?? ''
  const catalog = rows(await signedIn.json(), 'token', 'catalog')
  endpoints = new Map(catalog.map((service) => [service['type'], at(service, 'endpoints', 0, 'url')]))
})
afterAll(() => rehearsal.close())

async function pagesOf(type: string, path: string, list: string, version = '2.92') {
  const headers = { 'X-Auth-Token': token, 'OpenStack-API-Version': `compute ${version}` }
  const pages: { readonly [key: string]: unknown }[][] = []
  let next: unknown = `${endpoints.get(type)}${path}`
  while (next !== undefined) {
    const body = await (await fetch(String(next), { headers })).json()
    pages.push(rows(body, list))
    next = rows(body, `${list}_links`).find(({ rel }) => rel === 'next')?.['href']
  }
  return pages
}

test('a healthy cloud of 2,500 servers lists them in pages of a thousand, each one once', async () => {
  const pages = await pagesOf('compute', '/servers/detail?all_tenants=1', 'servers')
  expect(pages.map(({ length }) => length)).toEqual([1000, 1000, 500])
  const servers = pages.flat()
  expect(new Set(servers.map(({ id }) => id)).size).toBe(2_500)
  expect(servers.filter(({ status }) => status !== 'ACTIVE' && status !== 'SHUTOFF')).toEqual([])
  const hosts = new Set(servers.map((server) => server['OS-EXT-SRV-ATTR:host']))
  expect(hosts.size).toBe(50)
})

test('every one of its servers has an address of its own, and no network is short of them', async () => {
  const ports = (await pagesOf('network', '/v2.0/ports?device_owner=compute:nova&limit=700', 'ports')).flat()
  const addresses = ports.map(({ network_id, fixed_ips }) => `${network_id} ${at(fixed_ips, 0, 'ip_address')}`)
  expect(new Set(addresses).size).toBe(2_500)
  const [networks] = await pagesOf('network', '/v2.0/network-ip-availabilities', 'network_ip_availabilities')
  const short = networks?.filter(({ used_ips, total_ips }) => Number(used_ips) > Number(total_ips) * 0.6)
  expect(networks?.length).toBeGreaterThan(3)
  expect(short).toEqual([])
})

test('no compute host of a large cloud has given out more memory than it has', async () => {
  const hypervisors = (await pagesOf('compute', '/os-hypervisors/detail?limit=20', 'hypervisors', '2.87')).flat()
  expect(hypervisors).toHaveLength(50)
  const full = hypervisors.filter(({ memory_mb, memory_mb_used }) => Number(memory_mb_used) >= Number(memory_mb))
  expect(full).toEqual([])
})
