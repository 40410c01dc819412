import { absolute } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { fork, waitFor } from './fork.ts'
import { parseScript } from './parse.ts'
import { runScript, runTraps, start } from './run.ts'
import { Leave, type Runs, type Shell, ShellProblem, shellName } from './state.ts'
import { SyntaxProblem } from './syntax.ts'

/** `sh` and `bash`: `-c TEXT`, `-s` or nothing for a script on standard input, or a file. */
export function shellProgram(machine: Machine, name: 'sh' | 'bash'): Program {
  return async (me, args) => {
    const { flags, rest, problem } = optionsOf(args)
    if (problem) {
      me.err(`${name}: ${problem}\n`)
      return 2
    }
    const script = await scriptOf(me, machine, flags, rest)
    if ('missing' in script) {
      me.err(`${name}: ${script.missing}: No such file or directory\n`)
      return 127
    }
    const shell = createShell(me, machine, script.name ?? name, script.args)
    for (const flag of flags) if (flag in options) shell.options.add(options[flag as 'e'])
    return interpret(shell, script.text)
  }
}

const options = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
  pipefail: 'pipefail',
  errexit: 'errexit',
  nounset: 'nounset',
} as const

function optionsOf(args: readonly string[]): { flags: Set<string>; rest: string[]; problem?: string } {
  const rest = [...args]
  const flags = new Set<string>()
  for (let arg = rest[0]; arg !== undefined && /^-./.test(arg); arg = rest[0]) {
    rest.shift()
    if (arg === '--') break
    if (arg.startsWith('--')) continue
    for (const letter of arg.slice(1)) {
      if (letter === 'o') flags.add(rest.shift() ?? '')
      else if (/[cseuxflir]/.test(letter)) flags.add(letter)
      else return { flags, rest, problem: `-${letter}: invalid option` }
    }
  }
  return { flags, rest, ...(flags.has('c') && rest.length === 0 && { problem: '-c: option requires an argument' }) }
}

type Found = { name?: string; text: string; args: readonly string[] } | { missing: string }

async function scriptOf(me: Process, machine: Machine, flags: Set<string>, rest: string[]): Promise<Found> {
  if (flags.has('c')) {
    const [text = '', name, ...args] = rest
    return { text, args, ...(name !== undefined && { name }) }
  }
  const [file, ...args] = rest
  if (flags.has('s') || file === undefined) return { text: (await me.input()).toString(), args: rest }
  const node = machine.files.find(absolute(me.cwd, file))
  if (node?.kind !== 'file') return { missing: file }
  return { name: file, text: machine.files.text(absolute(me.cwd, file)), args }
}

function createShell(me: Process, machine: Machine, name: string, args: readonly string[]): Shell {
  const shell: Shell = {
    me,
    machine,
    name,
    args,
    variables: new Map([...me.env, ['IFS', ' \t\n'], ['$', String(me.pid)]]),
    exported: new Set(me.env.keys()),
    functions: new Map(),
    options: new Set(),
    status: 0,
    substituted: undefined,
    pipeStatus: [],
    jobs: [],
    pending: [],
    tested: 0,
    runs,
  }
  me.onSignal = (signal) => void shell.pending.push(signal)
  return shell
}

async function interpret(shell: Shell, text: string): Promise<number> {
  const status = await guarded(shell, () => runs.text(shell, text))
  const last = shell.me.traps.get('EXIT')
  shell.me.traps.delete('EXIT')
  if (!last || shell.me.signal.aborted) return status
  shell.status = status
  const after = await guarded(shell, async () => {
    await runs.text(shell, last)
    return status
  })
  return after
}

/** Where leaving a script ends, and what a shell says when it cannot go on. */
async function guarded(shell: Shell, work: () => Promise<number>): Promise<number> {
  try {
    const status = await work()
    await runTraps(shell)
    return status
  } catch (error) {
    if (error instanceof Leave) return error.value
    if (error instanceof SyntaxProblem) {
      shell.me.err(`${shellName(shell)}: ${error.message}\n`)
      return 2
    }
    if (error instanceof ShellProblem) {
      shell.me.err(`${shellName(shell)}: ${error.message}\n`)
      return error.status
    }
    throw error
  }
}

const runs: Runs = {
  text: async (shell, text) => runScript(shell, parseScript(text)),
  async capture(shell, body) {
    const { reader, writer } = shell.machine.pipe()
    const fds = new Map(shell.me.fds).set(1, writer)
    const child = fork(shell, { fds }, (copy) => runScript(copy, body))
    writer.drop()
    const parts: Buffer[] = []
    for (let part = await reader.read(shell.me.signal); part; part = await reader.read(shell.me.signal))
      parts.push(part)
    reader.drop()
    shell.substituted = await waitFor(shell, child)
    return Buffer.concat(parts).toString().replace(/\n+$/, '').replaceAll('\0', '')
  },
  command: async (shell, argv) => waitFor(shell, start(shell, argv)),
}
