import { createHash } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Held, Locks } from '../journal/lock.ts'

/**
 * Locks as files in a folder that the runs of this machine share: one file per lock, made whole and then linked into its
 * place, so that two runs can never both have made it. It names the run that holds it; that run alone frees it.
 */
export function lockFiles(folder: string, owner: { readonly by: string; readonly now: () => string }): Locks {
  return {
    async take(names, run) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const taken: string[] = []
      for (const lock of names.toSorted()) {
        const held: Held = { lock, run, by: owner.by, since: owner.now() }
        const holder = await takeOne(folder, held)
        if (holder === undefined) taken.push(lock)
        else if (holder.run !== run) {
          for (const name of taken) await unlink(pathOf(folder, name))
          return holder
        }
      }
      return undefined
    },
    async free(run) {
      for (const held of await allHeld(folder)) if (held.run === run) await unlink(pathOf(folder, held.lock))
    },
  }
}

/** Every lock that is held. */
async function allHeld(folder: string): Promise<readonly Held[]> {
  const names = await readdir(folder).catch(() => [])
  const held = await Promise.all(names.filter((name) => name.endsWith('.lock')).map((name) => read(join(folder, name))))
  return held.filter((each) => each !== undefined)
}

async function takeOne(folder: string, held: Held): Promise<Held | undefined> {
  const path = pathOf(folder, held.lock)
  const draft = `${path}.${held.run}.draft`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(held)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await read(path)) ?? { ...held, run: 'unknown' }
  } finally {
    await unlink(draft)
  }
}

async function read(path: string): Promise<Held | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Held
  } catch {
    return undefined
  }
}

function pathOf(folder: string, lock: string): string {
  return join(folder, `${createHash('sha256').update(lock).digest('hex').slice(0, 32)}.lock`)
}
