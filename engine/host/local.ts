import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { kill } from 'node:process'
import { type Command, type CommandResult, type Local, StepFailure } from '../action/contract.ts'
import type { Call } from '../run/event.ts'
import { defaultMaxOutput, invocationOf, scriptFile, seenOf, showCommand } from './command.ts'
import { atRealPace, cameWithin, type HostClock, neverAborted, whenAborted } from './deadline.ts'
import { type Output, output } from './output.ts'

export interface LocalDoorOptions {
  readonly clock: HostClock
  /** What a command inherits; its own `env` comes on top. */
  readonly env: { readonly [name: string]: string | undefined }
  /** Where commands run that do not say where, and where their folders begin; the working folder unless told. */
  readonly folder?: string
  readonly onCall?: (call: Call) => void
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void
  /** Milliseconds between asking a group of processes to end and ending it; 5,000 unless told. */
  readonly grace?: number
}

/** Milliseconds that output may still come after the program ended: something it left behind may hold the pipe. */
const linger = 2_000

/**
 * Commands on this machine, without a shell, each in a process group of its own. On abort the group is ended, and the
 * promise rejects with the signal's reason after that. A program that is not there ends with 127, as in a shell.
 */
export function localDoor(options: LocalDoorOptions): Local {
  const { clock, onCall } = options

  async function exec(command: Command, signal: AbortSignal): Promise<CommandResult> {
    signal.throwIfAborted()
    if (command.become)
      throw new StepFailure('bad_command', '`become` is for hosts: on this machine a command runs as whoever runs it')
    const { words, staged } = invocationOf(command)
    const began = clock.now()
    const call = { kind: 'local' as const, host: 'localhost', command: showCommand(command) }
    const folder = staged === undefined ? undefined : await mkdtemp(join(tmpdir(), 'runbook-'))
    try {
      const file = folder === undefined ? '' : join(folder, 'script')
      if (folder !== undefined) await writeFile(file, staged ?? '', { mode: 0o600 })
      const argv = words.map((word) => (word === scriptFile ? file : word))
      const ended = await runToTheEnd(argv, command, options, signal)
      const result = { ...ended, took: clock.now() - began }
      onCall?.({ ...call, ...seenOf(command, result) })
      return result
    } catch (error) {
      onCall?.({ ...call, took: clock.now() - began, error: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    }
  }

  return { exec }
}

async function runToTheEnd(
  [program = '', ...args]: readonly string[],
  command: Command,
  { clock, env, folder = '', onOutput: tell, grace = 5_000 }: LocalDoorOptions,
  signal: AbortSignal,
): Promise<Omit<CommandResult, 'took'>> {
  signal.throwIfAborted()
  const onOutput = command.secretOutput ? undefined : tell
  const limit = command.maxOutput ?? defaultMaxOutput
  const stdout = output(limit, onOutput && ((text) => onOutput('stdout', text)))
  const stderr = output(limit, onOutput && ((text) => onOutput('stderr', text)))
  const cwd = resolve(folder, command.cwd ?? '')
  const child = spawn(program, args, {
    detached: true,
    env: { ...env, ...command.env },
    cwd,
    stdio: 'pipe',
  })
  const life = watch(child, stdout, stderr)
  // a program may end without reading what it is given
  child.stdin.on('error', () => {})
  child.stdin.end(command.stdin ?? '')

  const aborted = whenAborted(signal)
  try {
    const stopped = await Promise.race([life.exited, aborted.came])
    if (stopped === 'aborted') await endGroup(child, life, { clock, grace })
    else if (!(await cameWithin(clock, linger, life.closed, neverAborted))) closeStreams(child)
  } finally {
    aborted.forget()
  }
  if (signal.aborted) throw signal.reason
  return resultOf(life.failed(), child, { program, cwd }, { stdout, stderr })
}

interface Life {
  readonly exited: Promise<'exited'>
  readonly closed: Promise<void>
  failed(): NodeJS.ErrnoException | undefined
}

function watch(child: ChildProcess, stdout: Output, stderr: Output): Life {
  let failed: NodeJS.ErrnoException | undefined
  child.stdout?.on('data', (chunk: Buffer) => stdout.take(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.take(chunk))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const exited = new Promise<'exited'>((resolve) => {
    child.once('exit', () => resolve('exited'))
    child.on('error', (error) => {
      failed = error
      resolve('exited')
    })
  })
  return { exited, closed, failed: () => failed }
}

async function endGroup(
  child: ChildProcess,
  life: Life,
  { clock, grace }: { clock: HostClock; grace: number },
): Promise<void> {
  const group = child.pid
  if (group === undefined) return
  signalGroup(group, 'SIGTERM')
  if (!(await groupGoneWithin(grace, group, clock))) {
    signalGroup(group, 'SIGKILL')
    if (!(await groupGoneWithin(grace, group, clock))) {
      throw new StepFailure('not_stopped', `the processes of group ${group} did not end`, {
        status: 'unknown',
        hint: `look at them: \`ps -eo pid,pgid,stat,args | grep ${group}\``,
      })
    }
  }
  if (!(await cameWithin(clock, linger, life.closed, neverAborted))) closeStreams(child)
}

async function groupGoneWithin(ms: number, group: number, clock: HostClock): Promise<boolean> {
  const done = atRealPace(clock)
  try {
    for (const end = clock.now() + ms; signalGroup(group, 0) && (await anyAlive(group)); ) {
      if (clock.now() >= end) return false
      await clock.sleep(20, neverAborted)
    }
    return true
  } finally {
    done()
  }
}

/** Whether there was anybody to signal. */
function signalGroup(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return kill(-group, name)
  } catch (error) {
    // EPERM: there is somebody, and it is not ours
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Whether one of a group is more than a zombie: where nobody collects orphans, those stay. Linux tells; others may be alive. */
async function anyAlive(group: number): Promise<boolean> {
  const entries = await readdir('/proc').catch(() => undefined)
  if (!entries?.includes('self')) return true
  for (const pid of entries.filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(pgrp) === group && state !== 'Z' && state !== 'X') return true
  }
  return false
}

function closeStreams(child: ChildProcess): void {
  child.stdout?.destroy()
  child.stderr?.destroy()
}

function resultOf(
  failed: NodeJS.ErrnoException | undefined,
  child: ChildProcess,
  { program, cwd }: { program: string; cwd: string },
  { stdout, stderr }: { stdout: Output; stderr: Output },
): Omit<CommandResult, 'took'> {
  const dropped = stdout.dropped() + stderr.dropped()
  if (!failed) {
    return {
      exitCode: child.exitCode,
      ...(child.signalCode !== null && { signal: child.signalCode }),
      stdout: stdout.text(),
      stderr: stderr.text(),
      dropped,
    }
  }
  if (failed.code === 'E2BIG')
    throw new StepFailure('bad_command', 'the command is longer than the system takes', { cause: failed })
  // Node names the program when it is the folder that is not there
  if (!isFolder(cwd)) return notStarted(126, `cannot change to the folder ${cwd}`)
  if (failed.code === 'ENOENT') return notStarted(127, `${program}: not found`)
  return notStarted(126, `${program}: ${failed.message}`)
}

function notStarted(exitCode: number, why: string): Omit<CommandResult, 'took'> {
  return { exitCode, stdout: '', stderr: `${why}\n`, dropped: 0 }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
