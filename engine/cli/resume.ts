import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { exitCode, RunbookError } from '../error.ts'
import { isFile, isFolder } from '../host/files.ts'
import { lockFiles } from '../host/lock-files.ts'
import { onlyWriter } from '../host/only-writer.ts'
import { folderOfRun, reportedLines, transcriptOf } from '../host/runs.ts'
import { Redactor } from '../journal/redact.ts'
import type { JsonObject } from '../json.ts'
import { semantics } from '../plan/build.ts'
import type { Plan } from '../plan/plan.ts'
import { stepsByAddress } from '../run/engine.ts'
import type { Entry, RunBegan } from '../run/event.ts'
import { answersFrom, hiding } from './answers.ts'
import { carryOut, lockFolder } from './carry-out.ts'
import type { Config } from './config.ts'
import { configOf, runsFolder } from './config.ts'
import type { ExecOptions } from './exec.ts'
import { inputsFor } from './exec.ts'
import type { Io } from './io.ts'
import { planIn, planName } from './kept-plan.ts'
import { runbookLibrary } from './library.ts'
import { demandNoErrors, makePlan, prepare } from './prepare.ts'
import { loadRegistry } from './registry.ts'
import { demandOpen, reopenedBy } from './reopen.ts'
import { demandReports, writeReport } from './report.ts'
import { openSurroundings } from './surroundings.ts'
import { viewFor } from './view.ts'

export interface ResumeOptions
  extends Pick<
    ExecOptions,
    'input' | 'inputFile' | 'step' | 'yes' | 'answer' | 'output' | 'failOn' | 'runs' | 'report' | 'verbose'
  > {
  readonly asRecorded?: boolean
  readonly acceptChanges?: boolean
  readonly cancel?: boolean
}

/** `runbook resume`: the same walk over a longer journal. */
export async function resume(name: string, options: ResumeOptions, io: Io, signal: AbortSignal): Promise<number> {
  const config = configOf(io)
  demandReports((options.report ?? []).map((file) => resolve(io.cwd, file)))
  const folder = folderOfRun(runsFolder(options, io, config), name)
  const run = basename(folder)
  // before anything is read: what another process still writes is no state to go on from
  const free = onlyWriter(folder, run)
  try {
    return await goOn(folder, options, io, signal)
  } finally {
    free()
  }
}

async function goOn(folder: string, options: ResumeOptions, io: Io, signal: AbortSignal): Promise<number> {
  const run = basename(folder)
  const runs = dirname(folder)
  const transcript = transcriptOf(folder)
  if (transcript.broken)
    throw new RunbookError(
      'broken_transcript',
      `line ${transcript.broken.line} of the transcript is not what was written: ${transcript.broken.why}`,
      {
        exitCode: exitCode.diverged,
        hint: `\`runbook verify ${run}\` looks at all of it; a run is not resumed from a transcript that cannot be trusted`,
      },
    )
  const [began] = transcript.entries
  if (began?.type !== 'run.began')
    throw new RunbookError('no_run', `\`${run}\` has no first line: nothing had begun`, {
      hint: 'start the runbook again',
    })
  if (began.semantics !== semantics)
    throw new RunbookError(
      'other_semantics',
      `\`${run}\` was begun by an engine with other rules (${began.semantics}, here ${semantics})`,
      { exitCode: exitCode.diverged, hint: `use runbook ${began.engine} to finish it` },
    )
  if (began.mode === 'dry-run') throw new RunbookError('usage', 'a dry run is not resumed', { hint: 'run it again' })
  refuseLostWorld(began, transcript.entries)
  const there = whereItBegan(began, io)
  const config = configOf(there)
  await demandOpenOrFree(began, folder, transcript.entries, config)
  const registry = await loadRegistry(config.plugins)
  const plan = await planFor(began, folder, options, there, registry)
  const steps = stepsByAddress(plan.runbook)
  const reopen = reopenedBy(transcript.entries, steps)
  const surroundings = await openSurroundings(there, {
    inventory: began.from?.inventory,
    limit: began.from?.limit,
    rehearse: began.rehearsal,
    speed: began.from?.speed,
    effects: undefined,
  })
  try {
    const redactor = new Redactor()
    const inputs = await recordedInputs(began, plan, options, io, signal)
    for (const secret of plan.runbook.secrets) redactor.add(secret, String(inputs[secret] ?? ''))
    const view = await viewFor(options.output, io, {
      run,
      transcript: join(folder, 'transcript.jsonl'),
      verbose: options.verbose === true,
      changed: transcript.entries.some(beginsChange),
    })
    const now = () => new Date(surroundings.doors.clock.now()).toISOString()
    const { answer, askSecret, diagnostics } = answersFrom(io, {
      given: options.answer ?? [],
      steps: steps.keys(),
      yes: options.yes === true,
      now,
      view,
    })
    demandNoErrors(diagnostics)
    if (askSecret) surroundings.doors.askWith(hiding(redactor, askSecret))
    const stop = new AbortController()
    if (options.cancel) stop.abort(new Error('the run is to be cancelled'))
    const code = await carryOut({
      run,
      dry: false,
      stepwise: options.step === true || began.from?.step === true,
      plan,
      inputs,
      registry,
      surroundings,
      config,
      runs,
      operator: { user: io.user, host: io.hostname },
      pid: io.pid,
      view,
      answer,
      failOn: options.failOn,
      redactor,
      begin: { resumed: transcript, reopen },
      cancel: AbortSignal.any([signal, stop.signal]),
    })
    for (const file of options.report ?? []) writeReport(resolve(io.cwd, file), reportedLines(folder).entries)
    return code
  } finally {
    await surroundings.close()
  }
}

const beginsChange = (entry: Entry): boolean =>
  entry.type === 'step.began' && entry.effect !== undefined && entry.effect !== 'read'

/** A run that is over may have died between its last line and its locks. */
async function demandOpenOrFree(began: RunBegan, folder: string, entries: readonly Entry[], config: Config) {
  try {
    demandOpen(basename(folder), entries)
  } catch (error) {
    await lockFiles(lockFolder(folder, began.rehearsal, config), { by: '', now: () => '' }).free(began.run)
    throw error
  }
}

/** A run goes on in the folder in which it began, from wherever it is resumed: its commands, files and clouds are found from there. */
function whereItBegan({ from }: RunBegan, io: Io): Io {
  const folder = from?.folder ?? io.cwd
  if (isFolder(folder)) return { ...io, cwd: folder }
  throw new RunbookError('no_folder', `the folder \`${folder}\`, in which this run began, is no longer there`, {
    hint: 'make it again: what runs on this machine runs in it',
  })
}

/** The plan by which the run goes on: that of the file as it is now, when it is still the same; else what was asked for. */
async function planFor(
  began: RunBegan,
  folder: string,
  options: ResumeOptions,
  io: Io,
  registry: Awaited<ReturnType<typeof loadRegistry>>,
): Promise<Plan> {
  const recorded = join(folder, planName(began.runbook))
  const asRecorded = () => recordedPlan(recorded, began.runbook.digest)
  if (options.asRecorded) return asRecorded()
  const library = runbookLibrary(configOf(io).runbooks, io.cwd)
  const path = began.from?.path ?? began.runbook.path
  if (!isFile(path))
    throw new RunbookError('diverged', `\`${path}\`, which this run began with, is no longer there`, {
      exitCode: exitCode.diverged,
      hint: '`--as-recorded` goes on with the runbook as it was',
    })
  const { runbook, diagnostics } = prepare(path, library, registry)
  if (options.acceptChanges) demandNoErrors(diagnostics)
  const broken = diagnostics.some(({ severity }) => severity === 'error')
  const plan = runbook && !broken ? makePlan(runbook, library, registry) : undefined
  if (plan && (plan.digest === began.runbook.digest || options.acceptChanges || samePlan(plan, asRecorded())))
    return plan
  throw new RunbookError('diverged', `\`${path}\` has changed since this run began`, {
    exitCode: exitCode.diverged,
    hint: '`--as-recorded` goes on with the runbook as it was, `--accept-changes` with the runbook as it is now',
  })
}

/** The plan that was kept when the run began, if it is still what was kept. */
function recordedPlan(path: string, digest: string): Plan {
  const text = isFile(path) ? readFileSync(path, 'utf8') : undefined
  const plan = text === undefined ? undefined : planIn(text, digest)
  if (plan) return plan
  throw new RunbookError(
    'broken_transcript',
    `\`${basename(path)}\`, the runbook as it was, is ${text === undefined ? 'missing' : 'not what was written'}`,
    { exitCode: exitCode.diverged, hint: '`--accept-changes` goes on with the runbook as it is now' },
  )
}

/** Plans that differ only in where things stand in their files are the same. */
function samePlan(a: Plan, b: Plan): boolean {
  const withoutPlaces = (plan: Plan) =>
    JSON.stringify(plan.runbook, (key, value: unknown) => (key === 'place' ? undefined : value))
  return withoutPlaces(a) === withoutPlaces(b)
}

/** A rehearsal inside the process ended with it: what was changed in it is gone, so going on would be a lie. */
function refuseLostWorld(began: RunBegan, entries: readonly Entry[]): void {
  if (began.rehearsal === undefined) return
  const changed = entries.some(
    (entry) => entry.type === 'step.began' && entry.effect !== undefined && entry.effect !== 'read',
  )
  if (!changed) return
  throw new RunbookError(
    'world_lost',
    'the rehearsal cloud of this run ended with its process, and the run had begun to change it',
    { hint: `serve one with \`runbook rehearse ${began.rehearsal}\`, and run with its inventory: that world lives on` },
  )
}

async function recordedInputs(
  began: RunBegan,
  plan: Plan,
  options: ResumeOptions,
  io: Io,
  signal: AbortSignal,
): Promise<JsonObject> {
  const secrets = plan.runbook.secrets.filter((name) => name in plan.runbook.inputs)
  const known = Object.fromEntries(Object.entries(began.inputs).filter(([name]) => !secrets.includes(name)))
  const only = Object.fromEntries(
    Object.entries(plan.runbook.inputs).filter(([name]) => secrets.includes(name) || !(name in known)),
  )
  const asked = await inputsFor({ ...plan.runbook, inputs: only }, options, io, signal)
  return { ...known, ...asked }
}
