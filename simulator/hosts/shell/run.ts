import { nothing, type OpenFile } from '../machine/pipe.ts'
import type { Process } from '../machine/process.ts'
import { builtins } from './builtins.ts'
import { conditional } from './conditional.ts'
import { expandPattern, expandText, expandWords } from './expand.ts'
import { complain, fork, waitFor } from './fork.ts'
import { openRedirect } from './redirect.ts'
import { programFor } from './resolve.ts'
import { Leave, type Shell, ShellProblem, setVariable } from './state.ts'
import type { Command, Pipeline, Script, Statement } from './syntax.ts'
import { SyntaxProblem } from './syntax.ts'

/** Runs statements one after the other; the last one's status. Traps run in between. */
export async function runScript(shell: Shell, script: Script): Promise<number> {
  for (const statement of script) {
    shell.me.signal.throwIfAborted()
    if (statement.background) startJob(shell, { ...statement, background: false })
    else await runStatement(shell, statement)
    await runTraps(shell)
  }
  return shell.status
}

/** Runs what was trapped since the last command. */
export async function runTraps(shell: Shell): Promise<void> {
  for (const name of shell.pending.splice(0)) {
    const { status } = shell
    await shell.runs.text(shell, shell.me.traps.get(name) ?? '')
    shell.status = status
  }
}

function startJob(shell: Shell, statement: Statement): void {
  const empty = nothing()
  const fds = new Map(shell.me.fds).set(0, empty)
  const job = fork(shell, { fds, background: true }, (child) => runJob(child, statement))
  empty.drop()
  shell.jobs.push(job)
  shell.status = 0
}

/** A job of one command is that command: what it redirects it does not hold open as it was before. */
async function runJob(shell: Shell, statement: Statement): Promise<number> {
  const { commands, negated } = statement.first
  const [command] = commands
  if (!command || commands.length > 1 || negated || statement.rest.length > 0) return runStatement(shell, statement)
  await redirectForGood(shell, command)
  return runCommand(shell, { ...command, redirects: [] })
}

async function redirectForGood(shell: Shell, { redirects }: Command): Promise<void> {
  const { fds } = shell.me
  for (const redirect of redirects) {
    for (const [fd, file] of await openRedirect(shell, redirect)) {
      fds.get(fd)?.drop()
      if (file) fds.set(fd, file)
      else fds.delete(fd)
    }
  }
}

async function runStatement(shell: Shell, { first, rest }: Statement): Promise<number> {
  const chained = rest.length > 0
  if (chained) shell.tested += 1
  try {
    await runPipeline(shell, first)
    for (const [index, { when, pipeline }] of rest.entries()) {
      if (index === rest.length - 1) shell.tested -= 1
      try {
        if ((shell.status === 0) === (when === '&&')) await runPipeline(shell, pipeline)
      } finally {
        if (index === rest.length - 1) shell.tested += 1
      }
    }
  } finally {
    if (chained) shell.tested -= 1
  }
  return shell.status
}

async function runPipeline(shell: Shell, { negated, commands }: Pipeline): Promise<void> {
  if (negated) shell.tested += 1
  try {
    if (commands.length === 1 && commands[0]) {
      shell.status = await runCommand(shell, commands[0])
      shell.pipeStatus = [shell.status]
    } else {
      shell.pipeStatus = await runStages(shell, commands)
      const failed = shell.options.has('pipefail')
        ? shell.pipeStatus.filter((status) => status !== 0).at(-1)
        : undefined
      shell.status = failed ?? shell.pipeStatus.at(-1) ?? 0
    }
  } finally {
    if (negated) shell.tested -= 1
  }
  if (negated) shell.status = shell.status === 0 ? 1 : 0
  else if (shell.status !== 0 && shell.options.has('errexit') && shell.tested === 0)
    throw new Leave('exit', shell.status)
}

async function runStages(shell: Shell, commands: readonly Command[]): Promise<number[]> {
  const children: Process[] = []
  let input: OpenFile | undefined
  for (const [index, command] of commands.entries()) {
    const pipe = index < commands.length - 1 ? shell.machine.pipe() : undefined
    const fds = new Map(shell.me.fds)
    if (input) fds.set(0, input)
    if (pipe) fds.set(1, pipe.writer)
    children.push(fork(shell, { fds }, (child) => runCommand(child, command)))
    input?.drop()
    pipe?.writer.drop()
    input = pipe?.reader
  }
  return Promise.all(children.map((child) => waitFor(shell, child)))
}

async function runCommand(shell: Shell, command: Command): Promise<number> {
  if (command.kind === 'simple') return runSimple(shell, command)
  return withRedirects(shell, command, () => runCompound(shell, command))
}

async function runCompound(shell: Shell, command: Exclude<Command, { kind: 'simple' }>): Promise<number> {
  switch (command.kind) {
    case 'group':
      return runBody(shell, command.body)
    case 'subshell':
      return waitFor(
        shell,
        fork(shell, {}, (child) => runScript(child, command.body)),
      )
    case 'if':
      for (const { test, body } of command.branches) if (await holds(shell, test)) return runBody(shell, body)
      return command.otherwise ? runBody(shell, command.otherwise) : 0
    case 'loop':
      return loop(shell, async () => (await holds(shell, command.test)) !== command.until, command.body)
    case 'for': {
      const values = command.words ? await expandWords(shell, command.words) : [...shell.args]
      const next = async () => {
        const value = values.shift()
        if (value !== undefined) setVariable(shell, command.name, value)
        return value !== undefined
      }
      return loop(shell, next, command.body)
    }
    case 'case': {
      const text = await expandText(shell, command.word)
      for (const { patterns, body } of command.arms) {
        for (const pattern of patterns) {
          if ((await expandPattern(shell, pattern)).test(text)) return runBody(shell, body)
        }
      }
      return 0
    }
    case 'function':
      shell.functions.set(command.name, command.body)
      return 0
    case 'test':
      return (await conditional(shell, command.words)) ? 0 : 1
    default:
      throw new TypeError(`unknown command ${String(command satisfies never)}`)
  }
}

async function runBody(shell: Shell, body: Script): Promise<number> {
  shell.status = 0
  return runScript(shell, body)
}

async function holds(shell: Shell, test: Script): Promise<boolean> {
  shell.tested += 1
  try {
    return (await runScript(shell, test)) === 0
  } finally {
    shell.tested -= 1
  }
}

async function loop(shell: Shell, next: () => Promise<boolean>, body: Script): Promise<number> {
  let status = 0
  while (await next()) {
    try {
      status = await runBody(shell, body)
    } catch (error) {
      if (!(error instanceof Leave) || (error.what !== 'break' && error.what !== 'continue')) throw error
      if (error.value > 1) throw new Leave(error.what, error.value - 1)
      status = 0
      if (error.what === 'break') break
    }
    // a loop of builtins only must not keep the whole world from running
    await new Promise((resolve) => setImmediate(resolve))
  }
  return status
}

async function runSimple(shell: Shell, command: Command & { kind: 'simple' }): Promise<number> {
  shell.substituted = undefined
  let argv: string[]
  const values: [string, string][] = []
  try {
    argv = await expandWords(shell, command.words)
    for (const { name, value } of command.assignments) {
      const text = await expandText(shell, value)
      const plain = name.replace(/\+$/, '')
      values.push([plain, name.endsWith('+') ? (shell.variables.get(plain) ?? '') + text : text])
    }
  } catch (error) {
    if (!(error instanceof ShellProblem)) throw error
    throw new Leave('exit', complain(shell, error))
  }
  if (shell.options.has('xtrace') && argv.length > 0) shell.me.err(`+ ${argv.join(' ')}\n`)
  const [name] = argv
  if (name === undefined) {
    for (const [key, value] of values) setVariable(shell, key, value)
    return withRedirects(shell, command, async () => shell.substituted ?? 0)
  }
  if (name === 'exec') return runExec(shell, command, argv.slice(1), values)
  return withRedirects(shell, command, () => dispatch(shell, argv, values))
}

async function dispatch(shell: Shell, argv: readonly string[], values: readonly [string, string][]): Promise<number> {
  const [name = '', ...args] = argv
  const body = shell.functions.get(name)
  if (body) return callFunction(shell, body, args, values)
  const builtin = builtins.get(name)
  if (builtin) {
    for (const [key, value] of values) setVariable(shell, key, value)
    try {
      return await builtin(shell, args)
    } catch (error) {
      if (error instanceof SyntaxProblem) return complain(shell, new ShellProblem(error.message, 2))
      if (error instanceof ShellProblem) return complain(shell, error)
      throw error
    }
  }
  return waitFor(shell, start(shell, argv, values))
}

/** Starts a program as a child; one that is not found is a child too, which says so and ends. */
export function start(shell: Shell, argv: readonly string[], values: readonly [string, string][] = []): Process {
  const { me, machine } = shell
  const env = new Map([...me.env, ...values])
  const { user, cwd, fds, effect } = me
  return machine.processes.spawn({ parent: me, argv, user, cwd, env, fds, effect }, (child) =>
    programFor(machine, argv[0] ?? '', child, shell)(child, argv.slice(1)),
  )
}

async function callFunction(
  shell: Shell,
  body: Command,
  args: readonly string[],
  values: readonly [string, string][],
): Promise<number> {
  const { args: outer } = shell
  for (const [key, value] of values) setVariable(shell, key, value)
  shell.args = args
  try {
    return await runCommand(shell, body)
  } catch (error) {
    if (error instanceof Leave && error.what === 'return') return error.value
    throw error
  } finally {
    shell.args = outer
  }
}

/** `exec`: the program takes this process over; without one, the redirects stay. */
async function runExec(
  shell: Shell,
  command: Command,
  argv: readonly string[],
  values: readonly [string, string][],
): Promise<number> {
  const { me, machine } = shell
  await redirectForGood(shell, command)
  const [name] = argv
  if (name === undefined) return 0
  for (const [key, value] of values) me.env.set(key, value)
  const program = programFor(machine, name, me, shell)
  for (const [signal, action] of [...me.traps]) if (action !== '') me.traps.delete(signal)
  me.onSignal = undefined
  me.argv = argv
  throw new Leave('exit', await program(me, argv.slice(1)))
}

async function withRedirects(shell: Shell, { redirects }: Command, work: () => Promise<number>): Promise<number> {
  if (redirects.length === 0) return work()
  const { me } = shell
  const saved = new Map<number, OpenFile | undefined>()
  try {
    for (const redirect of redirects) {
      for (const [fd, file] of await openRedirect(shell, redirect)) {
        if (saved.has(fd)) me.fds.get(fd)?.drop()
        else saved.set(fd, me.fds.get(fd))
        if (file) me.fds.set(fd, file)
        else me.fds.delete(fd)
      }
    }
    return await work()
  } catch (error) {
    if (error instanceof ShellProblem) return complain(shell, error)
    throw error
  } finally {
    for (const [fd, file] of saved) {
      me.fds.get(fd)?.drop()
      if (file) me.fds.set(fd, file)
      else me.fds.delete(fd)
    }
  }
}
