import { existsSync, readFileSync } from 'node:fs'
import { open, rename, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exitCode, RunbookError } from '../error.ts'
import { keptName } from '../journal/chain.ts'
import type { JournalFile } from '../journal/local.ts'
import type { Json } from '../json.ts'

export const transcriptName = 'transcript.jsonl'

/** The transcript of a run, open for appending. Writes go out in the order they were asked for; flushes that wait are made as one. */
export async function openJournal(
  folder: string,
  { wholeBytes }: { readonly wholeBytes?: number } = {},
): Promise<JournalFile & { close(): Promise<void> }> {
  const path = join(folder, transcriptName)
  // a torn last line goes before anything is written after it
  if (wholeBytes !== undefined && (await stat(path)).size > wholeBytes) await truncate(path, wholeBytes)
  const file = await open(path, 'a', 0o600)
  await file.sync()
  await syncFolder(folder)
  await syncFolder(dirname(folder))
  let pending: { text: string; flush: boolean; done: () => void; failed: (error: Error) => void }[] = []
  let writing: Promise<void> | undefined
  let broken: Error | undefined

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending
      pending = []
      try {
        if (broken) throw broken
        await writeAll(batch.map(({ text }) => text).join(''))
        if (batch.some(({ flush }) => flush)) await file.datasync()
        for (const { done } of batch) done()
      } catch (cause) {
        broken ??= cannotWrite(path, cause)
        for (const { failed } of batch) failed(broken)
      }
    }
    writing = undefined
  }

  async function writeAll(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    for (let from = 0; from < bytes.length; ) from += (await file.write(bytes, from)).bytesWritten
  }

  return {
    append(text, flush) {
      return new Promise((done, failed) => {
        pending.push({ text, flush, done, failed })
        writing ??= drain()
      })
    },
    async keep(name, text) {
      const temporary = join(folder, `.${name}.${process.pid}`)
      try {
        const kept = await open(temporary, 'w', 0o600)
        try {
          await kept.writeFile(text)
          await kept.datasync()
        } finally {
          await kept.close()
        }
        await rename(temporary, join(folder, name))
        await syncFolder(folder)
      } catch (cause) {
        await rm(temporary, { force: true })
        throw cannotWrite(join(folder, name), cause)
      }
    },
    async close() {
      await writing
      await file.close()
    },
  }
}

/** The error that stops a run whose lines can no longer be written. */
export function cannotWrite(path: string, cause: unknown): RunbookError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RunbookError('cannot_record', `the transcript cannot be written: ${why}`, {
    exitCode: exitCode.inDoubt,
    hint: `make room for \`${path}\`, then \`runbook resume\` goes on where it stopped; nothing was begun after the last line`,
    cause,
  })
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** A value that `keep` kept. */
export function loadKept(folder: string, name: string): Json {
  const path = join(folder, name)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (text !== undefined && name === keptName(text)) return JSON.parse(text) as Json
  throw new RunbookError(
    'broken_transcript',
    `\`${name}\` is ${text === undefined ? 'missing' : 'not what was written'}`,
    {
      exitCode: exitCode.diverged,
      hint: 'it holds a result that the transcript names; a run is not resumed without it',
    },
  )
}
