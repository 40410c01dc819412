import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { closest } from '../diagnostic.ts'
import { RunbookError } from '../error.ts'
import { loaded } from '../journal/beside.ts'
import type { Transcript } from '../journal/chain.ts'
import { readTranscript } from '../journal/chain.ts'
import type { Json } from '../json.ts'
import { isFile, namesIn } from './files.ts'
import { loadKept, transcriptName } from './journal-file.ts'

/** The runs of a folder, oldest first: their names sort by time. */
export function runIds(folder: string): readonly string[] {
  return namesIn(folder).filter((name) => isFile(join(folder, name, transcriptName)))
}

/** The folder of a run, from its name, the end of its name, `last`, or a path. */
export function folderOfRun(folder: string, run: string): string {
  if (isFile(join(run, transcriptName))) return run
  const ids = runIds(folder)
  const found =
    run === 'last'
      ? ids.slice(-1)
      : ids.includes(run)
        ? [run]
        : ids.filter((id) => id.endsWith(run) || id.startsWith(run))
  if (found.length === 1 && found[0] !== undefined) return join(folder, found[0])
  if (found.length > 1)
    throw new RunbookError('run_not_clear', `\`${run}\` could be ${found.slice(-4).join(' or ')}`, {
      hint: 'give more of its name',
    })
  const near = closest(run, ids)
  throw new RunbookError('no_run', `there is no run \`${run}\` in \`${folder}\``, {
    hint: near === undefined ? '`runbook runs` lists them' : `did you mean \`${near}\`?`,
  })
}

export function transcriptOf(folder: string): Transcript {
  return readTranscript(readFileSync(join(folder, transcriptName), 'utf8'))
}

/** The lines of a run for a report: what is kept beside the transcript stands in its place, where it is still there. */
export function reportedLines(folder: string): Transcript {
  const transcript = transcriptOf(folder)
  const load = (name: string): Json => (isFile(join(folder, name)) ? loadKept(folder, name) : { $file: name })
  const entries = transcript.entries.map((entry) =>
    entry.type === 'step.ended' ? { ...entry, outcome: loaded(load, entry.outcome) } : entry,
  )
  return { ...transcript, entries }
}
