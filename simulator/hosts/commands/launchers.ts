import type { Machine } from '../machine/machine.ts'
import { type Process, type Program, type Spawn, statusOf } from '../machine/process.ts'
import { signalName } from '../shell/builtins.ts'
import { programFor } from '../shell/resolve.ts'
import { readOptions } from './options.ts'

/** Programs whose work is to start another one: `env`, `timeout`, `setsid`, `sudo`, `su`, `nohup`, `nice`, `xargs`, `sleep`. */
export function launcherPrograms(machine: Machine): [string, Program][] {
  const child = (me: Process, argv: readonly string[], how: Partial<Spawn> = {}): Process => {
    const { user, cwd, env, fds, effect } = me
    return machine.processes.spawn({ parent: me, argv, user, cwd, env, fds, effect, ...how }, (it) =>
      programFor(machine, argv[0] ?? '', it)(it, argv.slice(1)),
    )
  }
  const become = (me: Process, argv: readonly string[]): Promise<number> => {
    me.argv = argv
    return programFor(machine, argv[0] ?? '', me)(me, argv.slice(1))
  }

  return [
    [
      'env',
      async (me, args) => {
        const { flags, values, rest } = readOptions(args, ['u', 'C', 'S'], { stop: true })
        const queue = [...rest]
        if (flags.has('i')) me.env.clear()
        for (const name of values.get('u') ?? []) me.env.delete(name)
        for (let next = queue[0]; next?.includes('='); next = queue[0]) {
          queue.shift()
          me.env.set(next.slice(0, next.indexOf('=')), next.slice(next.indexOf('=') + 1))
        }
        if (queue.length > 0) return become(me, queue)
        for (const [name, value] of me.env) me.out(`${name}=${value}\n`)
        return 0
      },
    ],
    [
      'printenv',
      async (me, args) => {
        const names = args.length > 0 ? args : [...me.env.keys()]
        for (const name of names)
          if (me.env.has(name)) me.out(args.length > 0 ? `${me.env.get(name)}\n` : `${name}=${me.env.get(name)}\n`)
        return names.every((name) => me.env.has(name)) ? 0 : 1
      },
    ],
    [
      'setsid',
      async (me, args) => {
        const { flags, rest } = readOptions(args, [], { stop: true })
        if (rest.length === 0) return usage(me, 'setsid: no command specified')
        const leads = me.pid === me.pgid || flags.has('f') || flags.has('fork')
        if (!leads) {
          me.sid = me.pid
          me.pgid = me.pid
          return become(me, rest)
        }
        const waits = flags.has('w') || flags.has('wait')
        const started = child(me, rest, { newSession: true, background: !waits || me.background })
        return waits ? statusOf(await started.ended) : 0
      },
    ],
    [
      'nohup',
      async (me, args) => {
        me.traps.set('HUP', '')
        return become(me, args)
      },
    ],
    ['nice', async (me, args) => become(me, readOptions(args, ['n', 'adjustment'], { stop: true }).rest)],
    ['ionice', async (me, args) => become(me, readOptions(args, ['c', 'n'], { stop: true }).rest)],
    ['stdbuf', async (me, args) => become(me, readOptions(args, ['i', 'o', 'e'], { stop: true }).rest)],
    ['flock', async (me, args) => flock(me, args, become)],
    ['sudo', async (me, args) => sudo(machine, me, args, child)],
    ['su', async (me, args) => su(machine, me, args, child)],
    ['timeout', async (me, args) => timeout(machine, me, args, child)],
    ['xargs', async (me, args) => xargs(me, args, child)],
    ['systemd-run', async (me, args) => systemdRun(machine, me, args, child)],
    [
      'sleep',
      async (me, args) => {
        let seconds = 0
        for (const arg of args) {
          const time = secondsOf(arg)
          if (time === undefined) return usage(me, `sleep: invalid time interval ‘${arg}’`, 1)
          seconds += time
        }
        await me.sleep(seconds * 1000)
        return 0
      },
    ],
  ]
}

function usage(me: Process, message: string, code = 1): number {
  me.err(`${message}\n`)
  return code
}

/** `5`, `0.5`, `2m`, `1h`, `1d`. */
function secondsOf(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d*\.?\d+)([smhd]?)$/.exec(text) ?? []
  if (number === undefined) return undefined
  return Number(number) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 1)
}

type Child = (me: Process, argv: readonly string[], how?: Partial<Spawn>) => Process
type Become = (me: Process, argv: readonly string[]) => Promise<number>

function flock(me: Process, args: readonly string[], become: Become): Promise<number> {
  const { rest } = readOptions(args, ['w', 'timeout', 'E'], { stop: true })
  const [, first, ...more] = rest
  return become(me, first === '-c' ? ['sh', '-c', ...more] : rest.slice(1))
}

async function sudo(machine: Machine, me: Process, args: readonly string[], child: Child): Promise<number> {
  const { flags, rest } = readOptions(args, ['u', 'g', 'p', 'C', 'D'], { stop: true })
  const user = String(flags.get('u') ?? 'root')
  const account = machine.users.get(user)
  if (!account) return usage(me, `sudo: unknown user ${user}\nsudo: error initializing audit plugin sudoers_audit`)
  if (!(await sudoLetsIn(machine, me, flags))) return 1
  if (flags.has('v')) return 0
  const queue = [...rest]
  const env = new Map([
    ['HOME', account.home],
    ['USER', user],
    ['LOGNAME', user],
    ['SHELL', '/bin/bash'],
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['LANG', me.env.get('LANG') ?? 'C.UTF-8'],
    ['SUDO_USER', me.user],
    ...(flags.has('E') ? me.env : []),
  ])
  for (let next = queue[0]; next && /^\w+=/.test(next); next = queue[0]) {
    queue.shift()
    env.set(next.slice(0, next.indexOf('=')), next.slice(next.indexOf('=') + 1))
  }
  const argv = flags.has('i') || flags.has('s') ? ['bash', ...(queue.length > 0 ? ['-c', queue.join(' ')] : [])] : queue
  if (argv.length === 0) return usage(me, 'usage: sudo -h | -K | -k | -V')
  return statusOf(await child(me, argv, { user, env, ...(flags.has('i') && { cwd: account.home }) }).ended)
}

/** Asks who has a password for it, on standard input as `-S` says: there is no terminal. */
async function sudoLetsIn(machine: Machine, me: Process, flags: ReadonlyMap<string, string | true>): Promise<boolean> {
  const password = machine.passwords.get(me.user)
  if (me.user === 'root' || password === undefined) return true
  if (flags.has('n')) return usage(me, 'sudo: a password is required') === 0
  if (!flags.has('S')) {
    me.err('sudo: a terminal is required to read the password; either use the -S option to read from standard input ')
    return usage(me, 'or configure an askpass helper\nsudo: a password is required') === 0
  }
  for (let tries = 1; tries <= 3; tries += 1) {
    me.err(String(flags.get('p') ?? `[sudo] password for ${me.user}: `))
    const given = await inputLine(me)
    if (given === password) return true
    if (given === undefined) {
      if (tries === 1) me.err('\nsudo: no password was provided\nsudo: a password is required\n')
      else me.err(`\nsudo: no password was provided\nsudo: ${tries - 1} incorrect password attempt\n`)
      return false
    }
    await me.sleep(2_000)
    me.err(tries < 3 ? 'Sorry, try again.\n' : 'sudo: 3 incorrect password attempts\n')
  }
  return false
}

/** `su`: with the password of the other user, unless root asks. */
async function su(machine: Machine, me: Process, args: readonly string[], child: Child): Promise<number> {
  const { flags, rest } = readOptions(args, ['s', 'shell', 'c', 'command', 'g', 'G', 'w'])
  const [user = 'root', ...more] = rest.filter((word) => word !== '-')
  const account = machine.users.get(user)
  if (me.user !== 'root') {
    me.err('Password: ')
    const given = await inputLine(me)
    if (!account || given === undefined || given !== machine.passwords.get(user)) {
      await me.sleep(2_000)
      return usage(me, 'su: Authentication failure')
    }
  }
  if (!account)
    return usage(me, `su: user ${user} does not exist or the user entry does not contain all the required fields`)
  const shell = String(flags.get('s') ?? flags.get('shell') ?? '/bin/bash')
  const text = flags.get('c') ?? flags.get('command')
  const argv = [shell, ...(text === undefined ? [] : ['-c', String(text)]), ...more]
  const env = new Map([...me.env, ['HOME', account.home], ['SHELL', shell]] as [string, string][])
  if (user !== 'root') for (const name of ['USER', 'LOGNAME']) env.set(name, user)
  return statusOf(await child(me, argv, { user, env, newSession: text !== undefined }).ended)
}

/** A line of standard input, and not a byte more; nothing at its end. */
async function inputLine(me: Process): Promise<string | undefined> {
  let line = Buffer.alloc(0)
  for (;;) {
    const part = await me.fds.get(0)?.read(me.signal)
    if (!part) return line.length > 0 ? line.toString() : undefined
    const end = part.indexOf(10)
    line = Buffer.concat([line, part.subarray(0, end === -1 ? part.length : end)])
    if (end === -1) continue
    if (end + 1 < part.length) me.fds.get(0)?.unread(part.subarray(end + 1))
    return line.toString()
  }
}

async function timeout(machine: Machine, me: Process, args: readonly string[], child: Child): Promise<number> {
  const { flags, rest } = readOptions(args, ['k', 's', 'kill-after', 'signal'], { stop: true })
  const [duration = '', ...argv] = rest
  const seconds = secondsOf(duration)
  if (seconds === undefined || argv.length === 0) {
    return usage(me, duration === '' ? 'timeout: missing operand' : `timeout: invalid time interval ‘${duration}’`, 125)
  }
  const name = signalName(String(flags.get('s') ?? flags.get('signal') ?? 'TERM'))
  const killAfter = secondsOf(String(flags.get('k') ?? flags.get('kill-after') ?? ''))
  // as the real one does, unless told to stay in the foreground: a group of its own, which gets the signal
  const it = child(me, argv)
  if (!flags.has('foreground') && me.pid !== me.pgid) {
    me.pgid = me.pid
    it.pgid = me.pid
  }
  let expired = false
  const planned = [
    ...(seconds > 0
      ? [
          machine.clock.after(seconds * 1000, () => {
            expired = true
            it.deliver(name)
          }),
        ]
      : []),
    ...(killAfter === undefined ? [] : [machine.clock.after((seconds + killAfter) * 1000, () => it.deliver('KILL'))]),
  ]
  const pass = () => it.deliver('TERM')
  me.signal.addEventListener('abort', pass, { once: true })
  try {
    const ending = await it.ended
    if (expired)
      return ending.is === 'killed' && ending.signal === 'KILL'
        ? 137
        : flags.has('preserve-status')
          ? statusOf(ending)
          : 124
    return statusOf(ending)
  } finally {
    me.signal.removeEventListener('abort', pass)
    for (const callOff of planned) callOff()
  }
}

async function xargs(me: Process, args: readonly string[], child: Child): Promise<number> {
  const { flags, rest } = readOptions(args, ['n', 'I', 'P', 'd', 'L', 's', 'a'], { stop: true })
  const text = (await me.input()).toString()
  const replace = flags.get('I')
  const items =
    flags.has('0') || flags.has('null')
      ? text.split('\0').filter((item) => item !== '')
      : replace
        ? text.split('\n').map((line) => line.trim())
        : [...text.matchAll(/"([^"]*)"|'([^']*)'|((?:\\[\s\S]|[^\s'"])+)/g)].map(
            ([, double, single, plain]) => double ?? single ?? (plain ?? '').replace(/\\([\s\S])/g, '$1'),
          )
  const wanted = items.filter((item) => item !== '')
  const argv = rest.length > 0 ? rest : ['echo']
  const size = replace ? 1 : Number(flags.get('n') ?? flags.get('L') ?? (wanted.length || 1))
  if (wanted.length === 0 && (flags.has('r') || replace)) return 0
  let status = 0
  for (let at = 0; at === 0 || at < wanted.length; at += size) {
    const some = wanted.slice(at, at + size)
    const line = replace ? argv.map((word) => word.replaceAll(String(replace), some[0] ?? '')) : [...argv, ...some]
    const code = statusOf(await child(me, line).ended)
    if (code === 126 || code === 127) return code
    if (code !== 0) status = code === 255 ? 124 : 123
  }
  return status
}

/** `systemd-run`: the command becomes a unit, now or in a while, and nobody's child. */
async function systemdRun(machine: Machine, me: Process, args: readonly string[], child: Child): Promise<number> {
  const takes = [
    'on-active',
    'unit',
    'u',
    'p',
    'property',
    'description',
    'timer-property',
    'uid',
    'slice',
    'E',
    'setenv',
  ]
  const { flags, rest } = readOptions(args, takes, { stop: true })
  if (me.user !== 'root')
    return usage(me, 'Failed to start transient service unit: Interactive authentication required.')
  const unit = String(flags.get('unit') ?? flags.get('u') ?? `run-r${machine.random.uuid().replaceAll('-', '')}`)
  const run = () => child(me, rest, { fds: new Map(), newSession: true, background: true })
  if (flags.has('wait') || flags.has('scope') || flags.has('pipe')) {
    const it = child(me, rest, { newSession: true })
    return statusOf(await it.ended)
  }
  const delay = flags.get('on-active')
  if (delay === undefined) {
    run()
    me.err(`Running as unit: ${unit.replace(/\.service$/, '')}.service\n`)
  } else {
    const seconds =
      secondsOf(
        String(delay)
          .replace(/(sec|second)s?$/, 's')
          .replace(/min$/, 'm'),
      ) ?? 0
    machine.clock.after(seconds * 1000, () => {
      if (machine.power.state() === 'on') run()
    })
    me.err(`Running timer as unit: ${unit}.timer\nWill run service as unit: ${unit}.service\n`)
  }
  me.effect('host.systemd_run', machine.name, {
    command: rest.join(' '),
    ...(delay !== undefined && { on_active: delay }),
  })
  return 0
}
