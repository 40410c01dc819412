import type { OpenFile } from '../machine/pipe.ts'
import { type Process, statusOf } from '../machine/process.ts'
import { Leave, type Shell, ShellProblem, shellName } from './state.ts'

/** Waits for a child, or until this process is killed itself. */
export async function waitFor({ me }: Shell, child: Process): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const stop = () => reject(me.signal.reason)
    if (me.signal.aborted) return stop()
    me.signal.addEventListener('abort', stop, { once: true })
    void child.ended.then((ending) => {
      me.signal.removeEventListener('abort', stop)
      resolve(statusOf(ending))
    })
  })
}

/** A child that is a shell too, with a copy of what this one knows. */
export function fork(shell: Shell, how: ForkOptions, work: (child: Shell) => Promise<number>): Process {
  const { me, machine } = shell
  return machine.processes.spawn(
    {
      parent: me,
      argv: me.argv,
      user: me.user,
      cwd: me.cwd,
      env: me.env,
      fds: how.fds ?? me.fds,
      background: how.background ?? me.background,
      effect: me.effect,
    },
    async (child) => {
      const copy: Shell = {
        ...shell,
        me: child,
        variables: new Map(shell.variables),
        exported: new Set(shell.exported),
        functions: new Map(shell.functions),
        options: new Set(shell.options),
        jobs: [],
        pending: [],
      }
      child.onSignal = (name) => void copy.pending.push(name)
      try {
        return await work(copy)
      } catch (error) {
        if (error instanceof Leave) return error.value
        if (error instanceof ShellProblem) return complain(copy, error)
        throw error
      }
    },
  )
}

interface ForkOptions {
  readonly fds?: ReadonlyMap<number, OpenFile>
  readonly background?: boolean
}

/** Says what is wrong, as a shell does; the status it ends with. */
export function complain(shell: Shell, { message, status }: ShellProblem): number {
  shell.me.err(`${shellName(shell)}: ${message}\n`)
  return status
}
