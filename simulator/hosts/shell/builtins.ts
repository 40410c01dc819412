import { absolute } from '../machine/files.ts'
import { nothing } from '../machine/pipe.ts'
import { signalNumbers } from '../machine/process.ts'
import { evaluateTest } from './conditional.ts'
import { waitFor } from './fork.ts'
import { formatted } from './printf.ts'
import { pathOf } from './resolve.ts'
import { runTraps } from './run.ts'
import { Leave, type Shell, ShellProblem, setVariable, shellName } from './state.ts'
import { unescapeC } from './words.ts'

/** What the shell does itself, in its own process. */
export type Builtin = (shell: Shell, args: readonly string[]) => Promise<number>

const leave = (what: Leave['what']) => async (shell: Shell, args: readonly string[]) => {
  const loops = what === 'break' || what === 'continue'
  throw new Leave(what, args[0] === undefined ? (loops ? 1 : shell.status) : Number(args[0]) & (loops ? ~0 : 255))
}

const test: Builtin = async (shell, args) => {
  try {
    return evaluateTest(shell, args) ? 0 : 1
  } catch (error) {
    shell.me.err(`${shellName(shell)}: [: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

/** By name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', async () => 0],
  ['true', async () => 0],
  ['false', async () => 1],
  ['exit', leave('exit')],
  ['return', leave('return')],
  ['break', leave('break')],
  ['continue', leave('continue')],
  ['test', test],
  [
    '[',
    async (shell, args) => {
      if (args.at(-1) !== ']') throw new ShellProblem("[: missing `]'", 2)
      return test(shell, args.slice(0, -1))
    },
  ],
  [
    'echo',
    async ({ me }, args) => {
      const flags = args[0] && /^-[neE]+$/.test(args[0]) ? args[0] : ''
      const text = (flags === '' ? args : args.slice(1)).join(' ')
      me.out((flags.includes('e') ? unescapeC(text) : text) + (flags.includes('n') ? '' : '\n'))
      return 0
    },
  ],
  [
    'printf',
    async (shell, [first = '', ...rest]) => {
      const [name, format = '', ...values] = first === '-v' ? rest : ['', ...(first === '--' ? rest : [first, ...rest])]
      const text = formatted(format, values)
      if (name) setVariable(shell, name, text)
      else shell.me.out(text)
      return 0
    },
  ],
  [
    'cd',
    async ({ me, machine, variables }, args) => {
      const path = absolute(me.cwd, args.filter((arg) => arg !== '--')[0] ?? variables.get('HOME') ?? '/')
      const node = machine.files.find(path)
      if (!node) throw new ShellProblem(`cd: ${args[0]}: No such file or directory`)
      if (node.kind !== 'folder') throw new ShellProblem(`cd: ${args[0]}: Not a directory`)
      me.cwd = path
      return 0
    },
  ],
  [
    'pwd',
    async ({ me }) => {
      me.out(`${me.cwd}\n`)
      return 0
    },
  ],
  [
    'export',
    async (shell, args) => {
      for (const arg of args.filter((each) => !each.startsWith('-'))) {
        const [name = '', ...rest] = arg.split('=')
        shell.exported.add(name)
        setVariable(shell, name, arg.includes('=') ? rest.join('=') : (shell.variables.get(name) ?? ''))
      }
      return 0
    },
  ],
  ['readonly', async (shell, args) => declare(shell, args)],
  ['local', async (shell, args) => declare(shell, args)],
  ['declare', async (shell, args) => declare(shell, args)],
  [
    'unset',
    async ({ variables, exported, functions, me }, args) => {
      for (const name of args.filter((arg) => !arg.startsWith('-'))) {
        variables.delete(name)
        exported.delete(name)
        functions.delete(name)
        me.env.delete(name)
      }
      return 0
    },
  ],
  [
    'shift',
    async (shell, [count = '1']) => {
      if (Number(count) > shell.args.length) return 1
      shell.args = shell.args.slice(Number(count))
      return 0
    },
  ],
  ['set', async (shell, args) => set(shell, args)],
  ['shopt', async () => 0],
  ['hash', async () => 0],
  ['eval', async (shell, args) => shell.runs.text(shell, args.join(' '))],
  ['.', async (shell, args) => source(shell, args)],
  ['source', async (shell, args) => source(shell, args)],
  ['read', async (shell, args) => read(shell, args)],
  ['trap', async (shell, args) => trap(shell, args)],
  ['wait', async (shell, args) => wait(shell, args)],
  ['jobs', async () => 0],
  ['kill', async (shell, args) => kill(shell, args)],
  ['command', async (shell, args) => command(shell, args)],
  ['type', async (shell, args) => command(shell, ['-V', ...args])],
  [
    'umask',
    async ({ me }, args) => {
      if (args.length === 0) me.out('0022\n')
      return 0
    },
  ],
  [
    'ulimit',
    async ({ me }, args) => {
      const wanted = args.find((arg) => /^\d+$|^unlimited$/.test(arg))
      const files = args.some((arg) => /^-[HS]*n$/.test(arg))
      if (wanted === undefined)
        me.out(files ? `${args.some((arg) => arg.includes('H')) ? mostFiles : me.openFiles}\n` : 'unlimited\n')
      else if (files && Number(wanted) > mostFiles)
        throw new ShellProblem('ulimit: open files: cannot modify limit: Operation not permitted')
      else if (files) me.openFiles = Number(wanted)
      return 0
    },
  ],
])

/** The hard limit of a login. */
const mostFiles = 1_048_576

function declare(shell: Shell, args: readonly string[]): number {
  for (const arg of args.filter((each) => !each.startsWith('-'))) {
    const [name = '', ...rest] = arg.split('=')
    if (arg.includes('=')) setVariable(shell, name, rest.join('='))
  }
  return 0
}

const letters = { e: 'errexit', u: 'nounset', x: 'xtrace', f: 'noglob' } as const

function set(shell: Shell, args: readonly string[]): number {
  const queue = [...args]
  for (let arg = queue[0]; arg !== undefined && /^[-+]./.test(arg); arg = queue[0]) {
    queue.shift()
    if (arg === '--') break
    const names = [...arg.slice(1)].map((letter) => (letter === 'o' ? queue.shift() : letters[letter as 'e']))
    for (const name of names as ('errexit' | undefined)[]) {
      if (name && arg.startsWith('-')) shell.options.add(name)
      else if (name) shell.options.delete(name)
    }
  }
  if (queue.length > 0 || args.includes('--')) shell.args = queue
  return 0
}

async function source(shell: Shell, [path = '']: readonly string[]): Promise<number> {
  const file = absolute(shell.me.cwd, path)
  if (shell.machine.files.find(file)?.kind !== 'file') throw new ShellProblem(`${path}: No such file or directory`)
  return shell.runs.text(shell, shell.machine.files.text(file))
}

async function read(shell: Shell, args: readonly string[]): Promise<number> {
  const raw = args.some((arg) => /^-[a-z]*r/.test(arg))
  const names = args.filter((arg, index) => !arg.startsWith('-') && !/^-[dtnpu]$/.test(args[index - 1] ?? ''))
  const { line, ended } = await readLine(shell)
  const text = raw ? line : line.replace(/\\(.)/g, '$1')
  const separators = shell.variables.get('IFS') ?? ' \t\n'
  const pattern = new RegExp(separators === '' ? '(?!)' : `[${separators.replace(/[\\\]^-]/g, '\\$&')}]+`)
  let rest = separators === '' ? text : text.replace(/^[ \t]+|[ \t]+$/g, '')
  for (const [index, name] of (names.length > 0 ? names : ['REPLY']).entries()) {
    const found = index < names.length - 1 ? pattern.exec(rest) : null
    setVariable(shell, name, found ? rest.slice(0, found.index) : rest)
    rest = found ? rest.slice(found.index + found[0].length) : ''
  }
  return ended && line === '' ? 1 : ended ? 1 : 0
}

async function readLine({ me }: Shell): Promise<{ line: string; ended: boolean }> {
  const parts: Buffer[] = []
  const input = me.fds.get(0) ?? nothing()
  for (;;) {
    const part = await input.read(me.signal)
    if (!part) return { line: Buffer.concat(parts).toString(), ended: true }
    const end = part.indexOf(10)
    if (end === -1) {
      parts.push(part)
      continue
    }
    parts.push(part.subarray(0, end))
    if (end + 1 < part.length) input.unread(part.subarray(end + 1))
    return { line: Buffer.concat(parts).toString(), ended: false }
  }
}

function trap({ me, variables: _ }: Shell, args: readonly string[]): number {
  const plain = args.filter((arg) => arg !== '--')
  if (plain.length === 0 || plain[0] === '-p') {
    for (const [name, action] of me.traps) me.out(`trap -- '${action}' ${name === 'EXIT' ? name : `SIG${name}`}\n`)
    return 0
  }
  const [action = '', ...names] = plain.length === 1 ? ['-', ...plain] : plain
  for (const name of names) {
    if (action === '-') me.traps.delete(signalName(name))
    else me.traps.set(signalName(name), action)
  }
  return 0
}

/** `15`, `TERM` and `SIGTERM` alike; `0` and `EXIT` are the shell's own end. */
export function signalName(text: string): string {
  if (text === '0') return 'EXIT'
  const byNumber = Object.entries(signalNumbers).find(([, number]) => String(number) === text)?.[0]
  return byNumber ?? text.toUpperCase().replace(/^SIG/, '')
}

/** `wait`, until the jobs have ended or a trapped signal comes. */
async function wait(shell: Shell, args: readonly string[]): Promise<number> {
  const wanted = shell.jobs.filter(({ pid }) => args.length === 0 || args.includes(String(pid)))
  if (args.length > 0 && wanted.length === 0) return 127
  let status = 0
  for (const job of wanted) {
    const signalled = new Promise<number>((resolve) => {
      shell.me.onSignal = (name) => {
        shell.pending.push(name)
        resolve(128 + (signalNumbers[name] ?? 0))
      }
    })
    const ended = waitFor(shell, job).then((code) => ({ code }))
    const first = await Promise.race([ended, signalled])
    shell.me.onSignal = (name) => void shell.pending.push(name)
    if (typeof first === 'number') {
      // the wait goes on behind our back; nobody asks for its end any more
      ended.catch(() => {})
      await runTraps(shell)
      return first
    }
    status = args.length > 0 ? first.code : 0
  }
  return status
}

async function kill({ me, machine, jobs }: Shell, args: readonly string[]): Promise<number> {
  const queue = [...args]
  let name = 'TERM'
  const [first = ''] = queue
  if (first === '-l') {
    me.out(`${Object.keys(signalNumbers).join(' ')}\n`)
    return 0
  }
  if (first === '-s' || first === '-n') {
    queue.shift()
    name = signalName(queue.shift() ?? '')
  } else if (/^-[A-Za-z]|^-\d+$/.test(first) && queue.length > 1) {
    queue.shift()
    name = first === '-0' ? '0' : signalName(first.slice(1))
  }
  if (name === 'EXIT') name = '0'
  let status = 0
  for (const target of queue.filter((each) => each !== '--')) {
    const pid = target.startsWith('%') ? (jobs.at(-1)?.pid ?? 0) : Number(target)
    if (pid === 0 ? machine.processes.kill(-me.pgid, name) > 0 : machine.killProcess(pid, name, me)) continue
    me.err(`bash: line 1: kill: (${target}) - No such process\n`)
    status = 1
  }
  // a signal to oneself arrives before the next command
  if (me.signal.aborted) throw me.signal.reason
  return status
}

async function command(shell: Shell, args: readonly string[]): Promise<number> {
  const [flag, ...names] = args
  if (flag !== '-v' && flag !== '-V') {
    const [name = '', ...rest] = flag === '--' || flag === '-p' ? names : args
    const builtin = builtins.get(name)
    return builtin ? builtin(shell, rest) : shell.runs.command(shell, [name, ...rest])
  }
  let status = 0
  for (const name of names) {
    const inside = shell.functions.has(name) || builtins.has(name)
    const path = inside ? name : pathOf(shell.machine, name)
    if (path === undefined) {
      if (flag === '-V') shell.me.err(`${shellName(shell)}: type: ${name}: not found\n`)
      status = 1
    } else {
      shell.me.out(flag === '-v' ? `${path}\n` : `${name} is ${inside ? 'a shell builtin' : path}\n`)
    }
  }
  return status
}
