import { expect, test } from 'vitest'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud, type Routes } from '../../support/openstack-server.ts'
import { event, type Frame, fakeNova, id, type Script, volume } from './fake-nova.ts'
import { act, settled } from './on-server.ts'
import { actionCalled } from './run-action.ts'

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
