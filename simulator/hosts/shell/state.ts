import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import type { Command } from './syntax.ts'

/** One shell at work: a process of its own, and what it knows. */
export interface Shell {
  readonly me: Process
  readonly machine: Machine
  /** `$0`. */
  readonly name: string
  /** `$1` and on. */
  args: readonly string[]
  readonly variables: Map<string, string>
  readonly exported: Set<string>
  readonly functions: Map<string, Command>
  readonly options: Set<'errexit' | 'nounset' | 'pipefail' | 'xtrace' | 'noglob'>
  /** `$?`. */
  status: number
  /** The status of the last `$(…)` in the command that is being expanded: what an assignment alone ends with. */
  substituted: number | undefined
  pipeStatus: readonly number[]
  /** Jobs started with `&`, the last one last. */
  readonly jobs: Process[]
  /** Traps whose signal has come, to be run between two commands. */
  readonly pending: string[]
  /** Inside a condition, where `set -e` does not end the shell. */
  tested: number
  /** How to run a script, for `$(…)`, `eval` and traps; given by the interpreter. */
  readonly runs: Runs
}

export interface Runs {
  /** Runs a script text in this shell. */
  text(shell: Shell, text: string): Promise<number>
  /** The output of a script run in a subshell, without the newlines at its end. */
  capture(shell: Shell, body: readonly import('./syntax.ts').Statement[]): Promise<string>
  /** Runs a program found by name, as a child. */
  command(shell: Shell, argv: readonly string[]): Promise<number>
}

/** `exit`, `return`, `break` and `continue`, on their way up. */
export class Leave extends Error {
  override readonly name = 'Leave'
  readonly what: 'exit' | 'return' | 'break' | 'continue'
  /** The exit code, or how many loops. */
  readonly value: number

  constructor(what: Leave['what'], value: number) {
    super(what)
    this.what = what
    this.value = value
  }
}

/** A command that cannot be run as it stands: the shell prints the message and goes on, or ends when it is not interactive. */
export class ShellProblem extends Error {
  override readonly name = 'ShellProblem'
  readonly status: number

  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

/** What the shell calls itself in messages: `bash: line 1`. */
export const shellName = ({ name }: Shell): string => (/(^|\/)(ba)?sh$/.test(name) ? `${name}: line 1` : name)

export function setVariable(shell: Shell, name: string, value: string): void {
  shell.variables.set(name, value)
  if (shell.exported.has(name)) shell.me.env.set(name, value)
}
