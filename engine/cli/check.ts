import { basename, dirname, join, resolve } from 'node:path'
import { hasErrors } from '../diagnostic.ts'
import { exitCode } from '../error.ts'
import { isFile, isFolder, packageRoot, readBytes, withQuestions } from '../host/files.ts'
import { keep, type Place, placeFor, recall } from '../host/kept-answers.ts'
import { colourWanted } from '../view/colour.ts'
import { diagnosticRecords, drawDiagnostics } from '../view/diagnostics.ts'
import { configPath } from './config-path.ts'
import type { Io } from './io.ts'
import { looksLikePath } from './runbook-name.ts'

export interface CheckOptions {
  readonly inventory?: string
  readonly connect?: boolean
  readonly output: 'text' | 'json'
  readonly strict?: boolean
  readonly cache: boolean
}

/**
 * `runbook check`: every problem of every runbook named, in one go. That there is none is kept, with all that was asked
 * about files to know it; while every answer is still the same, it is not found out again. Those that ship were checked
 * when the program was built.
 */
export async function check(
  names: readonly string[],
  options: CheckOptions,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const cached = options.cache && !options.connect
  if (cached && areAsShipped(names, options, io)) return none(names.length, ', as shipped')
  const place = cached ? placeOf(names, options, io) : undefined
  const known = place && recall(place)
  if (typeof known === 'number') return none(known, ', and nothing has changed since')
  const { result, asked } = await withQuestions(async () => (await import('./examine.ts')).examine(names, options, io))
  const { count, diagnostics, plugins, runbooks } = result
  // plugins are code, which may ask about anything
  if (place && asked && diagnostics.length === 0 && !plugins) keep(place, { asked, result: count })
  if (diagnostics.length === 0) none(count)
  else if (options.output === 'json') io.stdout.write(`${JSON.stringify(diagnosticRecords(diagnostics), null, 2)}\n`)
  else
    io.stdout.write(
      drawDiagnostics(diagnostics, { colour: colourWanted({ isTTY: io.stdout.isTTY === true, env: io.env }) }),
    )
  if (hasErrors(diagnostics) || (options.strict && diagnostics.length > 0)) return exitCode.usage
  if (!options.connect) return exitCode.done
  return (await import('./connect.ts')).connect(runbooks, io, options, signal)

  function none(count: number, more = ''): number {
    io.stdout.write(
      options.output === 'json' ? '[]\n' : `${count} runbook${count === 1 ? '' : 's'} checked, no problems${more}\n`,
    )
    return exitCode.done
  }
}

/** Whether what the build found of the runbooks that ship (`scripts/checked.ts`) is what a check would find here. */
function areAsShipped(names: readonly string[], { inventory }: CheckOptions, { cwd, program }: Io): boolean {
  // with no names it is all that are there; an inventory and a configuration have a say in what is right
  if (names.length === 0 || inventory !== undefined || !program?.endsWith('.js') || configPath(cwd)) return false
  const root = packageRoot()
  const shipped = join(root, 'runbooks')
  const folder = join(dirname(program), 'checks')
  return names.every((name) => {
    const here = resolve(cwd, name)
    const path = isFile(here) || isFolder(here) || looksLikePath(name) ? here : join(shipped, `${name}.yaml`)
    return dirname(path) === shipped && recall({ folder, name: `${basename(path)}.json` }, root) === 1
  })
}

/** The program stands for its code: the names of the files that it loads are made from what is in them. */
function placeOf(names: readonly string[], { inventory }: CheckOptions, io: Io): Place | undefined {
  if (!io.program?.endsWith('.js')) return undefined
  const code = readBytes(io.program)
  if (!('bytes' in code)) return undefined
  const folder = join(io.env['XDG_CACHE_HOME'] || join(io.home, '.cache'), 'runbook', 'checks')
  const text = new TextDecoder().decode(code.bytes)
  return placeFor(folder, [text, process.version, io.cwd, io.home, process.env['HOME'], names, inventory])
}
