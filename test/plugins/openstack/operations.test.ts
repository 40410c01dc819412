import { describe, expect, test } from 'vitest'
import { asks } from '../../../engine/action/contract.ts'
import type { JsonObject } from '../../../engine/json.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import { operations } from '../../../plugins/openstack/server.ts'
import { migrationOperations } from '../../../plugins/openstack/server-migration.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud } from '../../support/openstack-server.ts'
import { changesIn, event, type Frame, fakeNova, id, migration, request, type Script, volume } from './fake-nova.ts'
import { actionCalled, runAction } from './run-action.ts'

const all = [...operations, ...migrationOperations].map((operation) => ({ name: operation.name, operation }))
/** What each operation needs beside the server. */
const needs: { readonly [name: string]: JsonObject } = {
  'openstack.server.reboot': { type: 'SOFT' },
  'openstack.server.resize': { flavor: 'm1.large' },
  'openstack.server.snapshot': { name: 'before the upgrade' },
  'openstack.server.rebuild': { image: volume },
  'openstack.server.attach_volume': { volume },
  'openstack.server.detach_volume': { volume },
  'openstack.server_migration.abort': { migration: 7 },
  'openstack.server_migration.force_complete': { migration: 7 },
}

const attached = { 'os-extended-volumes:volumes_attached': [{ id: volume, delete_on_termination: true }] }

async function act(name: string, script: Script, params: JsonObject = {}) {
  const ran = await runAction(`openstack.server.${name}`, { server: id, ...params }, fakeNova(script))
  return { ...ran, changes: changesIn(ran.asked) }
}

describe.each(all)('$name', ({ name, operation }) => {
  const params = { server: id, ...needs[name] }

  test('is refused while something else is done to the server, and nothing is sent', async () => {
    if (operation.breaksInto?.('image_uploading', params)) return
    const { error, asked } = await runAction(name, params, fakeNova({ before: { task: 'image_uploading' } }))
    expect(error).toMatchObject({ code: 'busy', detail: { task_state: 'image_uploading' } })
    expect(changesIn(asked)).toEqual([])
  })

  test('is refused from a state that Nova does not allow, which is named with those it does', async () => {
    if (operation.from === undefined) return
    const { error, asked } = await runAction(
      name,
      params,
      fakeNova({ before: { status: 'BUILD', more: name.endsWith('detach_volume') ? attached : {} } }),
    )
    const allowed = typeof operation.from === 'function' ? operation.from(params) : operation.from
    expect(error).toMatchObject({ code: 'wrong_state', detail: { vm_state: 'building', allowed } })
    expect(changesIn(asked)).toEqual([])
  })

  test('says nothing of a server whose cell does not answer', async () => {
    const before: Frame = { reply: { json: { server: { id, status: 'UNKNOWN', created: '2026-03-01T12:00:00Z' } } } }
    const { error, asked } = await runAction(name, params, fakeNova({ before }))
    expect(error).toMatchObject({ code: 'cell_down' })
    expect(changesIn(asked)).toEqual([])
  })
})

test.each([
  { verb: 'start', from: 'SHUTOFF', task: 'powering-on', to: 'ACTIVE', body: { 'os-start': null } },
  { verb: 'stop', from: 'ACTIVE', task: 'powering-off', to: 'SHUTOFF', body: { 'os-stop': null } },
  { verb: 'pause', from: 'ACTIVE', task: 'pausing', to: 'PAUSED', body: { pause: null } },
  { verb: 'unpause', from: 'PAUSED', task: 'unpausing', to: 'ACTIVE', body: { unpause: null } },
  { verb: 'suspend', from: 'ACTIVE', task: 'suspending', to: 'SUSPENDED', body: { suspend: null } },
  { verb: 'resume', from: 'SUSPENDED', task: 'resuming', to: 'ACTIVE', body: { resume: null } },
  { verb: 'shelve', from: 'ACTIVE', task: 'shelving', to: 'SHELVED_OFFLOADED', body: { shelve: null } },
  {
    verb: 'shelve_offload',
    from: 'SHELVED',
    task: 'shelving_offloading',
    to: 'SHELVED_OFFLOADED',
    body: { shelveOffload: null },
  },
  { verb: 'unshelve', from: 'SHELVED', task: 'unshelving', to: 'ACTIVE', body: { unshelve: null } },
])('$verb waits from $from over $task to $to; where it is there already it does nothing', async (row) => {
  const { verb, from, task, to, body } = row
  const after: Frame[] = [{ status: from, task }, { status: from, task }, { status: to }]
  const done = await act(verb, { before: { status: from }, after })
  expect(done.result).toMatchObject({ changed: true, server: { status: to } })
  expect(done.changes).toEqual([{ what: `POST /servers/${id}/action`, version: '2.93', body }])

  const there = await act(verb, { before: { status: to } })
  expect(there.result).toMatchObject({ changed: false, server: { status: to } })
  expect(there.changes).toEqual([])
})

test('what is under way already is waited for and not asked for again', async () => {
  let looks = 0
  const shown = () => (looks++ < 3 ? { status: 'ACTIVE', task: 'powering-off' } : { status: 'SHUTOFF', task: null })
  const server = () => {
    const { status, task } = shown()
    const vm = status === 'ACTIVE' ? 'active' : 'stopped'
    return { json: { server: { id, name: 'vm1', status, 'OS-EXT-STS:vm_state': vm, 'OS-EXT-STS:task_state': task } } }
  }
  const { result, changes } = await act('stop', { routes: { [`GET /compute/v2.1/servers/${id}`]: server } })
  expect(result).toMatchObject({ changed: true, server: { status: 'SHUTOFF' } })
  expect(changes).toEqual([])
})

test('a server whose host does not report is refused: Nova would accept it and do nothing', async () => {
  const { error, changes } = await act('stop', { before: { more: { host_status: 'UNKNOWN' } } })
  expect(error).toMatchObject({ code: 'host_down', detail: { host: 'a' } })
  expect(changes).toEqual([])
})

test('a lock carries its reason, is seen before it is said to be done, and another reason is another lock', async () => {
  const locked = { locked: true, locked_reason: 'mine' }
  const done = await act('lock', { after: [{}, { more: locked }] }, { reason: 'mine' })
  expect(done.result).toMatchObject({ changed: true, server: locked })
  expect(done.changes).toMatchObject([{ body: { lock: { locked_reason: 'mine' } } }])
  expect((await act('lock', { before: { more: locked } }, { reason: 'mine' })).result).toMatchObject({ changed: false })
  const other = await act(
    'lock',
    { before: { more: { locked: true, locked_reason: 'theirs' } }, after: [{ more: locked }] },
    { reason: 'mine' },
  )
  expect(other.result).toMatchObject({ changed: true })
})

test('a reboot is over when Nova has written it down, not when the server looks as before', async () => {
  const after: Frame[] = [{}, { events: [event(null)] }, { events: [event('Success')] }]
  const done = await act('reboot', { after }, { type: 'SOFT' })
  expect(done.result).toMatchObject({ changed: true, server: { status: 'ACTIVE' } })
  expect(done.asked.filter(({ path }) => path.endsWith(request))).toHaveLength(3)
  const failed = await act(
    'reboot',
    { after: [{ events: [event('Error', 'guest is stuck')], message: 'Error' }] },
    { type: 'HARD' },
  )
  expect(failed.error).toMatchObject({ code: 'operation_failed', message: expect.stringContaining('guest is stuck') })
})

test('a hard reboot breaks into a soft one, a soft one does not', async () => {
  const before: Frame = { status: 'REBOOT', vm: 'active', task: 'reboot_started' }
  const done = await act(
    'reboot',
    { before, after: [{ status: 'ACTIVE', task: null, events: [event('Success')] }] },
    { type: 'HARD' },
  )
  expect(done.result).toMatchObject({ changed: true })
  expect((await act('reboot', { before }, { type: 'SOFT' })).error).toMatchObject({ code: 'busy' })
})

test('a server that goes into ERROR fails with its fault, one that comes back as it was fails with what was written down', async () => {
  const fault = { code: 500, message: 'disk full', created: '2026-03-01T12:00:00Z' }
  const inError = await act('stop', { after: [{ task: 'powering-off' }, { status: 'ERROR', more: { fault } }] })
  expect(inError.error).toMatchObject({ code: 'server_in_error', message: expect.stringContaining('disk full') })
  const back = await act('stop', {
    after: [{ task: null, message: 'Error', events: [event('Error', 'no such domain')] }],
  })
  expect(back.error).toMatchObject({ code: 'operation_failed', message: expect.stringContaining('no such domain') })
  const silent = await act('stop', { after: [{ task: null, events: [event('Success')] }] })
  expect(silent.error).toMatchObject({
    code: 'operation_failed',
    message: expect.stringContaining('nothing came of it'),
  })
})

test('a 409 is looked into: what is wanted may hold by now, else the state is told', async () => {
  const answer = { status: 409, json: { conflictingRequest: { code: 409, message: 'Cannot stop it' } } }
  const holds = await act('stop', { answer, after: [{ status: 'SHUTOFF' }] })
  expect(holds.result).toMatchObject({ changed: false, server: { status: 'SHUTOFF' } })
  const changed = await act('stop', { answer, after: [{ status: 'PAUSED' }] })
  expect(changed.error).toMatchObject({
    code: 'state_changed',
    status: 'failed',
    message: expect.stringContaining('PAUSED now'),
    detail: { vm_state: 'paused' },
  })
})

test('what somebody else began is let end, and then it is asked for again: three times at most', async () => {
  const refused = { status: 409, json: { conflictingRequest: { code: 409, message: 'Cannot stop it in task_state' } } }
  const busy: Frame = { task: 'image_uploading' }
  const rests: Frame = { task: null }
  const stops: Frame[] = [{ task: 'powering-off' }, { status: 'SHUTOFF' }]
  const once = await act('stop', { answers: [refused], after: [busy, busy, rests, ...stops] })
  expect(once.error).toBeUndefined()
  expect(once.result).toMatchObject({ changed: true, server: { status: 'SHUTOFF' } })
  expect(once.changes).toHaveLength(2)
  const always = await act('stop', { answer: refused, after: [busy, rests, busy, rests, busy] })
  expect(always.error).toMatchObject({ code: 'state_changed' })
  expect(always.changes).toHaveLength(3)
  const moved = await act('stop', { answer: refused, after: [busy, { host: 'b' }] })
  expect(moved.error).toMatchObject({ code: 'state_changed' })
  expect(moved.changes).toHaveLength(1)
  const paused = await act('stop', { answer: refused, after: [busy, { status: 'PAUSED' }] })
  expect(paused.error).toMatchObject({ code: 'wrong_state' })
  expect(paused.changes).toHaveLength(1)
  const endless = await act('stop', { answer: refused, after: [busy] })
  expect(endless.error).toMatchObject({ code: 'busy' })
})

test('looks that fail do not end the wait; when they never get better the change is in doubt, not failed', async () => {
  const broken: Frame = { reply: { status: 503 } }
  const after: Frame[] = [...Array(4).fill(broken), { status: 'SHUTOFF' }]
  expect((await act('stop', { after })).result).toMatchObject({ changed: true })
  expect((await act('stop', { after: [broken] })).error).toMatchObject({ code: 'lost_sight', status: 'unknown' })
})

test('a wait that has no end is ended, and says what may still happen', async () => {
  const { error } = await act('stop', { after: [{ task: 'powering-off' }] })
  expect(error).toMatchObject({ code: 'not_over', status: 'timed_out', detail: { task_state: 'powering-off' } })
})

describe('a live migration', () => {
  const moving: Frame = { status: 'MIGRATING', vm: 'active', task: 'migrating', migrations: [migration('running')] }

  test('is done when the server rests on another host and its own migration is completed, not before', async () => {
    const old = migration('completed', { id: 3, created_at: '2026-03-01T11:00:00.000000' })
    const after: Frame[] = [
      { ...moving, migrations: [old] },
      moving,
      { host: 'b', migrations: [migration('running'), old] },
      { host: 'b', migrations: [migration('running'), old] },
      { host: 'b', migrations: [migration('completed'), old] },
    ]
    const { result, asked, changes } = await act('live_migrate', { before: { migrations: [old] }, after })
    expect(result).toMatchObject({
      changed: true,
      host: 'b',
      migration: { id: 7, status: 'completed' },
      server: { status: 'ACTIVE' },
    })
    expect(asked.filter(({ method, path }) => method === 'GET' && path.endsWith(id))).toHaveLength(6)
    expect(changes).toEqual([
      {
        what: `POST /servers/${id}/action`,
        version: '2.93',
        body: { 'os-migrateLive': { host: null, block_migration: 'auto' } },
      },
    ])
  })

  test('that breaks off fails by its row alone, when every event says Success', async () => {
    const after: Frame[] = [moving, { migrations: [migration('failed')], events: [event('Success'), event('Success')] }]
    expect((await act('live_migrate', { after })).error).toMatchObject({
      code: 'migration_failed',
      detail: { migration: 7, migration_status: 'failed', host: 'a' },
    })
  })

  test.each([
    { details: 'CPU does not fit', code: 'migration_refused' },
    { details: 'No valid host was found. There are not enough hosts available.', code: 'no_valid_host' },
  ])('that is refused after it was accepted fails with $code', async ({ details, code }) => {
    const row = migration('error', { dest_compute: null })
    const after: Frame[] = [moving, { migrations: [row], message: 'Error', events: [event('Error', details)] }]
    const { error } = await act('live_migrate', { after })
    expect(error).toMatchObject({ code, message: expect.stringContaining(details), detail: { host: 'a' } })
  })

  test('that leaves no trace is given up after a minute on the old host', async () => {
    expect((await act('live_migrate', { after: [{}] })).error).toMatchObject({
      code: 'migration_refused',
      message: expect.stringContaining('nothing came of it'),
    })
  })

  test('whose memory does not become less is stalled, and left running', async () => {
    const left = [900, 500, 700, 600, 800, 550, 900, 900].map((remaining) => ({ ...moving, remaining }))
    const { error, changes } = await act('live_migrate', { after: left })
    expect(error).toMatchObject({ code: 'migration_stalled', detail: { migration: 7, migration_status: 'running' } })
    expect(changes).toHaveLength(1)
    const slow = [900, 800, 800, 800, 700, 600, 600, 500, 100].map((remaining) => ({ ...moving, remaining }))
    const done: Frame = { host: 'b', migrations: [migration('completed')] }
    expect((await act('live_migrate', { after: [...slow, done] })).result).toMatchObject({ host: 'b' })
  })

  test('whose disks are copied first is not stalled by a memory that has not begun; one whose disks stand still is', async () => {
    const copying = (gib: number): Frame => ({
      ...moving,
      remaining: 0,
      progress: { memory_total_bytes: 0, disk_total_bytes: 80 * 2 ** 30, disk_remaining_bytes: gib * 2 ** 30 },
    })
    const sending = (remaining: number): Frame => ({
      ...moving,
      remaining,
      progress: { memory_total_bytes: 1000, disk_total_bytes: 80 * 2 ** 30, disk_remaining_bytes: 0 },
    })
    const done: Frame = { host: 'b', migrations: [migration('completed')] }
    const disks = [80, 70, 70, 60, 50, 40, 30, 20, 10, 5, 1, 1].map(copying)
    const after = [...disks, ...[900, 800, 700, 600, 500, 400, 300].map(sending), done]
    expect((await act('live_migrate', { after })).result).toMatchObject({ host: 'b' })

    const still = [80, ...Array.from({ length: 8 }, () => 40)].map(copying)
    const { error } = await act('live_migrate', { after: still })
    expect(error).toMatchObject({
      code: 'migration_stalled',
      message: expect.stringContaining(`${40 * 1024} MiB are left`),
    })
  })

  test('that is no longer waited for leaves what is known of it', async () => {
    const stop = new AbortController()
    let looks = 0
    const routes = fakeNova({ after: [moving] })
    const look = routes['GET /compute/v2.1/os-migrations'] as () => never
    const watched = {
      ...routes,
      'GET /compute/v2.1/os-migrations': () => {
        if (++looks === 4) stop.abort(new Error('time is up'))
        return look()
      },
    }
    const { error } = await runAction('openstack.server.live_migrate', { server: id }, watched, stop.signal)
    expect(error).toMatchObject({ code: 'interrupted', status: 'unknown', detail: { migration: 7 } })
  })

  test('to where it is already is none', async () => {
    const { result, changes } = await act('live_migrate', {}, { host: 'a' })
    expect(result).toMatchObject({ changed: false, host: 'a' })
    expect(changes).toEqual([])
  })
})

test('an evacuated server that shows ACTIVE on the old host is not there yet', async () => {
  const row = (status: string) => migration(status, { migration_type: 'evacuation' })
  const after: Frame[] = [
    { status: 'ACTIVE', migrations: [row('accepted')] },
    { status: 'REBUILD', vm: 'active', task: 'rebuilding', migrations: [row('pre-migrating')] },
    { status: 'ACTIVE', migrations: [row('done')] },
    { status: 'ACTIVE', host: 'b', migrations: [row('done')] },
  ]
  const down = {
    'GET /compute/v2.1/os-services': {
      json: { services: [{ id: 's', host: 'a', binary: 'nova-compute', state: 'down', status: 'enabled' }] },
    },
  }
  const { result, asked } = await act('evacuate', { after, routes: down })
  expect(result).toMatchObject({ host: 'b', migration: { status: 'done' } })
  expect(asked.filter(({ method, path }) => method === 'GET' && path.endsWith(id))).toHaveLength(5)
  const up = {
    'GET /compute/v2.1/os-services': {
      json: { services: [{ id: 's', host: 'a', binary: 'nova-compute', state: 'up', status: 'enabled' }] },
    },
  }
  const refused = await act('evacuate', { routes: up })
  expect(refused.error).toMatchObject({ code: 'host_up' })
  expect(refused.changes).toEqual([])
})

test('a cold migration ends where it waits for a confirmation, and a confirmation where the migration is confirmed', async () => {
  const row = (status: string) => migration(status, { migration_type: 'migration' })
  const moved = await act(
    'migrate',
    {
      after: [
        { status: 'RESIZE', vm: 'active', task: 'resize_migrating', migrations: [row('migrating')] },
        { status: 'VERIFY_RESIZE', host: 'b', migrations: [row('finished')] },
      ],
    },
    { host: 'b' },
  )
  expect(moved.result).toMatchObject({ host: 'b', server: { status: 'VERIFY_RESIZE' } })
  expect(moved.changes).toMatchObject([{ body: { migrate: { host: 'b' } } }])
  const waiting: Frame = { status: 'VERIFY_RESIZE', host: 'b', migrations: [row('finished')] }
  const confirmed = await act('confirm_resize', {
    before: waiting,
    after: [
      { migrations: [row('confirming')] },
      { status: 'ACTIVE', migrations: [row('confirming')] },
      { status: 'ACTIVE', migrations: [row('confirmed')] },
    ],
  })
  expect(confirmed.result).toMatchObject({ changed: true, migration: { status: 'confirmed' } })
  // the cloud did it by itself
  const before: Frame = { status: 'ACTIVE', host: 'b', migrations: [row('confirmed')] }
  expect((await act('confirm_resize', { before })).result).toMatchObject({ changed: false })
  expect((await act('revert_resize', { before })).error).toMatchObject({ code: 'wrong_state' })
})

test.each<{
  verb: string
  params?: JsonObject
  speaks: string
  before?: Frame
  sent?: unknown
  needed?: string
  version?: string
}>([
  { verb: 'lock', params: { reason: 'r' }, speaks: '2.72', needed: '2.73' },
  { verb: 'lock', speaks: '2.72', sent: { lock: null } },
  { verb: 'migrate', params: { host: 'b' }, speaks: '2.55', needed: '2.56' },
  { verb: 'live_migrate', speaks: '2.67', sent: { 'os-migrateLive': { host: null, block_migration: 'auto' } } },
  {
    verb: 'live_migrate',
    params: { host: 'b', block_migration: true },
    speaks: '2.100',
    sent: { 'os-migrateLive': { host: 'b', block_migration: true } },
  },
  { verb: 'migrate', params: { host: null }, speaks: '2.55', sent: { migrate: null } },
  { verb: 'evacuate', speaks: '2.96', sent: { evacuate: {} }, version: '2.94' },
  { verb: 'evacuate', params: { host: null }, speaks: '2.96', sent: { evacuate: {} }, version: '2.94' },
  {
    verb: 'evacuate',
    params: { stopped: true, host: 'b' },
    speaks: '2.96',
    sent: { evacuate: { host: 'b' } },
    version: '2.96',
  },
  { verb: 'evacuate', params: { stopped: true }, speaks: '2.94', needed: '2.95' },
  { verb: 'unshelve', params: { host: 'b' }, speaks: '2.90', before: { status: 'SHELVED_OFFLOADED' }, needed: '2.91' },
  {
    verb: 'unshelve',
    params: { availability_zone: 'z' },
    speaks: '2.76',
    before: { status: 'SHELVED_OFFLOADED' },
    needed: '2.77',
  },
  {
    verb: 'unshelve',
    params: { availability_zone: 'z' },
    speaks: '2.77',
    before: { status: 'SHELVED_OFFLOADED' },
    sent: { unshelve: { availability_zone: 'z' } },
  },
  {
    verb: 'unshelve',
    params: { host: 'b', availability_zone: 'z' },
    speaks: '2.91',
    before: { status: 'SHELVED_OFFLOADED' },
    sent: { unshelve: { availability_zone: 'z', host: 'b' } },
  },
  { verb: 'start', speaks: '2.52', needed: '2.53' },
])(
  '$verb $params on a cloud that speaks up to $speaks',
  async ({ verb, params = {}, speaks, before = {}, sent, needed, version = speaks }) => {
    const there = { binary: 'nova-compute', host: 'b', state: 'up', status: 'enabled' }
    const down = { 'GET /compute/v2.1/os-services': { json: { services: [there] } } }
    // what comes of it is not looked at here
    const answer = { status: 403, json: { forbidden: { code: 403, message: 'not you' } } }
    const { error, changes } = await act(verb, { before, speaks, answer, routes: down }, params)
    if (needed !== undefined) {
      expect(error).toMatchObject({ code: 'cloud_too_old', message: expect.stringContaining(needed) })
      expect(changes).toEqual([])
    } else {
      expect(error).toMatchObject({ code: 'forbidden' })
      expect(changes).toEqual([{ what: `POST /servers/${id}/action`, version, body: sent }])
    }
  },
)

test('a dry run says that the cloud is too old, as the run would', async () => {
  const evacuate = actions.find(({ name }) => name === 'openstack.server.evacuate')
  if (!evacuate || asks(evacuate)) throw new Error('it asks nobody')
  await using cloud = await fakeCloud(fakeNova({ speaks: '2.94' }))
  await using world = testContext([cloud.cloud])
  await expect(evacuate.plan?.(world.ctx, { server: id, stopped: true }, never)).rejects.toMatchObject({
    code: 'cloud_too_old',
    message: expect.stringContaining('2.95'),
  })
})

describe('after a crash', () => {
  const ours = (action: string, more: JsonObject = {}) => ({
    action,
    request_id: request,
    user_id: 'u1',
    start_time: '2026-03-01T12:00:00.000000',
    ...more,
  })

  test.each<{ what: string; verb: string; params?: JsonObject; script: Script; happened: string; why?: string }>([
    { what: 'it was never asked for', verb: 'live_migrate', script: {}, happened: 'no' },
    {
      what: 'it was asked for long before',
      verb: 'live_migrate',
      script: { actions: [ours('live-migration', { start_time: '2026-03-01T11:00:00.000000' })] },
      happened: 'no',
    },
    {
      what: 'somebody else asked for it',
      verb: 'live_migrate',
      script: { actions: [ours('live-migration', { user_id: 'u2' })] },
      happened: 'no',
    },
    {
      what: 'it was asked for and is done',
      verb: 'live_migrate',
      script: { before: { host: 'b', migrations: [migration('completed')] }, actions: [ours('live-migration')] },
      happened: 'yes',
    },
    {
      what: 'the clock of the cloud ran away, and it was asked for in between',
      verb: 'live_migrate',
      script: { date: 'Sun, 01 Mar 2026 12:10:00 GMT', actions: [ours('live-migration')] },
      happened: 'unknown',
      why: 'are apart',
    },
    {
      what: 'it was asked for and broke off',
      verb: 'live_migrate',
      script: { before: { migrations: [migration('failed')] }, actions: [ours('live-migration')] },
      happened: 'unknown',
      why: 'broke off',
    },
    {
      what: 'it was asked for and Nova wrote that it is over',
      verb: 'reboot',
      params: { type: 'HARD' },
      script: { before: { events: [event('Success')] }, actions: [ours('reboot')] },
      happened: 'yes',
    },
    { what: 'the state is the wanted one', verb: 'stop', script: { before: { status: 'SHUTOFF' } }, happened: 'yes' },
    { what: 'the state is another one', verb: 'stop', script: {}, happened: 'no' },
  ])('$verb: $what → $happened', async ({ verb, params = {}, script, happened, why }) => {
    await using cloud = await fakeCloud(fakeNova(script))
    await using world = testContext([cloud.cloud])
    const settled = await actionCalled(`openstack.server.${verb}`).settled?.(
      world.ctx,
      { server: id, ...params },
      never,
    )
    expect(settled).toMatchObject({ happened, ...(why !== undefined && { why: expect.stringContaining(why) }) })
    expect(changesIn(cloud.asked)).toEqual([])
  })
})

test.each(all)('$name says what would change, and only looks', async ({ name, operation }) => {
  const from = typeof operation.from === 'function' ? operation.from(needs[name] ?? {}) : operation.from
  const statuses: { readonly [state: string]: string } = {
    stopped: 'SHUTOFF',
    paused: 'PAUSED',
    suspended: 'SUSPENDED',
    resized: 'VERIFY_RESIZE',
    shelved: 'SHELVED',
    rescued: 'RESCUE',
  }
  const status = statuses[from?.[0] ?? ''] ?? 'ACTIVE'
  const more = { locked: name.endsWith('unlock'), ...(name.endsWith('detach_volume') && attached) }
  const routes = {
    'GET /compute/v2.1/os-services': { json: { services: [] } },
    [`GET /image/v2/images/${volume}`]: { json: { id: volume, status: 'active' } },
    [`GET /volume/v3/p1/volumes/${volume}`]: { json: { volume: { id: volume, status: 'available' } } },
    'GET /compute/v2.1/flavors/detail': { json: { flavors: [{ id: 'f2', name: 'm1.large' }] } },
  }
  const migrations = [migration('running')]
  await using cloud = await fakeCloud(fakeNova({ before: { status, more, migrations }, routes }))
  await using world = testContext([cloud.cloud])
  const preview = await actionCalled(name).plan?.(world.ctx, { server: id, ...needs[name] }, never)
  expect(preview?.summary).toContain('`vm1`')
  expect(preview?.changes.length).toBeGreaterThan(0)
  expect(changesIn(cloud.asked)).toEqual([])
})
