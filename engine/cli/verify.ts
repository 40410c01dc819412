import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { exitCode } from '../error.ts'
import { isFile } from '../host/files.ts'
import { folderOfRun, transcriptOf } from '../host/runs.ts'
import { sumOf } from '../journal/chain.ts'
import type { Entry } from '../run/event.ts'
import { runsFolder } from './config.ts'
import type { Io } from './io.ts'
import { planIn, planName } from './kept-plan.ts'

/** `runbook verify`: the chain of the transcript, line by line, and what is kept beside it. */
export async function verify(name: string, options: { readonly runs?: string }, io: Io): Promise<number> {
  const folder = folderOfRun(runsFolder(options, io), name)
  const run = basename(folder)
  const { entries, broken, torn, link } = transcriptOf(folder)
  const say = (text: string) => void io.stdout.write(`${text}\n`)
  if (broken) {
    say(`broken: line ${broken.line} of ${run}: ${broken.why}`)
    say(`the ${entries.length} lines before it are as they were written`)
    return exitCode.failed
  }
  if (entries.length === 0) {
    say(`empty: ${run} has no whole line: it was stopped before its first was written, or somebody emptied it`)
    return exitCode.failed
  }
  const wrong = keptFiles(entries).find(
    ({ file, digest }) => !isFile(join(folder, file)) || sumOf(readFileSync(join(folder, file), 'utf8')) !== digest,
  )
  if (wrong) {
    say(
      `broken: ${wrong.file}, which line ${wrong.line} names, is ${isFile(join(folder, wrong.file)) ? 'not what was written' : 'missing'}`,
    )
    return exitCode.failed
  }
  const plan = wrongPlan(folder, entries)
  if (plan !== undefined) {
    say(`broken: ${plan}, the runbook as it was, is not what was written`)
    return exitCode.failed
  }
  const last = entries.at(-1)
  const state =
    last?.type === 'run.ended'
      ? `ended ${last.status}`
      : last?.type === 'run.parked'
        ? 'parked: it waits for an answer'
        : 'not ended'
  say(`whole: ${entries.length} lines of ${run}, ${state}`)
  if (torn) say('the last line was not written to its end: the process was stopped while it wrote')
  say(`sum of the last line: ${link.sum}`)
  return exitCode.done
}

/** The kept plan, when it is not the one whose digest the first line gives. One that was taken away cannot mislead anybody. */
function wrongPlan(folder: string, [began]: readonly Entry[]): string | undefined {
  if (began?.type !== 'run.began') return undefined
  const name = planName(began.runbook)
  const path = join(folder, name)
  return isFile(path) && planIn(readFileSync(path, 'utf8'), began.runbook.digest) === undefined ? name : undefined
}

/** Values that were too large for a line, with the digest that their name promises. */
function keptFiles(
  entries: readonly Entry[],
): readonly { readonly file: string; readonly digest: string; readonly line: number }[] {
  return entries.flatMap((entry) => {
    const value =
      entry.type === 'step.ended' && 'result' in entry.outcome
        ? entry.outcome.result
        : entry.type === 'value'
          ? entry.value
          : undefined
    const file =
      typeof value === 'object' && value !== null && '$file' in value
        ? String((value as { $file: unknown }).$file)
        : undefined
    const digest = file === undefined ? undefined : /^sha256-([0-9a-f]{64})\.json$/.exec(file)?.[1]
    return file !== undefined && digest !== undefined ? [{ file, digest, line: entry.seq }] : []
  })
}
