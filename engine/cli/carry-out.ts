import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { Registry } from '../action/registry.ts'
import { exitCode, RunbookError } from '../error.ts'
import { cannotWrite, loadKept, openJournal } from '../host/journal-file.ts'
import { lockFiles } from '../host/lock-files.ts'
import { neverBegan } from '../host/only-writer.ts'
import { performer } from '../host/perform.ts'
import type { Transcript } from '../journal/chain.ts'
import type { JournalFile } from '../journal/local.ts'
import { LocalDurable } from '../journal/local.ts'
import type { Locks } from '../journal/lock.ts'
import { pastOf } from '../journal/recorded.ts'
import type { Redactor } from '../journal/redact.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Plan } from '../plan/plan.ts'
import { Diverged, Parked } from '../run/durable.ts'
import type { Engine } from '../run/engine.ts'
import { stepsByAddress } from '../run/engine.ts'
import type { Operator, Recorded, RunBegan, RunEnded, RunEvent } from '../run/event.ts'
import type { Ending } from '../run/interpret.ts'
import { interpret, interpretBody } from '../run/interpret.ts'
import type { View } from '../view/view.ts'
import type { Answers } from './answers.ts'
import type { Config } from './config.ts'
import { planName } from './kept-plan.ts'
import type { Surroundings } from './surroundings.ts'
import type { FailOn } from './verdict.ts'
import { verdictExit } from './verdict.ts'

export interface RunOptions {
  readonly run: string
  readonly dry: boolean
  readonly stepwise: boolean
  readonly plan: Plan
  readonly inputs: JsonObject
  readonly registry: Registry
  readonly surroundings: Surroundings
  readonly config: Config
  readonly runs: string
  readonly operator: Operator
  readonly pid: number
  readonly view: View
  readonly answer: Answers
  readonly failOn: FailOn
  readonly redactor: Redactor
  /** The first line of a new run; when it is resumed, the lines that are there. */
  readonly begin: RunBegan | { readonly resumed: Transcript; readonly reopen: readonly Recorded[] }
  readonly cancel: AbortSignal
}

/** Where a run is kept: its lines, what is too large for them, and the locks that it holds. */
export interface Keeping {
  /** After the bytes that are whole, when it is resumed. */
  open(wholeBytes: number | undefined): Promise<JournalFile & { close(): Promise<void> }>
  load(name: string): Json
  readonly locks: Locks
}

/** In the folder of the run, and for the locks in one that the runs of this machine share. */
function filesOf({ run, runs, begin, operator, surroundings, config }: RunOptions): Keeping {
  const folder = join(runs, run)
  const { rehearsal } = 'resumed' in begin ? (begin.resumed.entries[0] as RunBegan) : begin
  return {
    open: (wholeBytes) => openJournal(folder, wholeBytes === undefined ? {} : { wholeBytes }),
    load: (name) => loadKept(folder, name),
    locks: lockFiles(lockFolder(folder, rehearsal, config), {
      by: `${operator.user}@${operator.host}`,
      now: () => new Date(surroundings.doors.clock.now()).toISOString(),
    }),
  }
}

/** A rehearsed world is this run's alone: whoever rehearses keeps nobody from the real one. */
export function lockFolder(folder: string, rehearsal: string | undefined, { locks }: Config): string {
  return rehearsal === undefined ? locks : join(folder, 'locks')
}

/** Walks a plan, as the only writer of its run, from its first line or from where it stopped, and gives the exit code. */
export async function carryOut(options: RunOptions, kept: Keeping = filesOf(options)): Promise<number> {
  const { run, plan, surroundings, redactor, view, begin, operator } = options
  const folder = join(options.runs, run)
  const resumed = 'resumed' in begin ? begin.resumed : undefined
  const file = await kept.open(resumed?.wholeBytes).catch((error: unknown) => {
    throw resumed ? cannotWrite(folder, error) : neverBegan(folder, error)
  })
  // every execution that runs listens for the cancellation: as many as the runbook lets run at once
  setMaxListeners(0, options.cancel)
  const clock = surroundings.doors.clock
  const now = () => new Date(clock.now()).toISOString()
  const began = resumed ? (resumed.entries[0] as RunBegan & { at: string }) : (begin as RunBegan)
  const { locks } = kept
  const verdicts: RunEvent[] = []
  const emit = (event: RunEvent) => {
    if (event.type === 'step.ended' && event.action === 'assert.check') verdicts.push(event)
    view.on(event)
  }
  try {
    const past = pastOf([
      ...(resumed?.entries ?? []),
      ...('reopen' in begin ? begin.reopen.map((event) => ({ ...event, seq: 0, at: '', prev: '' })) : []),
    ])
    const durable: LocalDurable = new LocalDurable({
      runId: run,
      dry: options.dry,
      file,
      past,
      link: resumed?.link ?? { seq: 0, sum: '0'.repeat(64) },
      clock,
      random: () => randomBytes(8).toString('hex'),
      redactor,
      locks,
      operator,
      emit,
      perform: performer({
        run,
        dry: options.dry,
        registry: options.registry,
        doors: surroundings.doors,
        clouds: surroundings.clouds,
        hosts: surroundings.hosts,
        redactor,
      }),
      answer: options.answer,
      walk: (body) => interpretBody(engine, body),
      load: (name) => kept.load(name),
      cancel: options.cancel,
      busy: () => surroundings.doors.clock.busy?.() ?? (() => undefined),
    })
    let startedAt: string
    if ('resumed' in begin) {
      startedAt = begin.resumed.entries[0]?.at ?? now()
      view.on({ ...began, at: startedAt, replayed: true })
      for (const event of begin.reopen) await durable.event(event)
      await durable.event({ type: 'run.resumed', by: operator, pid: options.pid, digest: plan.digest })
    } else {
      try {
        await file.keep(planName(plan), JSON.stringify(plan))
        startedAt = await durable.event(begin)
      } catch (error) {
        throw neverBegan(folder, error)
      }
    }
    const engine: Engine = {
      runbook: plan.runbook,
      registry: options.registry,
      durable,
      hosts: surroundings.hosts,
      run: { id: run, started_at: startedAt, operator: operator.user },
      stepwise: options.stepwise,
      steps: stepsByAddress(plan.runbook),
      pending: { change: undefined, failed: [] },
    }
    const onCancel = () => void durable.tellCancelled().catch(() => undefined)
    options.cancel.addEventListener('abort', onCancel, { once: true })
    try {
      // cancelled before it began: what is in the transcript must not depend on when the signal came
      if (options.cancel.aborted) await durable.tellCancelled()
      const ending = await interpret(engine, options.inputs)
      // who cancels now finds nothing to cancel: the last line of a run is its end
      options.cancel.removeEventListener('abort', onCancel)
      return await end(durable, ending)
    } catch (error) {
      return await stopped(durable, error)
    } finally {
      options.cancel.removeEventListener('abort', onCancel)
    }
  } finally {
    await view.end()
    await file.close()
  }

  async function end(durable: LocalDurable, ending: Ending): Promise<number> {
    const exit = ending.status === 'succeeded' ? verdictExit(verdicts, options.failOn) : exitOf(ending)
    const held = durable.has('locks') || plan.runbook.locks.length > 0
    const ended: RunEnded = { type: 'run.ended', ...ending, exit, counts: durable.counts }
    await durable.event(ended)
    if (held || (await locksAnywhere(plan))) await locks.free(run)
    return exit
  }

  async function stopped(durable: LocalDurable, error: unknown): Promise<number> {
    if (error instanceof Parked) {
      await durable.event({ type: 'run.parked', questions: durable.waiting })
      return error.inDoubt ? exitCode.inDoubt : exitCode.waiting
    }
    if (error instanceof Diverged) {
      throw new RunbookError(
        'diverged',
        `${error.message}: the runbook or its inputs are not those that this run began with`,
        {
          exitCode: exitCode.diverged,
          hint: `\`runbook resume ${run} --as-recorded\` goes on with the runbook as it was`,
        },
      )
    }
    throw error
  }
}

async function locksAnywhere(plan: Plan): Promise<boolean> {
  return [...stepsByAddress(plan.runbook).values()].some(
    (step) => step.kind === 'runbook' && step.runbook.locks.length > 0,
  )
}

function exitOf({ status }: Ending): number {
  if (status === 'cancelled') return exitCode.interrupted
  return status === 'refused' ? exitCode.refused : exitCode.failed
}

/** Sorts by time, to the millisecond, and is short enough to type the end of. */
export function newRunId(now: Date): string {
  const moment = now.getUTCMilliseconds().toString(16).padStart(3, '0')
  return `${now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}-${moment}${randomBytes(2).toString('hex').slice(1)}`
}
