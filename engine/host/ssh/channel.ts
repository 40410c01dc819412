import type { Readable } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import type { CommandResult } from '../../action/contract.ts'
import { cameWithin, type HostClock, neverAborted } from '../deadline.ts'

type Ending = Pick<CommandResult, 'exitCode' | 'signal'>

/** A command on a host, by whatever way. Both streams are to be read: a server stops a command whose output nobody takes. */
export interface Channel {
  readonly stdout: Readable
  readonly stderr: Readable
  /** How the command ended; `lost` when the channel ended first. */
  readonly exited: Promise<Ending | 'lost'>
  /** Resolves when there will be no more output. */
  readonly closed: Promise<unknown>
  write(text: string): void
  /** Ends the input of the command. */
  end(text?: string): void
  close(): void
}

/** Why there is no channel; `asked`: it was there, and the command asked for, when it failed. */
export interface Refused {
  readonly error: Error
  readonly asked: boolean
}

/** Asks our own client for a channel and a command on it. */
export function askForChannel(client: Client, text: string): Promise<Channel | Refused> {
  return new Promise((resolve) => {
    let asked = false
    const options = {
      // ssh2 looks here between opening the channel and asking for the command, and tells in no other way
      get env(): undefined {
        asked = true
        return undefined
      },
    }
    try {
      client.exec(text, options as object, (error, channel) => resolve(error ? { error, asked } : follow(channel)))
    } catch (error) {
      resolve({ error: error as Error, asked })
    }
  })
}

/** To be called as soon as there is a channel: the exit code of a quick command comes in the same packet. */
function follow(channel: ClientChannel): Channel {
  // a program may end without reading what it is given
  channel.on('error', () => {})
  const closed = closedOf([channel, channel.stderr])
  const exited = new Promise<Ending | 'lost'>((resolve) => {
    channel.once('exit', (code: number | null, name?: string) =>
      resolve(code === null ? { exitCode: null, ...(name !== undefined && { signal: name }) } : { exitCode: code }),
    )
    void closed.then(() => resolve('lost'))
  })
  return {
    stdout: channel,
    stderr: channel.stderr,
    exited,
    closed,
    write: (text) => void channel.write(text),
    end: (text) => void channel.end(text),
    close: () => channel.close(),
  }
}

/** Resolves when all of them are closed. */
function closedOf(streams: readonly Readable[]): Promise<unknown> {
  return Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.once('close', () => resolve()))))
}

/**
 * Milliseconds without any output, after the program ended, until the rest is given up: something it left behind may hold
 * the channel. Long, because what is given up is lost, and a busy host may be silent for a while.
 */
const linger = 10_000

/** Waits for the rest of the output, as long as some comes; then closes the channel. */
export async function drain(channel: Channel, clock: HostClock, signal: AbortSignal): Promise<void> {
  let chunks = 0
  const count = () => chunks++
  channel.stdout.on('data', count)
  channel.stderr.on('data', count)
  for (let before = -1; before !== chunks && !signal.aborted; ) {
    before = chunks
    if (await cameWithin(clock, linger, channel.closed, neverAborted)) return
  }
  channel.close()
}
