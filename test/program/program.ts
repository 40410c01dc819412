import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Entry } from '../../engine/run/event.ts'

/** The program as it is shipped. */
export const program: string = process.env['RUNBOOK_PROGRAM'] ?? resolve('dist/cli.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Both, as a person at a terminal would see them. */
  readonly all: string
}

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  said(): string
  /** Resolves when a text has been said, or a file or a condition has come; rejects when the program ends before. */
  until(what: string | (() => boolean)): Promise<void>
}

/** A folder of its own with a place for runs and a log of effects: whoever was touched says so there. */
export interface Workspace {
  readonly folder: string
  readonly log: string
  readonly runs: string
  readonly env: { readonly [name: string]: string }
  write(name: string, text: string): string
  /** The lines of the effect log. */
  effects(): readonly string[]
  /** Starts `runbook …`. */
  start(args: readonly string[], env?: { readonly [name: string]: string }): Running
  /** Runs `runbook …` to its end. */
  run(args: readonly string[], env?: { readonly [name: string]: string }): Promise<Ended>
  /** Runs a command line of a shell, in which `runbook` is the program. */
  shell(line: string, env?: { readonly [name: string]: string }, stdin?: 'ignore' | 'pipe'): Running
  /** The names of the runs, oldest first. */
  names(): readonly string[]
  /** The folder of the last run. */
  last(): string
  /** The lines of the last run's transcript, as written. */
  lines(): string[]
  entries(): Entry[]
}

/** Removed, with all it started, when the test is over. */
export function workspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-program-'))
  const log = join(folder, 'effects.log')
  const runs = join(folder, 'runs')
  const home = join(folder, 'home')
  const bin = join(folder, 'bin')
  mkdirSync(home)
  mkdirSync(bin)
  writeFileSync(log, '')
  writeFileSync(join(bin, 'runbook'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 })
  const env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    LANG: 'C.UTF-8',
    LOG: log,
  }
  writeFileSync(join(folder, 'runbook.config.yaml'), 'apiVersion: runbook/v1\nruns: ./runs\n')
  const started: ChildProcess[] = []
  onTestFinished(() => {
    for (const child of started) endGroup(child)
    // what it left running may still write there
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  })
  const launch = (
    file: string,
    args: readonly string[],
    more: { readonly [name: string]: string } = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): Running => {
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...env, ...more },
      stdio: [stdin, 'pipe', 'pipe'],
      detached: true,
    })
    started.push(child)
    return follow(child)
  }
  const space: Workspace = {
    folder,
    log,
    runs,
    env,
    write(name, text) {
      const path = join(folder, name)
      writeFileSync(path, text)
      return path
    },
    effects: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
    start: (args, more) => launch(process.execPath, [program, ...args], more),
    run: (args, more) => space.start(args, more).ended,
    shell: (line, more, stdin) => launch('bash', ['-c', line], more, stdin),
    names: () =>
      existsSync(runs) ? readdirSync(runs).filter((name) => existsSync(join(runs, name, 'transcript.jsonl'))) : [],
    last: () => join(runs, space.names().at(-1) ?? 'none'),
    lines: () => readFileSync(join(space.last(), 'transcript.jsonl'), 'utf8').split('\n').slice(0, -1),
    entries: () => space.lines().map((line) => JSON.parse(line) as Entry),
  }
  return space
}

function follow(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  let all = ''
  let over = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    all += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    all += text
  })
  const ended = new Promise<Ended>((done) =>
    child.once('close', (code) => {
      over = true
      done({ code, stdout, stderr, all })
    }),
  )
  return {
    child,
    ended,
    said: () => all,
    async until(what) {
      const came = typeof what === 'string' ? () => all.includes(what) : what
      while (!came()) {
        if (over) throw new Error(`the program ended before ${String(what)} came:\n${all}`)
        await sleep(10)
      }
    },
  }
}

/** A program and what it left behind in its group. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // nobody is left
  }
}

/** Whether a process runs; one that has ended and that nobody has collected does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3))
  } catch {
    return false
  }
}

/** A runbook from its parts. */
export function book(name: string, body: string): string {
  return `apiVersion: runbook/v1\nname: ${name}\ntitle: ${name}\n${body}`
}

/** What was done to a world, as whoever was touched says. */
export interface WorldEffect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [name: string]: unknown }
}

/**
 * Serves a world in a process of its own, so that it lives on when a run is killed: its inventory is
 * `world/inventory.yaml`. Gives what has been done to it so far. `speed` is world seconds a second.
 */
export async function serveWorld(space: Workspace, world: object, speed = 1): Promise<() => readonly WorldEffect[]> {
  space.write('world.yaml', JSON.stringify(world))
  await space
    .start(['rehearse', 'world.yaml', '--folder', 'world', '--speed', String(speed)])
    .until(() => existsSync(join(space.folder, 'world', 'inventory.yaml')))
  const log = join(space.folder, 'world', 'effects.jsonl')
  return () => {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
    return lines.map((line) => JSON.parse(line) as WorldEffect)
  }
}

/** For the script of a step: it waits for the file `go` in its folder, and not longer than that folder is there. */
export const untilGo = 'while [ ! -e go ] && [ -d "$PWD" ]; do sleep 0.02; done'

/** A step that leaves `mark ID` in the effect log; `rest` goes on in its script. */
export function mark(id: string, { rest = '', more = '', indent = 2 } = {}): string {
  const pad = ' '.repeat(indent)
  const script = `echo "mark ${id}" >> "$LOG"${rest === '' ? '' : `; ${rest}`}`
  return [
    `${pad}- id: ${id}`,
    `${pad}  action: local.script`,
    `${pad}  with: { script: ${JSON.stringify(script)} }`,
    ...more
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `${pad}  ${line}`),
    '',
  ].join('\n')
}
