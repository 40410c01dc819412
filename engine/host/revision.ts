import { execFile } from 'node:child_process'
import { basename, dirname } from 'node:path'

export interface Revision {
  readonly commit: string
  /** Neither the file nor anything beside it in the repository differs from the commit. */
  readonly clean: boolean
}

/** The git commit that holds a file, if there is one. */
export async function revisionOf(path: string): Promise<Revision | undefined> {
  const folder = dirname(path)
  const found = await git(folder, 'rev-parse', 'HEAD', `HEAD:./${basename(path)}`)
  if (found === undefined) return undefined
  const changes = await git(folder, 'status', '--porcelain', '--', '.')
  return { commit: found.split('\n')[0] ?? '', clean: changes?.trim() === '' }
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
