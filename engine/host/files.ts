import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ReadBytes =
  | { readonly bytes: Uint8Array }
  | { readonly problem: 'missing' | 'folder' | 'unreadable' | 'too large'; readonly why: string }

/** The bytes of a file, or what stands in the way. A file that is far too large is not read at all. */
export function readBytes(path: string, most = 64 * 1024 * 1024): ReadBytes {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return { problem: 'folder', why: 'it is a folder' }
    if (stats.size > most) return { problem: 'too large', why: `it has ${stats.size} bytes` }
    return { bytes: readFileSync(path) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'missing', why: 'it does not exist' }
    return { problem: 'unreadable', why: code === 'EACCES' ? 'permission denied' : message }
  }
}

export function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

/** The names in a folder, sorted; none when it is not there. */
export function namesIn(folder: string): readonly string[] {
  return isFolder(folder) ? readdirSync(folder).toSorted() : []
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

export interface Revision {
  readonly commit: string
  /** Neither the file nor anything beside it in the repository differs from the commit. */
  readonly clean: boolean
}

/** The git commit that a file stands in, if it stands in one. */
export async function revisionOf(path: string): Promise<Revision | undefined> {
  const folder = dirname(path)
  const commit = await git(folder, 'rev-parse', 'HEAD')
  const known = commit === undefined ? undefined : await git(folder, 'ls-files', '--error-unmatch', '--', path)
  if (commit === undefined || known === undefined) return undefined
  const changes = await git(folder, 'status', '--porcelain', '--', '.')
  return { commit: commit.trim(), clean: changes?.trim() === '' }
}

function git(folder: string, ...words: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'git',
      ['-C', folder, ...words],
      { timeout: 5_000, env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' } },
      (error, stdout) => resolve(error ? undefined : stdout),
    )
  })
}
