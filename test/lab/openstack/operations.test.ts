import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { asks } from '../../../engine/action/contract.ts'
import { realClock } from '../../../engine/host/clock.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import { isObject, type Json, type JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import { testContext } from '../../support/context.ts'
import { computes, play, playNothing } from '../support/hypervisor.ts'
import { eventually, lab, readLab } from '../support/lab.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

/** One server of its own is led through everything that can be done to a server; each end is looked at from outside. */
let cloud: Cloud
let server: string
const soon = () => AbortSignal.timeout(340_000)
/** One of the computes on this machine: hosts of their own belong to other tests. */
const otherThan = (host: string) => (host === 'compute-2' ? 'compute-1' : 'compute-2')

beforeAll(async () => {
  cloud = await openCloud('lab-admin', soon())
  const made = await act('server.create', {
    name: 'lab-operations',
    flavor: 'm1.nano',
    image: 'tiny',
    networks: [],
    host: 'compute-1',
    user_data: '#cloud-config\n',
  })
  server = String(made['server'] && isObject(made['server']) ? made['server']['id'] : '')
})

afterAll(async () => {
  computes.forEach(playNothing)
  if (server) await cloud.ask('compute', 'DELETE', `/servers/${server}`, soon())
})

test('it was made on the host that was asked for, and carries the mark of its attempt', async () => {
  expect(await shown()).toMatchObject({
    status: 'ACTIVE',
    'OS-EXT-SRV-ATTR:host': 'compute-1',
    metadata: { runbook_attempt: 'a' },
    'OS-EXT-SRV-ATTR:user_data': 'I2Nsb3VkLWNvbmZpZwo=',
  })
  const settled = await actionCalled('server.create').settled?.(
    (await context()).ctx,
    { name: 'lab-operations', flavor: 'm1.nano', image: 'tiny' },
    soon(),
  )
  expect(settled).toMatchObject({ happened: 'yes', result: { server: { id: server } } })
  const disabled = await act('compute_service.disable', { host: 'compute-3', reason: 'lab-operations' })
  try {
    expect(disabled).toMatchObject({
      changed: true,
      service: { status: 'disabled', disabled_reason: 'lab-operations' },
    })
    await expect(act('compute_service.enable', { host: 'compute-3', reason: 'another' })).rejects.toMatchObject({
      code: 'disabled_by_other',
    })
    const refused = act('server.create', {
      name: 'lab-refused',
      flavor: 'm1.nano',
      image: 'tiny',
      networks: [],
      host: 'compute-3',
    })
    const error = await refused.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'no_valid_host' })
    await act('server.delete', { server: (error as { detail: { server: string } }).detail.server })
  } finally {
    await act('compute_service.enable', { host: 'compute-3', reason: 'lab-operations' })
  }
})

test('it is stopped and started, rebooted both ways, paused, suspended, and brought back', async () => {
  await to('server.stop', 'SHUTOFF')
  expect(await act('server.stop', { server })).toMatchObject({ changed: false })
  await expect(act('server.pause', { server })).rejects.toMatchObject({ code: 'wrong_state' })
  await to('server.start', 'ACTIVE')
  await to('server.reboot', 'ACTIVE', { type: 'SOFT' })
  await to('server.reboot', 'ACTIVE', { type: 'HARD' })
  expect(await done('reboot')).toBe(2)
  await to('server.pause', 'PAUSED')
  await to('server.unpause', 'ACTIVE')
  await to('server.suspend', 'SUSPENDED')
  await to('server.resume', 'ACTIVE')
})

test('it is locked with a reason and unlocked, writes to its console, and Nova remembers what was done', async () => {
  await act('server.lock', { server, reason: 'lab-operations' })
  expect(await shown()).toMatchObject({ locked: true, locked_reason: 'lab-operations' })
  await act('server.unlock', { server })
  expect(await shown()).toMatchObject({ locked: false, locked_reason: null })
  expect(String((await act('server.console', { server, length: 5 }))['output'])).not.toBe('')
  const { actions: remembered } = await act('instance_action.list', { server })
  expect(remembered).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ action: 'create', events: [expect.objectContaining({ result: 'Success' })] }),
    ]),
  )
})

test('it is snapshotted, rescued and brought back, and rebuilt', async () => {
  const { image } = await act('server.snapshot', { server, name: 'lab-operations' })
  const { id, size } = image as JsonObject
  expect(size).toBeGreaterThan(0)
  expect(await act('image.show', { image: 'lab-operations' })).toMatchObject({ image: { id, size, status: 'active' } })
  try {
    await to('server.rescue', 'RESCUE')
    await to('server.unrescue', 'ACTIVE')
    await to('server.rebuild', 'ACTIVE', { image: String(id) })
    expect(await shown()).toMatchObject({ image: { id } })
  } finally {
    expect(await act('image.delete', { image: String(id) })).toEqual({ changed: true })
  }
  expect((await cloud.ask('image', 'GET', `/v2/images/${String(id)}`, soon())).status).toBe(404)
  expect(await act('image.delete', { image: String(id) })).toEqual({ changed: false })
})

test('a file becomes an image with exactly its bytes, once, and is deleted again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-upload-'))
  const path = join(folder, 'image')
  const bytes = randomBytes(3_000_000)
  writeFileSync(path, bytes)
  const wanted = { name: 'lab-upload', path, disk_format: 'raw', min_disk: 1, properties: { os_distro: 'lab' } }
  try {
    const { image } = await act('image.upload', wanted)
    const { id } = image as JsonObject
    const { body } = await cloud.ask('image', 'GET', `/v2/images/${String(id)}`, soon())
    expect(body).toMatchObject({
      status: 'active',
      size: bytes.length,
      os_hash_algo: 'sha512',
      os_hash_value: createHash('sha512').update(bytes).digest('hex'),
      checksum: createHash('md5').update(bytes).digest('hex'),
      min_disk: 1,
      os_distro: 'lab',
      runbook_attempt: 'a',
    })
    expect(await act('image.upload', wanted)).toMatchObject({ changed: false, image: { id } })
    writeFileSync(path, 'other bytes')
    await expect(act('image.upload', wanted)).rejects.toMatchObject({ code: 'name_taken' })
    expect(await act('image.delete', { image: String(id) })).toEqual({ changed: true })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('it is resized and taken back, resized and confirmed, and moved switched off', async () => {
  await to('server.resize', 'VERIFY_RESIZE', { flavor: 'm1.micro' })
  await to('server.revert_resize', 'ACTIVE')
  expect(await shown()).toMatchObject({ flavor: { original_name: 'm1.nano' } })
  await to('server.resize', 'VERIFY_RESIZE', { flavor: 'm1.micro' })
  await to('server.confirm_resize', 'ACTIVE')
  expect(await shown()).toMatchObject({ flavor: { original_name: 'm1.micro' } })
  const before = await hostNow()
  const target = otherThan(before)
  const moved = await to('server.migrate', 'VERIFY_RESIZE', { host: target })
  expect(moved['host']).toBe(target)
  expect(moved['migration']).toMatchObject({ source_compute: before, status: 'finished' })
  await to('server.confirm_resize', 'ACTIVE')
  expect(await hostNow()).toBe(moved['host'])
})

test('it is moved while it runs, to where it was asked to, and both records of a volume agree', async () => {
  const from = await hostNow()
  const target = otherThan(from)
  // it is ACTIVE on its new host for ten seconds before its migration is over
  play(from, { delay: { get_available_resource: 10 } })
  const moved = await to('server.live_migrate', 'ACTIVE', { host: target }).finally(() => playNothing(from))
  expect(await migrationNow()).toMatchObject({ status: 'completed' })
  expect(moved).toMatchObject({
    host: target,
    migration: { status: 'completed', source_compute: from, dest_compute: target },
  })
  expect(await hostNow()).toBe(target)

  const made = await cloud.ask('volumev3', 'POST', '/volumes', soon(), {
    body: { volume: { name: 'lab-operations', size: 1 } },
  })
  const volume = (made.body as { volume: { id: string } }).volume.id
  const status = async () =>
    ((await cloud.ask('volumev3', 'GET', `/volumes/${volume}`, soon())).body as { volume: { status: string } }).volume
      .status
  try {
    await eventually(async () => (await status()) === 'available' || undefined, soon())
    await act('server.attach_volume', { server, volume })
    expect([await status(), (await shown())['os-extended-volumes:volumes_attached']]).toMatchObject([
      'in-use',
      [{ id: volume }],
    ])
    await act('server.detach_volume', { server, volume })
    expect([await status(), (await shown())['os-extended-volumes:volumes_attached']]).toEqual(['available', []])
  } finally {
    await cloud.ask('volumev3', 'DELETE', `/volumes/${volume}`, soon())
  }
})

test('what becomes of its live migration is told: refused, broken off, stalled, given up, forced', async () => {
  const from = await hostNow()
  const host = otherThan(from)
  const move = () => act('server.live_migrate', { server, host })
  const isHere = async () => {
    expect(await shown()).toMatchObject({
      status: 'ACTIVE',
      'OS-EXT-STS:task_state': null,
      'OS-EXT-SRV-ATTR:host': from,
    })
  }
  try {
    play(from, { fail: { check_can_live_migrate_source: 'the lab has another processor' } })
    await expect(move()).rejects.toMatchObject({
      code: 'migration_refused',
      message: expect.stringContaining('the lab has another processor'),
    })
    await isHere()

    play(from, { live_migration: { seconds: 2, fail: 'the lab breaks it off' } })
    await expect(move()).rejects.toMatchObject({ code: 'migration_failed' })
    await isHere()

    play(from, { live_migration: { stall: true } })
    const stalled = await move().catch((thrown: unknown) => thrown)
    const migration = Number((await migrationNow())['id'])
    expect(stalled).toMatchObject({ code: 'migration_stalled', detail: { migration } })
    expect(await act('server_migration.list', { server })).toMatchObject({
      migrations: [{ id: migration, status: 'running', source_compute: from, dest_compute: host }],
    })
    expect(await act('server_migration.abort', { server, migration })).toMatchObject({
      host: from,
      migration: { id: migration, status: 'cancelled' },
    })
    await isHere()
    expect(await migrationNow()).toMatchObject({ id: migration, status: 'cancelled' })

    await cloud.ask('compute', 'POST', `/servers/${server}/action`, soon(), {
      headers: { 'x-openstack-nova-api-version': '2.79' },
      body: { 'os-migrateLive': { host, block_migration: 'auto' } },
    })
    await eventually(async () => (await migrationNow())['status'] === 'running' || undefined, soon())
    const another = Number((await migrationNow())['id'])
    expect(another).not.toBe(migration)
    expect(await act('server_migration.force_complete', { server, migration: another })).toMatchObject({
      host,
      migration: { id: another, status: 'completed' },
    })
    expect(await hostNow()).toBe(host)
    expect(await migrationNow()).toMatchObject({ id: another, status: 'completed' })
  } finally {
    playNothing(from)
  }
})

test('it is put away and brought back', async () => {
  const { server: away } = await act('server.shelve', { server })
  expect(['SHELVED', 'SHELVED_OFFLOADED']).toContain((away as JsonObject)['status'])
  const { server: off } = await act('server.shelve_offload', { server })
  expect(off).toMatchObject({ status: 'SHELVED_OFFLOADED' })
  await to('server.unshelve', 'ACTIVE')
})

test('it is evacuated only from a host that is down, and the host is taken back when it has let go', async () => {
  const host = 'compute-3'
  await act('server.live_migrate', { server, host })
  await expect(act('server.evacuate', { server })).rejects.toMatchObject({ code: 'host_up' })
  const nova = (file: string, ...args: string[]) =>
    promisify(execFile)('bash', [new URL(`./${file}`, import.meta.url).pathname, ...args])
  await nova('down.sh', 'stop', `nova-${host}`, 'KILL')
  try {
    await act('compute_service.force_down', { host, forced_down: true })
    await expect(act('server.stop', { server })).rejects.toMatchObject({ code: 'host_down' })
    const { migration } = await to('server.evacuate', 'ACTIVE', { host: 'compute-2' })
    expect(await hostNow()).toBe('compute-2')
    expect(migration).toMatchObject({ migration_type: 'evacuation', source_compute: host })
  } finally {
    try {
      await nova('up.sh', 'start', `nova-${host}`)
    } finally {
      await act('compute_service.force_down', { host, forced_down: false })
    }
  }
  const services = async () =>
    (await act('compute_service.list', { host, binary: 'nova-compute' }))['services'] as JsonObject[]
  await eventually(async () => (await services())[0]?.['state'] === 'up' || undefined, soon())
})

test('it is deleted, and is gone for everybody; Placement holds nothing for it any more', async () => {
  expect(((await act('allocation.list', { consumer: server }))['allocations'] as Json[]).length).toBe(1)
  await act('server.delete', { server })
  expect((await cloud.ask('compute', 'GET', `/servers/${server}`, soon())).status).toBe(404)
  expect(await act('server.delete', { server })).toMatchObject({ changed: false })
  expect(await act('allocation.list', { consumer: server })).toMatchObject({ allocations: [] })
})

/** Does it, and looks from outside whether the server is as the action says. */
async function to(name: string, status: string, params: JsonObject = {}): Promise<JsonObject> {
  const result = await act(name, { server, ...params })
  expect(result).toMatchObject({ changed: true, server: { status } })
  expect(await shown()).toMatchObject({ status, 'OS-EXT-STS:task_state': null })
  return result
}

async function shown(): Promise<JsonObject> {
  const headers = { 'x-openstack-nova-api-version': '2.79' }
  const { body } = await cloud.ask('compute', 'GET', `/servers/${server}`, soon(), { headers })
  return (body as { server: JsonObject }).server
}

const hostNow = async (): Promise<string> => String((await shown())['OS-EXT-SRV-ATTR:host'])

/** Its newest migration, as Nova lists it. */
async function migrationNow(): Promise<JsonObject> {
  const headers = { 'x-openstack-nova-api-version': '2.79' }
  const { body } = await cloud.ask('compute', 'GET', `/os-migrations?instance_uuid=${server}`, soon(), { headers })
  return (body as { migrations: JsonObject[] }).migrations[0] ?? {}
}

/** How often Nova has written down that it was done. */
async function done(action: string): Promise<number> {
  const { body } = await cloud.ask('compute', 'GET', `/servers/${server}/os-instance-actions`, soon())
  return (body as { instanceActions: JsonObject[] }).instanceActions.filter((one) => one['action'] === action).length
}

async function context() {
  const config = cloudConfig({ clouds: parse(await readLab(lab.clouds)), env: {} }, { name: 'lab-admin' })
  return testContext([config], { clock: realClock, effect: 'change' })
}

async function act(name: string, params: JsonObject): Promise<JsonObject> {
  await using world = await context()
  const action = actionCalled(name)
  expect(validatorOf(action.params)(params)).toEqual([])
  const result = await action.run(world.ctx, params, soon())
  expect(validatorOf(action.result)(result)).toEqual([])
  return result as JsonObject
}

function actionCalled(name: string) {
  const action = actions.find((one) => one.name === `openstack.${name}`)
  if (!action || asks(action)) throw new Error(`no action ${name}`)
  return action
}
