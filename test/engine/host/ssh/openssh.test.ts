import { execFileSync } from 'node:child_process'
import { chmodSync, symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { HostSettings, Transport } from '../../../../engine/host/ssh/settings.ts'
import { commandLines, running } from '../../../support/processes.ts'
import { newKey, startProxy } from '../../../support/ssh-server.ts'
import { sshdMissing, startSshd } from '../../../support/sshd.ts'
import { doorTo, folder, never } from './harness.ts'

const client = newKey()

async function host(more: readonly string[] = [], transport: Transport = 'ssh2') {
  const files = folder()
  const server = await startSshd(client, files.write, more)
  const settings = {
    transport,
    address: '127.0.0.1',
    port: server.port,
    user: server.user,
    identityFiles: [files.write('id', client.private)],
    knownHosts: [files.write('known_hosts', `[127.0.0.1]:${server.port} ${server.hostKey.public}\n`)],
  } satisfies HostSettings
  return {
    server,
    settings,
    files,
    /** The same host by another way to it. */
    by(port: number): HostSettings {
      const known = files.write(`known_hosts_${port}`, `[127.0.0.1]:${port} ${server.hostKey.public}\n`)
      return { ...settings, port, knownHosts: [known] }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}

/** How many `ssh` of this machine keep a connection to hosts of a name. */
const clients = (name: string): number => commandLines(` -- ${name}`).filter((line) => line.startsWith('ssh ')).length

/** A configuration of somebody who wants to be let in wherever it is. */
const careless = 'Host *\n  StrictHostKeyChecking no\n  CheckHostIP no\n'

if (sshdMissing !== undefined) console.warn(`not tried against OpenSSH: ${sshdMissing}`)

const transports: readonly Transport[] = ['ssh2', 'openssh']

describe.skipIf(sshdMissing !== undefined).each(transports)('OpenSSH, reached by %s,', (transport) => {
  test('runs a command word for word, with environment, folder and input', async () => {
    await using c1 = await host([], transport)
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

  test('tells how a command ended: by a signal, with 255 of its own, long after it closed its output', async () => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: c1.settings })
    const ended = (text: string) => door.ssh.exec('c1', { argv: ['sh', '-c', text] }, never)
    await expect(ended('kill -TERM $$')).resolves.toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    await expect(ended('echo own >&2; exit 255')).resolves.toMatchObject({ exitCode: 255, stderr: 'own\n' })
    await expect(ended('exec >&- 2>&-; sleep 0.3; exit 4')).resolves.toMatchObject({ exitCode: 4, stderr: '' })
  })

  test('takes a long script, with data after it, and much input', async () => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: c1.settings })
    const script = { text: `${'#\n'.repeat(150_000)}cat; echo "$1"`, interpreter: ['sh'], args: ['a b'] }
    await expect(door.ssh.exec('c1', { script, stdin: 'in ' }, never)).resolves.toMatchObject({ stdout: 'in a b\n' })
    const much = door.ssh.exec('c1', { argv: ['wc', '-c'], stdin: 'x'.repeat(9_000_000) }, never)
    await expect(much).resolves.toMatchObject({ stdout: '9000000\n' })
  })

  test('runs many commands at once on one connection', async () => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: c1.settings })
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, n) => door.ssh.exec('c1', { argv: ['echo', `${n}`] }, never)),
    )
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(results.map((_, n) => `${n}`))
    expect(c1.server.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('with few sessions has commands wait for one', async () => {
    await using c1 = await host(['MaxSessions 2'], transport)
    await using door = doorTo({ c1: c1.settings })
    const slow = (n: number) => door.ssh.exec('c1', { argv: ['sh', '-c', `sleep 0.2; echo ${n}`] }, never)
    const results = await Promise.all([1, 2, 3, 4].map(slow))
    expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    expect(c1.server.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('passes 50 MB through, of both streams', async () => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => {} })
    const text = 'head -c 50000000 /dev/zero; head -c 3000000 /dev/zero | tr "\\0" e >&2'
    const result = await door.ssh.exec('c1', { argv: ['sh', '-c', text], maxOutput: 10 }, never)
    expect(result).toMatchObject({ exitCode: 0, stdout: '\0'.repeat(10), stderr: 'eeeeeeeeee', dropped: 52_999_980 })
  })

  test('is told a password when it asks for one, and nobody else is', async () => {
    using bin = folder()
    const sudo = `#!/bin/sh
while [ "$1" != -- ]; do if [ "$1" = -p ]; then p=$2; fi; shift; done; shift
printf %s "$p" >&2; IFS= read -r w; [ "$w" = secret-1 ] || exit 1; BECOME=yes exec "$@"`
    chmodSync(bin.write('sudo', sudo), 0o755)
    await using c1 = await host([`SetEnv PATH=${bin.path}:/usr/bin:/bin SHLVL=1`], transport)
    await using door = doorTo({ c1: { ...c1.settings, becomePassword: () => 'secret-1' } })
    const argv = [
      'sh',
      '-c',
      'echo "$BECOME"; cat; ps -eo args | grep "^ssh " | grep -c "secret[-]1\\|a [w]ord of its own"',
    ]
    const become = { user: 'other' }
    const result = await door.ssh.exec('c1', { argv: [...argv, 'a word of its own'], stdin: 'in\n', become }, never)
    expect(result).toMatchObject({ stdout: 'yes\nin\n0\n', stderr: '' })
    expect(JSON.stringify([door.calls, door.output])).not.toContain('secret-1')
  })

  test('has nothing of an aborted command left, even what ignores TERM', async () => {
    await using c1 = await host([], transport)
    const stop = new AbortController()
    await using door = doorTo({ c1: c1.settings }, { onOutput: () => stop.abort(new Error('enough')) })
    const text = `trap '' TERM; sh -c "trap '' TERM; sleep 24.49; sleep 24.49" & echo up; sleep 24.49; sleep 24.49`
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', text] }, stop.signal)).rejects.toThrow('enough')
    expect(running('sleep 24.49')).toBe(0)
  })

  test('that dies in the middle of a command leaves it unknown', async () => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: c1.settings })
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'kill -KILL $PPID; sleep 0.2'] }, never)
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'again'] }, never)).resolves.toMatchObject({ stdout: 'again\n' })
  })

  test.each(['cut', 'freeze'] as const)('behind a way that breaks (%s) leaves the command unknown', async (how) => {
    await using c1 = await host([], transport)
    await using way = await startProxy(c1.server.port)
    await using door = doorTo({ c1: c1.by(way.port) }, { timing: { keepalive: 500 }, onOutput: () => way[how]() })
    const ended = door.ssh.exec('c1', { argv: ['sh', '-c', 'echo up; exec sleep 5.55'] }, never)
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
  })

  test('that takes the connection and is silent is unreachable', async () => {
    await using silent = await startProxy()
    const c1 = { transport, address: '127.0.0.1', port: silent.port }
    await using door = doorTo({ c1 }, { timing: { connect: 1_000 } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'banner_timeout',
      status: 'unreachable',
    })
  })

  test('with a key that is not known is refused, and is known after what the hint says', async () => {
    await using c1 = await host([], transport)
    const known = `${c1.files.path}/new_known_hosts`
    const sshConfig = c1.files.write('config', careless)
    await using door = doorTo({ c1: { ...c1.settings, knownHosts: [known], sshConfig } })
    const refused = await door.ssh.exec('c1', { argv: ['true'] }, never).catch((error) => error)
    expect(refused).toMatchObject({ code: 'host_key_unknown', status: 'unreachable' })
    const [command = ''] = /ssh-keyscan [^`]+/.exec(refused.hint) ?? []
    execFileSync('sh', ['-c', command], { stdio: 'ignore' })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'in'] }, never)).resolves.toMatchObject({ stdout: 'in\n' })
    expect(c1.server.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test.each([
    ['changed', 'host_key_changed'],
    ['revoked', 'host_key_revoked'],
  ])('with a key that is %s is refused', async (what, code) => {
    await using c1 = await host([], transport)
    const { hostKey, port } = c1.server
    const line = what === 'revoked' ? `@revoked * ${hostKey.public}` : `[127.0.0.1]:${port} ${newKey().public}`
    const knownHosts = [c1.files.write('kh', `${line}\n`)]
    await using door = doorTo({ c1: { ...c1.settings, knownHosts, sshConfig: c1.files.write('config', careless) } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({ code, status: 'unreachable' })
    expect(c1.server.log()).not.toContain('Accepted')
  })

  test.each(['none', '/dev/null'])('is reached without a configuration: %s', async (sshConfig) => {
    await using c1 = await host([], transport)
    await using door = doorTo({ c1: { ...c1.settings, sshConfig } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).resolves.toMatchObject({ exitCode: 0 })
  })

  test('is reached through another one', async () => {
    await using gate = await host([], transport)
    await using c1 = await host([], transport)
    await using door = doorTo({ gate: gate.settings, c1: { ...c1.settings, proxyJump: 'gate' } })
    await expect(door.ssh.exec('c1', { argv: ['sh', '-c', 'echo $SSH_CONNECTION'] }, never)).resolves.toMatchObject({
      exitCode: 0,
    })
    expect(gate.server.log()).toContain('Accepted publickey')
  })

  test('is reached through others that only its configuration knows', async () => {
    await using gate = await host()
    await using c1 = await host([], transport)
    const { port, user, identityFiles, knownHosts } = gate.settings
    const place = `HostName 127.0.0.1\n Port ${port}\n User ${user}\n`
    const files = `IdentityFile ${identityFiles[0]}\n UserKnownHostsFile ${knownHosts[0]}\n`
    const sshConfig = c1.files.write('config', `Host outer inner\n ${place} ${files}\nHost inner\n ProxyJump outer\n`)
    await using door = doorTo({ c1: { ...c1.settings, sshConfig, proxyJump: 'inner' } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).resolves.toMatchObject({ exitCode: 0 })
    expect(gate.server.log().match(/Accepted publickey/g)).toHaveLength(2)
  })

  test('is not reached through one whose key is not known, nor over itself', async () => {
    await using gate = await host([], transport)
    await using c1 = await host([], transport)
    const sshConfig = c1.files.write('config', careless)
    await using door = doorTo({
      gate: { ...gate.settings, knownHosts: [gate.files.write('none', '')], sshConfig },
      c1: { ...c1.settings, proxyJump: 'gate', sshConfig },
      loop: { ...c1.settings, proxyJump: 'pool' },
      pool: { ...gate.settings, proxyJump: 'loop' },
    })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'host_key_unknown',
      status: 'unreachable',
      message: expect.stringContaining(`[127.0.0.1]:${gate.server.port}`),
    })
    expect(gate.server.log()).not.toContain('Accepted')
    await expect(door.ssh.exec('loop', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'proxy_loop' })
  })

  test('that lets nobody in is unreachable', async () => {
    await using c1 = await host([], transport)
    const wrong = c1.files.write('wrong', newKey().private)
    await using door = doorTo({ c1: { ...c1.settings, identityFiles: [wrong] } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'auth_failed',
      status: 'unreachable',
      ...(transport === 'ssh2' && { message: expect.stringContaining(wrong) }),
    })
  })

  test('that allows one command only takes bare ones', async () => {
    await using c1 = await host(
      ['ForceCommand case "$SSH_ORIGINAL_COMMAND" in "echo yes") echo yes;; *) exit 9;; esac'],
      transport,
    )
    await using door = doorTo({ c1: { ...c1.settings, bare: true } })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'yes'] }, never)).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'yes\n',
    })
    await expect(door.ssh.exec('c1', { argv: ['echo', 'no'] }, never)).resolves.toMatchObject({ exitCode: 9 })
  })
})

describe.skipIf(sshdMissing !== undefined)('the ssh of this machine', () => {
  test('shows a certificate, which our own client has none of', async () => {
    using files = folder()
    const ca = newKey()
    const mine = newKey()
    await using c1 = await host([`TrustedUserCAKeys ${files.write('ca.pub', `${ca.public}\n`)}`])
    const id = files.write('id', mine.private)
    const sign = ['-q', '-s', files.write('ca', ca.private), '-I', 'of a test', '-n', c1.server.user]
    execFileSync('ssh-keygen', [...sign, files.write('id.pub', `${mine.public}\n`)])
    const settings = { ...c1.settings, identityFiles: [id] }
    await using door = doorTo({ own: settings, system: { ...settings, transport: 'openssh' } })
    await expect(door.ssh.exec('own', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'auth_failed' })
    await expect(door.ssh.exec('system', { argv: ['echo', 'in'] }, never)).resolves.toMatchObject({ stdout: 'in\n' })
    expect(c1.server.log()).toContain('ED25519-CERT')
  })

  test('knows a host by a certificate, which our own client says that it cannot', async () => {
    using files = folder()
    const ca = newKey()
    const shown = newKey('ecdsa')
    const key = files.write('shown', shown.private)
    const sign = ['-q', '-s', files.write('ca', ca.private), '-h', '-I', 'of a test', '-n', '127.0.0.1']
    execFileSync('ssh-keygen', [...sign, files.write('shown.pub', `${shown.public}\n`)])
    await using c1 = await host([`HostKey ${key}`, `HostCertificate ${files.path}/shown-cert.pub`])
    const knownHosts = [files.write('kh', `@cert-authority [127.0.0.1]:${c1.server.port} ${ca.public}\n`)]
    const settings = { ...c1.settings, knownHosts }
    await using door = doorTo({ own: settings, system: { ...settings, transport: 'openssh' } })
    await expect(door.ssh.exec('own', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining('`transport: openssh`'),
    })
    await expect(door.ssh.exec('system', { argv: ['echo', 'in'] }, never)).resolves.toMatchObject({ stdout: 'in\n' })
  })

  test('goes by a `ProxyCommand`, which our own client refuses', async () => {
    await using c1 = await host([], 'openssh')
    const way = `const s = require('node:net').connect(${c1.server.port}, '127.0.0.1'); process.stdin.pipe(s).pipe(process.stdout)`
    const command = `${process.execPath} ${c1.files.write('way.cjs', way)}`
    const sshConfig = c1.files.write('config', `Host *\n  ProxyCommand ${command}\n`)
    const knownHosts = [c1.files.write('kh', `behind ${c1.server.hostKey.public}\n`)]
    const behind = { ...c1.settings, address: 'behind', port: 22, knownHosts, sshConfig }
    await using door = doorTo({ behind, own: { ...behind, transport: 'ssh2' } })
    await expect(door.ssh.exec('behind', { argv: ['echo', 'in'] }, never)).resolves.toMatchObject({ stdout: 'in\n' })
    await expect(door.ssh.exec('own', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'proxy_command' })
  })

  test('takes our own client on to another host', async () => {
    await using gate = await host([], 'openssh')
    await using c1 = await host()
    const gateName = `gate-${process.pid}`
    await using door = doorTo({ [gateName]: gate.settings, c1: { ...c1.settings, proxyJump: gateName } })
    const argv = ['head', '-c', '5000000', '/dev/zero']
    const result = await door.ssh.exec('c1', { argv, maxOutput: 10 }, never)
    expect(result).toMatchObject({ exitCode: 0, dropped: 4_999_990 })
    expect(clients(gateName)).toBe(1)
  })

  test('is not left running by a door that is closed, nor by a command that is called off while it connects', async () => {
    await using c1 = await host([], 'openssh')
    await using silent = await startProxy()
    const leaves = `leaves-${process.pid}-`
    const door = doorTo({ [`${leaves}1`]: c1.settings, [`${leaves}2`]: { ...c1.settings, port: silent.port } })
    await door.ssh.exec(`${leaves}1`, { argv: ['true'] }, never)
    const stop = new AbortController()
    const waits = door.ssh.exec(`${leaves}2`, { argv: ['true'] }, stop.signal)
    waits.catch(() => {})
    await expect.poll(() => clients(leaves)).toBe(2)
    stop.abort(new Error('enough'))
    await expect(waits).rejects.toThrow('enough')
    await door.close()
    await expect.poll(() => running(`-- ${leaves}`)).toBe(0)
  })

  test.each(['with a shell', 'with nothing'])('that is not there, on a machine %s, is told', async (what) => {
    using bin = folder()
    if (what === 'with a shell') symlinkSync('/bin/sh', `${bin.path}/sh`)
    await using door = doorTo({ c1: { transport: 'openssh', address: '127.0.0.1' } }, { env: { PATH: bin.path } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'no_openssh',
      status: 'unreachable',
      message: expect.stringContaining('`ssh`, which is not on this machine'),
    })
  })

  test('is not given a value that it would read as two', async () => {
    await using door = doorTo({ c1: { transport: 'openssh', address: '127.0.0.1', user: 'ops\n  ProxyCommand id' } })
    await expect(door.ssh.exec('c1', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'ssh_config' })
  })
})
