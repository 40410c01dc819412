import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { closest } from '../diagnostic.ts'
import { RunbookError } from '../error.ts'
import { loaded } from '../journal/beside.ts'
import type { Transcript } from '../journal/chain.ts'
import { readTranscript } from '../journal/chain.ts'
import type { Json } from '../json.ts'
import type { Entry } from '../run/event.ts'
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

/** The transcript in the folder of a run, as far as it can be trusted; throws where there is none. */
export function transcriptOf(folder: string): Transcript {
  return readTranscript(readFileSync(join(folder, transcriptName), 'utf8'))
}

/** The first line of a run, without reading the rest; nothing where it is not whole, or not what was written. */
export function firstEntry(folder: string): Entry | undefined {
  const file = openSync(join(folder, transcriptName), 'r')
  try {
    const read: Buffer[] = []
    for (;;) {
      const buffer = Buffer.alloc(64 * 1024)
      const part = buffer.subarray(0, readSync(file, buffer))
      const end = part.indexOf('\n')
      read.push(end < 0 ? part : part.subarray(0, end + 1))
      if (end >= 0 || part.length === 0) return readTranscript(Buffer.concat(read).toString('utf8')).entries[0]
    }
  } finally {
    closeSync(file)
  }
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
