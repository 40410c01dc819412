import { expect, test } from 'vitest'
import { faults } from '../../../simulator/faults.ts'
import { checkParameters } from '../../../simulator/parameters.ts'
import type { World } from '../../../simulator/world.ts'
import { at, compute, rows } from './contract/api.ts'
import { cloudOf, type TestCloud } from './support.ts'

const latest = compute('2.95')

async function onHosts(overrides = {}) {
  const cloud = await cloudOf({ topology: { computes: 3, servers: 6, ...overrides }, hosts: true })
  const machine = (name: string) => {
    const found = cloud.hosts?.machines.get(name)
    if (!found) throw new Error(`no machine ${name}`)
    return found
  }
  return {
    ...cloud,
    machine,
    async service(host: string) {
      const { body } = await cloud.admin.get('nova', `/v2.1/os-services?host=${host}&binary=nova-compute`, latest)
      const { state, updated_at } = rows(body, 'services')[0] ?? {}
      return { state, seen: Date.parse(`${updated_at}Z`) }
    },
    async server(name: string) {
      const { body } = await cloud.admin.get('nova', `/v2.1/servers/detail?all_tenants=1&name=^${name}$`, latest)
      const found = at(body, 'servers', 0)
      return {
        id: String(at(found, 'id')),
        status: at(found, 'status'),
        host: at(found, 'OS-EXT-SRV-ATTR:host'),
        power: at(found, 'OS-EXT-STS:power_state'),
        task: at(found, 'OS-EXT-STS:task_state'),
      }
    },
    guests: (host: string) => cloud.hosts?.guests(host) ?? [],
    wrong(name: string, given: { readonly [name: string]: unknown }) {
      const fault = faults.find((one) => one.name === name)
      const { params, problems } = checkParameters(fault?.params ?? fail(name), given)
      expect(problems).toEqual([])
      fault?.apply(cloud.world as World, params)
    },
  }
}

function fail(name: string): never {
  throw new Error(`no fault ${name}`)
}

const act = ({ admin }: TestCloud, id: string, action: object) =>
  admin.post('nova', `/v2.1/servers/${id}/action`, action, latest)

test('a host that reboots quickly is `up` from the heartbeat of before, until a newer one comes', async () => {
  const cloud = await onHosts()
  cloud.wrong('hosts.slow_boot', { host: 'cmp1', minutes: 0.2 })
  cloud.machine('cmp1').power.reboot()
  const { power } = cloud.machine('cmp1')
  while (power.boots().length === 1) await cloud.clock.advance(1_000)
  const { at: booted } = power.boot()
  const early = await cloud.service('cmp1')
  expect(early.state).toBe('up')
  expect(early.seen).toBeLessThan(booted)
  await cloud.clock.advance(30_000)
  const late = await cloud.service('cmp1')
  expect(late.state).toBe('up')
  expect(late.seen).toBeGreaterThan(booted)
  await cloud.close()
})

test('a host that takes its time is down meanwhile, and up with a heartbeat newer than its boot', async () => {
  const cloud = await onHosts()
  cloud.machine('cmp1').power.reboot()
  await cloud.clock.advance(90_000)
  expect(await cloud.service('cmp1')).toMatchObject({ state: 'down' })
  await cloud.clock.advance(60_000)
  const { state, seen } = await cloud.service('cmp1')
  expect(state).toBe('up')
  expect(seen).toBeGreaterThan(cloud.machine('cmp1').power.boot().at)
  await cloud.close()
})

test('a server left on a host that reboots shows ACTIVE until its power is looked at, and starts when told to', async () => {
  const cloud = await onHosts()
  const before = await cloud.server('web-1')
  expect(before).toMatchObject({ status: 'ACTIVE', host: 'cmp1' })
  const domain = () => cloud.guests('cmp1').find(({ uuid }) => uuid === before.id)
  expect(domain()).toMatchObject({ running: true })
  cloud.machine('cmp1').power.reboot()
  await cloud.clock.advance(150_000)
  expect(await cloud.service('cmp1')).toMatchObject({ state: 'up' })
  expect(domain()).toMatchObject({ running: false })
  expect(await cloud.server('web-1')).toMatchObject({ status: 'ACTIVE', power: 1 })
  await cloud.clock.advance(70_000)
  expect(await cloud.server('web-1')).toMatchObject({ status: 'SHUTOFF', power: 4, task: null })
  await act(cloud, before.id, { 'os-start': null })
  await cloud.clock.advance(5_000)
  expect(await cloud.server('web-1')).toMatchObject({ status: 'ACTIVE', power: 1 })
  expect(domain()).toMatchObject({ running: true })
  await cloud.clock.advance(1_500_000)
  expect(await cloud.server('web-1')).toMatchObject({ status: 'ACTIVE' })
  await cloud.close()
})

test('what a stopped compute service is told, it does when it is back', async () => {
  const cloud = await onHosts()
  const { id } = await cloud.server('web-1')
  cloud.machine('cmp1').units.stop('nova-compute')
  await cloud.clock.advance(5_000)
  await act(cloud, id, { 'os-stop': null })
  await cloud.clock.advance(60_000)
  expect(await cloud.server('web-1')).toMatchObject({ status: 'ACTIVE', task: 'powering-off' })
  cloud.machine('cmp1').units.start('nova-compute')
  await cloud.clock.advance(20_000)
  expect(await cloud.server('web-1')).toMatchObject({ status: 'SHUTOFF', task: null })
  await cloud.close()
})

test('a refused reboot changes nothing, and a host that never comes back stays off', async () => {
  const cloud = await onHosts()
  cloud.wrong('hosts.reboot_refused', { host: 'cmp1' })
  cloud.wrong('hosts.never_back', { host: 'cmp2' })
  const { id } = cloud.machine('cmp1').power.boot()
  for (const host of ['cmp1', 'cmp2']) cloud.machine(host).power.reboot()
  await cloud.clock.advance(1_800_000)
  expect(cloud.machine('cmp1').power.state()).toBe('on')
  expect(cloud.machine('cmp1').power.boot().id).toBe(id)
  expect(cloud.machine('cmp2').power.state()).toBe('off')
  expect(await cloud.service('cmp2')).toMatchObject({ state: 'down' })
  await cloud.close()
})

test('a compute service that is not heard of after a reboot is heard of when it is started once more', async () => {
  const cloud = await onHosts()
  cloud.wrong('nova.service_not_back', { host: 'cmp1' })
  cloud.machine('cmp1').power.reboot()
  await cloud.clock.advance(300_000)
  const { at: booted } = cloud.machine('cmp1').power.boot()
  expect(cloud.hosts?.unit('cmp1', 'nova-compute')).toMatchObject({ running: true })
  const silent = await cloud.service('cmp1')
  expect(silent.state).toBe('down')
  expect(silent.seen).toBeLessThan(booted)
  cloud.machine('cmp1').units.restart('nova-compute')
  await cloud.clock.advance(30_000)
  const back = await cloud.service('cmp1')
  expect(back.state).toBe('up')
  expect(back.seen).toBeGreaterThan(booted)
  await cloud.close()
})

test('what was evacuated from a host is still there until its compute service is back, and then is not', async () => {
  const cloud = await onHosts()
  const { id } = await cloud.server('web-1')
  cloud.machine('cmp1').power.off()
  await cloud.clock.advance(120_000)
  expect((await act(cloud, id, { evacuate: {} })).status).toBe(200)
  await cloud.clock.advance(20_000)
  const moved = await cloud.server('web-1')
  // from 2.95 on it comes up switched off
  expect(moved).toMatchObject({ status: 'SHUTOFF', task: null })
  expect(moved.host).not.toBe('cmp1')
  const migration = async () => {
    const { body } = await cloud.admin.get('nova', `/v2.1/os-migrations?instance_uuid=${id}`, latest)
    return rows(body, 'migrations')[0]?.['status']
  }
  expect(await migration()).toBe('done')
  expect(cloud.guests('cmp1').map(({ uuid }) => uuid)).toContain(id)
  cloud.machine('cmp1').power.on()
  await cloud.clock.advance(20_000)
  expect(await migration()).toBe('completed')
  expect(cloud.guests('cmp1').map(({ uuid }) => uuid)).not.toContain(id)
  await cloud.close()
})

test('a guest that Nova does not know is there for libvirt alone', async () => {
  const cloud = await onHosts()
  const known = cloud.guests('cmp1').length
  cloud.wrong('nova.orphan_domain', { host: 'cmp1' })
  expect(cloud.guests('cmp1')).toHaveLength(known + 1)
  const { body } = await cloud.admin.get('nova', '/v2.1/servers?all_tenants=1&host=cmp1', latest)
  expect(rows(body, 'servers')).toHaveLength(known)
  await cloud.close()
})

test('a user starts a server when its host goes down, unless it is locked', async () => {
  for (const locked of [false, true]) {
    const cloud = await onHosts()
    const { id } = await cloud.server('web-1')
    cloud.wrong('nova.server_state', { server: 'web-1', state: 'stopped', locked })
    cloud.wrong('nova.user_starts_server', { server: 'web-1', when: 'reboot' })
    cloud.machine('cmp1').power.reboot()
    await cloud.clock.advance(200_000)
    expect(await cloud.server('web-1')).toMatchObject({ id, status: locked ? 'SHUTOFF' : 'ACTIVE' })
    expect(cloud.effects.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['rehearsal.user_starts_server', locked ? { refused: 'locked' } : undefined],
    ])
    await cloud.close()
  }
})

test('compute hosts have the names a scenario gives them', async () => {
  const cloud = await onHosts({ computes: ['c1', 'c10'] })
  const { body } = await cloud.admin.get('nova', '/v2.1/os-services?binary=nova-compute', latest)
  expect(rows(body, 'services').map(({ host }) => host)).toEqual(['c1', 'c10'])
  expect(cloud.guests('c10').length).toBeGreaterThan(0)
  await cloud.close()
})
