import { exitCode, RunbookError } from '../error.ts'
import { folderOfRun, reportedLines } from '../host/runs.ts'
import { colourWanted } from '../view/colour.ts'
import { renderText } from '../view/text.ts'
import { configOf, runsFolder } from './config.ts'
import { describeRunbook } from './describe.ts'
import type { Io } from './io.ts'
import { runbookLibrary } from './library.ts'
import { renderers } from './report.ts'

/** `runbook show`: a run as a report, or what a runbook is for. */
export async function show(
  name: string,
  options: { readonly format: string; readonly runs?: string },
  io: Io,
): Promise<number> {
  const config = configOf(io)
  const runs = runsFolder(options, io, config)
  const folder = findRun(runs, name)
  if (folder instanceof RunbookError) {
    const { runbook } = runbookLibrary(config.runbooks, io.cwd).load(name)
    if (!runbook) throw folder
    io.stdout.write(describeRunbook(runbook))
    return exitCode.done
  }
  const { entries, broken, torn } = reportedLines(folder)
  const colour = colourWanted({ isTTY: io.stdout.isTTY === true, env: io.env })
  io.stdout.write(
    options.format === 'text' ? renderText(entries, { colour }) : (renderers[options.format]?.(entries) ?? ''),
  )
  if (broken)
    io.stderr.write(
      `warning: line ${broken.line} of the transcript is not what was written (${broken.why}); what follows is not shown\n`,
    )
  if (torn) io.stderr.write('warning: the last line of the transcript was not written to its end, and is not shown\n')
  return broken ? exitCode.failed : exitCode.done
}

function findRun(runs: string, name: string): string | RunbookError {
  try {
    return folderOfRun(runs, name)
  } catch (error) {
    if (error instanceof RunbookError && error.code === 'no_run') return error
    throw error
  }
}
