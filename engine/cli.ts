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
  compileLater()
  const { exitCode } = await import('./error.ts')
  const cancel = new AbortController()
  const leave = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    // once: stop cleanly, with clean-up; twice: leave at once, to be resumed
    if (cancel.signal.aborted) {
      leave.abort()
      process.exit(exitCode.interrupted)
    }
    cancel.abort(new Error(`interrupted by ${signal}`))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  // a reader that went away is no reason to stop a run
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const { main } = await import('./cli/main.ts')
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
  }
  process.exitCode = await main(argv, io, cancel.signal)
  // a plugin may have left something open; all that had to be written is written
  if (process.stdin.isTTY) process.stdin.unref()
}

/**
 * Most of the code that a command runs, it runs a few times: V8 spends more time on making it fast than that saves. It may
 * begin later; what runs often is still made fast. A version that does not know a flag says so to the user, so only the
 * versions for which it was measured are told (`npm run bench`).
 */
function compileLater(): void {
  const flags: { readonly [major: string]: readonly string[] } = {
    20: ['--interrupt-budget=600000'],
    22: ['--invocation-count-for-turbofan=12000', '--invocation-count-for-maglev=2000'],
    24: ['--invocation-count-for-turbofan=12000', '--invocation-count-for-maglev=2000'],
  }
  for (const flag of flags[process.versions.node.split('.')[0] ?? ''] ?? []) setFlagsFromString(flag)
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
