import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { operations } from '../../../plugins/openstack/server.ts'
import { migrationOperations } from '../../../plugins/openstack/server-migration.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud } from '../../support/openstack-server.ts'
import { changesIn, event, type Frame, fakeNova, id, migration, request, volume } from './fake-nova.ts'
import { act } from './on-server.ts'
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
  const done = await act(`server.${verb}`, { before: { status: from }, after })
  expect(done.result).toMatchObject({ changed: true, server: { status: to } })
  expect(done.changes).toEqual([{ what: `POST /servers/${id}/action`, version: '2.93', body }])

  const there = await act(`server.${verb}`, { before: { status: to } })
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
  const { result, changes } = await act('server.stop', { routes: { [`GET /compute/v2.1/servers/${id}`]: server } })
  expect(result).toMatchObject({ changed: true, server: { status: 'SHUTOFF' } })
  expect(changes).toEqual([])
})

test('a server whose host does not report is refused: Nova would accept it and do nothing', async () => {
  const { error, changes } = await act('server.stop', { before: { more: { host_status: 'UNKNOWN' } } })
  expect(error).toMatchObject({ code: 'host_down', detail: { host: 'a' } })
  expect(changes).toEqual([])
})

test('a lock carries its reason, is seen before it is said to be done, and another reason is another lock', async () => {
  const locked = { locked: true, locked_reason: 'mine' }
  const done = await act('server.lock', { after: [{}, { more: locked }] }, { reason: 'mine' })
  expect(done.result).toMatchObject({ changed: true, server: locked })
  expect(done.changes).toMatchObject([{ body: { lock: { locked_reason: 'mine' } } }])
  expect((await act('server.lock', { before: { more: locked } }, { reason: 'mine' })).result).toMatchObject({
    changed: false,
  })
  const other = await act(
    'server.lock',
    { before: { more: { locked: true, locked_reason: 'theirs' } }, after: [{ more: locked }] },
    { reason: 'mine' },
  )
  expect(other.result).toMatchObject({ changed: true })
})

test('a reboot is over when Nova has written it down, not when the server looks as before', async () => {
  const after: Frame[] = [{}, { events: [event(null)] }, { events: [event('Success')] }]
  const done = await act('server.reboot', { after }, { type: 'SOFT' })
  expect(done.result).toMatchObject({ changed: true, server: { status: 'ACTIVE' } })
  expect(done.asked.filter(({ path }) => path.endsWith(request))).toHaveLength(3)
  const failed = await act(
    'server.reboot',
    { after: [{ events: [event('Error', 'guest is stuck')], message: 'Error' }] },
    { type: 'HARD' },
  )
  expect(failed.error).toMatchObject({ code: 'operation_failed', message: expect.stringContaining('guest is stuck') })
})

test('a hard reboot breaks into a soft one, a soft one does not', async () => {
  const before: Frame = { status: 'REBOOT', vm: 'active', task: 'reboot_started' }
  const done = await act(
    'server.reboot',
    { before, after: [{ status: 'ACTIVE', task: null, events: [event('Success')] }] },
    { type: 'HARD' },
  )
  expect(done.result).toMatchObject({ changed: true })
  expect((await act('server.reboot', { before }, { type: 'SOFT' })).error).toMatchObject({ code: 'busy' })
})

test('a server that goes into ERROR fails with its fault, one that comes back as it was fails with what was written down', async () => {
  const fault = { code: 500, message: 'disk full', created: '2026-03-01T12:00:00Z' }
  const inError = await act('server.stop', { after: [{ task: 'powering-off' }, { status: 'ERROR', more: { fault } }] })
  expect(inError.error).toMatchObject({ code: 'server_in_error', message: expect.stringContaining('disk full') })
  const back = await act('server.stop', {
    after: [{ task: null, message: 'Error', events: [event('Error', 'no such domain')] }],
  })
  expect(back.error).toMatchObject({ code: 'operation_failed', message: expect.stringContaining('no such domain') })
  const silent = await act('server.stop', { after: [{ task: null, events: [event('Success')] }] })
  expect(silent.error).toMatchObject({
    code: 'operation_failed',
    message: expect.stringContaining('nothing came of it'),
  })
})

test('a 409 is looked into: what is wanted may hold by now, else the state is told', async () => {
  const answer = { status: 409, json: { conflictingRequest: { code: 409, message: 'Cannot stop it' } } }
  const holds = await act('server.stop', { answer, after: [{ status: 'SHUTOFF' }] })
  expect(holds.result).toMatchObject({ changed: false, server: { status: 'SHUTOFF' } })
  const changed = await act('server.stop', { answer, after: [{ status: 'PAUSED' }] })
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
  const once = await act('server.stop', { answers: [refused], after: [busy, busy, rests, ...stops] })
  expect(once.error).toBeUndefined()
  expect(once.result).toMatchObject({ changed: true, server: { status: 'SHUTOFF' } })
  expect(once.changes).toHaveLength(2)
  const always = await act('server.stop', { answer: refused, after: [busy, rests, busy, rests, busy] })
  expect(always.error).toMatchObject({ code: 'state_changed' })
  expect(always.changes).toHaveLength(3)
  const moved = await act('server.stop', { answer: refused, after: [busy, { host: 'b' }] })
  expect(moved.error).toMatchObject({ code: 'state_changed' })
  expect(moved.changes).toHaveLength(1)
  const paused = await act('server.stop', { answer: refused, after: [busy, { status: 'PAUSED' }] })
  expect(paused.error).toMatchObject({ code: 'wrong_state' })
  expect(paused.changes).toHaveLength(1)
  const endless = await act('server.stop', { answer: refused, after: [busy] })
  expect(endless.error).toMatchObject({ code: 'busy' })
})

test('looks that fail do not end the wait; when they never get better the change is in doubt, not failed', async () => {
  const broken: Frame = { reply: { status: 503 } }
  const after: Frame[] = [...Array(4).fill(broken), { status: 'SHUTOFF' }]
  expect((await act('server.stop', { after })).result).toMatchObject({ changed: true })
  expect((await act('server.stop', { after: [broken] })).error).toMatchObject({ code: 'lost_sight', status: 'unknown' })
})

test('a wait that has no end is ended, and says what may still happen', async () => {
  const { error } = await act('server.stop', { after: [{ task: 'powering-off' }] })
  expect(error).toMatchObject({ code: 'not_over', status: 'timed_out', detail: { task_state: 'powering-off' } })
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
    const { error, changes } = await act(`server.${verb}`, { before, speaks, answer, routes: down }, params)
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
  await using cloud = await fakeCloud(fakeNova({ speaks: '2.94' }))
  await using world = testContext([cloud.cloud])
  await expect(
    actionCalled('openstack.server.evacuate').plan?.(world.ctx, { server: id, stopped: true }, never),
  ).rejects.toMatchObject({
    code: 'cloud_too_old',
    message: expect.stringContaining('2.95'),
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
