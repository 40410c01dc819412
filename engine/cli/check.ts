import { join } from 'node:path'
import { hasErrors } from '../diagnostic.ts'
import { exitCode } from '../error.ts'
import { readBytes, withQuestions } from '../host/files.ts'
import { keep, type Place, placeFor, recall } from '../host/kept-answers.ts'
import { colourWanted } from '../view/colour.ts'
import { diagnosticRecords, drawDiagnostics } from '../view/diagnostics.ts'
import type { Io } from './io.ts'

export interface CheckOptions {
  readonly inventory?: string
  readonly connect?: boolean
  readonly output: 'text' | 'json'
  readonly strict?: boolean
  readonly cache: boolean
}

/**
 * `runbook check`: every problem of every runbook named, in one go. That there is none is kept, with all that was asked
 * about files to know it; while every answer is still the same, it is not found out again.
 */
export async function check(
  names: readonly string[],
  options: CheckOptions,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const place = options.cache && !options.connect ? placeOf(names, options, io) : undefined
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

/** The program stands for its code: the names of the files that it loads are made from what is in them. */
function placeOf(names: readonly string[], { inventory }: CheckOptions, io: Io): Place | undefined {
  if (!io.program?.endsWith('.js')) return undefined
  const code = readBytes(io.program)
  if (!('bytes' in code)) return undefined
  const folder = join(io.env['XDG_CACHE_HOME'] || join(io.home, '.cache'), 'runbook', 'checks')
  const text = new TextDecoder().decode(code.bytes)
  return placeFor(folder, [text, process.version, io.cwd, io.home, process.env['HOME'], names, inventory])
}
