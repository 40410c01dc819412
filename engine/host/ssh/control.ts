/**
 * The second transport: the system's `ssh` reaches the host, for what only it can do (certificates, FIDO keys,
 * `ProxyCommand`), and its control socket is how we use the connection. To a session and to the door it looks like the
 * first transport.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StepFailure } from '../../action/contract.ts'
import { cameWithin, type HostClock, neverAborted } from '../deadline.ts'
import { type Connection, sessions, type Timing } from './connection.ts'
import { controlConfig } from './control-config.ts'
import { opensshFailure, timeoutFailure } from './failure.ts'
import { muxOver } from './mux.ts'
import type { ConnectionSettings, HostSettings, Surroundings } from './settings.ts'
import { type Slots, slots } from './slots.ts'

export interface ControlNeeds {
  /** The hosts of the inventory, for those on the way. */
  readonly hosts: (name: string) => HostSettings | undefined
  readonly env: Surroundings['env']
  readonly clock: HostClock
  readonly timing: Timing
  readonly handshakes: Slots
}

/** Connects and proves who we are; throws `StepFailure` `unreachable`. */
export async function openControl(
  settings: ConnectionSettings,
  needs: ControlNeeds,
  signal: AbortSignal,
): Promise<Connection> {
  const config = controlConfig(settings, needs)
  // a socket's path has a hundred characters at most
  const folder = await mkdtemp(join(tmpdir(), 'rb-'))
  let free = () => {}
  try {
    free = await needs.handshakes.take(signal)
    await writeFile(join(folder, 'config'), config, { mode: 0o600 })
    const path = join(folder, 's')
    const ssh = startSsh(['-F', join(folder, 'config'), '-S', path, '--', settings.name], needs.env)
    try {
      await loggedIn(ssh, settings, needs, signal)
      // nobody else comes in: the socket has no name any more when this is done
      return await connectionOver(await socketAt(path), ssh, settings, needs)
    } catch (error) {
      ssh.end()
      throw error
    }
  } finally {
    free()
    await rm(folder, { recursive: true, force: true })
  }
}

/** An `ssh` that keeps a connection for others, as long as we are there. */
interface Ssh {
  /** Resolves when the host has let us in. */
  readonly up: Promise<unknown>
  /** Resolves when it has ended and has said all; or there is none. */
  readonly ended: Promise<'ended' | 'not there'>
  /** All that it, and those on the way, have said. */
  said(): string
  end(): void
}

/** Our end of a pipe is watched: when it is closed, however that came, the whole group ends. */
const untilWeEnd = 'exec 3<&0; { read -r _ <&3; kill 0; } >/dev/null 2>&1 & exec ssh "$@" 3<&- </dev/null'

function startSsh(words: readonly string[], env: Surroundings['env']): Ssh {
  const master = ['-M', '-N', '-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=echo up']
  // a group of its own, away from our terminal: nobody is asked there, and Ctrl-C is for us
  const child = spawn('sh', ['-c', untilWeEnd, 'sh', ...master, ...words], {
    detached: true,
    env: { ...env, LC_ALL: 'C', SHELL: '/bin/sh' },
    stdio: 'pipe',
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text.replaceAll('\r', '')).slice(-16_384)
  })
  child.stdin.on('error', () => {})
  return {
    up: new Promise((resolve) => child.stdout.once('data', resolve)),
    ended: new Promise((resolve) => {
      child.once('error', () => resolve('not there'))
      // 127 is how a shell says that there is no such program
      child.once('close', (code) => resolve(code === 127 ? 'not there' : 'ended'))
    }),
    said: () => said,
    end() {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
    },
  }
}

async function loggedIn(
  { up, ended, said }: Ssh,
  settings: ConnectionSettings,
  { clock, timing }: ControlNeeds,
  signal: AbortSignal,
): Promise<void> {
  const first = Promise.race([up, ended])
  if (!(await cameWithin(clock, timing.connect + timing.auth, first, signal))) throw timeoutFailure('auth', settings)
  switch (await first) {
    case 'ended':
      throw opensshFailure(said(), settings)
    case 'not there':
      throw new StepFailure(
        'no_openssh',
        '`transport: openssh` needs the program `ssh`, which is not on this machine',
        { status: 'unreachable', hint: 'install the client of OpenSSH, or leave `transport` out of the inventory' },
      )
  }
}

async function connectionOver(
  socket: Socket | undefined,
  ssh: Ssh,
  { name }: ConnectionSettings,
  { clock }: ControlNeeds,
): Promise<Connection> {
  const mux = socket && (await muxOver(socket))
  if (!mux) {
    throw new StepFailure('handshake_failed', `the \`ssh\` that reaches \`${name}\` does not speak with us`, {
      status: 'unreachable',
      hint: '`transport: openssh` needs OpenSSH 7.6 or later on this machine',
    })
  }
  const before = ssh.said().length
  const reason = () => ssh.said().slice(before).trim().split('\n').at(-1) || '`ssh` has ended it'
  const gone = new Promise<string>((resolve) => socket.once('close', () => resolve(reason())))
  void gone.then(ssh.end)
  return {
    name,
    ...mux,
    slots: slots(sessions),
    gone,
    whyGone: () => (socket.destroyed ? reason() : undefined),
    isOpen: () => !socket.destroyed,
    async close() {
      ssh.end()
      await cameWithin(clock, 1_000, gone, neverAborted)
      socket.destroy()
    },
  }
}

function socketAt(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    // later ones end in `close`
    socket.on('error', () => resolve(undefined))
  })
}
