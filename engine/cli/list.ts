import { exitCode } from '../error.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { runbookLibrary } from './library.ts'

/** `runbook list`: the runbooks there are, the first of a name. */
export async function list(io: Io): Promise<number> {
  const library = runbookLibrary(configOf(io).runbooks, io.cwd)
  const seen = new Set<string>()
  const all = library.all().filter(({ name }) => !seen.has(name) && seen.add(name))
  const width = Math.max(0, ...all.map(({ name }) => name.length))
  for (const { name } of all)
    io.stdout.write(
      `${name.padEnd(width)}  ${library.load(name).runbook?.title ?? 'cannot be read: `runbook check` says why'}\n`,
    )
  return exitCode.done
}
