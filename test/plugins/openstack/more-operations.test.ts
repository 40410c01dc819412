import { expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud, type Routes, versions } from '../../support/openstack-server.ts'
import { changesIn, event, type Frame, fakeNova, id, migration, type Script, volume } from './fake-nova.ts'
import { actionCalled, runAction } from './run-action.ts'

async function act(name: string, script: Script, params: JsonObject = {}) {
  const ran = await runAction(`openstack.${name}`, { server: id, ...params }, fakeNova(script))
  return { ...ran, changes: changesIn(ran.asked) }
}

test('a server is deleted when nobody finds it any more; an id that does not exist is as wanted, a name is not', async () => {
  const done = await act('server.delete', { after: [{ task: 'deleting' }, { gone: true }] })
  expect(done.result).toMatchObject({ changed: true, server: { id, status: 'DELETED' } })
  expect(done.changes).toMatchObject([{ what: `DELETE /servers/${id}` }])
  const never = await act('server.delete', { before: { gone: true } })
  expect([never.result, never.changes]).toMatchObject([{ changed: false }, []])
  const named = await runAction(
    'openstack.server.delete',
    { server: 'typo' },
    { ...fakeNova({}), 'GET /compute/v2.1/servers/detail': { json: { servers: [] } } },
  )
  expect(named.error).toMatchObject({ code: 'not_found' })
  expect((await act('server.delete', { after: [{}] })).error).toMatchObject({ code: 'operation_failed' })
})

test('a dry run of a delete shows which volumes go with it', async () => {
  const attached = [
    { id: 'v1', delete_on_termination: true },
    { id: 'v2', delete_on_termination: false },
  ]
  const script = { before: { more: { 'os-extended-volumes:volumes_attached': attached } } }
  const { changes } = (await preview('server.delete', script, {})) ?? {}
  expect(changes).toEqual([
    { path: 'vm1', before: 'ACTIVE', after: null },
    { path: 'volume v1', before: 'attached to vm1', after: null },
    { path: 'volume v2', before: 'attached to vm1', after: 'detached' },
  ])
})

test('a snapshot is done when its image is active, and failed when the image is gone', async () => {
  const image = (...statuses: readonly string[]): Routes => ({
    'GET /image/v2/images/i9': (_, before) => {
      const status = statuses[Math.min(before, statuses.length - 1)] ?? ''
      return status === '' ? { status: 404 } : { json: { id: 'i9', status, size: 65_536 } }
    },
  })
  const answer = { json: { image_id: 'i9' } }
  const busy: Frame = { task: 'image_uploading' }
  const script: Script = { answer, after: [busy, {}, {}], routes: image('queued', 'saving', 'active') }
  const done = await act('server.snapshot', script, { name: 'n' })
  expect(done.result).toMatchObject({ image: { id: 'i9', status: 'active', size: 65_536 } })
  expect(done.changes).toMatchObject([{ body: { createImage: { name: 'n', metadata: { runbook_attempt: 'a' } } } }])
  const lost = await act('server.snapshot', { answer, after: [busy, {}], routes: image('saving', '') }, { name: 'n' })
  expect(lost.error).toMatchObject({ code: 'snapshot_failed' })
})

test('after a crash a snapshot is found by the mark of its attempt, whatever else has its name', async () => {
  const action = {
    action: 'createImage',
    request_id: 'req-0001',
    user_id: 'u1',
    start_time: '2026-03-01T12:00:00.000000',
  }
  const images = [
    { id: 'old', name: 'n', status: 'active' },
    { id: 'ours', name: 'n', status: 'active', runbook_attempt: 'a' },
  ]
  const routes = { 'GET /image/v2/images': { json: { images } } }
  expect(await settled('server.snapshot', { actions: [action], routes }, { name: 'n' })).toMatchObject({
    happened: 'yes',
    result: { image: { id: 'ours' } },
  })
  expect(await settled('server.snapshot', { routes }, { name: 'n' })).toEqual({ happened: 'no' })
})

test('a rebuild is done when Nova says so and the server has the new image; the password it hands out is masked', async () => {
  const routes = { [`GET /image/v2/images/${volume}`]: { json: { id: volume, name: 'new', status: 'active' } } }
  const rebuilt: Frame = { more: { image: { id: volume } }, events: [event('Success')] }
  const after: Frame[] = [{ task: 'rebuilding' }, { events: [event('Success')] }, rebuilt]
  const answer = { json: { server: { id, adminPass: 'hunter2' } } }
  await using cloud = await fakeCloud(fakeNova({ after, answer, routes }))
  await using world = testContext([cloud.cloud], { effect: 'destructive' })
  const result = await actionCalled('openstack.server.rebuild').run(world.ctx, { server: id, image: volume }, never)
  expect(result).toMatchObject({ changed: true, server: { image: { id: volume } } })
  expect(world.secrets).toContain('hunter2')
  expect(JSON.stringify([result, world.calls])).not.toContain('hunter2')
})

test.each([
  { verb: 'rebuild', params: { image: volume }, needed: '2.93', speaks: '2.92' },
  { verb: 'rescue', params: {}, needed: '2.87', speaks: '2.86' },
])('the $verb of a server that boots from a volume takes $needed', async ({ verb, params, needed, speaks }) => {
  const routes = { [`GET /image/v2/images/${volume}`]: { json: { id: volume, status: 'active' } } }
  const { error, changes } = await act(`server.${verb}`, { speaks, before: { more: { image: '' } }, routes }, params)
  expect(error).toMatchObject({ code: 'cloud_too_old', message: expect.stringContaining(needed) })
  expect(changes).toEqual([])
})

test('a volume is attached when both Nova and Cinder say so, and one that goes into error fails', async () => {
  const cinder = (...statuses: readonly string[]): Routes => ({
    [`GET /volume/v3/p1/volumes/${volume}`]: (_, before) => ({
      json: { volume: { id: volume, status: statuses[Math.min(before, statuses.length - 1)] ?? '' } },
    }),
  })
  const there: Frame = { more: { 'os-extended-volumes:volumes_attached': [{ id: volume }] } }
  const routes = cinder('available', 'attaching', 'attaching', 'in-use', 'in-use')
  const done = await act('server.attach_volume', { after: [{}, there, {}, there], routes }, { volume })
  expect(done.result).toMatchObject({ changed: true, volume: { status: 'in-use' } })
  expect(done.changes).toMatchObject([{ body: { volumeAttachment: { volumeId: volume } } }])
  expect(done.asked.filter(({ path }) => path.includes('/volumes/'))).toHaveLength(5)
  const broken = await act(
    'server.attach_volume',
    { after: [{}], routes: cinder('available', 'error_attaching') },
    { volume },
  )
  expect(broken.error).toMatchObject({ code: 'volume_in_error' })
  const taken = await act('server.attach_volume', { routes: cinder('in-use') }, { volume })
  expect(taken.error).toMatchObject({ code: 'wrong_state' })
  const out = await act(
    'server.detach_volume',
    {
      before: there,
      after: [there, { more: { 'os-extended-volumes:volumes_attached': [] } }],
      routes: cinder('detaching', 'available'),
    },
    { volume },
  )
  expect(out.result).toMatchObject({ changed: true, volume: { status: 'available' } })
})

test('a migration is aborted when it is cancelled and the server rests where it was; one that was faster is told apart', async () => {
  const running: Frame = { status: 'MIGRATING', vm: 'active', task: 'migrating', migrations: [migration('running')] }
  const back: Frame = { task: null, status: 'ACTIVE', migrations: [migration('cancelled')] }
  const done = await act('server_migration.abort', { before: running, after: [running, back] }, { migration: 7 })
  expect(done.result).toMatchObject({ changed: true, host: 'a', migration: { status: 'cancelled' } })
  const moved: Frame = { task: null, status: 'ACTIVE', host: 'b', migrations: [migration('completed')] }
  const late = await act('server_migration.abort', { before: running, after: [moved] }, { migration: 7 })
  expect(late.error).toMatchObject({ code: 'migration_completed', detail: { host: 'b' } })
  const over = await act('server_migration.abort', { before: moved }, { migration: 7 })
  expect(over.error).toMatchObject({ code: 'wrong_state', detail: { status: 'completed' } })
  const other = await act('server_migration.abort', { before: running }, { migration: 8 })
  expect(other.error).toMatchObject({ code: 'not_found' })
  const queued: Frame = { ...running, migrations: [migration('queued')] }
  const old = await act('server_migration.abort', { before: queued, speaks: '2.64' }, { migration: 7 })
  expect(old.error).toMatchObject({ code: 'cloud_too_old', message: expect.stringContaining('2.65') })
  const forced = await act(
    'server_migration.force_complete',
    { before: running, after: [running, moved] },
    { migration: 7 },
  )
  expect(forced.result).toMatchObject({ host: 'b', migration: { status: 'completed' } })
  expect(forced.changes).toMatchObject([{ body: { force_complete: null } }])
})

const compute = 'GET /compute/v2.1/'
const speaking = { [compute]: versions('v2.1', '2.1', '2.93') }
const flavors = { 'GET /compute/v2.1/flavors/detail': { json: { flavors: [{ id: 'f1', name: 'm1.small' }] } } }
const images = { 'GET /image/v2/images': { json: { images: [{ id: 'i1', name: 'debian', status: 'active' }] } } }
const wanted = { name: 'vm1', flavor: 'm1.small', image: 'debian' }

test('a server is made with what finds it again, and is done when it rests on the host that was asked for', async () => {
  const made = { status: 202, json: { server: { id, adminPass: 'hunter2' } } }
  const after: Frame[] = [{ status: 'BUILD', task: 'spawning' }, { status: 'BUILD', task: null }, { host: 'b' }]
  const routes = scripted(after, { ...flavors, ...images, 'POST /compute/v2.1/servers': made })
  const done = await runAction(
    'openstack.server.create',
    { ...wanted, host: 'b', networks: [], metadata: { team: 'x' }, user_data: '#cloud-config\nhostname: größer' },
    routes,
  )
  expect(done.result).toMatchObject({ changed: true, server: { id, status: 'ACTIVE' } })
  expect(changesIn(done.asked)).toEqual([
    {
      what: 'POST /servers',
      version: '2.93',
      body: {
        server: {
          name: 'vm1',
          flavorRef: 'f1',
          imageRef: 'i1',
          networks: 'none',
          host: 'b',
          user_data: 'I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogZ3LDtsOfZXI=',
          metadata: { team: 'x', runbook_attempt: 'a' },
        },
      },
    },
  ])
  const elsewhere = await runAction(
    'openstack.server.create',
    { ...wanted, host: 'b' },
    scripted([{ host: 'c' }], { ...flavors, ...images, 'POST /compute/v2.1/servers': made }),
  )
  expect(elsewhere.error).toMatchObject({ code: 'wrong_host', detail: { server: id } })
  const fault = { message: 'No valid host was found. There are not enough hosts available.' }
  const full = await runAction(
    'openstack.server.create',
    wanted,
    scripted([{ status: 'ERROR', more: { fault } }], { ...flavors, ...images, 'POST /compute/v2.1/servers': made }),
  )
  expect(full.error).toMatchObject({ code: 'no_valid_host', detail: { server: id } })
})

test('after a crash a server is found by the mark of its attempt, not by its name', async () => {
  const listed = (attempt: string) => ({
    'GET /compute/v2.1/servers/detail': {
      json: { servers: [{ id, name: 'vm1', status: 'ACTIVE', metadata: { runbook_attempt: attempt } }] },
    },
  })
  expect(await settled('server.create', { routes: listed('a') }, wanted)).toMatchObject({
    happened: 'yes',
    result: { server: { id } },
  })
  expect(await settled('server.create', { routes: listed('another') }, wanted)).toEqual({ happened: 'no' })
})

test('a list of servers by host keeps those whose cell does not answer: nobody can say that they are not there', async () => {
  const servers = [
    { id: '1', status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'a' },
    { id: '2', status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'b' },
    { id: '3', status: 'UNKNOWN', created: '2026-03-01T12:00:00Z' },
  ]
  const { result } = await runAction(
    'openstack.server.list',
    { host: 'a' },
    { ...speaking, 'GET /compute/v2.1/servers/detail': { json: { servers } } },
  )
  expect(result).toMatchObject({ servers: [{ id: '1' }, { id: '3', status: 'UNKNOWN' }] })
})

test('what was done to a server comes with its events, even when the server is deleted', async () => {
  const actions = [
    { action: 'create', request_id: 'req-1', start_time: '2026-03-01T10:00:00.000000' },
    { action: 'delete', request_id: 'req-2', start_time: '2026-03-01T11:00:00.000000' },
  ]
  const routes: Routes = {
    ...speaking,
    [`GET /compute/v2.1/servers/${id}/os-instance-actions`]: { json: { instanceActions: actions } },
    [`GET /compute/v2.1/servers/${id}/os-instance-actions/req-2`]: {
      json: { instanceAction: { ...actions[1], events: [event('Success')] } },
    },
  }
  const { result } = await runAction('openstack.instance_action.list', { server: id }, routes)
  expect(result).toMatchObject({
    actions: [
      { action: 'delete', events: [{ result: 'Success' }] },
      { action: 'create', events: [] },
    ],
  })
})

test('server groups are counted on, for their list has no next page', async () => {
  const group = (index: number) => ({ id: `g${index}`, name: 'g', members: [] })
  const routes: Routes = {
    ...speaking,
    'GET /compute/v2.1/os-server-groups': ({ query }) => {
      const from = Number(query.get('offset'))
      return {
        json: {
          server_groups: Array.from({ length: Math.min(1_000, 1_500 - from) }, (_, index) => group(from + index)),
        },
      }
    },
  }
  const { result, asked } = await runAction('openstack.server_group.list', {}, routes)
  expect((result as { server_groups: unknown[] }).server_groups).toHaveLength(1_500)
  expect(asked.at(-1)?.query.get('all_projects')).toBe('true')
})

test('what Placement could give is asked as the scheduler asks, and named by provider', async () => {
  const routes: Routes = {
    'GET /placement/': versions('v1.0', '1.0', '1.39'),
    'GET /placement/allocation_candidates': {
      json: {
        allocation_requests: [{ allocations: { rp1: { resources: { VCPU: 1 } } } }],
        provider_summaries: { rp1: { resources: { VCPU: { capacity: 8, used: 1 } }, traits: [] } },
      },
    },
    'GET /placement/resource_providers': { json: { resource_providers: [{ uuid: 'rp1', name: 'c1' }] } },
    'GET /placement/allocations/s1': { json: { allocations: { rp1: { generation: 3, resources: { VCPU: 1 } } } } },
    'GET /placement/allocations/s2': { json: { allocations: {} } },
  }
  const params = { resources: { VCPU: 1, MEMORY_MB: 512 }, required: ['A'], forbidden: ['B'], member_of: ['x', 'y'] }
  const { result, asked } = await runAction('openstack.allocation_candidate.list', params, routes)
  expect(result).toMatchObject({
    candidates: [{ allocations: { rp1: {} } }],
    providers: [{ uuid: 'rp1', name: 'c1', resources: { VCPU: { capacity: 8 } } }],
  })
  expect(Object.fromEntries(asked.find(({ path }) => path.endsWith('candidates'))?.query ?? [])).toEqual({
    resources: 'VCPU:1,MEMORY_MB:512',
    required: 'A,!B',
    member_of: 'in:x,y',
  })
  const held = await runAction('openstack.allocation.list', { consumer: 's1' }, routes)
  expect(held.result).toMatchObject({ allocations: [{ provider: 'rp1', name: 'c1', resources: { VCPU: 1 } }] })
  expect((await runAction('openstack.allocation.list', { consumer: 's2' }, routes)).result).toMatchObject({
    allocations: [],
  })
})

const stillThere = 'Unable to force up host c1 as `done` evacuation migration records remain associated with the host.'

/** The nova-compute of one host; what is put is shown, from the given look on. */
function serviceOf(first: JsonObject, takes = (_puts: number): boolean => true): Routes {
  let shown: JsonObject = {
    id: 's1',
    host: 'c1',
    binary: 'nova-compute',
    status: 'enabled',
    state: 'up',
    forced_down: false,
    disabled_reason: null,
    ...first,
  }
  let puts = 0
  return {
    ...speaking,
    'GET /compute/v2.1/os-services': () => ({ json: { services: [shown, { ...shown, id: 's2', host: 'c10' }] } }),
    'PUT /compute/v2.1/os-services/s1': ({ body }) => {
      puts += 1
      if (!takes(puts)) return { status: 400, json: { badRequest: { message: stillThere } } }
      shown = { ...shown, ...(body as JsonObject) }
      return { json: { service: shown } }
    },
  }
}

test('a host is disabled with a reason, and enabled only for exactly that reason', async () => {
  const disabled = await runAction('openstack.compute_service.disable', { host: 'c1', reason: 'mine' }, serviceOf({}))
  expect(disabled.result).toMatchObject({
    changed: true,
    service: { host: 'c1', status: 'disabled', disabled_reason: 'mine' },
  })
  expect(changesIn(disabled.asked)).toMatchObject([
    { what: 'PUT /os-services/s1', body: { status: 'disabled', disabled_reason: 'mine' } },
  ])

  const mine = { status: 'disabled', disabled_reason: 'mine' }
  const again = await runAction('openstack.compute_service.disable', { host: 'c1', reason: 'mine' }, serviceOf(mine))
  expect(again.result).toMatchObject({ changed: false })
  const theirs = { status: 'disabled', disabled_reason: 'mine too' }
  for (const [verb, params] of [
    ['enable', { host: 'c1', reason: 'mine' }],
    ['disable', { host: 'c1', reason: 'mine' }],
  ] as const) {
    const { error, asked } = await runAction(`openstack.compute_service.${verb}`, params, serviceOf(theirs))
    expect(error).toMatchObject({ code: 'disabled_by_other', detail: { disabled_reason: 'mine too' } })
    expect(changesIn(asked)).toEqual([])
  }
  const enabled = await runAction('openstack.compute_service.enable', { host: 'c1', reason: 'mine' }, serviceOf(mine))
  expect(enabled.result).toMatchObject({ changed: true, service: { status: 'enabled' } })
  const unknown = await runAction('openstack.compute_service.enable', { host: 'c' }, serviceOf({}))
  expect(unknown.error).toMatchObject({ code: 'not_found' })
  const down = await runAction('openstack.compute_service.enable', { host: 'c1' }, serviceOf({ status: 'UNKNOWN' }))
  expect(down.error).toMatchObject({ code: 'cell_down' })
})

test('a host that was declared down is taken back when it has let go of what was evacuated from it', async () => {
  const params = { host: 'c1', forced_down: false }
  const { result, asked } = await runAction(
    'openstack.compute_service.force_down',
    params,
    serviceOf({ forced_down: true }, (puts) => puts > 2),
  )
  expect(result).toMatchObject({ changed: true, service: { forced_down: false } })
  expect(changesIn(asked)).toHaveLength(3)
  const stuck = await runAction(
    'openstack.compute_service.force_down',
    params,
    serviceOf({ forced_down: true }, () => false),
  )
  expect(stuck.error).toMatchObject({ code: 'not_yet', message: expect.stringContaining('`done` evacuation') })
})

test('reading a console is a read, though it is a POST', async () => {
  const routes = fakeNova({ answer: { status: 200, json: { output: 'login:' } } })
  const { result, asked } = await runAction('openstack.server.console', { server: id, length: 5 }, routes)
  expect(result).toEqual({ output: 'login:' })
  expect(asked.at(-1)?.body).toEqual({ 'os-getConsoleOutput': { length: 5 } })
})

/** A Nova whose server goes its way from the first look on. */
function scripted(after: readonly Frame[], routes: Routes): Routes {
  let look = 0
  const looks = after.map((frame) => fakeNova({ before: frame, routes })[`GET /compute/v2.1/servers/${id}`])
  return {
    ...fakeNova({ routes }),
    [`GET /compute/v2.1/servers/${id}`]: (asked, before) => {
      const reply = looks[Math.min(look++, looks.length - 1)]
      return typeof reply === 'function' ? reply(asked, before) : (reply ?? {})
    },
  }
}

async function settled(name: string, script: Script, params: JsonObject) {
  await using cloud = await fakeCloud(fakeNova(script))
  await using world = testContext([cloud.cloud])
  const all = name === 'server.create' ? params : { server: id, ...params }
  const said = await actionCalled(`openstack.${name}`).settled?.(world.ctx, all, never)
  expect(changesIn(cloud.asked)).toEqual([])
  return said
}

async function preview(name: string, script: Script, params: JsonObject) {
  await using cloud = await fakeCloud(fakeNova(script))
  await using world = testContext([cloud.cloud])
  const said = await actionCalled(`openstack.${name}`).plan?.(world.ctx, { server: id, ...params }, never)
  expect(changesIn(cloud.asked)).toEqual([])
  return said
}
