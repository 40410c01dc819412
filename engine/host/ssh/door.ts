import type { Duplex } from 'node:stream'
import { type Command, type CommandResult, type Ssh, StepFailure } from '../../action/contract.ts'
import type { Call } from '../../run/event.ts'
import { seenOf, showCommand } from '../command.ts'
import { cameWithin, type HostClock } from '../deadline.ts'
import { type AskSecret, type KeyFiles, keyFiles } from './auth.ts'
import { becomeOf, showAs } from './become.ts'
import { type Connection, openConnection, type Timing, usualTiming } from './connection.ts'
import { loopFailure } from './failure.ts'
import { NeverBegan, runOn } from './session.ts'
import {
  type ConnectionSettings,
  type HostSettings,
  jumpOf,
  type Surroundings,
  saidOfJump,
  settingsOf,
} from './settings.ts'
import { type Shared, shared } from './shared.ts'
import { slots } from './slots.ts'

export interface SshDoorOptions extends Surroundings {
  /** The hosts of the inventory by name; a host to jump over need not be one. */
  readonly hosts: (name: string) => HostSettings | undefined
  readonly clock: HostClock
  /** Asks a person, or a store of secrets, for passwords and passphrases; without it what needs one is not tried. */
  readonly ask?: AskSecret
  readonly timing?: Partial<Timing>
  readonly onCall?: SshWatcher['onCall']
  readonly onOutput?: SshWatcher['onOutput']
  readonly onSecret?: SshWatcher['onSecret']
}

/** Who wants to know what a command did, and what it writes meanwhile. */
export interface SshWatcher {
  readonly onCall?: ((call: Call) => void) | undefined
  readonly onOutput?: ((host: string, stream: 'stdout' | 'stderr', text: string) => void) | undefined
  /** Told of a password before it is used: it must be shown nowhere. */
  readonly onSecret?: ((name: string, value: string) => void) | undefined
}

export interface SshDoor {
  /** Tells the watcher of the options. */
  readonly ssh: Ssh
  /** The same connections, and a watcher of its own: one for each step that runs. */
  watchedBy(watcher: SshWatcher): Ssh
  /** Connects and proves who we are, without running anything; throws what a command would. */
  reach(host: string, signal: AbortSignal): Promise<void>
  /** Closes every connection; what still runs ends as `unknown`. */
  close(): Promise<void>
}

/**
 * The way to hosts over SSH. A host has one connection, opened when it is first needed, shared by all its commands and
 * kept until the door is closed; one that died between two commands is opened again, once. A host whose key is not
 * known, or has changed, is never connected to, whatever its configuration says.
 */
export function sshDoor(options: SshDoorOptions): SshDoor {
  const timing = { ...usualTiming, ...options.timing }
  const connections = new Map<string, Shared<Connection>>()
  const resolved = new Map<string, Promise<ConnectionSettings>>()
  const handshakes = slots(64)
  let keys: KeyFiles | undefined

  async function connectionTo(
    settings: ConnectionSettings,
    passed: readonly string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const { name, user, hostname, port, jumps, hostKeyAlias, transport } = settings
    // by name too: two names of one machine may have other keys, other known hosts, and are told apart in messages
    const key = JSON.stringify([name, user, hostname, port, jumps, hostKeyAlias, transport])
    if (passed.includes(key)) throw loopFailure(settings.name)
    const kept = connections.get(key) ?? shared((stop) => openHop(settings, [...passed, key], stop))
    connections.set(key, kept)
    try {
      const connection = await kept.get(signal)
      if (connection.isOpen()) return connection
    } catch (error) {
      forget(key, kept)
      throw error
    }
    forget(key, kept)
    return connectionTo(settings, passed, signal)
  }

  function forget(key: string, kept: Shared<Connection>): void {
    if (connections.get(key) === kept) connections.delete(key)
  }

  async function openHop(
    settings: ConnectionSettings,
    passed: readonly string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const { clock, ask, env, hosts } = options
    if (settings.transport === 'openssh') {
      const { openControl } = await import('./control.ts')
      return openControl(settings, { hosts, env, clock, timing, handshakes }, signal)
    }
    const { default: ssh2 } = await import('ssh2')
    keys ??= keyFiles(ssh2)
    const via = settings.jumps.length > 0 ? await wayOver(settings, passed, signal) : undefined
    return openConnection(settings, via, { ssh2, clock, keys, ask, timing, handshakes }, signal)
  }

  /** A stream to a host through the last of its jumps, which is itself reached through those before it. */
  async function wayOver(
    settings: ConnectionSettings,
    passed: readonly string[],
    signal: AbortSignal,
  ): Promise<Duplex> {
    const [last = '', ...before] = settings.jumps.toReversed()
    const { name, settings: said } = jumpOf(last)
    const proxyJump = before.length > 0 ? { proxyJump: before.toReversed().join(',') } : {}
    const known = saidOfJump(name, settings.said, options.hosts)
    const jump = await settingsOf(name, { ...known, ...said, ...proxyJump }, options, signal)
    return forwarded(await connectionTo(jump, passed, signal), settings, signal)
  }

  async function forwarded(
    jump: Connection,
    { hostname, port, connectTimeout }: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<Duplex> {
    const there = `${hostname} port ${port}`
    const opening = jump.forward(hostname, port)
    try {
      if (await cameWithin(options.clock, connectTimeout ?? timing.connect, opening, signal)) return await opening
      throw new Error('no answer in time')
    } catch (cause) {
      // it may still come, and then nobody wants it
      opening.then(
        (stream) => stream.destroy(),
        () => {},
      )
      signal.throwIfAborted()
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new StepFailure('jump_failed', `\`${jump.name}\` does not reach ${there} for us: ${why}`, {
        status: 'unreachable',
        cause,
        hint: 'look whether the host is up, and at `AllowTcpForwarding` of the sshd in between',
      })
    }
  }

  async function settingsFor(host: string, signal: AbortSignal): Promise<ConnectionSettings> {
    const said = options.hosts(host)
    if (!said)
      throw new StepFailure('host_unknown', `no host is called \`${host}\``, { hint: 'add it to the inventory' })
    const settings = resolved.get(host) ?? settingsOf(host, said, options, signal)
    resolved.set(host, settings)
    // a signal of one command, or a file that is being mended, must not settle it for the run
    settings.catch(() => resolved.get(host) === settings && resolved.delete(host))
    return settings
  }

  async function run(
    host: string,
    command: Command,
    { onOutput, onSecret }: SshWatcher,
    signal: AbortSignal,
  ): Promise<Omit<CommandResult, 'took'>> {
    const settings = await settingsFor(host, signal)
    const become = becomeOf(command, settings)
    const password = become?.password?.()
    if (password !== undefined) onSecret?.(`become_password of ${host}`, password)
    for (const field of ['password', 'passphrase'] as const) {
      const secret = readable(settings[field])
      if (secret !== undefined) onSecret?.(`${field} of ${host}`, secret)
    }
    const session = {
      become: become && { ...become, password },
      clock: options.clock,
      timing,
      bare: settings.bare,
      onOutput: command.secretOutput
        ? undefined
        : onOutput && ((stream: 'stdout' | 'stderr', text: string) => onOutput(host, stream, text)),
    }
    try {
      return await runOn(await connectionTo(settings, [], signal), command, session, signal)
    } catch (error) {
      if (!(error instanceof NeverBegan)) throw error
    }
    try {
      return await runOn(await connectionTo(settings, [], signal), command, session, signal)
    } catch (error) {
      if (!(error instanceof NeverBegan)) throw error
      throw new StepFailure(
        'connection_lost',
        `the connection to \`${host}\` was lost before the command began, twice`,
        { status: 'unreachable', cause: error },
      )
    }
  }

  async function shown(host: string, command: Command, signal: AbortSignal): Promise<string> {
    // settings that cannot be had are told when the command is run
    const settings = await settingsFor(host, signal).catch(() => undefined)
    return settings ? showAs(command, becomeOf(command, settings)) : showCommand(command)
  }

  function watchedBy(watcher: SshWatcher): Ssh {
    return {
      async exec(host, command, signal) {
        signal.throwIfAborted()
        const began = options.clock.now()
        const call = { kind: 'ssh' as const, host, command: await shown(host, command, signal) }
        try {
          const ended = await run(host, command, watcher, signal)
          const result = { ...ended, took: options.clock.now() - began }
          watcher.onCall?.({ ...call, ...seenOf(command, result) })
          return result
        } catch (error) {
          watcher.onCall?.({
            ...call,
            took: options.clock.now() - began,
            error: error instanceof Error ? error.message : String(error),
          })
          throw error
        }
      },
    }
  }

  return {
    ssh: watchedBy(options),
    watchedBy,
    async reach(host, signal) {
      await connectionTo(await settingsFor(host, signal), [], signal)
    },
    async close() {
      const open = [...connections.values()]
      connections.clear()
      await Promise.all(open.map((kept) => kept.close((connection) => connection.close())))
    },
  }
}

/** One that cannot be read is told when it is needed. */
function readable(secret: (() => string) | undefined): string | undefined {
  try {
    return secret?.()
  } catch {
    return undefined
  }
}
