import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { newKey } from '../../../support/ssh-server.ts'
import { sshdMissing, startSshd } from '../../../support/sshd.ts'
import { doorTo, folder, never } from './harness.ts'

const client = newKey()

async function host(more: readonly string[] = []) {
  const files = folder()
  const server = await startSshd(client, files.write, more)
  const settings = {
    address: '127.0.0.1',
    port: server.port,
    user: server.user,
    identityFiles: [files.write('id', client.private)],
    knownHosts: [files.write('known_hosts', `[127.0.0.1]:${server.port} ${server.hostKey.public}\n`)],
  }
  return {
    server,
    settings,
    files,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}

const running = (text: string): number =>
  execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text) && !line.startsWith('Z')).length

if (sshdMissing !== undefined) console.warn(`not tried against OpenSSH: ${sshdMissing}`)

describe.skipIf(sshdMissing !== undefined)('OpenSSH', () => {
  test('runs a command word for word, with environment, folder and input', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const argv = [
      'sh',
      '-c',
      `printf '%s|' "$V" "$PWD" "$@"; cat; echo err >&2; exit 7`,
      'x',
      "it's",
      '',
      '$HOME',
      'a\nb',
    ]
    const result = await door.ssh.exec('c1', { argv, env: { V: 'é "' }, cwd: '/tmp', stdin: 'data' }, never)
    expect(result).toMatchObject({ exitCode: 7, stdout: `é "|/tmp|it's||$HOME|a\nb|data`, stderr: 'err\n' })
  })

  test('tells the signal that ended a command', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const result = await door.ssh.exec('c1', { argv: ['sh', '-c', 'kill -TERM $$'] }, never)
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  test('takes a long script, with data after it', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const script = { text: `${'#\n'.repeat(150_000)}cat; echo "$1"`, interpreter: ['sh'], args: ['a b'] }
    await expect(door.ssh.exec('c1', { script, stdin: 'in ' }, never)).resolves.toMatchObject({ stdout: 'in a b\n' })
  })

  test('runs many commands at once on one connection', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, n) => door.ssh.exec('c1', { argv: ['echo', `${n}`] }, never)),
    )
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(results.map((_, n) => `${n}`))
    expect(c1.server.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('with few sessions has commands wait for one', async () => {
    await using c1 = await host(['MaxSessions 2'])
    await using door = doorTo({ c1: c1.settings })
    const results = await Promise.all([1, 2, 3, 4].map((n) => door.ssh.exec('c1', { argv: ['echo', `${n}`] }, never)))
    expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n'])
  })

  test('passes 50 MB through', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => {} })
    const result = await door.ssh.exec('c1', { argv: ['head', '-c', '50000000', '/dev/zero'], maxOutput: 10 }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: '\0'.repeat(10), dropped: 49_999_990 })
  })

  test('has nothing of an aborted command left, even what ignores TERM', async () => {
    await using c1 = await host()
    const stop = new AbortController()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => stop.abort(new Error('enough')) })
    const text = `trap '' TERM; sh -c "trap '' TERM; sleep 24.49; sleep 24.49" & echo up; sleep 24.49; sleep 24.49`
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', text] }, stop.signal)).rejects.toThrow('enough')
    expect(running('sleep 24.49')).toBe(0)
  })

  test('that dies in the middle of a command leaves it unknown', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'kill -KILL $PPID; sleep 0.2'] }, never)
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'again'] }, never)).resolves.toMatchObject({ stdout: 'again\n' })
  })

  test('with a key that is not known is refused, and is known after what the hint says', async () => {
    await using c1 = await host()
    const known = `${c1.files.path}/new_known_hosts`
    await using door = doorTo({ c1: { ...c1.settings, knownHosts: [known] } })
    const refused = await door.ssh.exec('c1', { argv: ['true'] }, never).catch((error) => error)
    expect(refused).toMatchObject({ code: 'host_key_unknown', status: 'unreachable' })
    const [command = ''] = /ssh-keyscan [^`]+/.exec(refused.hint) ?? []
    execFileSync('sh', ['-c', command], { stdio: 'ignore' })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'in'] }, never)).resolves.toMatchObject({ stdout: 'in\n' })
  })

  test('is reached through another one', async () => {
    await using gate = await host()
    await using c1 = await host()
    await using door = doorTo({ gate: gate.settings, c1: { ...c1.settings, proxyJump: 'gate' } })
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', 'echo $SSH_CONNECTION'] }, never)).resolves.toMatchObject({
      exitCode: 0,
    })
    expect(gate.server.log()).toContain('Accepted publickey')
  })

  test('that lets nobody in says what was tried', async () => {
    await using c1 = await host()
    const wrong = c1.files.write('wrong', newKey().private)
    await using door = doorTo({ c1: { ...c1.settings, identityFiles: [wrong] } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining(wrong),
    })
  })

  test('that allows one command only takes bare ones', async () => {
    await using c1 = await host([
      'ForceCommand case "$SSH_ORIGINAL_COMMAND" in "echo yes") echo yes;; *) exit 9;; esac',
    ])
    await using door = doorTo({ c1: { ...c1.settings, bare: true } })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'yes'] }, never)).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'yes\n',
    })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'no'] }, never)).resolves.toMatchObject({ exitCode: 9 })
  })
})
