/**
 * One command on an open connection. What holds:
 * 1. `NeverBegan` is thrown only while the command cannot have begun; after that a lost connection is `unknown`.
 * 2. When the signal is aborted, the promise rejects after the command's process group has ended, or says that it has not.
 * 3. Both streams are always read: a server stops a command whose output nobody takes.
 */
import { randomBytes } from 'node:crypto'
import { type Command, type CommandResult, StepFailure } from '../../action/contract.ts'
import {
  bareCommand,
  becomingCommand,
  defaultMaxOutput,
  go,
  killCommand,
  promptFor,
  remoteCommand,
} from '../command.ts'
import { cameWithin, type HostClock, neverAborted, whenAborted } from '../deadline.ts'
import { output } from '../output.ts'
import type { Become } from './become.ts'
import { type Channel, drain } from './channel.ts'
import type { Connection, Timing } from './connection.ts'
import { becomeFailure, lostFailure } from './failure.ts'
import { type PidFilter, pidFilter } from './pid-filter.ts'

export interface SessionOptions {
  readonly clock: HostClock
  readonly timing: Timing
  readonly bare: boolean
  /** As whom it runs, when that is another than who logs in. */
  readonly become: Become | undefined
  readonly onOutput: ((stream: 'stdout' | 'stderr', text: string) => void) | undefined
}

/** The connection was gone before the command was sent: it may be tried again on a new one. */
export class NeverBegan extends Error {
  override readonly name = 'NeverBegan'
}

export async function runOn(
  connection: Connection,
  command: Command,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Omit<CommandResult, 'took'>> {
  const { onOutput, clock } = options
  const limit = command.maxOutput ?? defaultMaxOutput
  const stdout = output(limit, onOutput && ((text) => onOutput('stdout', text)))
  const stderr = output(limit, onOutput && ((text) => onOutput('stderr', text)))

  const free = await connection.slots.take(signal)
  try {
    const started = await start(connection, command, options, { stdout: stdout.take, stderr: stderr.take }, signal)
    const { channel, group } = started

    const aborted = whenAborted(signal)
    const first = await Promise.race([channel.exited, aborted.came])
    aborted.forget()
    if (first === 'aborted') {
      if (started.began()) await endCommand(connection, channel, options.bare ? undefined : group.pid, options)
      else await callOff(channel, options)
      throw signal.reason
    }
    await drain(channel, clock, signal)
    group.flush()
    if (!started.began()) {
      if (first === 'lost' && !connection.isOpen())
        throw new NeverBegan(connection.whyGone() ?? 'the channel was closed')
      throw becomeFailure(connection.name, options.become, stderr.text())
    }
    if (first === 'lost')
      throw lostFailure(connection.name, connection.whyGone() ?? 'the channel was closed without an exit code')
    return { ...first, stdout: stdout.text(), stderr: stderr.text(), dropped: stdout.dropped() + stderr.dropped() }
  } finally {
    free()
  }
}

interface Started {
  readonly channel: Channel
  readonly group: PidFilter
  /** Whether the command itself may have begun: one that is to run as another user has not until that has worked. */
  began(): boolean
}

interface Sinks {
  readonly stdout: (chunk: Buffer) => void
  readonly stderr: (chunk: Buffer) => void
}

/** Sends a command to the host, and what stands on its input as soon as the command is there to read it. */
async function start(
  connection: Connection,
  command: Command,
  options: Pick<SessionOptions, 'clock' | 'timing' | 'bare' | 'become'>,
  sinks: Sinks,
  signal: AbortSignal,
): Promise<Started> {
  const { bare, become } = options
  const mark = `runbook-${randomBytes(8).toString('hex')}`
  const password = become?.password
  const becoming = become && { ...become, password: password !== undefined }
  const { text, stdin } = bare
    ? bareCommand(command, become)
    : becoming
      ? becomingCommand(command, mark, becoming)
      : remoteCommand(command, mark)
  const channel = await openChannel(connection, text, options, signal)
  let began = !becoming
  let asked = 0
  const group = pidFilter(mark, sinks.stderr, becoming && { pattern: questionOf(becoming.method, mark), asked: answer })
  channel.stdout.on('data', sinks.stdout)
  channel.stderr.on('data', (chunk: Buffer) => group.take(chunk))
  if (began) channel.end(stdin)
  else void group.pid.then(begin)

  function begin(): void {
    if (signal.aborted) return
    began = true
    channel.write(go)
    channel.end(stdin)
  }
  /** The second question says that the first answer was wrong: nothing more is said. */
  function answer(): void {
    asked++
    if (asked === 1 && password !== undefined) channel.write(`${password}\n`)
    else channel.end()
  }
  return { channel, group, began: () => began }
}

/** `su` has words of its own, which end as questions do, and nothing comes after them. */
function questionOf(method: Become['method'], mark: string): RegExp {
  return method === 'sudo' ? new RegExp(promptFor(mark)) : /[^\n]*: $/
}

/** A command that has not begun never will when its input ends. */
async function callOff(channel: Channel, { clock, timing }: SessionOptions): Promise<void> {
  channel.end()
  await cameWithin(clock, timing.grace, channel.closed, neverAborted)
  channel.close()
}

/** Opens a channel and starts a text; a server that has no session to spare is asked again, a few times. */
async function openChannel(
  connection: Connection,
  text: string,
  { clock, timing }: Pick<SessionOptions, 'clock' | 'timing'>,
  signal: AbortSignal,
): Promise<Channel> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    const opening = connection.open(text)
    if (!(await cameBeforeGivingUp(opening, { clock, ms: timing.grace }, signal))) {
      // it may still come, and then nobody wants it
      void opening.then((opened) => 'close' in opened && opened.close())
      throw notStopped(connection.name, 'the connection does not answer')
    }
    const opened = await opening
    if ('close' in opened) return opened
    const { error: cause, asked } = opened
    if (!connection.isOpen()) {
      throw asked
        ? lostFailure(connection.name, connection.whyGone() ?? cause.message, cause)
        : new NeverBegan(cause.message, { cause })
    }
    if (asked) {
      throw new StepFailure('exec_refused', `\`${connection.name}\` does not run commands for this user`, {
        cause,
        hint: 'look at `ForceCommand` of its sshd, and at the shell of the user',
      })
    }
    if (tries === 12) {
      throw new StepFailure('channel_refused', `\`${connection.name}\` opens no more sessions: ${cause.message}`, {
        status: 'unreachable',
        cause,
        hint: 'look at `MaxSessions` of its sshd',
      })
    }
    await clock.sleep(Math.min(100 * 2 ** tries, timing.grace), signal)
  }
}

/** Waits for a thing; once the signal is aborted, only for so long. */
async function cameBeforeGivingUp(
  thing: Promise<unknown>,
  { clock, ms }: { clock: HostClock; ms: number },
  signal: AbortSignal,
): Promise<boolean> {
  const aborted = whenAborted(signal)
  try {
    const first = await Promise.race([thing, aborted.came])
    return first !== 'aborted' || (await cameWithin(clock, ms, thing, neverAborted))
  } finally {
    aborted.forget()
  }
}

/** Ends what a command started, over a second channel, and waits until nothing of it is left. */
async function endCommand(
  connection: Connection,
  channel: Channel,
  group: Promise<number> | undefined,
  { clock, timing, become }: SessionOptions,
): Promise<void> {
  try {
    if (!group) throw notStopped(connection.name, 'its host takes commands bare')
    let pid: number | undefined
    const told = group.then((found) => {
      pid = found
    })
    const came = await cameWithin(clock, timing.grace, Promise.race([told, channel.closed]), neverAborted)
    if (pid === undefined) {
      if (came && connection.isOpen()) return
      throw notStopped(connection.name, connection.whyGone() ?? 'its process group is not known')
    }
    const killed = killGroup(connection, killCommand(pid, Math.max(1, Math.round(timing.grace / 1_000))), {
      clock,
      timing,
      bare: false,
      become,
    })
    // the script gives up by itself; the rest is for the way there and back
    const done = await cameWithin(clock, timing.grace * 2 + 20_000, killed, neverAborted)
    if (!done || (await killed) !== 0) throw notStopped(connection.name, `its process group ${pid} did not end`)
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'not_stopped') throw error
    throw notStopped(connection.name, error instanceof Error ? error.message : String(error), error)
  } finally {
    channel.close()
  }
}

function notStopped(host: string, why: string, cause?: unknown): StepFailure {
  return new StepFailure('not_stopped', `the command on \`${host}\` may still run: ${why}`, {
    status: 'unknown',
    hint: 'look on the host, and end it there',
    cause,
  })
}

/** As whoever the command ran as: nobody else may. */
async function killGroup(
  connection: Connection,
  command: Command,
  options: Pick<SessionOptions, 'clock' | 'timing' | 'bare' | 'become'>,
): Promise<number | null> {
  const ignore = () => {}
  const { channel, group } = await start(connection, command, options, { stdout: ignore, stderr: ignore }, neverAborted)
  const ending = await channel.exited
  await drain(channel, options.clock, neverAborted)
  group.flush()
  if (ending === 'lost') throw new Error(connection.whyGone() ?? 'the channel was closed')
  return ending.exitCode
}
