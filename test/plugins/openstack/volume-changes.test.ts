import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CloudConfig } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import type { Rehearsal } from '../../../simulator/contract.ts'
import { loadScenario, startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import { actionCalled } from './run-action.ts'

/** Volumes, snapshots and backups of a rehearsal cloud, changed by the actions and looked at through its own record. */
let rehearsal: Rehearsal
let cloud: CloudConfig
const effects: { readonly kind: string }[] = []

beforeAll(async () => {
  const scenario = await loadScenario('healthy')
  rehearsal = await startRehearsal({ scenario, onEffect: (effect) => void effects.push(effect) })
  cloud = cloudConfig({ clouds: rehearsal.clouds as Json, env: {} })
})
afterAll(() => rehearsal.close())

async function inWorld<T>(work: (ctx: ReturnType<typeof testContext>['ctx']) => Promise<T>): Promise<T> {
  await using world = testContext([cloud], { clock: rehearsal.clock, effect: 'destructive' })
  const done = rehearsal.clock.busy()
  try {
    return await work(world.ctx)
  } finally {
    done()
  }
}

async function act(name: string, params: JsonObject): Promise<JsonObject> {
  const action = actionCalled(`openstack.${name}`)
  expect(validatorOf(action.params)(params)).toEqual([])
  const result = await inWorld((ctx) => action.run(ctx, params, never))
  expect(validatorOf(action.result)(result)).toEqual([])
  return result as JsonObject
}

const settled = (name: string, params: JsonObject) =>
  inWorld(async (ctx) => actionCalled(`openstack.${name}`).settled?.(ctx, params, never))

test('a volume is made, snapshotted, backed up, restored, and all of it is deleted', async () => {
  expect(await settled('volume.create', { name: 'new', size: 2 })).toEqual({ happened: 'no' })
  const made = await act('volume.create', { name: 'new', size: 2 })
  expect(made['volume']).toMatchObject({ name: 'new', status: 'available', metadata: { runbook_attempt: 'a' } })
  expect(await settled('volume.create', { name: 'new', size: 2 })).toMatchObject({ happened: 'yes' })

  const { snapshot } = await act('volume_snapshot.create', { volume: 'new', name: 'new-1' })
  expect(snapshot).toMatchObject({ status: 'available' })
  await expect(act('volume.delete', { volume: 'new' })).rejects.toMatchObject({
    code: 'has_snapshots',
    hint: expect.stringContaining('openstack.volume_snapshot.delete'),
  })
  const { backup } = await act('volume_backup.create', { volume: 'new', name: 'new-b' })
  expect(backup).toMatchObject({ status: 'available' })
  const { volume: restored } = await act('volume_backup.restore', { backup: 'new-b' })
  expect(restored).toMatchObject({ status: 'available', size: 2 })

  expect(await settled('volume_snapshot.delete', { snapshot: 'new-1' })).toEqual({ happened: 'no' })
  for (const [family, noun, name] of [
    ['volume_snapshot', 'snapshot', 'new-1'],
    ['volume_backup', 'backup', 'new-b'],
    ['volume', 'volume', 'new'],
  ] as const) {
    expect(await act(`${family}.delete`, { [noun]: name })).toEqual({ changed: true })
    await expect(act(`${family}.delete`, { [noun]: name })).rejects.toMatchObject({ code: 'not_found' })
  }
  const id = (made['volume'] as JsonObject)['id'] as string
  expect(await act('volume.delete', { volume: id })).toEqual({ changed: false })
  expect(effects.map(({ kind }) => kind)).toEqual([
    'openstack.volume.create',
    'openstack.volume_snapshot.create',
    'openstack.volume_backup.create',
    'openstack.volume_backup.restore',
    'openstack.volume_snapshot.delete',
    'openstack.volume_backup.delete',
    'openstack.volume.delete',
  ])
})

test('a volume that is in use is not deleted, and nothing is asked for', async () => {
  const before = effects.length
  await expect(act('volume.delete', { volume: 'db-1-data' })).rejects.toMatchObject({ code: 'wrong_state' })
  expect(effects).toHaveLength(before)
})

test('Keystone lists its domains, users, and who has which role', async () => {
  expect((await act('domain.list', {}))['domains']).toMatchObject([{ name: 'Default' }])
  const { users } = await act('user.list', { name: 'shop-owner' })
  expect(users).toHaveLength(1)
  const user = String((users as JsonObject[])[0]?.['id'])
  const { role_assignments } = await act('role_assignment.list', { user })
  expect((role_assignments as JsonObject[]).map(({ role }) => (role as JsonObject)['name']).sort()).toEqual([
    'member',
    'reader',
  ])
})
