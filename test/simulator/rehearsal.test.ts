import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { validatorOf } from '../../engine/schema.ts'
import type { Rehearsal } from '../../simulator/contract.ts'
import { loadScenario, ScenarioError, scenarioNames, startRehearsal } from '../../simulator/index.ts'
import { at, rows } from './openstack/contract/api.ts'

const startAt = Date.parse('2026-03-01T10:00:00Z')
const scenario = (faults: readonly object[], topology = {}) => ({
  apiVersion: 'runbook/v1',
  name: 'mine',
  title: 'Mine',
  description: '',
  topology,
  faults,
})

/** Signs in as its `clouds.yaml` says and reads one thing, or does one. */
async function read({ clouds }: Rehearsal, type: string, path: string, action?: object) {
  const { auth_url, username, password, project_name } = at(clouds, 'clouds', 'rehearsal', 'auth') as {
    [key: string]: string
  }
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name: username, password, domain } } }
  const body = JSON.stringify({ auth: { identity, scope: { project: { name: project_name, domain } } } })
  const signedIn = await fetch(`${auth_url}/auth/tokens`, { method: 'POST', body })
  const service = rows(await signedIn.json(), 'token', 'catalog').find((one) => one['type'] === type)
  const url = rows(service, 'endpoints').find((one) => one['interface'] === 'public')?.['url']
  const headers = { 'X-Auth-Token': signedIn.headers.get('x-subject-token') ?? '' }
  if (action === undefined) return (await fetch(`${url}${path}`, { headers })).json()
  const done = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(action) })
  return done.text()
}

test('a rehearsal is reached through its clouds.yaml and lists its hosts by group', async () => {
  const rehearsal = await startRehearsal({ scenario: await loadScenario('healthy'), startAt })
  expect(rows(await read(rehearsal, 'compute', '/os-services'), 'services')).toHaveLength(12)
  const { hosts, groups } = rehearsal.inventory
  expect(Object.keys(hosts as object)).toHaveLength(16)
  expect(groups).toMatchObject({
    controllers: { hosts: ['ctl1', 'ctl2', 'ctl3'] },
    computes: { hosts: expect.arrayContaining(['cmp6']) },
  })
  type Host = { readonly address: string; readonly ssh: { readonly port: number } }
  for (const { address, ssh } of Object.values(hosts as { readonly [name: string]: Host })) {
    expect(address).toBe('127.0.0.1')
    expect(rehearsal.ssh.knownHosts).toContain(`[127.0.0.1]:${ssh.port} `)
  }
  const schema = JSON.parse(await readFile(new URL('../../schemas/inventory.schema.json', import.meta.url), 'utf8'))
  expect(validatorOf(schema)(rehearsal.inventory)).toEqual([])
  expect(rehearsal.ssh.privateKey).toMatch(/^-----BEGIN/)
  await rehearsal.close()
})

test.each(scenarioNames())(
  '%s comes up and can be signed in to, unless that is what is wrong with it',
  async (name) => {
    const rehearsal = await startRehearsal({ scenario: await loadScenario(name), startAt })
    const services = read(rehearsal, 'compute', '/os-services').then((body) => rows(body, 'services').length)
    // a scheduler and a conductor on each controller, a compute service on each host for servers
    const groups = rehearsal.inventory['groups'] as { readonly [name: string]: { readonly hosts: readonly string[] } }
    const size = (group: string) => groups[group]?.hosts.length ?? 0
    if (name === 'keystone-down') await expect(services).rejects.toThrow()
    else expect(await services).toBe(2 * size('controllers') + size('computes'))
    await rehearsal.close()
  },
)

test('a fault that comes later comes when the world has moved on', async () => {
  const faults = [{ fault: 'nova.servers_in_error', with: { count: 2 }, after: '10m' }]
  const rehearsal = await startRehearsal({ scenario: scenario(faults), startAt })
  const errors = async () => rows(await read(rehearsal, 'compute', '/servers?all_tenants=1&status=ERROR'), 'servers')
  expect(await errors()).toEqual([])
  await rehearsal.clock.advance(11 * 60_000)
  expect(await errors()).toHaveLength(2)
  await rehearsal.close()
})

test('a fault with `once` comes after the first change of that kind, to what it names, and no other', async () => {
  const later = { fault: 'nova.servers_in_error', with: { count: 2 }, once: 'openstack.server.lock web-2', after: '1m' }
  const rehearsal = await startRehearsal({ scenario: scenario([later]), startAt })
  const errors = async () => rows(await read(rehearsal, 'compute', '/servers?all_tenants=1&status=ERROR'), 'servers')
  const servers = rows(await read(rehearsal, 'compute', '/servers?all_tenants=1'), 'servers')
  const act = async (name: string, action: string) => {
    const id = servers.find((server) => server['name'] === name)?.['id']
    await read(rehearsal, 'compute', `/servers/${id}/action`, { [action]: null })
    await rehearsal.clock.advance(30_000)
  }
  await act('web-2', 'unlock')
  await act('web-1', 'lock')
  await rehearsal.clock.advance(60_000)
  expect(await errors()).toEqual([])
  await act('web-2', 'lock')
  expect(await errors()).toEqual([])
  await rehearsal.clock.advance(31_000)
  expect(await errors()).toHaveLength(2)
  await rehearsal.close()
})

test('a clock that is behind makes living services look dead while their heartbeats move', async () => {
  const faults = [{ fault: 'clock.skew', with: { host: 'cmp2', seconds: -120 } }]
  const rehearsal = await startRehearsal({ scenario: scenario(faults), startAt })
  const service = async () => {
    const services = rows(await read(rehearsal, 'compute', '/os-services?host=cmp2'), 'services')
    return services[0] as { state: string; updated_at: string }
  }
  const agent = async () => rows(await read(rehearsal, 'network', '/v2.0/agents?host=cmp2'), 'agents')[0]
  const before = await service()
  expect(before.state).toBe('down')
  expect(await agent()).toMatchObject({ alive: false })
  await rehearsal.clock.advance(60_000)
  const after = await service()
  expect(after.state).toBe('down')
  expect(Date.parse(after.updated_at) - Date.parse(before.updated_at)).toBeGreaterThanOrEqual(50_000)
  await rehearsal.close()
})

test('the size of the world is the one of the scenario', async () => {
  const rehearsal = await startRehearsal({ scenario: scenario([], { computes: 2, servers: 5 }), startAt })
  expect(rows(await read(rehearsal, 'compute', '/servers?all_tenants=1'), 'servers')).toHaveLength(5)
  expect(rows(await read(rehearsal, 'compute', '/os-services?binary=nova-compute'), 'services')).toHaveLength(2)
  await rehearsal.close()
})

test('two rehearsals of one scenario hold the same things', async () => {
  const start = () => startRehearsal({ scenario: scenario([]), startAt })
  const [first, second] = [await start(), await start()]
  const ids = async (rehearsal: Rehearsal) =>
    rows(await read(rehearsal, 'compute', '/servers?all_tenants=1'), 'servers').map(({ id }) => id)
  expect(await ids(first)).toEqual(await ids(second))
  await first.close()
  await second.close()
})

test('a fault on a host that is not there is refused before anything is served', async () => {
  const faults = [{ fault: 'nova.compute_down', with: { host: 'cmp99' } }]
  await expect(startRehearsal({ scenario: scenario(faults), startAt })).rejects.toThrow(ScenarioError)
  await expect(startRehearsal({ scenario: scenario(faults), startAt })).rejects.toThrow(/names the host `cmp99`/)
})

test('a closed rehearsal listens no more, even with a call in the middle', async () => {
  const faults = [{ fault: 'api.slow', with: { service: 'nova', seconds: 3600 } }]
  const rehearsal = await startRehearsal({ scenario: scenario(faults), startAt, speed: 1 })
  const auth_url = String(at(rehearsal.clouds, 'clouds', 'rehearsal', 'auth', 'auth_url'))
  const hanging = read(rehearsal, 'compute', '/servers')
  const ended = expect(hanging).rejects.toThrow()
  await fetch(auth_url)
  await rehearsal.close()
  await ended
  await expect(fetch(auth_url)).rejects.toThrow()
})
