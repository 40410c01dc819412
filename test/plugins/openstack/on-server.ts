import { expect } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud } from '../../support/openstack-server.ts'
import { changesIn, fakeNova, id, type Script } from './fake-nova.ts'
import { actionCalled, runAction } from './run-action.ts'

/** Does something to the server of a fake Nova. */
export async function act(name: string, script: Script, params: JsonObject = {}) {
  const ran = await runAction(`openstack.${name}`, { server: id, ...params }, fakeNova(script))
  return { ...ran, changes: changesIn(ran.asked) }
}

/** What is found after a crash; nothing is changed by that. */
export async function settled(name: string, script: Script, params: JsonObject) {
  await using cloud = await fakeCloud(fakeNova(script))
  await using world = testContext([cloud.cloud])
  const all = name === 'server.create' ? params : { server: id, ...params }
  const said = await actionCalled(`openstack.${name}`).settled?.(world.ctx, all, never)
  expect(changesIn(cloud.asked)).toEqual([])
  return said
}

/** What a dry run shows; nothing is changed by that. */
export async function preview(name: string, script: Script, params: JsonObject) {
  await using cloud = await fakeCloud(fakeNova(script))
  await using world = testContext([cloud.cloud])
  const said = await actionCalled(`openstack.${name}`).plan?.(world.ctx, { server: id, ...params }, never)
  expect(changesIn(cloud.asked)).toEqual([])
  return said
}
