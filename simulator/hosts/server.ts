import { createServer, type Server as NetServer, type Socket } from 'node:net'
import ssh2, { type Connection, type ServerChannel, type Session } from 'ssh2'
import type { Machine } from './machine/machine.ts'
import { createPipe, writingTo } from './machine/pipe.ts'
import type { Process } from './machine/process.ts'

/** How a host answers the network. */
export type Reach = 'answers' | 'refuses' | 'silent'

export interface HostServer {
  readonly port: number
  /** Looks at the machine again: opens or closes the door, and ends the connections of one that went down. */
  refresh(): void
  close(): Promise<void>
}

interface HostServerOptions {
  readonly machine: Machine
  readonly hostKey: string
  /** The only key that opens it, as OpenSSH writes it: `ssh-ed25519 AAAA…`. */
  readonly clientKey: string
  readonly reach: () => Reach
  readonly effect: Process['effect']
}

/** One host's sshd, on a loopback port of its own that it keeps as long as the rehearsal lasts. */
export async function serveHost(options: HostServerOptions): Promise<HostServer> {
  const { machine, hostKey, reach } = options
  const sockets = new Set<Socket>()
  const daemon = new ssh2.Server({ hostKeys: [hostKey], ident: 'OpenSSH_9.2p1 Debian-2+deb12u7' }, (connection) =>
    welcome(connection, options),
  )
  const door = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (reach() === 'answers') daemon.injectSocket(socket)
  })
  await listen(door, 0)
  const { port } = door.address() as { port: number }
  let closed = false

  function refresh(): void {
    const open = !closed && machine.power.state() !== 'off' && reach() !== 'refuses'
    if (open && !door.listening) door.listen(port, '127.0.0.1')
    if (open) return
    if (door.listening) door.close()
    for (const socket of sockets) socket.destroy()
  }

  // a port somebody else took while the host was down: the host stays away, as one that does not boot
  door.on('error', () => {})

  return {
    port,
    refresh,
    async close() {
      closed = true
      machine.processes.killAll()
      const gone = door.listening ? new Promise<void>((resolve) => door.once('close', () => resolve())) : undefined
      refresh()
      await gone
    },
  }
}

function listen(door: NetServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', reject)
    door.listen(port, '127.0.0.1', () => {
      door.off('error', reject)
      resolve()
    })
  })
}

function welcome(connection: Connection, { machine, clientKey, effect }: HostServerOptions): void {
  const allowed = ssh2.utils.parseKey(clientKey)
  if (allowed instanceof Error) throw allowed
  let user = ''
  const mine = new Set<Process>()
  connection.on('error', () => connection.end())
  connection.on('authentication', (context) => {
    user = context.username
    if (context.method !== 'publickey' || !machine.users.has(user)) return context.reject(['publickey'])
    const known = context.key.algo === allowed.type && context.key.data.equals(allowed.getPublicSSH())
    if (!known) return context.reject(['publickey'])
    if (!context.signature || !context.blob) return context.accept()
    return allowed.verify(context.blob, context.signature, context.hashAlgo) === true
      ? context.accept()
      : context.reject(['publickey'])
  })
  connection.on('ready', () => {
    connection.on('session', (accept) => serveSession(accept(), { machine, user, effect, mine }))
  })
  connection.on('close', () => {
    for (const process of mine) hangUp(machine, process)
  })
}

interface SessionOptions {
  readonly machine: Machine
  readonly user: string
  readonly effect: Process['effect']
  readonly mine: Set<Process>
}

function serveSession(session: Session, options: SessionOptions): void {
  const env = new Map<string, string>()
  let process: Process | undefined
  session.on('env', (accept, _reject, { key, val }: { key: string; val: string }) => {
    // what sshd's `AcceptEnv LANG LC_*` of Debian lets in
    if (/^(LANG|LC_\w+)$/.test(key)) env.set(key, val)
    accept?.()
  })
  session.on('pty', (accept) => accept?.())
  session.on('exec', (accept, _reject, { command }) => {
    process = serveChannel(accept(), command, env, options)
  })
  session.on('shell', (accept) => {
    process = serveChannel(accept(), undefined, env, options)
  })
  session.on('signal', (accept, _reject, { name }) => {
    accept?.()
    process?.deliver(name.replace(/^SIG/, ''))
  })
}

function serveChannel(
  channel: ServerChannel,
  command: string | undefined,
  sent: ReadonlyMap<string, string>,
  { machine, user, effect, mine }: SessionOptions,
): Process {
  const { home } = machine.users.get(user) ?? { home: '/' }
  const stdin = createPipe()
  channel.on('data', (bytes: Buffer) => {
    try {
      stdin.writer.write(bytes)
    } catch {
      // the command reads no more; what is sent to it is lost, as with a real one
    }
  })
  let inputOpen = true
  const endInput = () => {
    if (inputOpen) stdin.writer.drop()
    inputOpen = false
  }
  channel.on('end', endInput)
  const ends = () => {
    let left = 2
    return () => {
      left -= 1
      if (left === 0) channel.end()
    }
  }
  const ended = ends()
  const stdout = writingTo((bytes) => void channel.write(bytes), ended)
  const stderr = writingTo((bytes) => void channel.stderr.write(bytes), ended)

  const env = new Map([
    ['USER', user],
    ['LOGNAME', user],
    ['HOME', home],
    [
      'PATH',
      user === 'root'
        ? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
        : '/usr/local/bin:/usr/bin:/bin:/usr/games',
    ],
    ['SHELL', '/bin/bash'],
    ['LANG', 'C.UTF-8'],
    ['SSH_CONNECTION', `127.0.0.1 50000 ${machine.address} 22`],
    ...sent,
  ])
  const bash = machine.programs.get('bash')
  const process = machine.processes.spawn(
    {
      argv: command === undefined ? ['bash'] : ['bash', '-c', command],
      user,
      cwd: machine.files.find(home) ? home : '/',
      env,
      fds: new Map([
        [0, stdin.reader],
        [1, stdout],
        [2, stderr],
      ]),
      newSession: true,
      effect,
    },
    async (me) => (await bash?.(me, command === undefined ? ['-s'] : ['-c', command])) ?? 127,
  )
  stdin.reader.drop()
  mine.add(process)
  void process.ended.then((ending) => {
    mine.delete(process)
    endInput()
    if (ending.is === 'exited') channel.exit(ending.code)
    else channel.exit(ending.signal, false, '')
    stdout.drop()
    stderr.drop()
  })
  channel.on('close', () => {
    endInput()
    hangUp(machine, process)
  })
  return process
}

/** A connection that is gone takes its session with it; what was started in a session of its own lives on. */
function hangUp(machine: Machine, process: Process): void {
  for (const each of machine.processes.list()) if (each.sid === process.sid) each.deliver('HUP')
}
