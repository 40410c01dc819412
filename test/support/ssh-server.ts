/**
 * An SSH server in process: real SSH, real commands of this machine's shell, each the leader of a session as under sshd,
 * and left running when its channel or connection goes, as under sshd.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket, type Server as TcpServer } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { AuthContext, Connection, ParsedKey, ServerChannel } from 'ssh2'
import ssh2 from 'ssh2'

export interface SshServerOptions {
  /** Public keys that are let in, as in `authorized_keys`. */
  readonly authorized?: readonly string[]
  readonly password?: string
  /** A question of keyboard-interactive, and its answer. */
  readonly question?: { readonly text: string; readonly answer: string }
  readonly hostKeys?: readonly KeyPair[]
  /** Sessions on one connection; more are refused. */
  readonly maxSessions?: number
  /** Instead of a shell. */
  readonly onExec?: (command: string, channel: ServerChannel, connection: Connection) => void
}

export interface KeyPair {
  readonly private: string
  readonly public: string
}

export interface SshServer extends AsyncDisposable {
  readonly port: number
  /** A line of `known_hosts` for each of its keys. */
  knownHosts(name?: string): string
  /** Connections that were let in, the most sessions one had at once, and how many were refused. */
  readonly seen: { connections: number; mostSessions: number; refused: number; commands: string[]; tried: string[] }
  /** Cuts every connection, as a crash would. */
  cut(): void
}

export function newKey(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519', passphrase?: string): KeyPair {
  const options = {
    comment: 'test key',
    ...(type === 'rsa' ? { bits: 2048 } : type === 'ecdsa' ? { bits: 256 } : {}),
    ...(passphrase !== undefined && { passphrase, cipher: 'aes256-cbc', rounds: 1 }),
  }
  // ssh2 writes one ed25519 key in some hundreds so that it cannot be read again
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync(type as 'ed25519', options as { comment: string })
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair
  }
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: KeyPair): string {
  const blob = Buffer.from(key.public.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const hostKeys = options.hostKeys ?? [newKey()]
  const seen: SshServer['seen'] = { connections: 0, mostSessions: 0, refused: 0, commands: [], tried: [] }
  const sockets = new Set<Socket>()
  const server = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, (connection) => {
    serve(connection, options, seen)
  })
  // the socket of a connection is not shown, and cutting one needs it
  const tcp = (server as unknown as { _srv: TcpServer })._srv
  tcp.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    seen,
    cut,
    knownHosts: (name = `[127.0.0.1]:${port}`) => hostKeys.map((key) => `${name} ${key.public}\n`).join(''),
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function serve(connection: Connection, options: SshServerOptions, seen: SshServer['seen']): void {
  let sessions = 0
  connection.on('error', () => {})
  connection.on('authentication', (context) => authenticate(context, options, seen))
  connection.on('ready', () => {
    seen.connections++
    connection.on('session', (accept, reject) => {
      if (sessions >= (options.maxSessions ?? 10)) {
        seen.refused++
        return reject()
      }
      sessions++
      seen.mostSessions = Math.max(seen.mostSessions, sessions)
      const session = accept()
      session.on('close', () => sessions--)
      session.on('exec', (acceptExec, _reject, { command }) => {
        seen.commands.push(command)
        const channel = acceptExec()
        channel.on('error', () => {})
        if (options.onExec) options.onExec(command, channel, connection)
        else runShell(command, channel)
      })
    })
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const socket = connect({ host: destIP, port: destPort, noDelay: true })
      socket.once('error', () => reject())
      socket.once('connect', () => {
        const channel = accept()
        channel.on('error', () => {})
        socket.on('error', () => channel.destroy())
        socket.pipe(channel).pipe(socket)
      })
    })
  })
}

/** A command as sshd runs it: by a shell, leading a session, without a terminal. */
export function runShell(command: string, channel: ServerChannel): void {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'pipe' })
  channel.on('data', (chunk: Buffer) => child.stdin.write(chunk))
  channel.on('end', () => child.stdin.end())
  child.stdin.on('error', () => {})
  // a piece at a time, whichever stream it is from: where both wait for room, ssh2 forgets what stderr has to send
  let sent: Promise<unknown> = Promise.resolve()
  const pass = (from: Readable, to: Writable) =>
    from.on('data', (chunk: Buffer) => {
      from.pause()
      sent = sent.then(() => new Promise((resolve) => to.write(chunk, resolve))).then(() => from.resume())
    })
  pass(child.stdout, channel)
  pass(child.stderr, channel.stderr)
  child.on('exit', (code, name) => {
    if (code === null) channel.exit((name ?? 'SIGKILL').slice(3) as 'KILL')
    else channel.exit(code)
  })
  child.on('close', () => void sent.then(() => channel.end()))
}

function authenticate(
  context: AuthContext,
  { authorized = [], password, question }: SshServerOptions,
  seen: SshServer['seen'],
): void {
  const methods = [
    ...(authorized.length > 0 ? ['publickey' as const] : []),
    ...(password === undefined ? [] : ['password' as const]),
    ...(question ? ['keyboard-interactive' as const] : []),
  ]
  const takes = authorized.map((line) => ssh2.utils.parseKey(line) as ParsedKey)
  if (context.method === 'keyboard-interactive' && question) {
    context.prompt([{ prompt: question.text, echo: false }], ([answer]) => {
      seen.tried.push('keyboard-interactive')
      if (answer === question.answer) context.accept()
      else context.reject(methods)
    })
    return
  }
  let good = false
  if (context.method === 'publickey') {
    const { key, signature, blob, hashAlgo } = context
    const known = takes.find((one) => one.getPublicSSH().equals(key.data))
    if (signature) seen.tried.push('publickey')
    good = known !== undefined && (!signature || known.verify(blob ?? Buffer.alloc(0), signature, hashAlgo))
  } else if (context.method === 'password') {
    seen.tried.push('password')
    good = password !== undefined && context.password === password
  }
  if (good) context.accept()
  else context.reject(methods)
}

export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** From now on nothing passes, in either direction, and nothing is closed: a black hole. */
  freeze(): void
  cut(): void
}

/** A TCP way to a port that can be broken in the ways that networks break; without a port it takes connections and is silent. */
export async function startProxy(target?: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer((near) => {
    sockets.add(near)
    near.on('error', () => {})
    if (target === undefined) return
    const far = connect({ host: '127.0.0.1', port: target, noDelay: true })
    sockets.add(far)
    far.on('error', () => near.destroy())
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (chunk) => !frozen && to.write(chunk))
      from.on('close', () => !frozen && to.destroy())
    }
    pass(near, far)
    pass(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      frozen = true
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
