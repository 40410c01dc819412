#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { homedir, hostname, userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

/**
 * The program: the only file that knows this process's arguments, streams and signals. It imports nothing of ours before
 * it knows that it is needed: programs ask for a version often, and every file that is loaded costs.
 */
async function start(): Promise<void> {
  const argv = process.argv.slice(2)
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version()}\n`)
    return
  }
  const { codes, main } = await import('./cli/main.ts')
  const cancel = new AbortController()
  const leave = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    // once: stop cleanly, with clean-up; twice: leave at once, to be resumed
    if (cancel.signal.aborted) {
      leave.abort()
      process.exit(codes.interrupted)
    }
    cancel.abort(new Error(`interrupted by ${signal}`))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const gone = new AbortController()
  const seat = { gone: gone.signal, leave: () => gone.abort(), asking: 0 }
  process.on('SIGHUP', (signal) => {
    // comes more than once, from the shell and from the system; and it is nobody's answer to a question: that waits
    if (!gone.signal.aborted && seat.asking === 0 && !cancel.signal.aborted) onSignal(signal)
    seat.leave()
  })
  // a reader that went away is no reason to stop a run, nor is a terminal
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined)
  const io = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    user: userName(),
    hostname: hostname(),
    pid: process.pid,
    program: fileURLToPath(import.meta.url),
    leave: leave.signal,
    seat,
  }
  // not before: for other flags than its own, Node would compile anew each part of it that is loaded
  tuneForCommands()
  // an end that nobody gave a code is none of ours
  process.exitCode = codes.bug
  process.exitCode = await main(argv, io, cancel.signal)
  // a plugin may have left something open; all that had to be written is written
  if (process.stdin.isTTY) process.stdin.unref()
}

/**
 * V8 is set up for programs that run for long. Most of the code of a command runs a few times, so that making it fast costs
 * more than it saves: that begins later, and what runs often is still made fast. And the space for what is new does not
 * grow: a run of ten thousand steps keeps little, and needs a fifth less memory. A version of Node that does not know a flag
 * would say so to the user, so only those for which it was measured are told (`npm run bench`).
 */
function tuneForCommands(): void {
  const later = ['--invocation-count-for-turbofan=12000', '--invocation-count-for-maglev=2000']
  const flags: { readonly [major: string]: readonly string[] } = {
    20: ['--interrupt-budget=600000'],
    22: later,
    24: later,
  }
  const known = flags[process.versions.node.split('.')[0] ?? ''] ?? []
  for (const flag of known.length > 0 ? [...known, '--semi-space-growth-factor=1'] : []) setFlagsFromString(flag)
}

/** From the nearest `package.json` above this file, wherever it was built to. */
function version(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const path = new URL('package.json', folder)
    if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
    if (folder.pathname === '/') throw new Error('the package is not whole: its `package.json` is missing')
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return process.env['USER'] ?? `uid ${process.getuid?.() ?? '?'}`
  }
}

await start()
