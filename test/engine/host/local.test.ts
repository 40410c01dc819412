import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type LocalDoorOptions, localDoor } from '../../../engine/host/local.ts'
import type { Call } from '../../../engine/run/event.ts'
import { running } from '../../support/processes.ts'

const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
}
const door = (options: Partial<LocalDoorOptions> = {}) =>
  localDoor({ clock, env: { PATH: '/usr/bin:/bin', KEPT: 'yes' }, grace: 1_000, ...options })
const never = new AbortController().signal

describe('a command on this machine', () => {
  test('words reach the program without a shell', async () => {
    const result = await door().exec({ argv: ['printf', '%s|', '$HOME', "it's", ''] }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: "$HOME|it's||", stderr: '', dropped: 0 })
  })

  test('environment, folder and standard input are given', async () => {
    const script = { text: 'echo "$KEPT $OWN $PWD"; cat', interpreter: ['sh'], args: [] }
    const { stdout } = await door().exec({ script, env: { OWN: 'a b' }, cwd: '/tmp', stdin: 'in' }, never)
    expect(stdout).toBe('yes a b /tmp\nin')
  })

  test('a long script runs from a file that is gone afterwards', async () => {
    const script = { text: `${'#\n'.repeat(100_000)}echo "$0 $1"`, interpreter: ['sh'], args: ['x'] }
    const [file, arg] = (await door().exec({ script }, never)).stdout.trim().split(' ')
    expect(arg).toBe('x')
    await expect(door().exec({ argv: ['test', '-e', file ?? ''] }, never)).resolves.toMatchObject({ exitCode: 1 })
  })

  test.each([
    ['a program that is not there', { argv: ['no-such-program'] }, 127],
    ['a file that is no program', { argv: ['/etc/passwd'] }, 126],
    ['a folder that is not there', { argv: ['true'], cwd: '/nowhere' }, 126],
    ['a program that fails', { argv: ['sh', '-c', 'exit 3'] }, 3],
  ])('%s has the exit code a shell would give', async (_, command, exitCode) => {
    await expect(door().exec(command, never)).resolves.toMatchObject({ exitCode })
  })

  test('a program ended by a signal says which', async () => {
    const result = await door().exec({ argv: ['sh', '-c', 'kill -TERM $$'] }, never)
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  test('output beyond the limit is counted, on whole characters', async () => {
    const argv = ['sh', '-c', 'printf éééé; head -c 3000000 /dev/zero >&2']
    const result = await door().exec({ argv, maxOutput: 5 }, never)
    expect(result).toMatchObject({ stdout: 'éé', dropped: 3 + 3_000_000 - 5 })
    expect(result.stderr).toBe('\0'.repeat(5))
  })

  test('a program that does not read its input is no failure', async () => {
    const result = await door().exec({ argv: ['true'], stdin: 'x'.repeat(2_000_000) }, never)
    expect(result.exitCode).toBe(0)
  })

  test('output is passed on as it comes', async () => {
    const seen: string[] = []
    await door({ onOutput: (stream, text) => seen.push(`${stream} ${text}`) }).exec(
      { argv: ['sh', '-c', 'printf one; sleep 0.2; printf two >&2'] },
      never,
    )
    expect(seen).toEqual(['stdout one', 'stderr two'])
  })

  test('each command is told once, with what it came to', async () => {
    const calls: Call[] = []
    await door({ onCall: (call) => calls.push(call) }).exec({ argv: ['echo', 'a b'] }, never)
    expect(calls).toMatchObject([
      { kind: 'local', host: 'localhost', command: "echo 'a b'", exitCode: 0, stdout: 'a b\n' },
    ])
  })

  test('something left in the background does not hold the result', async () => {
    const result = await door().exec({ argv: ['sh', '-c', 'sleep 31.41 & echo done'] }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    execFileSync('pkill', ['-x', '-f', 'sleep 31.41'])
  })
})

describe('an aborted command', () => {
  test('takes its whole group with it, even what ignores TERM, and rejects with the reason after that', async () => {
    const stop = new AbortController()
    const text = `trap '' TERM; sh -c "trap '' TERM; sleep 27.18; sleep 27.18" & echo up; sleep 27.18; sleep 27.18`
    const up: string[] = []
    const ended = door({
      onOutput(_, seen) {
        up.push(seen)
        stop.abort(new Error('enough'))
      },
    }).exec({ argv: ['sh', '-c', text] }, stop.signal)
    await expect(ended).rejects.toThrow('enough')
    expect(up).toEqual(['up\n'])
    expect(running('sleep 27.18')).toBe(0)
  })

  test('may put its things in order first, those of its children too', async () => {
    const files = mkdtempSync(join(tmpdir(), 'local-test-'))
    const stop = new AbortController()
    const child = `trap 'echo bye >"$0"; exit' TERM; echo up; while :; do sleep 0.1; done`
    const argv = ['sh', '-c', 'sh -c "$1" "$2" & wait', 'sh', child, join(files, 'note')]
    const ended = door({ onOutput: () => stop.abort(new Error('enough')) }).exec({ argv }, stop.signal)
    await expect(ended).rejects.toThrow('enough')
    expect(readFileSync(join(files, 'note'), 'utf8')).toBe('bye\n')
    rmSync(files, { recursive: true })
  })

  test('that was aborted before does not start', async () => {
    await expect(
      door().exec({ argv: ['touch', '/tmp/started-too-late'] }, AbortSignal.abort(new Error('no'))),
    ).rejects.toThrow('no')
    await expect(door().exec({ argv: ['test', '-e', '/tmp/started-too-late'] }, never)).resolves.toMatchObject({
      exitCode: 1,
    })
  })
})

test('what is secret in the output is neither passed on nor told', async () => {
  const calls: Call[] = []
  const seen: string[] = []
  const watched = door({ onCall: (call) => calls.push(call), onOutput: (_, text) => seen.push(text) })
  await expect(watched.exec({ argv: ['echo', 'x'], secretOutput: true }, never)).resolves.toMatchObject({
    stdout: 'x\n',
  })
  expect(seen).toEqual([])
  expect(calls).toEqual([
    { kind: 'local', host: 'localhost', command: 'echo x', exitCode: 0, took: expect.any(Number) },
  ])
})
