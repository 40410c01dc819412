import { expect, test } from 'vitest'
import type { Routes } from '../../support/openstack-server.ts'
import { type Frame, volume } from './fake-nova.ts'
import { act } from './on-server.ts'

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
