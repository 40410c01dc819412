import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RunbookError } from '../error.ts'
import { isFolder } from './files.ts'

/**
 * One process at a time writes a run: a file in its folder names the process by its number and its start, so that a
 * number that was given again does not keep a run locked for ever. Returns the function that gives the run free.
 */
export function onlyWriter(folder: string, run: string): () => void {
  const path = join(folder, 'writer')
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, `${process.pid} ${startOf(process.pid) ?? ''}\n`, { mode: 0o600 })
  } catch (cause) {
    throw cannotKeep(dirname(folder), cause)
  }
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        linkSync(draft, path)
        return () => rmSync(path, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        if (attempt > 3 || isAlive(path)) {
          throw new RunbookError(
            'run_in_use',
            `the run \`${run}\` is being written by another process (${pidIn(path)})`,
            { hint: `wait until it ends, or follow it with \`runbook show ${run}\`` },
          )
        }
        takeAway(path)
      }
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Makes the folder of a new run, and takes it. Gives the function that gives it free. */
export function beginRun(folder: string, run: string): () => void {
  try {
    makeFolder(dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    throw cannotKeep(dirname(folder), cause)
  }
  try {
    return onlyWriter(folder, run)
  } catch (error) {
    throw neverBegan(folder, error)
  }
}

/** Not `recursive`: that one never comes back where nothing can be made (`/proc`), and takes a read-only disk for a missing one. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && isFolder(path)) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    makeFolder(path)
  }
}

/** Takes away what there is of a run whose first line could not be written, and says why it could not. */
export function neverBegan(folder: string, cause: unknown): unknown {
  const { code } = (cause instanceof RunbookError ? cause.cause : cause) as NodeJS.ErrnoException
  if (code === undefined) return cause
  rmSync(folder, { recursive: true, force: true })
  return cannotKeep(dirname(folder), cause instanceof RunbookError ? cause.cause : cause)
}

function cannotKeep(folder: string, cause: unknown): RunbookError {
  const { code, message } = cause as NodeJS.ErrnoException
  const whys: { readonly [code: string]: string } = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota is used up',
    ENOTDIR: 'a part of its path is a file',
    EEXIST: 'it is a file',
  }
  return new RunbookError('cannot_keep_runs', `runs cannot be kept in \`${folder}\`: ${whys[code ?? ''] ?? message}`, {
    hint: 'nothing was begun; name another folder with `--runs`, or as `runs` in runbook.config.yaml',
    cause,
  })
}

/** Whether a process is writing a run now. */
export function isBeingWritten(folder: string): boolean {
  return isAlive(join(folder, 'writer'))
}

function isAlive(path: string): boolean {
  const [pid = '', start = ''] = contents(path).trim().split(' ')
  const now = startOf(Number(pid))
  return pid !== '' && now !== undefined && (start === '' || now === start)
}

function pidIn(path: string): string {
  return `process ${contents(path).split(' ')[0]}`
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Two may find the same dead writer: the name is moved aside first, and put back when it turned out to be a living one's. */
function takeAway(path: string): void {
  const aside = `${path}.dead.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (isAlive(aside)) linkSync(aside, path)
  unlinkSync(aside)
}

/** When a process started, in the machine's own words; undefined when there is none of this number. */
function startOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...facts] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // one that is dead and not yet buried writes no more
    return state === 'Z' || state === 'X' ? undefined : facts[18]
  } catch {
    return aliveWithoutProc(pid) ? 'alive' : undefined
  }
}

function aliveWithoutProc(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux'
  } catch {
    return false
  }
}
