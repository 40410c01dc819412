import { asks, type WorkAction } from '../../../engine/action/contract.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import { never, type TestContext, testContext } from '../../support/context.ts'
import { type Asked, type FakeCloudOptions, fakeCloud, type Routes } from '../../support/openstack-server.ts'

export interface ActionRun {
  readonly result: Json | undefined
  readonly error: unknown
  readonly asked: readonly Asked[]
  readonly calls: TestContext['calls']
}

export function actionCalled(name: string): WorkAction {
  const action = actions.find((one) => one.name === name)
  if (!action || asks(action)) throw new Error(`no action ${name}`)
  return action
}

/** Runs an action against a cloud of a few routes; parameters and result must fit its schemas. */
export async function runAction(
  name: string,
  params: JsonObject,
  routes: Routes,
  signal: AbortSignal = never,
  options: FakeCloudOptions = {},
): Promise<ActionRun> {
  const action = actionCalled(name)
  const misfits = validatorOf(action.params)(params)
  if (misfits.length > 0) throw new Error(`parameters of ${name}: ${JSON.stringify(misfits)}`)
  await using cloud = await fakeCloud(routes, options)
  await using world = testContext([cloud.cloud])
  const { asked } = cloud
  const { calls } = world
  try {
    const result = await action.run(world.ctx, params, signal)
    const unfit = validatorOf(action.result)(result)
    if (unfit.length > 0) throw new Error(`result of ${name}: ${JSON.stringify(unfit)}`)
    return { result, error: undefined, asked, calls }
  } catch (error) {
    return { result: undefined, error, asked, calls }
  }
}
