import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../../engine/action/contract.ts'
import type { AskSecret, SecretQuestion } from '../../../engine/host/ssh/auth.ts'
import type { HostSettings } from '../../../engine/host/ssh/settings.ts'
import { runCli } from '../../support/run-cli.ts'
import { labDoor } from '../support/door.ts'
import { labHosts, onHost } from '../support/hosts.ts'
import { eventually, lab } from '../support/lab.ts'
import { asRoot, sshdOn } from '../support/sshd.ts'

const soon = () => AbortSignal.timeout(200_000)
const files = mkdtempSync(join(tmpdir(), 'lab-connection-'))
const password = 'kbd-of-the-lab'
const keysFile = '/etc/ssh/lab-connection-keys'

beforeAll(async () => {
  await asRoot('h1', `id kbd >/dev/null 2>&1 || useradd -m -s /bin/bash kbd; echo 'kbd:${password}' | chpasswd`)
})

afterAll(async () => {
  await asRoot('h1', `userdel -f -r kbd 2>/dev/null; rm -f ${keysFile} /tmp/connection-*; true`)
  rmSync(files, { recursive: true, force: true })
})

/** A shell that says `up` first; `onUp` is called when that has come. */
const saying = (text: string): Command => ({ argv: ['sh', '-c', `echo up; ${text}`] })
const running = async (host: string, text: string) => Number(await asRoot(host, `pgrep -xf '${text}' | wc -l`))
const isThere = async (host: string, path: string) => (await onHost(host, `test -e ${path}`, soon())).code === 0
const inTime = <T>(ask: () => Promise<T | undefined>) => eventually(ask, soon(), 200)
const quick = { connect: 5_000, auth: 10_000, keepalive: 400, grace: 500 }

function signalOnUp(): { readonly up: Promise<void>; readonly onOutput: () => void } {
  let onOutput = () => {}
  const up = new Promise<void>((resolve) => {
    onOutput = resolve
  })
  return { up, onOutput }
}

describe('a host that is lost', () => {
  test('because it hangs in the middle of a command leaves the command unknown, and the command goes on', async () => {
    await using server = await sshdOn('h1')
    const { up, onOutput } = signalOnUp()
    await using door = labDoor({ port: server.port }, { timing: quick, onOutput })
    const ended = door.ssh.exec('h1', saying('sleep 4; touch /tmp/connection-hung'), soon())
    ended.catch(() => {})
    await up
    await server.freeze()
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    await inTime(async () => (await isThere('h1', '/tmp/connection-hung')) || undefined)
  })

  test('because it hangs, and then called off, is not said to have ended', async () => {
    await using server = await sshdOn('h1')
    const { up, onOutput } = signalOnUp()
    const stop = new AbortController()
    await using door = labDoor({ port: server.port }, { timing: quick, onOutput })
    const ended = door.ssh.exec('h1', saying('exec sleep 43.21'), stop.signal)
    ended.catch(() => {})
    await up
    await server.freeze()
    stop.abort(new Error('enough'))
    await expect(ended).rejects.toMatchObject({ code: 'not_stopped', status: 'unknown' })
    expect(await running('h1', 'sleep 43.21')).toBe(1)
    await asRoot('h1', `pkill -xf 'sleep 43.21'`)
  })

  test('because its session is killed leaves the command unknown, and the next one is run on a new connection', async () => {
    await using server = await sshdOn('h1')
    const { up, onOutput } = signalOnUp()
    await using door = labDoor({ port: server.port }, { timing: quick, onOutput })
    const ended = door.ssh.exec('h1', saying('sleep 2; touch /tmp/connection-killed'), soon())
    ended.catch(() => {})
    await up
    await server.cutOff()
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    const once = { argv: ['sh', '-c', 'echo once >>/tmp/connection-once; echo again'] }
    await expect(door.ssh.exec('h1', once, soon())).resolves.toMatchObject({ exitCode: 0, stdout: 'again\n' })
    await server.cutOff()
    await expect(door.ssh.exec('h1', once, soon())).resolves.toMatchObject({ exitCode: 0, stdout: 'again\n' })
    expect(await asRoot('h1', 'cat /tmp/connection-once')).toBe('once\nonce')
    await inTime(async () => (await isThere('h1', '/tmp/connection-killed')) || undefined)
  })

  test('because its cable is pulled leaves the command unknown, and is unreachable until it is back', async () => {
    const { up, onOutput } = signalOnUp()
    await using door = labDoor({}, { timing: { ...quick, connect: 1_500 }, onOutput })
    const ended = door.ssh.exec('h2', saying('sleep 5; touch /tmp/connection-cable'), soon())
    ended.catch(() => {})
    await up
    execFileSync('ip', ['link', 'set', 'vb-h2', 'down'])
    try {
      await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
      const next = door.ssh.exec('h2', { argv: ['touch', '/tmp/connection-never'] }, soon())
      await expect(next).rejects.toMatchObject({
        code: expect.stringMatching(/^(connect_timeout|no_route)$/),
        status: 'unreachable',
      })
    } finally {
      execFileSync('ip', ['link', 'set', 'vb-h2', 'up'])
    }
    const back = async () => (await onHost('h2', 'true', soon())).code === 0 || undefined
    await inTime(back)
    await expect(door.ssh.exec('h2', { argv: ['echo', 'back'] }, soon())).resolves.toMatchObject({ stdout: 'back\n' })
    await inTime(async () => (await isThere('h2', '/tmp/connection-cable')) || undefined)
    expect(await isThere('h2', '/tmp/connection-never')).toBe(false)
    await asRoot('h2', 'rm -f /tmp/connection-*')
  })
})

describe('a host that does not let us in', () => {
  const nothing: Command = { argv: ['touch', '/tmp/connection-in'] }
  async function refusedOn(settings: HostSettings, timing = quick): Promise<unknown> {
    await using door = labDoor(settings, { timing })
    const refused = await door.ssh.exec('h1', nothing, soon()).catch((error: unknown) => error)
    expect(await isThere('h1', '/tmp/connection-in')).toBe(false)
    return refused
  }

  test('because its banner never comes is unreachable', async () => {
    await using server = await sshdOn('h1')
    await server.silence()
    const refused = await refusedOn({ port: server.port }, { ...quick, connect: 1_000 })
    expect(refused).toMatchObject({ code: 'banner_timeout', status: 'unreachable' })
  })

  test('because it hangs while it looks for our key is unreachable', async () => {
    await using server = await sshdOn('h1', [
      'AuthorizedKeysFile none',
      'AuthorizedKeysCommand /bin/sleep 100',
      'AuthorizedKeysCommandUser root',
    ])
    const refused = await refusedOn({ port: server.port }, { ...quick, auth: 1_000 })
    expect(refused).toMatchObject({ code: 'auth_failed', status: 'unreachable' })
    expect(refused).toHaveProperty('message', expect.stringContaining('did not decide in time'))
  })

  test('because nothing listens there is unreachable', async () => {
    expect(await refusedOn({ port: 2999 })).toMatchObject({ code: 'connection_refused', status: 'unreachable' })
  })
})

describe('the key of a host', () => {
  const newKey = (name: string) => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(files, name)])
    return execFileSync('cut', ['-d ', '-f1,2', join(files, `${name}.pub`)], { encoding: 'utf8' }).trim()
  }
  const known = (name: string, ...lines: string[]): HostSettings => {
    writeFileSync(join(files, name), `${lines.join('\n')}\n`)
    return { knownHosts: [join(files, name)] }
  }
  const own = () => asRoot('h1', `cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub`)
  const address = async () => (await labHosts()).get('h1') ?? ''
  const tries = async (settings: HostSettings) => {
    await using door = labDoor(settings, { timing: quick })
    const touched = door.ssh.exec('h1', { argv: ['touch', '/tmp/connection-key'] }, soon())
    const ended = await touched.then(
      ({ exitCode }) => exitCode,
      (error: unknown) => error,
    )
    const done = await isThere('h1', '/tmp/connection-key')
    await asRoot('h1', 'rm -f /tmp/connection-key')
    return { ended, done }
  }

  test('that nobody has written down is refused, with its fingerprint', async () => {
    const { ended, done } = await tries(known('none', ''))
    expect(ended).toMatchObject({ code: 'host_key_unknown', status: 'unreachable' })
    const print = await asRoot('h1', `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2`)
    expect(ended).toHaveProperty('message', expect.stringContaining(print))
    expect(done).toBe(false)
  })

  test('that is another one than was written down is refused', async () => {
    const { ended, done } = await tries(known('wrong', `${await address()} ${newKey('wrong-key')}`))
    expect(ended).toMatchObject({ code: 'host_key_changed', status: 'unreachable' })
    expect(done).toBe(false)
  })

  test('that is revoked is refused, though it is known', async () => {
    const [at, key] = [await address(), await own()]
    const { ended, done } = await tries(known('revoked', `${at} ${key}`, `@revoked * ${key}`))
    expect(ended).toMatchObject({ code: 'host_key_revoked', status: 'unreachable' })
    expect(done).toBe(false)
  })

  test('that stands in the file by a hash is known, and missed when it is another', async () => {
    const at = await address()
    const settings = known('hashed', `${at} ${await own()}`)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', join(files, 'hashed')], { stdio: 'ignore' })
    expect(execFileSync('cat', [join(files, 'hashed')], { encoding: 'utf8' })).not.toContain(at)
    expect(await tries(settings)).toEqual({ ended: 0, done: true })
    const other = known('hashed-other', `${at} ${newKey('hashed-key')}`)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', join(files, 'hashed-other')], { stdio: 'ignore' })
    expect(await tries(other)).toMatchObject({ ended: { code: 'host_key_changed' }, done: false })
  })

  test('that changes between two connections ends the trust in the host', async () => {
    const at = await address()
    await asRoot(
      'h1',
      `rm -f /tmp/connection-host-*; for k in a b; do ssh-keygen -q -t ed25519 -N '' -f /tmp/connection-host-$k; done`,
    )
    const first = await asRoot('h1', `cut -d' ' -f1,2 /tmp/connection-host-a.pub`)
    const settings = known('changes', `[${at}]:2022 ${first}`)
    {
      await using server = await sshdOn('h1', ['HostKey /tmp/connection-host-a'])
      expect(await tries({ ...settings, port: server.port })).toEqual({ ended: 0, done: true })
    }
    await using server = await sshdOn('h1', ['HostKey /tmp/connection-host-b'])
    const { ended, done } = await tries({ ...settings, port: server.port })
    expect(ended).toMatchObject({ code: 'host_key_changed', status: 'unreachable' })
    expect(done).toBe(false)
  })
})

describe('who logs in', () => {
  function answering(answer: string): { ask: AskSecret; asked: SecretQuestion[] } {
    const asked: SecretQuestion[] = []
    const ask: AskSecret = async (question) => {
      asked.push(question)
      return answer
    }
    return { asked, ask }
  }

  test('with an encrypted key is asked for its passphrase, and other hosts go on while it is opened', async () => {
    const key = join(files, 'locked')
    // many rounds: opening it is work for seconds
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '64', '-N', 'open sesame', '-f', key])
    await asRoot('h1', `echo '${execFileSync('cat', [`${key}.pub`], { encoding: 'utf8' }).trim()}' >${keysFile}`)
    await using server = await sshdOn('h1', [`AuthorizedKeysFile ${keysFile}`])
    const { ask, asked } = answering('open sesame')
    const locked: HostSettings = { sshConfig: lab.sshConfig, port: server.port, identityFiles: [key] }
    const hosts = (name: string) => (name === 'h1' ? locked : { sshConfig: lab.sshConfig })
    await using door = labDoor({}, { hosts, ask })
    await door.reach('h2', soon())
    let [open, meanwhile] = [false, 0]
    const opened = door.ssh.exec('h1', { argv: ['id', '-un'] }, soon()).finally(() => {
      open = true
    })
    while (!open) {
      await door.ssh.exec('h2', { argv: ['true'] }, soon())
      meanwhile++
    }
    expect(await opened).toMatchObject({ exitCode: 0, stdout: 'root\n' })
    expect(asked).toMatchObject([{ kind: 'passphrase', host: 'h1', user: 'root', file: key }])
    expect(meanwhile).toBeGreaterThan(20)
  })

  const questions = ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'PubkeyAuthentication no']
  const id: Command = { argv: ['id', '-un'] }

  test('by the questions of the server has the password of the inventory given', async () => {
    await using server = await sshdOn('h1', questions)
    await using door = labDoor({ port: server.port, user: 'kbd', password: () => password })
    await expect(door.ssh.exec('h1', id, soon())).resolves.toMatchObject({ stdout: 'kbd\n' })
  })

  test('by a key and then by the questions of the server is asked, though the key was offered', async () => {
    await asRoot('h1', `head -n 1 /root/.ssh/authorized_keys >${keysFile}`)
    await using server = await sshdOn('h1', [
      'UsePAM yes',
      'KbdInteractiveAuthentication yes',
      'AuthenticationMethods publickey,keyboard-interactive',
      `AuthorizedKeysFile ${keysFile}`,
    ])
    const { ask, asked } = answering(password)
    await using door = labDoor({ port: server.port, user: 'kbd' }, { ask })
    await expect(door.ssh.exec('h1', id, soon())).resolves.toMatchObject({ stdout: 'kbd\n' })
    expect(asked).toMatchObject([{ kind: 'prompt', host: 'h1', user: 'kbd', echo: false }])
  })

  test('by the questions of the server is asked in its words, and refused for a wrong answer', async () => {
    await using server = await sshdOn('h1', questions)
    const right = answering(password)
    await using door = labDoor({ port: server.port, user: 'kbd' }, { ask: right.ask })
    await expect(door.ssh.exec('h1', id, soon())).resolves.toMatchObject({ stdout: 'kbd\n' })
    expect(right.asked).toMatchObject([{ kind: 'prompt', host: 'h1', user: 'kbd', echo: false }])
    expect(right.asked[0]?.text).toMatch(/^(\(kbd@\S+\) )?Password: $/)
    const wrong = answering('not-the-password')
    await using other = labDoor({ port: server.port, user: 'kbd' }, { ask: wrong.ask })
    await expect(other.ssh.exec('h1', id, soon())).rejects.toMatchObject({
      code: 'auth_failed',
      status: 'unreachable',
    })
  })
})

describe('over other hosts', () => {
  const over =
    (proxyJump: string, settings: HostSettings = {}) =>
    (name: string) => ({
      sshConfig: lab.sshConfig,
      ...(name === 'h3' && { proxyJump, ...settings }),
    })

  test('a host is reached by h1 and then h2, each one seen by the next', async () => {
    await using door = labDoor({}, { hosts: over('h1,h2') })
    const { stdout } = await door.ssh.exec('h3', { argv: ['sh', '-c', 'hostname; echo "$SSH_CONNECTION"'] }, soon())
    const addresses = await labHosts()
    expect(stdout).toMatch(new RegExp(`^h3\n${addresses.get('h2')} \\d+ ${addresses.get('h3')} 22\n$`))
    const peers = await asRoot('h2', `ss -Htn state established '( sport = :22 )' | awk '{print $4}'`)
    expect(peers).toContain(`${addresses.get('h1')}:`)
  })

  test('one whose way is cut off in the middle leaves the command unknown', async () => {
    await using server = await sshdOn('h2')
    const { up, onOutput } = signalOnUp()
    await using door = labDoor({}, { hosts: over(`h1,h2:${server.port}`), timing: quick, onOutput })
    const ended = door.ssh.exec('h3', saying('sleep 2; touch /tmp/connection-jump'), soon())
    ended.catch(() => {})
    await up
    await server.cutOff()
    await expect(ended).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    await inTime(async () => (await isThere('h3', '/tmp/connection-jump')) || undefined)
    await asRoot('h3', 'rm -f /tmp/connection-jump')
  })

  test('one that the host in between does not pass us on to is unreachable', async () => {
    await using server = await sshdOn('h2', ['AllowTcpForwarding no'])
    await using door = labDoor({}, { hosts: over(`h2:${server.port}`), timing: quick })
    await expect(door.ssh.exec('h3', { argv: ['true'] }, soon())).rejects.toMatchObject({
      code: 'jump_failed',
      status: 'unreachable',
      message: expect.stringContaining('`h2`'),
    })
  })
})

describe('a connection', () => {
  test('to an sshd of few sessions takes many commands, each once', async () => {
    await using server = await sshdOn('h1', ['MaxSessions 2'])
    await using door = labDoor({ port: server.port })
    const numbers = Array.from({ length: 24 }, (_, index) => `${index}`)
    const command = (n: string) => ({ argv: ['sh', '-c', 'echo "$1" >>/tmp/connection-many; echo "$1"', 'sh', n] })
    const results = await Promise.all(numbers.map((n) => door.ssh.exec('h1', command(n), soon())))
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(numbers)
    expect((await asRoot('h1', 'sort -n /tmp/connection-many')).split('\n')).toEqual(numbers)
  })

  test('to an sshd that opens no session at all is unreachable', async () => {
    await using server = await sshdOn('h1', ['MaxSessions 0'])
    await using door = labDoor({ port: server.port }, { timing: { ...quick, grace: 100 } })
    await expect(door.ssh.exec('h1', { argv: ['true'] }, soon())).rejects.toMatchObject({
      code: 'channel_refused',
      status: 'unreachable',
    })
  })

  test('passes 100 MB without losing or keeping any of it', async () => {
    let [bytes, highest] = [0, 0]
    const hash = createHash('sha256')
    const onOutput = (_host: string, stream: string, text: string) => {
      if (stream === 'stdout') hash.update(text)
      bytes += text.length
      highest = Math.max(highest, process.memoryUsage.rss())
    }
    await using door = labDoor({}, { onOutput })
    await door.reach('h1', soon())
    const before = process.memoryUsage.rss()
    const argv = ['sh', '-c', 'seq 11000000; seq 1100000 >&2']
    const result = await door.ssh.exec('h1', { argv, maxOutput: 10_000 }, soon())
    expect(result).toMatchObject({ exitCode: 0, dropped: bytes - 20_000 })
    expect(bytes).toBeGreaterThan(95_000_000)
    const wanted = await asRoot('h1', 'seq 11000000 | sha256sum; seq 11000000 | wc -c; seq 1100000 | wc -c')
    const [digest, ...sizes] = wanted.split(/\s+-?\s*/)
    expect(hash.digest('hex')).toBe(digest)
    expect(bytes).toBe(sizes.map(Number).reduce((sum, size) => sum + size, 0))
    // what was passed on and not yet collected may be there; a tenth of it would stay if it were kept
    expect(highest - before).toBeLessThan(80_000_000)
  })

  test('takes what is no text as it is, and counts its bytes', async () => {
    await using door = labDoor()
    const odd = { argv: ['printf', String.raw`\000\377a\303\n\r\n\303\244`] }
    await expect(door.ssh.exec('h1', odd, soon())).resolves.toMatchObject({
      exitCode: 0,
      stdout: '\0\uFFFDa\uFFFD\n\r\nä',
      dropped: 0,
    })
    const many = { argv: ['sh', '-c', 'head -c 3000000 /dev/urandom; exit 3'], maxOutput: 1_000 }
    await expect(door.ssh.exec('h1', many, soon())).resolves.toMatchObject({ exitCode: 3, dropped: 2_999_000 })
  })
})

describe('a command that is not wanted any more', () => {
  test('takes all that it started with it, even what does not want to go', async () => {
    const { up, onOutput } = signalOnUp()
    const stop = new AbortController()
    await using door = labDoor({ user: 'ops' }, { timing: quick, onOutput })
    const text = `trap '' TERM; (trap '' TERM; sleep 51.1) & sh -c 'sleep 51.1 & sleep 51.1' | cat & sleep 51.1; sleep 51.1`
    const ended = door.ssh.exec('h1', saying(text), stop.signal)
    ended.catch(() => {})
    await up
    await inTime(async () => (await running('h1', 'sleep 51.1')) === 4 || undefined)
    stop.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    expect(await running('h1', 'sleep 51.1')).toBe(0)
    await expect(door.ssh.exec('h1', { argv: ['echo', 'on'] }, soon())).resolves.toMatchObject({ stdout: 'on\n' })
  })

  test('because its step is out of time is gone, and a rescue sees that and a host that is not reached', async () => {
    const addresses = await labHosts()
    const ssh = {
      user: 'root',
      identity_file: join(dirname(lab.sshConfig), 'id_lab'),
      known_hosts: join(dirname(lab.sshConfig), 'known_hosts'),
    }
    const hosts = {
      h1: { address: addresses.get('h1') },
      gone: { address: addresses.get('h1'), ssh: { port: 2999 } },
    }
    const inventory = join(files, 'inventory.yaml')
    writeFileSync(inventory, JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts }))
    const runbook = join(files, 'lost.runbook.yaml')
    writeFileSync(
      runbook,
      `apiVersion: runbook/v1
name: lost
title: what is lost is seen
steps:
  - id: slow
    block:
      - id: sleep
        action: ssh.run
        effect: read
        timeout: 3s
        with: { host: h1, command: [sh, -c, "sleep 61.2 & sleep 61.2"] }
    rescue: [{ id: why_slow, action: ssh.run, with: { host: h1, command: *note } }]
  - id: away
    block:
      - { id: call, action: ssh.run, with: { host: gone, command: [touch, /tmp/connection-never] } }
    rescue: [{ id: why_away, action: ssh.run, with: { host: h1, command: *note } }]
`.replaceAll('*note', `[sh, -c, 'echo "$*" >>/tmp/connection-why', sh, "{{ failure.step }}", "{{ failure.status }}"]`),
    )
    let most = 0
    let over = false
    const ran = runCli(['exec', runbook, '--inventory', inventory], { cwd: files, home: files }).finally(() => {
      over = true
    })
    await inTime(async () => {
      if (over) throw new Error(JSON.stringify(await ran))
      most = Math.max(most, await running('h1', 'sleep 61.2'))
      return most === 2 || undefined
    })
    const ended = await ran
    expect(await running('h1', 'sleep 61.2')).toBe(0)
    expect(ended).toMatchObject({ exit: 0 })
    expect(await asRoot('h1', 'cat /tmp/connection-why')).toBe('slow/sleep timed_out\naway/call unreachable')
    expect(await isThere('h1', '/tmp/connection-never')).toBe(false)
  })
})
