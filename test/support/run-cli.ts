import { Readable, Writable } from 'node:stream'
import type { Io } from '../../engine/cli/io.ts'
import { main } from '../../engine/cli/main.ts'

export interface CliResult {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd: string
  /** The home folder; runs are kept below it. */
  readonly home: string
  readonly env?: Io['env']
  /** Stops the command, as Ctrl-C does. */
  readonly signal?: AbortSignal
}

/** Runs one command in this process, without a terminal, and gives what it wrote. */
export async function runCli(
  args: readonly string[],
  { cwd, home, env = {}, signal = new AbortController().signal }: CliOptions,
): Promise<CliResult> {
  const stdout = sink()
  const stderr = sink()
  const io: Io = {
    stdin: Readable.from([]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    cwd,
    home,
    user: 'tester',
    hostname: 'test-host',
    pid: process.pid,
  }
  const exit = await main(args, io, signal)
  return { exit, stdout: stdout.text(), stderr: stderr.text() }
}

function sink(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}
