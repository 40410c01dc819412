import { expect, test } from 'vitest'
import { faults } from '../../../simulator/faults.ts'
import { checkParameters } from '../../../simulator/parameters.ts'
import type { World } from '../../../simulator/world.ts'
import { at, compute, rows } from './contract/api.ts'
import { cloudOf, type TestCloud } from './support.ts'

const latest = compute('2.95')
type Row = { readonly [key: string]: unknown }

/** One server of a cloud, and what can be asked and told about it. */
async function handle(cloud: TestCloud, name = 'web-1') {
  const { admin, clock } = cloud
  const { body } = await admin.get('nova', `/v2.1/servers/detail?all_tenants=1&name=^${name}$`, latest)
  const path = `/v2.1/servers/${at(body, 'servers', 0, 'id')}`
  const show = async () => {
    const { body } = await admin.get('nova', path, latest)
    const server = at(body, 'server') as Row
    return {
      status: server['status'],
      task: server['OS-EXT-STS:task_state'],
      host: server['OS-EXT-SRV-ATTR:host'],
      power: server['OS-EXT-STS:power_state'],
    }
  }
  return {
    id: path.split('/').at(-1) as string,
    path,
    show,
    act: (action: object, version = latest) => admin.post('nova', `${path}/action`, action, version),
    /** Every status it shows until nothing is under way, with the task. */
    async settle(most = 60) {
      const seen: string[] = []
      for (let second = 0; second < most; second += 1) {
        const { status, task } = await show()
        const now = task === null ? String(status) : `${status}/${task}`
        if (seen.at(-1) !== now) seen.push(now)
        if (task === null) return seen
        await clock.advance(500)
      }
      return seen
    },
    migrations: async () =>
      rows(
        (await admin.get('nova', `/v2.1/os-migrations?instance_uuid=${path.split('/').at(-1)}`, latest)).body,
        'migrations',
      ),
    progress: async () => rows((await admin.get('nova', `${path}/migrations`, latest)).body, 'migrations'),
    async lastAction() {
      const { body } = await admin.get('nova', `${path}/os-instance-actions`, latest)
      const id = rows(body, 'instanceActions')[0]?.['request_id']
      const shown = await admin.get('nova', `${path}/os-instance-actions/${id}`, latest)
      return at(shown.body, 'instanceAction') as { action: string; message: string | null; events: Row[] }
    },
    async claims() {
      const { body } = await admin.get('placement', `/allocations/${path.split('/').at(-1)}`)
      return hostsOf(cloud, body)
    },
    async claimsOf(consumer: unknown) {
      const { body } = await admin.get('placement', `/allocations/${consumer}`)
      return hostsOf(cloud, body)
    },
  }
}

const hostsOf = ({ world }: TestCloud, body: unknown) =>
  Object.keys(at(body, 'allocations') as object).map(
    (uuid) => world.cloud.nova.hypervisors.find((one) => one.uuid === uuid)?.host,
  )

function wrong({ world }: TestCloud, name: string, given: Row): void {
  const fault = faults.find((one) => one.name === name)
  if (!fault) throw new Error(`no fault ${name}`)
  const { params, problems } = checkParameters(fault.params, given)
  expect(problems).toEqual([])
  fault.apply(world as World, params)
}

const live = (host: string | null = null) => ({ 'os-migrateLive': { host, block_migration: 'auto' } })

test.each([
  { from: [], action: { 'os-stop': null }, seen: ['ACTIVE/powering-off', 'SHUTOFF'] },
  { from: [{ 'os-stop': null }], action: { 'os-start': null }, seen: ['SHUTOFF/powering-on', 'ACTIVE'] },
  { from: [], action: { pause: null }, seen: ['ACTIVE/pausing', 'PAUSED'] },
  { from: [{ pause: null }], action: { unpause: null }, seen: ['PAUSED/unpausing', 'ACTIVE'] },
  { from: [], action: { suspend: null }, seen: ['ACTIVE/suspending', 'SUSPENDED'] },
  { from: [{ suspend: null }], action: { resume: null }, seen: ['SUSPENDED/resuming', 'ACTIVE'] },
  { from: [], action: { rescue: null }, seen: ['ACTIVE/rescuing', 'RESCUE'] },
  { from: [{ rescue: null }], action: { unrescue: null }, seen: ['RESCUE/unrescuing', 'ACTIVE'] },
  {
    from: [],
    action: { migrate: null },
    seen: [
      'RESIZE/resize_prep',
      'RESIZE/resize_migrating',
      'RESIZE/resize_migrated',
      'RESIZE/resize_finish',
      'VERIFY_RESIZE',
    ],
  },
  { from: [{ migrate: null }], action: { revertResize: null }, seen: ['REVERT_RESIZE/resize_reverting', 'ACTIVE'] },
  {
    from: [],
    action: { shelve: null },
    seen: ['ACTIVE/shelving', 'ACTIVE/shelving_image_uploading', 'SHELVED/shelving_offloading', 'SHELVED_OFFLOADED'],
  },
  {
    from: [{ shelve: null }],
    action: { unshelve: null },
    seen: ['SHELVED_OFFLOADED/unshelving', 'SHELVED_OFFLOADED/spawning', 'ACTIVE'],
  },
  {
    from: [],
    action: { createImage: { name: 'copy' } },
    seen: ['ACTIVE/image_snapshot', 'ACTIVE/image_pending_upload', 'ACTIVE/image_uploading', 'ACTIVE'],
  },
])('$action goes through $seen', async ({ from, action, seen }) => {
  const cloud = await cloudOf()
  const server = await handle(cloud)
  for (const before of from) {
    await server.act(before)
    await server.settle()
  }
  expect((await server.act(action)).status).toBeLessThan(300)
  expect(await server.settle()).toEqual(seen)
  expect((await server.lastAction()).events.map(({ result }) => result)).not.toContain('Error')
  await cloud.close()
})

test('a live migration: the server is on the target while its migration still says `running`', async () => {
  const cloud = await cloudOf()
  const server = await handle(cloud)
  const before = await server.show()
  await server.act(live())
  const told: string[] = []
  const processed: number[] = []
  let target: unknown
  for (let step = 0; step < 40; step += 1) {
    const { status, host } = await server.show()
    const [migration] = await server.migrations()
    const [progress] = await server.progress()
    const done = progress?.['memory_processed_bytes']
    if (typeof done === 'number') processed.push(done)
    const line = `${status} on ${host === before.host ? 'source' : 'target'}, ${migration?.['status']}`
    if (told.at(-1) !== line) told.push(line)
    if (migration?.['status'] === 'running' && host === before.host) {
      target = migration['dest_compute']
      expect(await server.claims()).toEqual([target])
      expect(await server.claimsOf(migration['uuid'])).toEqual([before.host])
    }
    await cloud.clock.advance(500)
  }
  expect(told).toEqual([
    'MIGRATING on source, accepted',
    'MIGRATING on source, queued',
    'MIGRATING on source, preparing',
    'MIGRATING on source, running',
    'ACTIVE on target, running',
    'ACTIVE on target, completed',
  ])
  expect(processed).toEqual([...processed].sort((a, b) => a - b))
  expect(new Set(processed).size).toBeGreaterThan(3)
  expect(await server.claims()).toEqual([target])
  const [migration] = await server.migrations()
  expect(await server.claimsOf(migration?.['uuid'])).toEqual([])
  expect(cloud.effects.map(({ kind }) => kind)).toEqual(['openstack.server.live_migrate'])
  await cloud.close()
})

test('a live migration that stalls is given up, or forced', async () => {
  for (const { word, ends, moved } of [
    { word: 'abort', ends: 'cancelled', moved: false },
    { word: 'force', ends: 'completed', moved: true },
  ]) {
    const cloud = await cloudOf()
    wrong(cloud, 'nova.migration_stalls', { server: 'web-1' })
    const server = await handle(cloud)
    const { host } = await server.show()
    await server.act(live())
    await cloud.clock.advance(600_000)
    const remaining: unknown[] = []
    for (let step = 0; step < 6; step += 1) {
      remaining.push((await server.progress())[0]?.['memory_remaining_bytes'])
      await cloud.clock.advance(5_000)
    }
    // it neither ends nor falls for good
    expect(Math.min(...(remaining as number[]))).toBeGreaterThan(0)
    expect(remaining).not.toEqual([...(remaining as number[])].sort((a, b) => b - a))
    const id = (await server.progress())[0]?.['id']
    const path = `${server.path}/migrations/${id}`
    const answer =
      word === 'abort'
        ? await cloud.admin.call('DELETE', 'nova', path, undefined, latest)
        : await cloud.admin.post('nova', `${path}/action`, { force_complete: null }, latest)
    expect(answer.status).toBe(202)
    await cloud.clock.advance(10_000)
    const after = await server.show()
    expect(after).toMatchObject({ status: 'ACTIVE', task: null })
    expect(after.host === host).toBe(!moved)
    expect((await server.migrations())[0]).toMatchObject({ id, status: ends })
    expect((await cloud.admin.get('nova', path, latest)).status).toBe(404)
    await cloud.close()
  }
})

test('a live migration that breaks off tells it nowhere but in its migration', async () => {
  const cloud = await cloudOf()
  wrong(cloud, 'nova.migration_breaks', { server: 'web-1', times: 1 })
  const server = await handle(cloud)
  const { host } = await server.show()
  await server.act(live())
  await server.settle()
  expect(await server.show()).toMatchObject({ status: 'ACTIVE', host })
  expect((await server.migrations())[0]).toMatchObject({ status: 'failed' })
  const action = await server.lastAction()
  expect(action).toMatchObject({ action: 'live-migration', message: null })
  expect(new Set(action.events.map(({ result }) => result))).toEqual(new Set(['Success']))
  expect(await server.claims()).toEqual([host])
  await server.act(live())
  await server.settle()
  expect((await server.show()).host).not.toBe(host)
  await cloud.close()
})

test('a check that fails after the call was accepted leaves a migration without a target, and its reason', async () => {
  const cloud = await cloudOf()
  wrong(cloud, 'nova.migration_precheck_fails', { server: 'web-1', message: 'the processors differ' })
  const server = await handle(cloud)
  const { host } = await server.show()
  expect((await server.act(live())).status).toBe(202)
  expect(await server.settle()).toEqual(['MIGRATING/migrating', 'ACTIVE'])
  expect((await server.migrations())[0]).toMatchObject({ status: 'error', dest_compute: null })
  const action = await server.lastAction()
  expect(action.message).toBe('Error')
  expect(action.events).toContainEqual(expect.objectContaining({ result: 'Error', details: 'the processors differ' }))
  expect(await server.claims()).toEqual([host])
  await cloud.close()
})

test('without room elsewhere a move is accepted and comes to nothing', async () => {
  const cloud = await cloudOf()
  wrong(cloud, 'nova.no_capacity', { host: 'cmp1', short: 6 })
  const server = await handle(cloud)
  await server.act(live())
  expect(await server.settle()).toEqual(['MIGRATING/migrating', 'ACTIVE'])
  const event = (await server.lastAction()).events.at(-1)
  expect(event).toMatchObject({ result: 'Error', details: expect.stringMatching(/^No valid host was found/) })
  await server.act({ migrate: null })
  expect((await server.settle()).at(-1)).toBe('ACTIVE')
  expect((await server.lastAction()).events[0]).toMatchObject({
    event: 'cold_migrate',
    details: 'No valid host was found. No valid host found for cold migrate',
  })
  const early = await server.act(live(), compute('2.30'))
  expect(early.status).toBe(400)
  await cloud.close()
})

test('exactly the last of the servers of a host does not fit on the others, whatever their order', async () => {
  for (const reversed of [false, true]) {
    const cloud = await cloudOf()
    wrong(cloud, 'nova.no_capacity', { host: 'cmp1' })
    const { body } = await cloud.admin.get('nova', '/v2.1/servers?all_tenants=1&host=cmp1&status=ACTIVE', latest)
    const names = rows(body, 'servers').map(({ name }) => String(name))
    for (const name of reversed ? names.reverse() : names) {
      const server = await handle(cloud, name)
      await server.act(live())
      await server.settle()
      await cloud.clock.advance(3_000)
      expect((await server.show()).host === 'cmp1').toBe(name === names.at(-1))
    }
    await cloud.close()
  }
})

test('an unconfirmed resize claims on both hosts, and ends on one', async () => {
  for (const { word, ends } of [
    { word: 'confirmResize', ends: 'confirmed' },
    { word: 'revertResize', ends: 'reverted' },
  ]) {
    const cloud = await cloudOf()
    const server = await handle(cloud)
    const { host } = await server.show()
    const flavor = cloud.world.cloud.nova.flavors.find(({ name }) => name === 'g1.large')?.id
    await server.act({ resize: { flavorRef: flavor } })
    await server.settle()
    const resized = await server.show()
    expect(resized.host).not.toBe(host)
    const [migration] = await server.migrations()
    expect(migration).toMatchObject({ status: 'finished', migration_type: 'resize', source_compute: host })
    expect(await server.claims()).toEqual([resized.host])
    expect(await server.claimsOf(migration?.['uuid'])).toEqual([host])
    await server.act({ [word]: null })
    await cloud.clock.advance(5_000)
    const after = await server.show()
    expect(after).toMatchObject({ status: 'ACTIVE', task: null })
    expect(after.host === host).toBe(word === 'revertResize')
    expect((await server.migrations())[0]).toMatchObject({ status: ends })
    expect(await server.claims()).toEqual([after.host])
    expect(await server.claimsOf(migration?.['uuid'])).toEqual([])
    await cloud.close()
  }
})

test('evacuation needs a host that is down, and shows the server on its old host for a moment', async () => {
  const cloud = await cloudOf()
  const server = await handle(cloud)
  const { host } = await server.show()
  const refused = await server.act({ evacuate: {} }, compute('2.68'))
  expect(refused).toMatchObject({
    status: 400,
    body: { badRequest: { message: `Compute service of ${host} is still in use.` } },
  })
  const service = cloud.world.cloud.nova.services.find((one) => one.host === host && one.binary === 'nova-compute')
  await cloud.admin.call('PUT', 'nova', `/v2.1/os-services/${service?.uuid}`, { forced_down: true }, latest)
  expect((await server.act({ evacuate: {} }, compute('2.68'))).status).toBe(200)
  await server.settle()
  expect(await server.show()).toMatchObject({ status: 'ACTIVE', host })
  await cloud.clock.advance(2_000)
  const after = await server.show()
  expect(after.host).not.toBe(host)
  expect((await server.migrations())[0]).toMatchObject({ status: 'done', migration_type: 'evacuation' })
  expect(await server.claims()).toEqual(expect.arrayContaining([host, after.host]))
  await cloud.close()
})

test.each([
  { body: { 'os-migrateLive': { host: null, block_migration: 'auto', force: true } }, names: "'force'" },
  { body: { 'os-migrateLive': { host: null } }, names: "'block_migration' is a required property" },
  { body: { evacuate: { onSharedStorage: true } }, names: "'onSharedStorage'" },
  { body: { unshelve: { zone: 'x' } }, names: "'zone'" },
  { body: { resize: {} }, names: "'flavorRef' is a required property" },
  { body: { reboot: { type: 'WARM' } }, names: "'WARM' is not one of" },
  { body: { nosuch: null }, names: 'There is no such action: nosuch' },
  { body: {}, names: 'Malformed request body' },
])('a body that says $body is refused and changes nothing', async ({ body, names }) => {
  const cloud = await cloudOf()
  const server = await handle(cloud)
  const answer = await server.act(body, compute('2.92'))
  expect(answer.status).toBe(400)
  expect(at(answer.body, 'badRequest', 'message')).toContain(names)
  expect(cloud.effects).toEqual([])
  await cloud.close()
})

test('servers that are to stand apart are put apart, and stay so when one moves', async () => {
  const cloud = await cloudOf({ topology: { computes: 3, servers: 3 } })
  const group = { name: 'apart', policy: 'anti-affinity' }
  const made = await cloud.admin.post('nova', '/v2.1/os-server-groups', { server_group: group }, latest)
  expect(at(made.body, 'server_group')).toMatchObject({ ...group, members: [], rules: {} })
  const hint = { 'os:scheduler_hints': { group: at(made.body, 'server_group', 'id') } }
  const flavorRef = cloud.world.cloud.nova.flavors[0]?.id
  for (const name of ['apart-1', 'apart-2', 'apart-3', 'apart-4']) {
    const server = { name, flavorRef, imageRef: 'x', networks: 'none' }
    await cloud.admin.post('nova', '/v2.1/servers', { server, ...hint }, latest)
    await cloud.clock.advance(15_000)
  }
  const shown = await Promise.all([1, 2, 3, 4].map(async (number) => (await handle(cloud, `apart-${number}`)).show()))
  expect(
    shown
      .slice(0, 3)
      .map(({ host }) => host)
      .sort(),
  ).toEqual(['cmp1', 'cmp2', 'cmp3'])
  expect(shown[3]).toMatchObject({ status: 'ERROR' })
  const server = await handle(cloud, 'apart-1')
  await server.act(live())
  await server.settle()
  expect((await server.show()).host).toBe(shown[0]?.host)
  await cloud.close()
})
