import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type LocalFiles, StepFailure } from '../action/contract.ts'
import { readBytes } from './files.ts'
import { digestOf } from './large-file.ts'

/** Bytes of the largest file that goes through a run. */
const largestFile = 32 * 1024 * 1024

export const localFiles: LocalFiles = {
  async read(path) {
    const found = readBytes(resolve(path), largestFile)
    if ('bytes' in found) return found.bytes
    throw new StepFailure(
      found.problem === 'too large' ? 'too_large' : 'no_file',
      `cannot read \`${path}\` on this machine: ${found.why}`,
    )
  },
  digest: digestOf,
  async write(path, bytes) {
    const target = resolve(path)
    const fresh = `${target}.${randomBytes(6).toString('hex')}`
    try {
      const file = await open(fresh, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(fresh, target)
    } catch (cause) {
      await rm(fresh, { force: true })
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new StepFailure('not_written', `cannot write \`${path}\` on this machine: ${why}`, {
        cause,
        hint: `look at the folder \`${dirname(target)}\``,
      })
    }
  },
}
