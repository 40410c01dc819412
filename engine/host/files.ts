import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { piped } from './piped.ts'

export type ReadBytes =
  | { readonly bytes: Uint8Array }
  | { readonly problem: 'missing' | 'folder' | 'unreadable' | 'too large'; readonly why: string }

/** What can be asked about a path: its bytes (told by their digest), whether it is a file or a folder, what is in it. */
export type Question = 'bytes' | 'file' | 'folder' | 'names'

export interface Asked {
  readonly question: Question
  readonly path: string
  readonly answer: string
}

let listener: ((asked: Asked) => void) | undefined

/**
 * Calls a function, and gives with its result every question that it asked about files. None are given when one was
 * answered in two ways: a file changed meanwhile.
 */
export async function withQuestions<T>(
  find: () => Promise<T>,
): Promise<{ readonly result: T; readonly asked: readonly Asked[] | undefined }> {
  const asked = new Map<string, Asked>()
  let steady = true
  listener = (each) => {
    const key = `${each.question} ${each.path}`
    steady &&= (asked.get(key) ?? each).answer === each.answer
    asked.set(key, each)
  }
  try {
    return { result: await find(), asked: steady ? [...asked.values()] : undefined }
  } finally {
    listener = undefined
  }
}

/** A question asked again. */
export function answerOf(question: Question, path: string): string {
  switch (question) {
    case 'bytes':
      return isPiped(path) ? 'not again' : digestOf(readBytes(path))
    case 'file':
      return String(isFile(path))
    case 'folder':
      return String(isFolder(path))
    case 'names':
      return namesIn(path).join('/')
  }
}

function digestOf(found: ReadBytes): string {
  return 'bytes' in found ? createHash('sha256').update(found.bytes).digest('hex') : found.problem
}

/** The bytes of a file, or what stands in the way. A file that is far too large is not read at all. */
export function readBytes(path: string, most = 64 * 1024 * 1024): ReadBytes {
  const found = bytesOf(path, most)
  // what comes out of a pipe comes once
  listener?.({ question: 'bytes', path, answer: isPiped(path) ? 'once' : digestOf(found) })
  return found
}

function bytesOf(path: string, most: number): ReadBytes {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return { problem: 'folder', why: 'it is a folder' }
    if (stats.size > most) return { problem: 'too large', why: `it has ${stats.size} bytes` }
    if (stats.isFile()) return { bytes: readFileSync(path) }
    if (stats.isCharacterDevice() && path === '/dev/null') return { bytes: new Uint8Array() }
    const found = piped(path, most)
    if (found === undefined) return { problem: 'unreadable', why: 'it is a pipe, and nobody writes into it' }
    if (found === 'too large') return { problem: 'too large', why: `it gives more than ${most} bytes` }
    return { bytes: found }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'missing', why: 'it does not exist' }
    return { problem: 'unreadable', why: code === 'EACCES' ? 'permission denied' : message }
  }
}

function isPiped(path: string): boolean {
  try {
    const stats = statSync(path)
    return !stats.isFile() && !stats.isDirectory()
  } catch {
    return false
  }
}

export function isFile(path: string): boolean {
  return told('file', path, existsSync(path) && statSync(path).isFile())
}

export function isFolder(path: string): boolean {
  return told('folder', path, existsSync(path) && statSync(path).isDirectory())
}

function told(question: Question, path: string, answer: boolean): boolean {
  listener?.({ question, path, answer: String(answer) })
  return answer
}

/** The names in a folder, sorted; none when it is not there. */
export function namesIn(folder: string): readonly string[] {
  const names = isFolder(folder) ? readdirSync(folder).toSorted() : []
  listener?.({ question: 'names', path: folder, answer: names.join('/') })
  return names
}

/** Where this package is installed: its runbooks, schemas and pages are found from here. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!isFile(join(folder, 'package.json')) || !isFolder(join(folder, 'schemas'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('the package is not whole: its schemas are missing')
    folder = above
  }
  return folder
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
  return version
}
