import type { Action, Answer, Question, WorkAction } from '../../engine/action/contract.ts'
import { StepFailure } from '../../engine/action/contract.ts'
import { anything, closedObject, text } from '../../engine/action/define.ts'
import { registryOf } from '../../engine/action/registry.ts'
import { checkRunbook } from '../../engine/check/check.ts'
import { isTargetExpression } from '../../engine/check/use.ts'
import { lower } from '../../engine/document/lower.ts'
import { read } from '../../engine/document/read.ts'
import type { Runbook } from '../../engine/document/runbook.ts'
import type { Link } from '../../engine/journal/chain.ts'
import { beforeAll, readTranscript } from '../../engine/journal/chain.ts'
import { LocalDurable } from '../../engine/journal/local.ts'
import { pastOf } from '../../engine/journal/recorded.ts'
import { Redactor } from '../../engine/journal/redact.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { planOf } from '../../engine/plan/build.ts'
import type { PlannedRunbook } from '../../engine/plan/plan.ts'
import type { Engine } from '../../engine/run/engine.ts'
import { stepsByAddress } from '../../engine/run/engine.ts'
import type { Entry, Recorded, RunEvent } from '../../engine/run/event.ts'
import type { Ending } from '../../engine/run/interpret.ts'
import { interpret, interpretBody } from '../../engine/run/interpret.ts'
import { failureOutcome } from '../../engine/run/question.ts'
import { actions as assertActions } from '../../plugins/assert/index.ts'
import { actions as humanActions } from '../../plugins/human/index.ts'

/** What happened in the world of a test, seen from outside the engine. */
export interface World {
  readonly effects: string[]
  /** What a thing does when it is touched, by name; succeeds with `{ of: name }` unless told. */
  readonly touch: { [name: string]: (signal: AbortSignal) => Json | Promise<Json> }
}

export function emptyWorld(): World {
  return { effects: [], touch: {} }
}

/** How the runbooks of tests begin. */
export const head = 'apiVersion: runbook/v1\nname: t\n'

/** What a thing does that breaks when it is touched. */
export const fail =
  (status: StepFailure['status'] = 'failed') =>
  (): never => {
    throw new StepFailure('broken', 'it broke', { status })
  }

/** Actions that leave a mark outside: `test.change`, `test.read`, `test.destroy`, and `test.again`, which may be repeated. */
function worldActions(world: World): readonly Action[] {
  const touching = (
    name: `${string}.${string}`,
    effect: WorkAction['effect'],
    more: Partial<WorkAction> = {},
  ): WorkAction => ({
    name,
    summary: `touch a thing: ${effect}`,
    effect,
    params: closedObject({ what: text('The thing.'), note: anything('Anything.') }, ['note']),
    result: closedObject({ of: text('The thing.'), value: anything('What it gave.') }, ['value']),
    examples: [{ what: 'x' }],
    async run(_ctx, params, signal) {
      const what = String(params['what'])
      world.effects.push(`${effect} ${what}`)
      const given = await world.touch[what]?.(signal)
      return given === undefined ? { of: what } : { of: what, value: given }
    },
    ...more,
  })
  return [
    touching('test.read', 'read'),
    touching('test.change', 'change'),
    touching('test.destroy', 'destructive'),
    touching('test.again', 'change', { idempotent: true }),
    touching('test.settled', 'change', {
      async settled(_ctx, params) {
        const what = String(params['what'])
        world.effects.push(`settled? ${what}`)
        const said = (await world.touch[`${what}?`]?.(new AbortController().signal)) as string | undefined
        return said === 'yes'
          ? { happened: 'yes', result: { of: what } }
          : said === 'no'
            ? { happened: 'no' }
            : { happened: 'unknown', why: 'nobody knows' }
      },
    }),
  ]
}

export interface Walk {
  readonly ending: Ending | undefined
  /** What stopped the walk without an ending. */
  readonly stopped: Error | undefined
  readonly text: string
  readonly entries: readonly Entry[]
  readonly events: readonly RunEvent[]
  readonly redactor: Redactor
}

export interface WalkOptions {
  readonly world?: World
  readonly inputs?: JsonObject
  /** The transcript so far. */
  readonly text?: string
  readonly dry?: boolean
  readonly cancel?: AbortSignal
  readonly secrets?: { readonly [name: string]: string }
  readonly answers?: { readonly [key: string]: Json }
  /** Milliseconds after the usual time at which it begins. */
  readonly after?: number
  /** Milliseconds that a person takes to answer. */
  readonly thinking?: number
  readonly called?: { readonly [name: string]: string }
  readonly hosts?: readonly string[]
  readonly reopen?: readonly Recorded[]
  readonly stepwise?: boolean
  /** Throws when the process is to die: called before each line is written. */
  readonly beforeLine?: (line: number) => void
  /** Called with all that is written after each line. */
  readonly onLine?: (text: string) => void
  readonly moreActions?: readonly Action[]
}

function planFrom(
  yaml: string,
  world: World = emptyWorld(),
  called: { readonly [name: string]: string } = {},
  more: readonly Action[] = [],
): PlannedRunbook {
  const registry = registryOf([...worldActions(world), ...assertActions, ...humanActions, ...more])
  const parse = (path: string, source: string): Runbook => {
    const text = { path, text: source }
    const tree = read(text)
    const lowered = tree.value ? lower(text, tree.value) : { value: undefined, diagnostics: [] }
    const problems = [...tree.diagnostics, ...lowered.diagnostics]
    if (!lowered.value || problems.length > 0)
      throw new Error(problems.map(({ code, message }) => `${code} ${message}`).join('\n'))
    return lowered.value
  }
  const find = (name: string) => (called[name] === undefined ? undefined : parse(`${name}.yaml`, called[name]))
  const runbook = parse('test.yaml', yaml)
  const errors = checkRunbook(runbook, {
    registry,
    library: { find, has: (name) => name in called, names: () => Object.keys(called) },
  }).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ code, message }) => `${code} ${message}`).join('\n'))
  return planOf(runbook, { registry, find, isTargetExpression })
}

/** Walks a runbook over a journal in memory, with a clock that jumps and a world that keeps count. */
export async function walk(yaml: string, options: WalkOptions = {}): Promise<Walk> {
  const world = options.world ?? emptyWorld()
  const more = options.moreActions ?? []
  const registry = registryOf([...worldActions(world), ...assertActions, ...humanActions, ...more])
  const planned = planFrom(yaml, world, options.called, more)
  const transcript = readTranscript(options.text ?? '')
  let text = (options.text ?? '').slice(0, transcript.wholeBytes)
  const link: Link = transcript.entries.length > 0 ? transcript.link : beforeAll
  const events: RunEvent[] = []
  const redactor = new Redactor()
  for (const [name, value] of Object.entries(options.secrets ?? {})) redactor.add(name, value)
  let now = Date.parse('2026-11-21T08:00:00Z') + transcript.entries.length * 1_000 + (options.after ?? 0)
  const clock = {
    now: () => now,
    async sleep(ms: number, signal: AbortSignal) {
      signal.throwIfAborted()
      // a deadline beside work is never reached by this clock
      if (ms > 3_600_000)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      now += ms
    },
  }
  let attempts = 0
  let lines = 0
  const kept = new Map<string, string>()
  const reopened = (options.reopen ?? []).map((event) => ({ ...event, seq: 0, at: '', prev: '' }))
  const durable: LocalDurable = new LocalDurable({
    runId: 'run-1',
    dry: options.dry ?? false,
    file: {
      async append(line) {
        options.beforeLine?.(++lines)
        text += line
        options.onLine?.(text)
      },
      async keep(name, value) {
        kept.set(name, value)
      },
    },
    past: pastOf([...transcript.entries, ...reopened]),
    link,
    clock,
    random: () => `attempt-${++attempts}`,
    redactor,
    locks: { take: async () => undefined, free: async () => undefined },
    operator: { user: 'tess', host: 'here' },
    emit: (event) => void events.push(event),
    async perform(key, _about, { id, began }, [name, what, params], _tell, signal) {
      const action = registry.get(name) as WorkAction
      const context = { secrets: redactor, step: { run: 'run-1', key, attempt: id, began } } as never
      try {
        const result =
          what === 'run'
            ? await action.run(context, params, signal)
            : what === 'plan'
              ? await action.plan?.(context, params, signal)
              : await action.settled?.(context, params, signal)
        return { status: 'succeeded', result: (result ?? null) as Json }
      } catch (error) {
        if (error instanceof StepFailure) return failureOutcome(error)
        throw error
      }
    },
    async answer(key: string, _question: Question): Promise<Answer | undefined> {
      const value = options.answers?.[key]
      if (value !== undefined) now += options.thinking ?? 0
      return value === undefined ? undefined : { value, by: 'tess', at: new Date(now).toISOString() }
    },
    walk: (body) => interpretBody(engine, body),
    load: (name) => JSON.parse(kept.get(name) ?? 'null') as Json,
    cancel: options.cancel ?? new AbortController().signal,
    busy: () => () => undefined,
  })
  const engine: Engine = {
    runbook: planned,
    registry,
    durable,
    hosts: {
      matching: (pattern) =>
        (options.hosts ?? [])
          .filter((name) => pattern === 'all' || pattern.split(',').includes(name))
          .map((name) => ({ name, address: name, groups: [], vars: {} })),
    },
    run: { id: 'run-1', started_at: '2026-11-21T08:00:00.000Z', operator: 'tess' },
    stepwise: options.stepwise ?? false,
    steps: stepsByAddress(planned),
    pending: { change: undefined, failed: [] },
  }
  let ending: Ending | undefined
  let stopped: Error | undefined
  try {
    ending = await interpret(engine, options.inputs ?? {})
  } catch (error) {
    stopped = error as Error
  }
  return { ending, stopped, text, entries: readTranscript(text).entries, events, redactor }
}

/** The outcome that an execution ended with, as the transcript tells it. */
export function outcomeOf({ entries }: Walk, key: string) {
  const entry = entries.findLast((each) => each.type === 'step.ended' && each.key === key)
  return entry?.type === 'step.ended' ? entry.outcome : undefined
}
