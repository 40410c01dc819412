import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CloudConfig } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import { isObject, type Json, type JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import type { Rehearsal } from '../../../simulator/contract.ts'
import { startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import { actionCalled } from './run-action.ts'

let rehearsal: Rehearsal
let cloud: CloudConfig
/** Every change made to the world, as the world tells it. */
let effects: string[]

beforeEach(() => {
  effects = []
})
afterEach(() => rehearsal.close())

async function rehearse(...faults: JsonObject[]): Promise<void> {
  rehearsal = await startRehearsal({
    scenario: { apiVersion: 'runbook/v1', name: 'here', title: 'here', description: 'here', faults },
    startAt: Date.parse('2026-03-01T10:00:00Z'),
    onEffect: ({ kind }) => effects.push(kind),
  })
  cloud = cloudConfig({ clouds: rehearsal.clouds as Json, env: {} })
}

async function act(name: string, params: JsonObject, began?: number): Promise<JsonObject> {
  const action = actionCalled(`openstack.${name}`)
  await using world = testContext([cloud], {
    clock: rehearsal.clock,
    effect: action.effect,
    ...(began !== undefined && { began }),
  })
  const done = rehearsal.clock.busy()
  try {
    if (began !== undefined) return (await action.settled?.(world.ctx, params, never)) as unknown as JsonObject
    const result = await action.run(world.ctx, params, never)
    expect(validatorOf(action.result)(result)).toEqual([])
    return result as JsonObject
  } finally {
    done()
  }
}

/** What a dry run of it shows. */
async function preview(name: string, params: JsonObject): Promise<JsonObject> {
  const action = actionCalled(`openstack.${name}`)
  await using world = testContext([cloud], { clock: rehearsal.clock, effect: 'read' })
  const done = rehearsal.clock.busy()
  try {
    return (await action.plan?.(world.ctx, params, never)) as unknown as JsonObject
  } finally {
    done()
  }
}

async function anActive(): Promise<{ id: string; name: string; host: string }> {
  const { servers } = await act('server.list', { status: 'ACTIVE' })
  const [found] = (servers as JsonObject[]).filter((one) => one['OS-EXT-STS:task_state'] === null)
  return { id: String(found?.['id']), name: String(found?.['name']), host: String(found?.['OS-EXT-SRV-ATTR:host']) }
}

test('a host that is null is left to the scheduler, and wherever it sends the server is right', async () => {
  await rehearse()
  const { id: server, host } = await anActive()
  const moved = await act('server.live_migrate', { server, host: null })
  expect(moved).toMatchObject({ changed: true, migration: { status: 'completed' } })
  expect(moved['host']).not.toBe(host)
  const cold = await act('server.migrate', { server, host: null })
  expect(cold).toMatchObject({ changed: true, server: { status: 'VERIFY_RESIZE' } })
})

test('every operation takes a server of the rehearsal cloud where it says, and each change is one effect', async () => {
  await rehearse()
  const { id: server, host } = await anActive()
  const steps: readonly (readonly [string, JsonObject, string])[] = [
    ['server.stop', {}, 'SHUTOFF'],
    ['server.start', {}, 'ACTIVE'],
    ['server.reboot', { type: 'SOFT' }, 'ACTIVE'],
    ['server.reboot', { type: 'HARD' }, 'ACTIVE'],
    ['server.pause', {}, 'PAUSED'],
    ['server.unpause', {}, 'ACTIVE'],
    ['server.suspend', {}, 'SUSPENDED'],
    ['server.resume', {}, 'ACTIVE'],
    ['server.lock', { reason: 'here' }, 'ACTIVE'],
    ['server.unlock', {}, 'ACTIVE'],
    ['server.rescue', {}, 'RESCUE'],
    ['server.unrescue', {}, 'ACTIVE'],
    ['server.migrate', {}, 'VERIFY_RESIZE'],
    ['server.revert_resize', {}, 'ACTIVE'],
    ['server.live_migrate', {}, 'ACTIVE'],
    ['server.shelve', {}, 'SHELVED_OFFLOADED'],
    ['server.unshelve', {}, 'ACTIVE'],
  ]
  for (const [name, params, status] of steps) {
    const before = effects.length
    const result = await act(name, { server, ...params })
    expect(result, name).toMatchObject({ changed: true })
    expect((result['server'] as JsonObject)['status'], name).toMatch(
      status === 'SHELVED_OFFLOADED' ? /^SHELVED/ : status,
    )
    expect(effects.length, `${name}: ${effects.slice(before)}`).toBe(before + 1)
    if (name === 'server.revert_resize') expect(result['host']).toBe(host)
    if (name === 'server.live_migrate') expect(result['host']).not.toBe(host)
  }
  const before = rehearsal.clock.now()
  const { image } = await act('server.snapshot', { server, name: 'kept' })
  // after a crash it is found by what is written on it, and not made again
  expect(await act('server.snapshot', { server, name: 'kept' }, before)).toMatchObject({
    happened: 'yes',
    result: { image },
  })
  expect(image).toMatchObject({ name: 'kept', status: 'active' })
  expect(await act('image.show', { image: 'kept' })).toMatchObject({ image })
  await act('server.rebuild', { server, image: 'kept' })
  const began = rehearsal.clock.now()
  expect(await act('image.delete', { image: 'kept' }, began)).toEqual({ happened: 'no' })
  const { id } = image as JsonObject
  expect(await act('image.delete', { image: 'kept' })).toEqual({ changed: true })
  expect(effects.at(-1)).toBe('openstack.image.delete')
  await expect(act('image.show', { image: String(id) })).rejects.toMatchObject({ code: 'not_found' })
  expect(await act('image.delete', { image: String(id) }, began)).toMatchObject({ happened: 'yes' })
  expect(await act('image.delete', { image: String(id) })).toEqual({ changed: false })
  await expect(act('image.delete', { image: 'kept' })).rejects.toMatchObject({ code: 'not_found' })
  await act('server.delete', { server })
  await expect(act('server.show', { server })).rejects.toMatchObject({ code: 'not_found' })
})

test('a server is made where it was asked for, and after a crash is found again', async () => {
  await rehearse()
  const { host } = await anActive()
  const { flavors } = await act('flavor.list', {})
  const { images } = await act('image.list', {})
  const [flavor, image] = [flavors, images].map((list) => String((list as JsonObject[])[0]?.['name']))
  const wanted = { name: 'canary', flavor: flavor ?? '', image: image ?? '', networks: [], host }
  const began = rehearsal.clock.now()
  const { server } = await act('server.create', wanted)
  expect(server).toMatchObject({ status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': host })
  expect(await act('server.create', wanted, began)).toMatchObject({
    happened: 'yes',
    result: { server: { id: isObject(server) ? server['id'] : '' } },
  })
  expect(effects).toEqual(['openstack.server.create'])
})

test('the networks of a new server are named as people know them, and one that is not there is told in the dry run', async () => {
  await rehearse()
  const { networks } = await act('network.list', { name: 'shop-net' })
  const network = String((networks as JsonObject[])[0]?.['id'])
  const { flavors } = await act('flavor.list', {})
  const { images } = await act('image.list', {})
  const [flavor, image] = [flavors, images].map((list) => String((list as JsonObject[])[0]?.['name'])) as [
    string,
    string,
  ]
  const wanted = { name: 'canary', flavor, image, networks: ['shop-net'] }
  expect(await preview('server.create', wanted)).toMatchObject({ changes: [{ after: { networks: ['shop-net'] } }] })
  const { server } = await act('server.create', wanted)
  const { ports } = await act('port.list', { server: String((server as JsonObject)['id']) })
  expect(ports).toMatchObject([{ network_id: network }])
  for (const name of ['shop', network.replaceAll(/[0-9a-f]/g, '0')])
    await expect(preview('server.create', { ...wanted, networks: [name] })).rejects.toMatchObject({ code: 'not_found' })
})

test('a host that is not there, or is down, is no place to move to: the dry run says so', async () => {
  await rehearse({ fault: 'nova.compute_down', with: { host: 'cmp4', minutes: 20 } })
  const { id: server } = await anActive()
  const before = effects.length
  for (const name of ['server.live_migrate', 'server.migrate']) {
    await expect(preview(name, { server, host: 'cmp77' })).rejects.toMatchObject({
      code: 'no_such_host',
      hint: expect.stringContaining('`cmp1`'),
    })
    await expect(preview(name, { server, host: 'cmp4' })).rejects.toMatchObject({ code: 'host_down' })
    await expect(act(name, { server, host: 'cmp4' })).rejects.toMatchObject({ code: 'host_down' })
  }
  expect(effects.length).toBe(before)
  await act('server.shelve', { server })
  await expect(preview('server.unshelve', { server, host: 'cmp77' })).rejects.toMatchObject({ code: 'no_such_host' })
})

test.each([
  { fault: 'nova.migration_precheck_fails', code: 'migration_refused' },
  { fault: 'nova.migration_breaks', code: 'migration_failed' },
  { fault: 'nova.migration_stalls', code: 'migration_stalled' },
])('under $fault a live migration fails with $code, the server still on its host', async ({ fault, code }) => {
  await rehearse()
  const { name } = await anActive()
  await rehearsal.close()
  await rehearse({ fault, with: { server: name } })
  const { id, host } = await anActive()
  const began = rehearsal.clock.now()
  const error = await act('server.live_migrate', { server: id }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code, detail: { server: id, host } })
  if (code !== 'migration_stalled') {
    expect(await act('server.live_migrate', { server: id }, began)).toMatchObject({ happened: 'unknown' })
    return
  }
  const { migration } = (error as { detail: { migration: number } }).detail
  const { migrations } = await act('server_migration.list', { server: id })
  expect(migrations).toMatchObject([{ id: migration, status: 'running' }])
  expect(await act('server_migration.abort', { server: id, migration })).toMatchObject({
    host,
    migration: { status: 'cancelled' },
  })
  const again = await act('server.live_migrate', { server: id }).catch((thrown: unknown) => thrown)
  const next = (again as { detail: { migration: number } }).detail.migration
  const forced = await act('server_migration.force_complete', { server: id, migration: next })
  expect(forced).toMatchObject({ migration: { status: 'completed' } })
  expect(forced['host']).not.toBe(host)
})

test('a server is evacuated from a host that was declared down, and not from one that is up', async () => {
  await rehearse({ fault: 'nova.compute_down', with: { host: 'cmp3', minutes: 20 } })
  const { servers } = await act('server.list', { host: 'cmp3', status: 'ACTIVE' })
  const server = String((servers as JsonObject[])[0]?.['id'])
  const { id: other } = await anActive()
  await expect(act('server.evacuate', { server: other })).rejects.toMatchObject({ code: 'host_up' })
  await act('compute_service.force_down', { host: 'cmp3', forced_down: true })
  await expect(act('server.stop', { server })).rejects.toMatchObject({ code: 'host_down' })
  // Nova calls it ACTIVE for ever, and its guest went down with the host
  for (const wanted of ['server.start', 'server.unpause', 'server.resume', 'server.unrescue'])
    await expect(act(wanted, { server })).rejects.toMatchObject({ code: 'host_down' })
  // the host that it is to leave is no place to be
  await expect(act('server.evacuate', { server, host: 'cmp3' })).rejects.toMatchObject({ code: 'host_down' })
  const moved = await act('server.evacuate', { server })
  expect(moved).toMatchObject({
    server: { status: 'ACTIVE' },
    migration: { migration_type: 'evacuation', source_compute: 'cmp3' },
  })
  expect(moved['host']).not.toBe('cmp3')
  // and done once more it is done already
  expect(await act('server.evacuate', { server, host: moved['host'] ?? null })).toMatchObject({ changed: false })
})

test('a disabled host takes nothing in, and is enabled only by who disabled it', async () => {
  await rehearse()
  const { id: server, host } = await anActive()
  const reason = 'here'
  expect(await act('compute_service.disable', { host, reason })).toMatchObject({
    changed: true,
    service: { status: 'disabled' },
  })
  expect(await act('compute_service.disable', { host, reason })).toMatchObject({ changed: false })
  await expect(act('compute_service.enable', { host, reason: 'theirs' })).rejects.toMatchObject({
    code: 'disabled_by_other',
  })
  const { host: now } = await act('server.live_migrate', { server })
  expect(now).not.toBe(host)
  await expect(act('server.live_migrate', { server, host })).rejects.toMatchObject({ code: 'no_valid_host' })
  expect(await act('compute_service.enable', { host, reason })).toMatchObject({
    changed: true,
    service: { status: 'enabled' },
  })
})
