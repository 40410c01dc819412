import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { running } from '../../../support/processes.ts'
import {
  fingerprint,
  newKey,
  runShell,
  type SshServer,
  type SshServerOptions,
  startProxy,
  startSshServer,
} from '../../../support/ssh-server.ts'
import { doorTo, folder, never } from './harness.ts'

const client = newKey()

/** A server, and the settings that reach it. */
async function host(options: Partial<SshServerOptions> = {}) {
  const server = await startSshServer({ authorized: [client.public], ...options })
  const files = folder()
  const settings = {
    address: '127.0.0.1',
    port: server.port,
    identityFiles: [files.write('id', client.private)],
    knownHosts: [files.write('known_hosts', server.knownHosts())],
  }
  return {
    server,
    files,
    settings,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}

describe('a command over SSH', () => {
  test('runs word for word, with environment, folder and standard input', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const argv = ['sh', '-c', `printf '%s|' "$V" "$PWD" "$@"; cat`, 'x', "it's", '', '$HOME']
    const result = await door.ssh.exec('c1', { argv, env: { V: 'a b' }, cwd: '/tmp', stdin: 'data' }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: "a b|/tmp|it's||$HOME|data", stderr: '', dropped: 0 })
  })

  test('tells its exit code and its stderr, without what was added to it', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const result = await door.ssh.exec('c1', { argv: ['sh', '-c', 'echo bad >&2; exit 3'] }, never)
    expect(result).toMatchObject({ exitCode: 3, stdout: '', stderr: 'bad\n' })
    expect(door.calls).toMatchObject([
      { kind: 'ssh', host: 'c1', command: "sh -c 'echo bad >&2; exit 3'", exitCode: 3, stderr: 'bad\n' },
    ])
    expect(door.output).toEqual(['c1 stderr bad\n'])
  })

  test('that ends at once is seen to end: its exit code comes with the answer to the request', async () => {
    await using c1 = await host({
      onExec(_, channel) {
        channel.stderr.write('late')
        channel.exit(5)
        channel.end('quick')
      },
    })
    await using door = doorTo({ c1: c1.settings })
    const result = await door.ssh.exec('c1', { argv: ['true'] }, never)
    expect(result).toMatchObject({ exitCode: 5, stdout: 'quick', stderr: 'late' })
  })

  test('tells the signal that ended it', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const result = await door.ssh.exec('c1', { argv: ['sh', '-c', 'kill -TERM $$'] }, never)
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  test('keeps what start-up files of the shell write to stderr, and takes the mark out of it', async () => {
    await using c1 = await host({ onExec: (command, channel) => runShell(`echo welcome >&2; ${command}`, channel) })
    await using door = doorTo({ c1: c1.settings })
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', 'echo own >&2'] }, never)).resolves.toMatchObject({
      stderr: 'welcome\nown\n',
    })
  })

  test('passes 100 MB through without keeping them', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => {} })
    const argv = ['sh', '-c', 'head -c 100000000 /dev/zero; head -c 1000000 /dev/zero >&2']
    const result = await door.ssh.exec('c1', { argv, maxOutput: 1000 }, never)
    expect(result).toMatchObject({ exitCode: 0, dropped: 101_000_000 - 2000 })
    expect([result.stdout.length, result.stderr.length]).toEqual([1000, 1000])
  })

  test('is not held by what it left in the background', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const result = await door.ssh.exec('c1', { argv: ['sh', '-c', 'sleep 16.18 & echo done'] }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    execFileSync('pkill', ['-x', '-f', 'sleep 16.18'])
  })

  test('a long script with data on standard input runs', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const text = `${'#\n'.repeat(150_000)}cat; echo "$1"; exit 4`
    const script = { text, interpreter: ['sh'], args: ['a b'] }
    await expect(door.ssh.exec('c1', { script, stdin: 'in ' }, never)).resolves.toMatchObject({
      exitCode: 4,
      stdout: 'in a b\n',
    })
  })

  test('of a host with bare commands is sent as it is', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: { ...c1.settings, bare: true } })
    await door.ssh.exec('c1', { argv: ['echo', 'a b', 'c'] }, never)
    expect(c1.server.seen.commands).toEqual(["echo 'a b' c"])
  })

  test('on a host that nobody has named is refused', async () => {
    await using door = doorTo({})
    await expect(door.ssh.exec('c9', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'host_unknown',
      status: 'failed',
    })
  })
})

describe('the connection', () => {
  test('is shared by commands at once, in no more sessions than a server takes', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const commands = Array.from({ length: 40 }, (_, n) => door.ssh.exec('c1', { argv: ['echo', String(n)] }, never))
    const results = await Promise.all(commands)
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(results.map((_, n) => String(n)))
    expect(c1.server.seen.connections).toBe(1)
    expect(c1.server.seen.mostSessions).toBeGreaterThan(1)
    expect(c1.server.seen.refused).toBe(0)
  })

  test('is not lent to another name of the same machine, which has a key and known hosts of its own', async () => {
    await using c1 = await host()
    const stranger = { ...c1.settings, knownHosts: [c1.files.write('none', '')] }
    const keyless = { ...c1.settings, identityFiles: [] }
    await using door = doorTo({ c1: c1.settings, stranger, keyless })
    await door.ssh.exec('c1', { argv: ['true'] }, never)
    for (const [name, code] of [
      ['stranger', 'host_key_unknown'],
      ['keyless', 'auth_failed'],
    ] as const) {
      const refused = door.ssh.exec(name, { argv: ['true'] }, never)
      await expect(refused).rejects.toMatchObject({ code })
    }
  })

  test('waits for a session where a server takes fewer', async () => {
    await using c1 = await host({ maxSessions: 2 })
    await using door = doorTo({ c1: c1.settings })
    const results = await Promise.all([1, 2, 3, 4].map((n) => door.ssh.exec('c1', { argv: ['echo', `${n}`] }, never)))
    expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    expect(c1.server.seen.refused).toBeGreaterThan(0)
  })

  test('is opened again when it died between two commands', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    await door.ssh.exec('c1', { argv: ['true'] }, never)
    c1.server.cut()
    await expect(door.ssh.exec('c1', { argv: ['echo', 'again'] }, never)).resolves.toMatchObject({ stdout: 'again\n' })
    expect(c1.server.seen.connections).toBe(2)
  })

  test('lost in the middle of a command leaves the command unknown, not failed and not done', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => c1.server.cut() })
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'echo up; exec sleep 14.14'] }, never)
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    execFileSync('pkill', ['-x', '-f', 'sleep 14.14'])
  })

  test('whose channel closes without an exit code leaves the command unknown', async () => {
    await using c1 = await host({ onExec: (_, channel) => void channel.close() })
    await using door = doorTo({ c1: c1.settings })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'connection_lost',
      status: 'unknown',
    })
  })

  test('that falls silent is given up by keepalive, and the command is unknown', async () => {
    await using c1 = await host()
    await using hole = await startProxy(c1.server.port)
    const name = `[127.0.0.1]:${hole.port}`
    const settings = { ...c1.settings, port: hole.port, knownHosts: [c1.files.write('kh', c1.server.knownHosts(name))] }
    await using door = doorTo({ c1: settings }, { timing: { keepalive: 200 }, onOutput: () => hole.freeze() })
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'echo up; exec sleep 17.32'] }, never)
    await expect(ended).rejects.toMatchObject({
      code: 'connection_lost',
      status: 'unknown',
      message: expect.stringMatching(/keepalive/i),
    })
    execFileSync('pkill', ['-x', '-f', 'sleep 17.32'])
  })

  test('closes with the door, and nothing waits any more', async () => {
    await using c1 = await host()
    const door = doorTo({ c1: c1.settings })
    const ended = door.ssh.exec('c1', { argv: ['sleep', '19.19'] }, never).catch((error) => error.code)
    await expect.poll(() => running('sleep 19.19')).toBe(1)
    await door.close()
    await expect(ended).resolves.toBe('connection_lost')
    execFileSync('pkill', ['-x', '-f', 'sleep 19.19'])
  })
})

describe('an aborted command', () => {
  test('takes its group with it, and rejects with the reason after that', async () => {
    await using c1 = await host()
    const stop = new AbortController()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => stop.abort(new Error('enough')) })
    const text = `trap '' TERM; sh -c "trap '' TERM; sleep 22.36; sleep 22.36" & echo up; sleep 22.36; sleep 22.36`
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', text] }, stop.signal)).rejects.toThrow('enough')
    expect(running('sleep 22.36')).toBe(0)
    await expect(door.ssh.exec('c1', { argv: ['echo', 'next'] }, never)).resolves.toMatchObject({ stdout: 'next\n' })
    expect(c1.server.seen.connections).toBe(1)
  })

  test('may put its things in order first', async () => {
    await using c1 = await host()
    const note = `${c1.files.path}/note`
    const stop = new AbortController()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => stop.abort(new Error('enough')) })
    const child = `trap 'echo bye >"$0"; exit' TERM; echo up; while :; do sleep 0.1; done`
    const argv = ['sh', '-c', 'sh -c "$1" "$2" & wait', 'sh', child, note]
    await expect(door.ssh.exec('c1', { argv }, stop.signal)).rejects.toThrow('enough')
    expect(readFileSync(note, 'utf8')).toBe('bye\n')
  })

  test('that waits for a session leaves the line', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const stop = new AbortController()
    const busy = Array.from({ length: 8 }, () =>
      door.ssh.exec('c1', { argv: ['sh', '-c', 'echo on; sleep 0.5'] }, never),
    )
    await expect.poll(() => door.output.length).toBe(8)
    const waiting = door.ssh.exec('c1', { argv: ['echo', 'never'] }, stop.signal)
    stop.abort(new Error('no more'))
    await expect(waiting).rejects.toThrow('no more')
    await Promise.all(busy)
    expect(c1.server.seen.commands).toHaveLength(8)
  })

  test('that cannot be ended says so', async () => {
    await using c1 = await host()
    const stop = new AbortController()
    await using door = doorTo(
      { c1: { ...c1.settings, bare: true } },
      { onOutput: () => stop.abort(new Error('enough')) },
    )
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'echo up; exec sleep 23.23'] }, stop.signal)
    await expect(ended).rejects.toMatchObject({ code: 'not_stopped', status: 'unknown' })
    execFileSync('pkill', ['-x', '-f', 'sleep 23.23'])
  })

  test('stops connecting, unless another one waits for the same host', async () => {
    await using c1 = await host()
    await using door = doorTo({ c1: c1.settings })
    const stop = new AbortController()
    const first = door.ssh.exec('c1', { argv: ['echo', '1'] }, stop.signal)
    const second = door.ssh.exec('c1', { argv: ['echo', '2'] }, never)
    stop.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await expect(second).resolves.toMatchObject({ stdout: '2\n' })
  })
})

describe('a host that is not reached', () => {
  test('because nobody listens is unreachable at once', async () => {
    const gone = await startSshServer()
    await gone[Symbol.asyncDispose]()
    await using door = doorTo({ c1: { address: '127.0.0.1', port: gone.port } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'connection_refused',
      status: 'unreachable',
    })
  })

  test('because its name means nothing says so', async () => {
    await using door = doorTo({ c1: { address: 'no-such-host.invalid' } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'dns_failed',
      status: 'unreachable',
    })
  })

  test('because it takes the connection and is silent says so', async () => {
    await using silent = await startProxy()
    await using door = doorTo({ c1: { address: '127.0.0.1', port: silent.port } }, { timing: { connect: 200 } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'banner_timeout',
      status: 'unreachable',
    })
  })

  test('may be reached later: a failure is not kept', async () => {
    await using c1 = await host()
    const settings = { ...c1.settings, knownHosts: [`${c1.files.path}/later`] }
    await using door = doorTo({ c1: settings })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'host_key_unknown' })
    c1.files.write('later', c1.server.knownHosts())
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).resolves.toMatchObject({ exitCode: 0 })
  })
})

describe('the key of a host', () => {
  const hostKey = newKey()
  const other = newKey()
  const tries = async (knownHosts: (server: SshServer) => string, keys = [hostKey]) => {
    await using c1 = await host({ hostKeys: keys })
    const file = c1.files.write('kh', knownHosts(c1.server))
    await using door = doorTo({ c1: { ...c1.settings, knownHosts: [file] } })
    return await door.ssh.exec('c1', { argv: ['echo', 'in'] }, never).then(
      ({ stdout }) => ({ stdout, commands: c1.server.seen.commands.length }),
      (error) => ({
        code: error.code,
        status: error.status,
        message: error.message as string,
        hint: error.hint as string,
        connections: c1.server.seen.connections,
      }),
    )
  }
  const line = (server: SshServer, key = hostKey) => `[127.0.0.1]:${server.port} ${key.public}\n`

  test('that is not known is refused, with its fingerprint and how to add it', async () => {
    const refused = await tries(() => '')
    expect(refused).toMatchObject({ code: 'host_key_unknown', status: 'unreachable', connections: 0 })
    expect(refused).toMatchObject({
      message: expect.stringContaining(fingerprint(hostKey)),
      hint: expect.stringContaining('ssh-keyscan -H -p'),
    })
  })

  test('that has changed is refused, with both fingerprints', async () => {
    const refused = await tries((server) => line(server, other))
    expect(refused).toMatchObject({ code: 'host_key_changed', status: 'unreachable', connections: 0 })
    for (const key of [hostKey, other])
      expect(refused).toMatchObject({ message: expect.stringContaining(fingerprint(key)) })
  })

  test('that is revoked is refused, even where it is known as well', async () => {
    await expect(tries((server) => `${line(server)}@revoked * ${hostKey.public}\n`)).resolves.toMatchObject({
      code: 'host_key_revoked',
      connections: 0,
    })
  })

  test('that only a certificate authority vouches for is refused with the reason', async () => {
    const refused = await tries(() => `@cert-authority * ${other.public}\n`)
    expect(refused).toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining('certificates are not supported'),
    })
  })

  test('that is hashed in the file is known', async () => {
    await expect(
      tries((server) => {
        using files = folder()
        const file = files.write('kh', line(server))
        execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
        return execFileSync('cat', [file], { encoding: 'utf8' })
      }),
    ).resolves.toMatchObject({ stdout: 'in\n' })
  })

  test('is asked for in the type that is known', async () => {
    const rsa = newKey('rsa')
    await expect(tries((server) => line(server, rsa), [hostKey, rsa])).resolves.toMatchObject({ stdout: 'in\n' })
  })
})
