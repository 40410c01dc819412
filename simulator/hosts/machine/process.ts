import { BrokenPipe, nothing, type OpenFile } from './pipe.ts'

/** What a process needs of the machine it runs on. */
export interface Kernel {
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** As `sleep`, for what nobody waits for: it never makes the world's time jump. */
  readonly idle: (ms: number, signal: AbortSignal) => Promise<void>
}

export const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
}

/** Why a process's own abort signal fired: somebody sent it a signal it does not catch. */
class Killed extends Error {
  override readonly name = 'Killed'
  readonly signalName: string

  constructor(signalName: string) {
    super(`killed by SIG${signalName}`)
    this.signalName = signalName
  }
}

/** How a process ended. */
export type Ending =
  | { readonly is: 'exited'; readonly code: number }
  | { readonly is: 'killed'; readonly signal: string }

/** The ending as a shell's `$?`. */
export const statusOf = (ending: Ending): number =>
  ending.is === 'exited' ? ending.code : 128 + (signalNumbers[ending.signal] ?? 0)

/** What runs in a process: its arguments without the name, and the exit code in the end. */
export type Program = (me: Process, args: readonly string[]) => Promise<number>

export interface Process {
  readonly pid: number
  readonly ppid: number
  pgid: number
  sid: number
  user: string
  argv: readonly string[]
  cwd: string
  /** How many files it and what it starts may open. */
  openFiles: number
  readonly env: Map<string, string>
  readonly fds: Map<number, OpenFile>
  readonly startedAt: number
  readonly signal: AbortSignal
  readonly ended: Promise<Ending>
  /** Nobody waits for it: its sleeping does not make the world's time jump. */
  background: boolean
  /** What a shell does with a signal: text to run, or `''` to ignore; a missing name means the default. */
  readonly traps: Map<string, string>
  /** Called when a trapped signal arrives; the default is to end. */
  onSignal: ((name: string) => void) | undefined
  out(text: string | Buffer): void
  err(text: string): void
  /** All of standard input. */
  input(): Promise<Buffer>
  sleep(ms: number): Promise<void>
  deliver(name: string): void
  /** Records a change made to the world by this process. */
  effect(kind: string, what: string, detail?: unknown): void
}

export interface Spawn {
  readonly parent?: Process
  readonly argv: readonly string[]
  readonly user: string
  readonly cwd: string
  readonly env: ReadonlyMap<string, string>
  /** Kept for the process, and dropped when it ends. */
  readonly fds: ReadonlyMap<number, OpenFile>
  readonly newSession?: boolean
  readonly background?: boolean
  readonly effect: Process['effect']
}

export interface ProcessTable {
  spawn(how: Spawn, program: (me: Process) => Promise<number>): Process
  /** A number for a service's main process. */
  claimPid(): number
  list(): Process[]
  find(pid: number): Process | undefined
  /** Sends a signal to a process, or with a negative number to a group; the number of processes reached. */
  kill(target: number, name: string): number
  /** Power off: everything ends at once, and nothing is asked. */
  killAll(): void
}

/** What a login may open. */
const loginFiles = 1_024

export function createProcessTable({ now, sleep, idle }: Kernel, firstPid: number): ProcessTable {
  const running = new Map<number, Process>()
  let lastPid = firstPid

  function spawn(how: Spawn, program: (me: Process) => Promise<number>): Process {
    lastPid += 1
    const pid = lastPid
    const stop = new AbortController()
    const { parent } = how
    let settle: (ending: Ending) => void = () => {}
    const fds = new Map([...how.fds].map(([number, file]) => [number, file.keep()]))
    const me: Process = {
      pid,
      ppid: parent?.pid ?? 1,
      pgid: how.newSession || !parent ? pid : parent.pgid,
      sid: how.newSession || !parent ? pid : parent.sid,
      user: how.user,
      argv: how.argv,
      cwd: how.cwd,
      openFiles: parent?.openFiles ?? loginFiles,
      env: new Map(how.env),
      fds,
      startedAt: now(),
      signal: stop.signal,
      ended: new Promise((resolve) => {
        settle = resolve
      }),
      background: how.background ?? parent?.background ?? false,
      traps: new Map([...(parent?.traps ?? [])].filter(([, action]) => action === '')),
      onSignal: undefined,
      out: (text) => (fds.get(1) ?? nothing()).write(Buffer.from(text)),
      err: (text) => (fds.get(2) ?? nothing()).write(Buffer.from(text)),
      async input() {
        const parts: Buffer[] = []
        for (;;) {
          const part = await fds.get(0)?.read(stop.signal)
          if (!part) return Buffer.concat(parts)
          parts.push(part)
        }
      },
      async sleep(ms) {
        await (me.background ? idle : sleep)(ms, stop.signal)
      },
      deliver(name) {
        const trap = me.traps.get(name)
        if (name !== 'KILL' && trap === '') return
        if (name !== 'KILL' && trap !== undefined && me.onSignal) me.onSignal(name)
        else if (!['CHLD', 'CONT'].includes(name)) stop.abort(new Killed(name))
      },
      effect: how.effect,
    }
    running.set(pid, me)
    void run(me, program).then((ending) => {
      running.delete(pid)
      for (const file of fds.values()) file.drop()
      fds.clear()
      settle(ending)
    })
    return me
  }

  return {
    spawn,
    claimPid() {
      lastPid += 1
      return lastPid
    },
    list: () => [...running.values()],
    find: (pid) => running.get(pid),
    kill(target, name) {
      const reached = [...running.values()].filter(({ pid, pgid }) => (target < 0 ? pgid === -target : pid === target))
      if (name !== '0') for (const process of reached) process.deliver(name)
      return reached.length
    },
    killAll() {
      for (const process of running.values()) process.deliver('KILL')
    },
  }
}

async function run(me: Process, program: (me: Process) => Promise<number>): Promise<Ending> {
  try {
    const code = await program(me)
    return me.signal.aborted ? endingOf(me.signal.reason) : { is: 'exited', code: code & 255 }
  } catch (error) {
    if (me.signal.aborted) return endingOf(me.signal.reason)
    if (error instanceof BrokenPipe) return { is: 'killed', signal: 'PIPE' }
    tell(me, `${me.argv[0] ?? 'sh'}: ${error instanceof Error ? error.message : String(error)}\n`)
    return { is: 'exited', code: 1 }
  }
}

const endingOf = (reason: unknown): Ending => ({
  is: 'killed',
  signal: reason instanceof Killed ? reason.signalName : 'KILL',
})

function tell(me: Process, text: string): void {
  try {
    me.err(text)
  } catch {
    // nobody listens any more, and the process has ended
  }
}
