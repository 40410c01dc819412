import { join, resolve } from 'node:path'
import { exitCode, RunbookError } from '../error.ts'
import { packageVersion } from '../host/files.ts'
import { beginRun } from '../host/only-writer.ts'
import { revisionOf } from '../host/revision.ts'
import { reportedLines } from '../host/runs.ts'
import { Redactor } from '../journal/redact.ts'
import type { Json, JsonObject, Schema } from '../json.ts'
import { stepsByAddress } from '../run/engine.ts'
import type { RunBegan } from '../run/event.ts'
import { colourWanted } from '../view/colour.ts'
import { drawDiagnostics } from '../view/diagnostics.ts'
import { answersFrom, hiding } from './answers.ts'
import { carryOut, newRunId } from './carry-out.ts'
import { configOf, runsFolder } from './config.ts'
import { faultOfSecret, gatherInputs, missingInputs, typedValue } from './inputs.ts'
import type { Io } from './io.ts'
import { hasTerminal } from './io.ts'
import { runbookLibrary, shownPath } from './library.ts'
import { outlineOf } from './outline.ts'
import { demandNoErrors, makePlan, prepare } from './prepare.ts'
import { previousRun } from './previous.ts'
import { loadRegistry } from './registry.ts'
import { demandReports, writeReport } from './report.ts'
import { openSurroundings } from './surroundings.ts'
import type { FailOn } from './verdict.ts'
import { viewFor } from './view.ts'
import { Problems } from './yaml-file.ts'

export interface ExecOptions {
  readonly input?: readonly string[]
  readonly inputFile?: readonly string[]
  readonly inputs?: string
  readonly inventory?: string
  readonly limit?: string
  readonly dryRun?: boolean
  readonly rehearse?: string
  readonly speed?: number
  readonly effects?: string
  readonly step?: boolean
  readonly yes?: boolean
  readonly answer?: readonly string[]
  readonly output?: 'live' | 'plain' | 'json'
  readonly failOn: FailOn
  readonly runs?: string
  readonly report?: readonly string[]
  readonly verbose?: boolean
}

/** `runbook exec`: reads, checks, plans and walks a runbook. */
export async function exec(name: string, options: ExecOptions, io: Io, signal: AbortSignal): Promise<number> {
  const config = configOf(io)
  demandReports((options.report ?? []).map((file) => resolve(io.cwd, file)))
  const runs = runsFolder(options, io, config)
  const registry = await loadRegistry(config.plugins)
  const library = runbookLibrary(config.runbooks, io.cwd)
  const inventory = options.rehearse !== undefined ? options.inventory : (options.inventory ?? config.inventory)
  // everything that can be wrong is told before anything is opened
  const first = prepare(name, library, registry)
  demandNoErrors(first.diagnostics)
  const surroundings = await openSurroundings(io, {
    inventory: inventory === undefined ? undefined : resolve(io.cwd, inventory),
    limit: options.limit,
    rehearse: options.rehearse,
    speed: options.speed,
    effects: options.effects === undefined ? undefined : resolve(io.cwd, options.effects),
  })
  try {
    const { runbook, path, diagnostics } = prepare(
      name,
      library,
      registry,
      inventory === undefined && options.rehearse === undefined ? undefined : surroundings.inventory,
    )
    const warnings = demandNoErrors(diagnostics)
    if (!runbook) throw new Problems(diagnostics)
    if (warnings.length > 0)
      io.stderr.write(
        `${drawDiagnostics(warnings, { colour: colourWanted({ isTTY: io.stderr.isTTY === true, env: io.env }) })}\n`,
      )
    const plan = makePlan(runbook, library, registry)
    const redactor = new Redactor()
    const inputs = await inputsFor(plan.runbook, options, io, signal)
    for (const secret of plan.runbook.secrets) redactor.add(secret, String(inputs[secret] ?? ''))
    const clock = surroundings.doors.clock
    const run = newRunId(new Date())
    const operator = { user: io.user, host: io.hostname }
    const revision = await revisionOf(path)
    const view = await viewFor(options.output, io, {
      run,
      transcript: join(runs, run, 'transcript.jsonl'),
      verbose: options.verbose === true,
      changed: false,
    })
    const {
      answer,
      askSecret,
      diagnostics: badAnswers,
    } = answersFrom(io, {
      given: options.answer ?? [],
      steps: stepsByAddress(plan.runbook).keys(),
      yes: options.yes === true,
      now: () => new Date(clock.now()).toISOString(),
      view,
    })
    demandNoErrors(badAnswers)
    if (askSecret) surroundings.doors.askWith(hiding(redactor, askSecret))
    const recorded = masked(inputs, plan.runbook.secrets)
    const allowed = new Set(surroundings.hosts.matching('all').map((host) => host.name))
    const hosts = [...surroundings.inventory.hosts.keys()].filter((host) => allowed.has(host))
    const previous = previousRun(runs, plan.runbook.name, {
      cloud: surroundings.cloud,
      rehearsal: options.rehearse,
      hosts,
      inputs: recorded,
    })
    const begin: RunBegan = {
      type: 'run.began',
      format: 'runbook-transcript/1',
      run,
      mode: options.dryRun ? 'dry-run' : 'run',
      engine: packageVersion(),
      semantics: plan.semantics,
      runbook: {
        name: plan.runbook.name,
        title: plan.runbook.title,
        path: shownPath(path, io.cwd),
        digest: plan.digest,
        ...revision,
      },
      by: operator,
      pid: io.pid,
      inputs: recorded,
      defaults: defaultsAmong(inputs, plan.runbook.inputs),
      hosts,
      ...(surroundings.cloud !== undefined && { cloud: surroundings.cloud }),
      ...(options.rehearse !== undefined && { rehearsal: options.rehearse }),
      outline: outlineOf(plan.runbook, inputs),
      ...(previous && { previous }),
      from: {
        path,
        folder: io.cwd,
        ...(inventory !== undefined && { inventory: resolve(io.cwd, inventory) }),
        ...(options.limit !== undefined && { limit: options.limit }),
        ...(options.speed !== undefined && { speed: options.speed }),
        ...(options.step === true && { step: true }),
      },
    }
    const free = beginRun(join(runs, run), run)
    const code = await carryOut({
      run,
      dry: options.dryRun === true,
      stepwise: options.step === true,
      plan,
      inputs,
      registry,
      surroundings,
      config,
      runs,
      operator,
      pid: io.pid,
      view,
      answer,
      failOn: options.failOn,
      redactor,
      begin,
      cancel: signal,
    }).finally(free)
    for (const file of options.report ?? []) writeReport(resolve(io.cwd, file), reportedLines(join(runs, run)).entries)
    return code
  } finally {
    await surroundings.close()
  }
}

/** The inputs, secrets that nobody gave asked for where a person is there. Throws `Problems`. */
export async function inputsFor(
  runbook: Parameters<typeof gatherInputs>[0],
  options: Pick<ExecOptions, 'input' | 'inputFile' | 'inputs'>,
  io: Io,
  signal: AbortSignal,
): Promise<JsonObject> {
  const gathered = gatherInputs(runbook, {
    given: options.input ?? [],
    fromFiles: options.inputFile ?? [],
    cwd: io.cwd,
    ...(options.inputs !== undefined && { file: resolve(io.cwd, options.inputs) }),
    env: io.env,
  })
  const values: { [name: string]: Json } = { ...gathered.values }
  const missing: string[] = []
  for (const name of gathered.missing) {
    if (!runbook.secrets.includes(name) || !hasTerminal(io) || gathered.diagnostics.length > 0) missing.push(name)
    else {
      const { promptSecret } = await import('../host/prompt.ts')
      const terminal = { input: io.stdin, output: io.stderr }
      const fault = (text: string) => faultOfSecret(text, runbook.inputs[name] ?? {})
      const said = await promptSecret(`${name}:`, terminal, signal, fault)
      if (signal.aborted)
        throw new RunbookError('interrupted', 'interrupted; nothing was begun', { exitCode: exitCode.interrupted })
      if (said === undefined) missing.push(name)
      else values[name] = typedValue(said, runbook.inputs[name] ?? {})
    }
  }
  const problems = [...gathered.diagnostics, ...missingInputs(runbook, missing)]
  if (problems.length > 0) throw new Problems(problems)
  return values
}

/** Inputs that have the value of their default. */
function defaultsAmong(inputs: JsonObject, schemas: { readonly [name: string]: Schema }): readonly string[] {
  return Object.keys(inputs).filter(
    (name) => JSON.stringify(inputs[name]) === JSON.stringify(schemas[name]?.['default']),
  )
}

function masked(inputs: JsonObject, secrets: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, secrets.includes(name) ? `«${name}»` : value]),
  )
}
