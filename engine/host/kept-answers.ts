import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Asked, answerOf } from './files.ts'

/** Where something is kept that followed from nothing but files, and from the values that name it. */
export interface Place {
  readonly folder: string
  readonly name: string
}

export interface Kept {
  readonly asked: readonly Asked[]
  readonly result: unknown
}

/** As many are kept as one works with; the others were of another time. */
const mostKept = 200

export function placeFor(folder: string, values: readonly unknown[]): Place {
  return { folder, name: `${createHash('sha256').update(JSON.stringify(values)).digest('hex')}.json` }
}

/**
 * What was kept, when each question that was asked about files has the same answer now; undefined when one has another,
 * when nothing was kept, or when it cannot be read. A path that is not absolute is one below `root`.
 */
export function recall({ folder, name }: Place, root = '/'): unknown {
  try {
    const { asked, result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Kept
    const holds = asked.every(({ question, path, answer }) => answerOf(question, resolve(root, path)) === answer)
    return holds ? result : undefined
  } catch {
    return undefined
  }
}

/** Keeps what followed from answers about files. Where it cannot be kept, nothing is lost: it is found out again. */
export function keep({ folder, name }: Place, kept: Kept): void {
  try {
    mkdirSync(folder, { recursive: true })
    const draft = join(folder, `${name}.${process.pid}`)
    writeFileSync(draft, JSON.stringify(kept))
    renameSync(draft, join(folder, name))
    forgetOld(folder)
  } catch {
    // a cache that cannot be written is none
  }
}

function forgetOld(folder: string): void {
  const paths = readdirSync(folder).map((name) => join(folder, name))
  if (paths.length <= mostKept) return
  const byAge = paths.map((path) => ({ path, time: statSync(path).mtimeMs })).toSorted((a, b) => b.time - a.time)
  for (const { path } of byAge.slice(mostKept / 2)) rmSync(path, { force: true })
}
