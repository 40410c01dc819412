import { expect, test } from 'vitest'
import { fakeNova, id } from './fake-nova.ts'
import { act, preview } from './on-server.ts'
import { runAction } from './run-action.ts'

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
