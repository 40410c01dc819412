import { exitCode } from '../error.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { runbookLibrary } from './library.ts'
import { list } from './list.ts'
import { loadRegistry } from './registry.ts'
import { runbookPage } from './runbook-page.ts'
import { Problems } from './yaml-file.ts'

/** `runbook docs`: a runbook as a page, or the list of those that have one. */
export async function docs(name: string | undefined, io: Io): Promise<number> {
  if (name === undefined) return list(io)
  const config = configOf(io)
  const library = runbookLibrary(config.runbooks, io.cwd)
  const { runbook, diagnostics } = library.load(name)
  if (!runbook) throw new Problems(diagnostics)
  io.stdout.write(runbookPage(runbook, library, await loadRegistry(config.plugins)))
  return exitCode.done
}
