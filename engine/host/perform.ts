import { resolve } from 'node:path'
import type { ActionContext, Clouds, Effect, Hosts, Http, WorkAction } from '../action/contract.ts'
import { asks, StepFailure } from '../action/contract.ts'
import type { Registry } from '../action/registry.ts'
import { RunbookError } from '../error.ts'
import type { LocalOptions } from '../journal/local.ts'
import type { Redactor } from '../journal/redact.ts'
import type { Json, JsonObject } from '../json.ts'
import type { StepIo } from '../run/durable.ts'
import type { Call } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { failureOutcome } from '../run/question.ts'
import { validatorOf } from '../schema.ts'
import type { Doors } from './doors.ts'
import { type HeldOutput, heldOutput } from './held-output.ts'
import { localFiles } from './local-files.ts'

export interface PerformOptions {
  readonly run: string
  readonly dry: boolean
  readonly registry: Registry
  readonly doors: Doors
  readonly clouds: Clouds
  readonly hosts: Hosts
  readonly redactor: Redactor
}

/** The one place where an action meets the world, and where what it throws becomes an outcome. */
export function performer(options: PerformOptions): LocalOptions['perform'] {
  const kept = new Map<string, Promise<unknown>>()
  return async (key, { effect }, attempt, [name, what, params], tell, signal) => {
    const action = options.registry.get(name)
    if (!action || asks(action)) return failed('no_action', `no action is called \`${name}\``)
    const shown = heldOutput(options.redactor, (piece) => tell({ type: 'step.output', key, ...piece }))
    const step = { run: options.run, key, attempt: attempt.id, began: attempt.began }
    const ctx = contextFor(options, kept, step, what === 'run' ? effect : 'read', tell, shown)
    try {
      return await perform(action, what, ctx, params, signal)
    } catch (error) {
      if (error instanceof StepFailure) return failureOutcome(error)
      // what the engine itself refuses (a cloud that is not configured) never began
      if (error instanceof RunbookError) {
        const { code, message, hint } = error
        return { status: 'failed', error: { code, message, ...(hint !== undefined && { hint }) } }
      }
      if (signal.aborted) throw error
      const message = `\`${name}\` broke: ${error instanceof Error ? error.message : String(error)}`
      // where it broke nobody knows: what it was to change may have been changed
      return effect === 'read' || what !== 'run'
        ? failed('action_broke', message)
        : { status: 'unknown', error: { code: 'action_broke', message } }
    }
  }
}

async function perform(
  action: WorkAction,
  what: 'run' | 'plan' | 'settled',
  ctx: ActionContext,
  params: JsonObject,
  signal: AbortSignal,
): Promise<Outcome> {
  if (what !== 'run') {
    const result =
      what === 'plan' ? await action.plan?.(ctx, params, signal) : await action.settled?.(ctx, params, signal)
    return { status: 'succeeded', result: (result ?? null) as Json }
  }
  const result = (await action.run(ctx, params, signal)) ?? null
  const [misfit] = validatorOf(action.result)(result)
  if (!misfit) return { status: 'succeeded', result }
  const where = misfit.path.length > 0 ? `\`${misfit.path.join('.')}\` ` : ''
  return failed(
    'bad_result',
    `\`${action.name}\` gave a result that does not fit its schema: ${where}${misfit.message}`,
    result,
  )
}

function failed(code: string, message: string, result?: Json): Outcome {
  return { status: 'failed', error: { code, message }, ...(result !== undefined && { result }) }
}

function contextFor(
  { doors, clouds, hosts, redactor, dry }: PerformOptions,
  kept: Map<string, Promise<unknown>>,
  step: ActionContext['step'],
  effect: Effect,
  tell: StepIo['tell'],
  shown: HeldOutput,
): ActionContext {
  const watch = {
    onCall(call: Call) {
      if (call.kind !== 'http') shown.release(call.kind === 'ssh' ? call.host : undefined)
      tell({ type: 'step.called', key: step.key, call })
    },
    onOutput: (stream: 'stdout' | 'stderr', text: string, host?: string) =>
      shown.take({ stream, text, ...(host !== undefined && { host }) }),
    onSecret: (name: string, value: string) => redactor.add(name, value),
  }
  const http: Http = (request, signal) => {
    const does =
      request.effect ?? (['GET', 'HEAD', 'OPTIONS'].includes(request.method.toUpperCase()) ? 'read' : 'change')
    if (does === 'change' && (effect === 'read' || dry)) refuse(`${request.method} ${pathOf(request.url)}`)
    return doors.http(watch)(request, signal)
  }
  const mayCommand = () => {
    if (dry && effect !== 'read') refuse('a command')
  }
  return {
    step,
    effect,
    clock: doors.clock,
    http,
    ssh: {
      async exec(host, command, signal) {
        mayCommand()
        return (await doors.ssh(watch)).exec(host, command, signal)
      },
    },
    local: {
      async exec(command, signal) {
        mayCommand()
        return doors.local(watch).exec(command, signal)
      },
    },
    files: {
      read: (path) => localFiles.read(resolve(doors.folder, path)),
      digest: (path, algorithms, signal) => localFiles.digest(resolve(doors.folder, path), algorithms, signal),
      async write(path, bytes) {
        if (effect === 'read' || dry) refuse(`writing \`${path}\``)
        await localFiles.write(resolve(doors.folder, path), bytes)
      },
    },
    clouds,
    hosts,
    secrets: { add: (name, value) => redactor.add(name, value) },
    progress: (text) => tell({ type: 'step.progress', key: step.key, text }),
    async keep(key, open, close) {
      const found = kept.get(key)
      if (found !== undefined) return found as ReturnType<typeof open>
      const opening = open()
      kept.set(key, opening)
      // what could not be opened is tried again by the next that needs it
      opening.then(
        (value) => close && doors.atEnd(() => close(value)),
        () => kept.delete(key),
      )
      return opening
    },
  }
}

function refuse(what: string): never {
  throw new StepFailure('write_refused', `${what} would change something, and this step only reads`, {
    hint: 'the plugin must declare the effect that it has',
  })
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname
  } catch {
    return url
  }
}
