import { resolve } from 'node:path'
import type { Diagnostic } from '../diagnostic.ts'
import { hasErrors, inOrder } from '../diagnostic.ts'
import { exitCode } from '../error.ts'
import { isFolder, namesIn } from '../host/files.ts'
import { colourWanted } from '../view/colour.ts'
import { diagnosticRecords, drawDiagnostics } from '../view/diagnostics.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { runbookLibrary } from './library.ts'
import { loadInventory, prepare } from './prepare.ts'
import { loadRegistry } from './registry.ts'

export interface CheckOptions {
  readonly inventory?: string
  readonly connect?: boolean
  readonly output: 'text' | 'json'
  readonly strict?: boolean
}

/** `runbook check`: every problem of every runbook named, in one go. */
export async function check(
  names: readonly string[],
  options: CheckOptions,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const config = configOf(io)
  const registry = await loadRegistry(config.plugins)
  const library = runbookLibrary(config.runbooks, io.cwd)
  const path = options.inventory ?? config.inventory
  const inventory = path === undefined ? undefined : loadInventory(resolve(io.cwd, path))
  const wanted =
    names.length > 0
      ? names.flatMap((name) => expand(resolve(io.cwd, name), name))
      : library.all().map((each) => each.path)
  const prepared = wanted.map((name) => prepare(name, library, registry, inventory))
  const diagnostics: readonly Diagnostic[] = prepared.flatMap((each) => each.diagnostics)
  const all = inOrder(diagnostics)
  if (options.output === 'json') io.stdout.write(`${JSON.stringify(diagnosticRecords(all), null, 2)}\n`)
  else if (all.length > 0)
    io.stdout.write(drawDiagnostics(all, { colour: colourWanted({ isTTY: io.stdout.isTTY === true, env: io.env }) }))
  else io.stdout.write(`${wanted.length} runbook${wanted.length === 1 ? '' : 's'} checked, no problems\n`)
  if (hasErrors(all) || (options.strict && all.length > 0)) return exitCode.usage
  if (!options.connect) return exitCode.done
  const runbooks = new Set(prepared.flatMap((each) => each.runbooks))
  return (await import('./connect.ts')).connect([...runbooks], io, options, signal)
}

/** A folder stands for the runbooks in it. */
function expand(path: string, name: string): readonly string[] {
  return isFolder(path)
    ? namesIn(path)
        .filter((file) => /\.ya?ml$/.test(file))
        .map((file) => `${path}/${file}`)
    : [name]
}
