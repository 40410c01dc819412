import { describe, expect, test } from 'vitest'
import { event, type Frame, fakeNova, id, migration } from './fake-nova.ts'
import { act } from './on-server.ts'
import { runAction } from './run-action.ts'

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
    const { result, asked, changes } = await act('server.live_migrate', { before: { migrations: [old] }, after })
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
    expect((await act('server.live_migrate', { after })).error).toMatchObject({
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
    const { error } = await act('server.live_migrate', { after })
    expect(error).toMatchObject({ code, message: expect.stringContaining(details), detail: { host: 'a' } })
  })

  test('that every host refuses says what the hosts said, and not that Nova then found none', async () => {
    const none = 'No valid host was found. There are not enough hosts available.'
    // the newest first; of the checks that bear one name, one alone is ever closed
    const events = [event(null), event('Error', 'CPU does not fit'), event('Error', none)]
    const after: Frame[] = [
      moving,
      { migrations: [migration('error', { dest_compute: null })], message: 'Error', events },
    ]
    const { error } = await act('server.live_migrate', { after })
    expect(error).toMatchObject({ code: 'migration_refused', message: expect.stringMatching(/: CPU does not fit$/) })
  })

  test('that leaves no trace is given up after a minute on the old host', async () => {
    expect((await act('server.live_migrate', { after: [{}] })).error).toMatchObject({
      code: 'migration_refused',
      message: expect.stringContaining('nothing came of it'),
    })
  })

  test('whose memory does not become less is stalled, and left running', async () => {
    const left = [900, 500, 700, 600, 800, 550, 900, 900].map((remaining) => ({ ...moving, remaining }))
    const { error, changes } = await act('server.live_migrate', { after: left })
    expect(error).toMatchObject({ code: 'migration_stalled', detail: { migration: 7, migration_status: 'running' } })
    expect(changes).toHaveLength(1)
    const slow = [900, 800, 800, 800, 700, 600, 600, 500, 100].map((remaining) => ({ ...moving, remaining }))
    const done: Frame = { host: 'b', migrations: [migration('completed')] }
    expect((await act('server.live_migrate', { after: [...slow, done] })).result).toMatchObject({ host: 'b' })
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
    expect((await act('server.live_migrate', { after })).result).toMatchObject({ host: 'b' })

    const still = [80, ...Array.from({ length: 8 }, () => 40)].map(copying)
    const { error } = await act('server.live_migrate', { after: still })
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
    const { result, changes } = await act('server.live_migrate', {}, { host: 'a' })
    expect(result).toMatchObject({ changed: false, host: 'a' })
    expect(changes).toEqual([])
  })
})
