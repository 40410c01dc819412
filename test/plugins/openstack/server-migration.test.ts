import { expect, test } from 'vitest'
import { type Frame, migration } from './fake-nova.ts'
import { act } from './on-server.ts'

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
