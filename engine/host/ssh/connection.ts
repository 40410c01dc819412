import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type ssh2 from 'ssh2'
import type { AnyAuthMethod, AuthHandlerMiddleware, Client, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2'
import type { StepFailure } from '../../action/contract.ts'
import { cameWithin, type HostClock, neverAborted } from '../deadline.ts'
import { type AskSecret, authSteps, type KeyFiles } from './auth.ts'
import { askForChannel, type Channel, type Refused } from './channel.ts'
import { connectFailure, keyFailure, type Phase, timeoutFailure } from './failure.ts'
import { hostKeyAlgorithms, judgeKey, type KnownKey, readKnownHosts } from './known-hosts.ts'
import type { ConnectionSettings } from './settings.ts'
import { type Slots, slots } from './slots.ts'

/** An open connection to a host. */
export interface Connection {
  readonly name: string
  /** Asks for a command. */
  open(text: string): Promise<Channel | Refused>
  /** The way on to another host. */
  forward(hostname: string, port: number): Promise<Duplex>
  readonly slots: Slots
  /** Resolves with the reason, once it is gone. */
  readonly gone: Promise<string>
  whyGone(): string | undefined
  isOpen(): boolean
  close(): Promise<void>
}

export interface ConnectNeeds {
  readonly ssh2: typeof ssh2
  readonly clock: HostClock
  readonly keys: KeyFiles
  readonly ask: AskSecret | undefined
  readonly timing: Timing
  /** Handshakes at once: each is work for us, and one whose turn comes late would be taken for a host that hangs. */
  readonly handshakes: Slots
}

/** Milliseconds. */
export interface Timing {
  /** For TCP, and again for the handshake. */
  readonly connect: number
  /** For proving who we are, people's answers included. */
  readonly auth: number
  /** Between two questions whether the other side is still there; three unanswered ones end the connection. */
  readonly keepalive: number
  /** Between asking a command to end and ending it. */
  readonly grace: number
}

export const usualTiming: Timing = { connect: 30_000, auth: 120_000, keepalive: 15_000, grace: 5_000 }

/** On one connection: sshd takes ten unless told, and some are kept for ending commands. */
export const sessions = 8

/** Connects and proves who we are, over a stream of a host in between or a socket of its own; throws `StepFailure` `unreachable`. */
export async function openConnection(
  settings: ConnectionSettings,
  via: Duplex | undefined,
  needs: ConnectNeeds,
  signal: AbortSignal,
): Promise<Connection> {
  const known = (await Promise.all(settings.knownHosts.map(readKnown))).flat()
  const client = new needs.ssh2.Client()
  const state: State = { phase: 'tcp', tried: [], refused: undefined, error: undefined }
  // ssh2 leaves Nagle's algorithm on, which costs 40 ms a command
  const socket: Socket | undefined = via
    ? undefined
    : connect({
        host: settings.hostname,
        port: settings.port,
        noDelay: true,
        ...(settings.family && { family: settings.family }),
      })
  const stream = socket ?? via
  const gone = followErrors(client, state, () => stream?.destroy())
  // a way over another host ends by halves, and ssh2 then looks no more whether anybody is there
  stream?.once('end', () => stream.destroy())
  let free = () => {}
  try {
    if (socket) await reachTcp(socket, settings, state, needs, signal)
    // only now: a host that does not answer, and a person who is asked, keep nobody else waiting
    free = await needs.handshakes.take(signal)
    if (stream?.destroyed) throw connectFailure(new Error(reasonOf(state)), settings, { ...state, phase: 'banner' })
    const stages = stagesOf(client)
    client.connect({ ...configFor(settings, known, needs, state, signal), sock: stream as Socket })
    watchPhases(client, stream, state)
    void stages.handshake.then(free)
    await reach(stages, { settings, gone, state }, needs, signal)
  } catch (error) {
    client.destroy()
    stream?.destroy()
    throw error
  } finally {
    free()
  }
  return {
    name: settings.name,
    open: (text) => askForChannel(client, text),
    forward: (hostname, port) =>
      new Promise((resolve, reject) => {
        client.forwardOut('127.0.0.1', 0, hostname, port, (error, stream) => (error ? reject(error) : resolve(stream)))
      }),
    slots: slots(sessions),
    gone,
    whyGone: () => (state.phase === 'gone' ? reasonOf(state) : undefined),
    isOpen: () => state.phase !== 'gone',
    async close() {
      client.end()
      if (!(await cameWithin(needs.clock, 1_000, gone, neverAborted))) client.destroy()
      stream?.destroy()
    },
  }
}

interface State {
  phase: Phase | 'open' | 'gone'
  readonly tried: string[]
  /** Why the host's key was not taken. */
  refused: StepFailure | undefined
  error: Error | undefined
}

/** Resolves with the reason when the connection has ended, for whatever reason; errors are kept, never thrown. */
function followErrors(client: Client, state: State, destroy: () => void): Promise<string> {
  client.on('error', (error: Error & { level?: string }) => {
    // an agent that will not sign is no reason to give up: the next key is tried
    if (error.level === 'agent') return
    state.error ??= error
    // ssh2 says goodbye and waits for an answer that may never come
    setImmediate(destroy)
  })
  return new Promise((resolve) => {
    client.once('close', () => {
      if (state.phase === 'open') state.phase = 'gone'
      resolve(reasonOf(state))
    })
  })
}

function reasonOf({ error }: State): string {
  return error?.message ?? 'the other side closed it'
}

function configFor(
  settings: ConnectionSettings,
  known: readonly KnownKey[],
  needs: ConnectNeeds,
  state: State,
  signal: AbortSignal,
): ConnectConfig {
  const name =
    settings.hostKeyAlias === undefined
      ? { host: settings.hostname, port: settings.port }
      : { host: settings.hostKeyAlias, port: 22 }
  return {
    username: settings.user,
    readyTimeout: 0,
    keepaliveInterval: needs.timing.keepalive,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: hostKeyAlgorithms(known, name, offeredHostKeys) as ServerHostKeyAlgorithm[] },
    hostVerifier: (key: Buffer) => {
      state.refused = keyFailure(judgeKey(known, name, key), name, key, settings.knownHosts)
      return state.refused === undefined
    },
    authHandler: authHandlerFor(settings, needs, state, signal),
  }
}

const offeredHostKeys = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
]

function authHandlerFor(
  settings: ConnectionSettings,
  { ssh2, keys, ask }: ConnectNeeds,
  state: State,
  signal: AbortSignal,
): AuthHandlerMiddleware {
  let allowed: readonly string[] | undefined
  const allows = (type: string) => allowed?.includes(type) ?? true
  const note = (text: string) => void state.tried.push(text)
  let offered = false
  let partly = false
  // of hundreds of hosts some may not know our key: nobody wants to be asked for the password of each
  const mayAsk = () => partly || !offered
  const steps = authSteps(settings, { ssh2, keys, ask, mayAsk, allows, note, signal })

  async function advance(): Promise<AnyAuthMethod | false> {
    for (let step = await steps.next(); !step.done; step = await steps.next()) {
      if (!allows(step.value.type)) continue
      offered ||= step.value.type === 'publickey'
      if (step.value.note !== undefined) note(step.value.note)
      return step.value.method
    }
    return false
  }

  return (left, partial, next) => {
    partly ||= partial === true
    // the answer to the first try tells what the server takes
    allowed = left ?? undefined
    const give = next as (method: AnyAuthMethod | false) => void
    advance().then(give, (error: Error) => {
      state.error ??= error
      give(false)
    })
  }
}

/** Waits until the socket is connected. */
async function reachTcp(
  socket: Socket,
  settings: ConnectionSettings,
  state: State,
  { clock, timing }: ConnectNeeds,
  signal: AbortSignal,
): Promise<void> {
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    // later ones are of interest until the client looks at them itself
    socket.on('error', (error) => {
      state.error ??= error
      reject(connectFailure(error, settings, { phase: 'tcp', tried: [] }))
    })
  })
  connected.catch(() => {})
  if (!(await cameWithin(clock, settings.connectTimeout ?? timing.connect, connected, signal)))
    throw timeoutFailure('tcp', settings)
}

function watchPhases(client: Client, stream: Duplex | undefined, state: State): void {
  const moveTo = (phase: Phase) => () => {
    if (state.phase !== 'gone') state.phase = phase
  }
  state.phase = 'banner'
  stream?.once('data', moveTo('handshake'))
  client.once('handshake', moveTo('auth'))
}

interface Stages {
  readonly handshake: Promise<unknown>
  readonly ready: Promise<unknown>
}

function stagesOf(client: Client): Stages {
  return {
    handshake: new Promise<void>((resolve) => client.once('handshake', () => resolve())),
    ready: new Promise<void>((resolve) => client.once('ready', () => resolve())),
  }
}

async function reach(
  { handshake, ready }: Stages,
  { settings, gone, state }: { settings: ConnectionSettings; gone: Promise<string>; state: State },
  { clock, timing }: ConnectNeeds,
  signal: AbortSignal,
): Promise<void> {
  const failed = gone.then(() => {
    throw (
      state.refused ??
      connectFailure(
        state.error ?? new Error('the other side closed it'),
        settings,
        state as { phase: Phase; tried: string[] },
      )
    )
  })
  // it may fail long after everybody has stopped looking
  failed.catch(() => {})
  const limits: [Promise<unknown>, number][] = [
    [handshake, settings.connectTimeout ?? timing.connect],
    [ready, timing.auth],
  ]
  for (const [stage, ms] of limits) {
    const came = await cameWithin(clock, ms, Promise.race([stage, failed]), signal)
    if (!came) throw timeoutFailure(state.phase as Phase, settings)
  }
  state.phase = 'open'
}

async function readKnown(path: string): Promise<KnownKey[]> {
  // without the file its hosts are unknown, and refused
  const text = await readFile(path, 'utf8').catch(() => '')
  return readKnownHosts(text, path)
}
