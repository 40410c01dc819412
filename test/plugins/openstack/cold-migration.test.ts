import { expect, test } from 'vitest'
import { type Frame, migration } from './fake-nova.ts'
import { act } from './on-server.ts'

test('a cold migration ends where it waits for a confirmation, and a confirmation where the migration is confirmed', async () => {
  const row = (status: string) => migration(status, { migration_type: 'migration' })
  const moved = await act(
    'server.migrate',
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
  const confirmed = await act('server.confirm_resize', {
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
  expect((await act('server.confirm_resize', { before })).result).toMatchObject({ changed: false })
  expect((await act('server.revert_resize', { before })).error).toMatchObject({ code: 'wrong_state' })
})
