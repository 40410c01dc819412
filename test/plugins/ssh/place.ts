import type { ActionContext, Clock, Ssh, WorkAction } from '../../../engine/action/contract.ts'
import { asks } from '../../../engine/action/contract.ts'
import { localFiles } from '../../../engine/host/local-files.ts'
import type { JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { actions as sshActions } from '../../../plugins/ssh/index.ts'
import { actions as systemdActions } from '../../../plugins/systemd/index.ts'

/** A host on which actions run, and a way to look at it that is not ours. */
export interface Place {
  readonly host: string
  readonly ctx: ActionContext
  /** Standard output of a command as root, by another way than ours; fails when the command does. */
  asRoot(command: string): Promise<string>
}

export function contextOn(ssh: Ssh, clock: Clock, key = 'step'): ActionContext {
  const nothing = () => Promise.reject(new Error('this test has none'))
  return {
    step: { run: 'test', key, attempt: `a${Math.random()}`, began: clock.now() },
    effect: 'change',
    clock,
    ssh,
    files: localFiles,
    http: nothing,
    local: { exec: nothing },
    clouds: { get: nothing },
    hosts: { matching: () => [] },
    secrets: { add: () => {} },
    progress: () => {},
    keep: (_key, open) => open(),
  }
}

function actionOf(name: string): WorkAction {
  const found = [...sshActions, ...systemdActions].find((action) => action.name === name)
  if (!found || asks(found)) throw new Error(`no action ${name}`)
  return found
}

/** What a step does: its parameters and its result fit their schemas. */
export async function does(
  { ctx, host }: Place,
  name: string,
  params: JsonObject,
  { key = 'step', signal = AbortSignal.timeout(150_000) }: { key?: string; signal?: AbortSignal } = {},
): Promise<JsonObject> {
  const action = actionOf(name)
  const given = { host, ...params }
  const misfits = validatorOf(action.params)(given)
  if (misfits.length > 0) throw new Error(`${name}: ${JSON.stringify(misfits)}`)
  const result = await action.run({ ...ctx, step: { ...ctx.step, key } }, given, signal)
  const wrong = validatorOf(action.result)(result)
  if (wrong.length > 0) throw new Error(`${name} gave ${JSON.stringify(result)}: ${JSON.stringify(wrong)}`)
  return result as JsonObject
}

export async function plans({ ctx, host }: Place, name: string, params: JsonObject, key = 'step') {
  const plan = await actionOf(name).plan?.(
    { ...ctx, step: { ...ctx.step, key } },
    { host, ...params },
    AbortSignal.timeout(150_000),
  )
  if (!plan) throw new Error(`${name} has no plan`)
  return plan
}

export async function settles({ ctx, host }: Place, name: string, params: JsonObject, key = 'step') {
  const step = { ...ctx.step, key: `${key}!settled`, attempt: 'another' }
  return actionOf(name).settled?.({ ...ctx, step }, { host, ...params }, AbortSignal.timeout(150_000))
}
