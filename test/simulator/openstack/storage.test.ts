import { expect, test } from 'vitest'
import { at, compute, rows, volume as volumes } from './contract/api.ts'
import { cloudOf, type TestCloud } from './support.ts'

const nova = compute('2.92')
const cinder = volumes('3.70')

function storage(cloud: TestCloud) {
  const { admin } = cloud
  const base = `/v3/${admin.project}`
  const show = async (kind: string, id: unknown) => (await admin.get('cinder', `${base}/${kind}s/${id}`, cinder)).body
  return {
    make: (kind: string, wanted: object) => admin.post('cinder', `${base}/${kind}s`, { [kind]: wanted }, cinder),
    remove: (kind: string, id: unknown) => admin.call('DELETE', 'cinder', `${base}/${kind}s/${id}`, undefined, cinder),
    post: (path: string, body: object) => admin.post('cinder', `${base}${path}`, body, cinder),
    status: async (kind: string, id: unknown) => at(await show(kind, id), kind, 'status'),
    find: async (kind: string, name: string) =>
      rows((await admin.get('cinder', `${base}/${kind}s/detail?all_tenants=1`, cinder)).body, `${kind}s`).find(
        (one) => one['name'] === name,
      ) ?? {},
  }
}

test('a volume comes, is attached, detached and deleted, and each time says what it is doing', async () => {
  const cloud = await cloudOf()
  const { make, remove, status } = storage(cloud)
  const made = await make('volume', { name: 'spare', size: 5 })
  expect(made.status).toBe(202)
  const id = at(made.body, 'volume', 'id')
  expect(at(made.body, 'volume', 'status')).toBe('creating')
  await cloud.clock.advance(5_000)
  expect(await status('volume', id)).toBe('available')

  const { body } = await cloud.admin.get('nova', '/v2.1/servers?all_tenants=1&name=^web-1$', nova)
  const path = `/v2.1/servers/${rows(body, 'servers')[0]?.['id']}/os-volume_attachments`
  const attached = await cloud.admin.post('nova', path, { volumeAttachment: { volumeId: id } }, nova)
  expect(attached).toMatchObject({ status: 200, body: { volumeAttachment: { volumeId: id, device: '/dev/vdb' } } })
  expect(await status('volume', id)).toBe('reserved')
  await cloud.clock.advance(2_000)
  expect(await status('volume', id)).toBe('in-use')
  expect((await remove('volume', id)).status).toBe(400)
  const again = await cloud.admin.post('nova', path, { volumeAttachment: { volumeId: id } }, nova)
  expect(again.status).toBe(400)

  expect((await cloud.admin.call('DELETE', 'nova', `${path}/${id}`, undefined, nova)).status).toBe(202)
  expect(await status('volume', id)).toBe('detaching')
  await cloud.clock.advance(2_000)
  expect(await status('volume', id)).toBe('available')
  expect(rows((await cloud.admin.get('nova', path, nova)).body, 'volumeAttachments')).toEqual([])
  expect((await remove('volume', id)).status).toBe(202)
  expect(await status('volume', id)).toBe('deleting')
  await cloud.clock.advance(5_000)
  expect(await status('volume', id)).toBeUndefined()
  expect(cloud.effects.map(({ kind }) => kind)).toEqual([
    'openstack.volume.create',
    'openstack.server.attach_volume',
    'openstack.server.detach_volume',
    'openstack.volume.delete',
  ])
  await cloud.close()
})

test('a volume with a snapshot is not deleted before its snapshot', async () => {
  const cloud = await cloudOf()
  const { make, remove, status, find } = storage(cloud)
  const { id } = await find('volume', 'shop-spare')
  const made = await make('snapshot', { name: 'before', volume_id: id })
  const snapshot = at(made.body, 'snapshot', 'id')
  await cloud.clock.advance(3_000)
  expect(await status('snapshot', snapshot)).toBe('available')
  const refused = await remove('volume', id)
  expect(at(refused.body, 'badRequest', 'message')).toContain('have snapshots')
  expect((await remove('snapshot', snapshot)).status).toBe(202)
  await cloud.clock.advance(3_000)
  expect((await remove('volume', id)).status).toBe(202)
  await cloud.close()
})

test('a backup is made, restored into another volume, and kept while a later one needs it', async () => {
  const cloud = await cloudOf()
  const { make, remove, status, find, post } = storage(cloud)
  const { id } = await find('volume', 'shop-spare')
  const whole = at((await make('backup', { name: 'whole', volume_id: id })).body, 'backup', 'id')
  expect(await status('volume', id)).toBe('backing-up')
  expect(await status('backup', whole)).toBe('creating')
  await cloud.clock.advance(30_000)
  expect([await status('volume', id), await status('backup', whole)]).toEqual(['available', 'available'])
  const later = await make('backup', { name: 'later', volume_id: id, incremental: true })
  await cloud.clock.advance(30_000)
  const kept = await remove('backup', whole)
  expect(at(kept.body, 'badRequest', 'message')).toBe('Invalid backup: Incremental backups exist for this backup.')

  const restored = await post(`/backups/${at(later.body, 'backup', 'id')}/restore`, { restore: {} })
  const into = at(restored.body, 'restore', 'volume_id')
  expect(into).not.toBe(id)
  expect(await status('volume', into)).toBe('restoring-backup')
  await cloud.clock.advance(30_000)
  expect(await status('volume', into)).toBe('available')
  await cloud.close()
})

test('a volume that is in use is backed up only by force', async () => {
  const cloud = await cloudOf()
  const { make, status, find } = storage(cloud)
  const { id } = await find('volume', 'db-1-data')
  expect((await make('backup', { volume_id: id })).status).toBe(400)
  expect((await make('backup', { volume_id: id, force: true })).status).toBe(202)
  await cloud.clock.advance(60_000)
  expect(await status('volume', id)).toBe('in-use')
  await cloud.close()
})
