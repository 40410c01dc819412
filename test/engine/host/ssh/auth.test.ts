import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import ssh2 from 'ssh2'
import { describe, expect, test } from 'vitest'
import { keyFiles, type SecretQuestion } from '../../../../engine/host/ssh/auth.ts'
import type { SshDoorOptions } from '../../../../engine/host/ssh/door.ts'
import type { HostSettings } from '../../../../engine/host/ssh/settings.ts'
import { newKey, type SshServerOptions, startSshServer } from '../../../support/ssh-server.ts'
import { doorTo, folder, never } from './harness.ts'

const good = newKey()
const wrong = newKey()

/** What comes of connecting to a server with some settings; `files` are written first, and named by their paths. */
async function connecting(
  server: SshServerOptions,
  settings: (write: (name: string, text: string) => string) => HostSettings,
  options: Partial<SshDoorOptions> = {},
) {
  await using running = await startSshServer(server)
  using files = folder()
  const knownHosts = [files.write('known_hosts', running.knownHosts())]
  await using door = doorTo(
    { c1: { address: '127.0.0.1', port: running.port, knownHosts, ...settings(files.write) } },
    options,
  )
  const outcome = await door.ssh.exec('c1', { argv: ['echo', 'in'] }, never).then(
    ({ stdout }) => stdout.trim(),
    (error) => ({ code: error.code, status: error.status, message: error.message, hint: error.hint }),
  )
  return { outcome, tried: running.seen.tried }
}

/** Answers each kind of question from a list, and remembers what it was asked. */
function answering(answers: { readonly [kind: string]: string[] }) {
  const asked: SecretQuestion[] = []
  const ask = async (question: SecretQuestion) => {
    asked.push(question)
    return answers[question.kind]?.shift()
  }
  return { ask, asked }
}

describe('a host lets us in', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('with a key file: %s', async (type) => {
    const key = newKey(type)
    const { outcome } = await connecting({ authorized: [key.public] }, (write) => ({
      identityFiles: [write('id', key.private)],
    }))
    expect(outcome).toBe('in')
  })

  test('with the second of two key files', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, (write) => ({
      identityFiles: [write('a', wrong.private), '/nowhere/id', write('b', good.private)],
    }))
    expect(outcome).toBe('in')
  })

  test('with an encrypted key, whose passphrase is asked for, again when it was wrong', async () => {
    const key = newKey('ed25519', 'open sesame')
    const { ask, asked } = answering({ passphrase: ['no', 'open sesame'] })
    const { outcome } = await connecting(
      { authorized: [key.public] },
      (write) => ({ identityFiles: [write('id', key.private)] }),
      { ask },
    )
    expect(outcome).toBe('in')
    expect(asked).toMatchObject([{ kind: 'passphrase', host: 'c1', user: 'ops', echo: false }, { kind: 'passphrase' }])
  })

  test('with an encrypted key whose passphrase the inventory has, and nobody is asked', async () => {
    const key = newKey('ed25519', 'open sesame')
    const { ask, asked } = answering({})
    const { outcome } = await connecting(
      { authorized: [key.public] },
      (write) => ({ identityFiles: [write('id', key.private)], passphrase: () => 'open sesame' }),
      { ask },
    )
    expect(outcome).toBe('in')
    expect(asked).toEqual([])
  })

  test.each(['rsa', 'ecdsa'] as const)('with an encrypted %s key', async (type) => {
    const key = newKey(type, 'open sesame')
    const { ask } = answering({ passphrase: ['open sesame'] })
    const { outcome } = await connecting(
      { authorized: [key.public] },
      (write) => ({ identityFiles: [write('id', key.private)] }),
      { ask },
    )
    expect(outcome).toBe('in')
  })

  test('with an encrypted key, and everything else goes on while it is opened', async () => {
    using files = folder()
    const path = files.write('id', newKey('ed25519', 'open sesame').private)
    let turns = 0
    let opened = false
    const turn = () => {
      turns++
      if (!opened) setImmediate(turn)
    }
    turn()
    const file = await keyFiles(ssh2).read(path, async () => {
      turns = 0
      return 'open sesame'
    })
    opened = true
    expect(file.is).toBe('key')
    expect(turns).toBeGreaterThan(50)
  })

  test('with a password of the inventory', async () => {
    const { outcome } = await connecting({ password: 'pw' }, () => ({ password: () => 'pw' }))
    expect(outcome).toBe('in')
  })

  test('with a password of the inventory, where the server asks for it as a question', async () => {
    const { outcome } = await connecting({ question: { text: 'Password: ', answer: 'pw' } }, () => ({
      password: () => 'pw',
    }))
    expect(outcome).toBe('in')
  })

  test('with a password that is asked for, three times at most', async () => {
    const { ask, asked } = answering({ password: ['a', 'b', 'pw', 'never'] })
    await expect(connecting({ password: 'pw' }, () => ({}), { ask })).resolves.toMatchObject({
      outcome: 'in',
      tried: ['password', 'password', 'password'],
    })
    expect(asked).toHaveLength(3)
  })

  test('with an answer to its question, in its own words', async () => {
    const { ask, asked } = answering({ prompt: ['42'] })
    const { outcome } = await connecting({ question: { text: 'Code: ', answer: '42' } }, () => ({}), { ask })
    expect(outcome).toBe('in')
    expect(asked).toMatchObject([{ kind: 'prompt', text: 'Code: ', echo: false }])
  })

  test('with a key of the agent', async () => {
    await using agent = await startAgent([wrong.private, good.private])
    const { outcome, tried } = await connecting({ authorized: [good.public] }, () => ({ identitiesOnly: false }), {
      env: { SSH_AUTH_SOCK: agent.socket },
    })
    expect(outcome).toBe('in')
    expect(tried).toEqual(['publickey'])
  })

  test('with a key of the agent that is named by its public part', async () => {
    const key = newKey('ed25519', 'secret')
    await using agent = await startAgent([good.private, wrong.private])
    const settings = (write: (name: string, text: string) => string) => {
      write('id.pub', good.public)
      return { identityFiles: [write('id', key.private)] }
    }
    const { outcome } = await connecting({ authorized: [good.public] }, settings, {
      env: { SSH_AUTH_SOCK: agent.socket },
    })
    expect(outcome).toBe('in')
  })
})

describe('a host does not let us in', () => {
  test('and says what was tried', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, (write) => ({
      identityFiles: [write('wrong', wrong.private)],
    }))
    expect(outcome).toMatchObject({
      code: 'auth_failed',
      status: 'unreachable',
      message: expect.stringMatching(/`ops` in; tried: key \S+wrong/),
    })
  })

  test('when there is nothing to try', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, () => ({}))
    expect(outcome).toMatchObject({ code: 'auth_failed', message: expect.stringContaining('no key and no password') })
  })

  test('with an encrypted key that nobody opens, and the way out is named', async () => {
    const key = newKey('ed25519', 'secret')
    const { outcome } = await connecting({ authorized: [key.public] }, (write) => ({
      identityFiles: [write('id', key.private)],
    }))
    expect(outcome).toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('passphrase'),
      hint: expect.stringContaining('ssh-add'),
    })
  })

  test('with a file that is no key', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, (write) => ({
      identityFiles: [write('id', 'hello')],
    }))
    expect(outcome).toMatchObject({ code: 'auth_failed', message: expect.stringMatching(/key \S+ not used/) })
  })

  test('with a password or a passphrase that cannot be read, or is wrong: it is told', async () => {
    const unset = (): string => {
      throw new Error('no password from the environment variable `PW`: it is not set')
    }
    const key = newKey('ed25519', 'open sesame')
    const locked = (write: (name: string, text: string) => string) => [write('id', key.private)]
    for (const [settings, why] of [
      [() => ({ password: unset }), /no password from the environment variable `PW`: it is not set/],
      [() => ({ password: () => 'no' }), /the password of the inventory/],
      [(write) => ({ identityFiles: locked(write), passphrase: unset }), /`PW`: it is not set.*has a passphrase/],
      [
        (write) => ({ identityFiles: locked(write), passphrase: () => 'no' }),
        /key \S+ not used, its passphrase is another one/,
      ],
    ] satisfies readonly [Parameters<typeof connecting>[1], RegExp][]) {
      const { outcome } = await connecting({ authorized: [key.public], password: 'pw' }, settings)
      expect(outcome).toMatchObject({ code: 'auth_failed', message: expect.stringMatching(why) })
    }
  })

  test('with a key file of the inventory that is not there: it is told', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, () => ({ identityFiles: ['/nowhere/id'] }))
    const message = expect.stringContaining('key /nowhere/id not used, there is no such file')
    expect(outcome).toMatchObject({ code: 'auth_failed', message })
  })

  test('with an agent that was taken away by an empty name: there was none', async () => {
    const { outcome } = await connecting({ authorized: [good.public] }, () => ({}), { env: { SSH_AUTH_SOCK: '' } })
    const message = expect.stringContaining('there was no key and no password to try')
    expect(outcome).toMatchObject({ code: 'auth_failed', message })
  })

  test('with keys of the agent that are not named, when only named ones may be offered', async () => {
    await using agent = await startAgent([good.private])
    const { outcome } = await connecting({ authorized: [good.public] }, () => ({ identitiesOnly: true }), {
      env: { SSH_AUTH_SOCK: agent.socket },
    })
    expect(outcome).toMatchObject({ code: 'auth_failed' })
  })

  test('and nobody is asked for a password that it would not take', async () => {
    const { ask, asked } = answering({ password: ['pw'] })
    const { outcome } = await connecting({ authorized: [good.public] }, () => ({}), { ask })
    expect(outcome).toMatchObject({ code: 'auth_failed' })
    expect(asked).toEqual([])
  })

  test('and where it has refused a key nobody is asked what it would take instead', async () => {
    const { ask, asked } = answering({ password: ['pw'], prompt: ['pw'] })
    const { outcome } = await connecting(
      { authorized: [good.public], password: 'pw', question: { text: 'Password: ', answer: 'pw' } },
      (write) => ({ identityFiles: [write('id', wrong.private)] }),
      { ask },
    )
    expect(outcome).toMatchObject({ code: 'auth_failed' })
    expect(asked).toEqual([])
  })

  test('and an agent that is not there is no reason to stop', async () => {
    const { outcome } = await connecting(
      { authorized: [good.public] },
      (write) => ({ identityFiles: [write('id', good.private)] }),
      { env: { SSH_AUTH_SOCK: '/nowhere/agent' } },
    )
    expect(outcome).toBe('in')
  })
})

describe('a host behind others', () => {
  /** Three servers, the known hosts of all, and what is to be said of each. */
  async function chain() {
    const servers = await Promise.all([1, 2, 3].map(() => startSshServer({ authorized: [good.public] })))
    const files = folder()
    const id = files.write('id', good.private)
    const known = files.write('known_hosts', servers.map((server) => server.knownHosts()).join(''))
    const settings = servers.map((server) => ({
      address: '127.0.0.1',
      port: server.port,
      identityFiles: [id],
      knownHosts: [known],
    }))
    const [first = {}, second = {}, target = {}] = settings
    return {
      servers,
      files,
      hosts: { first, second, target },
      async [Symbol.asyncDispose]() {
        for (const server of servers) await server[Symbol.asyncDispose]()
        files[Symbol.dispose]()
      },
    }
  }
  const connections = ({ servers }: { servers: { seen: { connections: number } }[] }) =>
    servers.map(({ seen }) => seen.connections)

  test('is reached through each of them, and each connection is kept for the next', async () => {
    await using way = await chain()
    const { first, second, target } = way.hosts
    const behind = { ...target, proxyJump: 'first,second' }
    await using door = doorTo({ first, second: { ...second, proxyJump: 'first' }, target: behind, again: behind })
    await expect(door.ssh.exec('target', { argv: ['echo', 'deep'] }, never)).resolves.toMatchObject({
      stdout: 'deep\n',
    })
    await expect(door.ssh.exec('second', { argv: ['echo', 'half'] }, never)).resolves.toMatchObject({
      stdout: 'half\n',
    })
    expect(connections(way)).toEqual([1, 1, 1])
  })

  test('is reached through a jump that has a jump of its own', async () => {
    await using way = await chain()
    const { first, second, target } = way.hosts
    await using door = doorTo({
      first,
      second: { ...second, proxyJump: 'first' },
      target: { ...target, proxyJump: 'second' },
    })
    await expect(door.ssh.exec('target', { argv: ['true'] }, never)).resolves.toMatchObject({ exitCode: 0 })
    expect(connections(way)).toEqual([1, 1, 1])
  })

  test('whose key is not known is refused, however trusted the way', async () => {
    await using way = await chain()
    const { first, target } = way.hosts
    const known = [way.files.write('kh1', way.servers[0]?.knownHosts() ?? '')]
    await using door = doorTo({ first, target: { ...target, proxyJump: 'first', knownHosts: known } })
    await expect(door.ssh.exec('target', { argv: ['true'] }, never)).rejects.toMatchObject({ code: 'host_key_unknown' })
  })

  test('behind a host whose key is not known is not reached', async () => {
    await using way = await chain()
    const { first, target } = way.hosts
    await using door = doorTo({ first: { ...first, knownHosts: [] }, target: { ...target, proxyJump: 'first' } })
    await expect(door.ssh.exec('target', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining(String(way.servers[0]?.port)),
    })
    expect(connections(way)).toEqual([0, 0, 0])
  })

  test('that is down says which host did not reach it', async () => {
    await using way = await chain()
    const { first, target } = way.hosts
    await way.servers[2]?.[Symbol.asyncDispose]()
    await using door = doorTo({ first, target: { ...target, proxyJump: 'first' } })
    await expect(door.ssh.exec('target', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'jump_failed',
      status: 'unreachable',
      message: expect.stringContaining('`first`'),
    })
  })

  test('and behind itself is not looked for for ever', async () => {
    await using way = await chain()
    const { first, second } = way.hosts
    await using door = doorTo({ first: { ...first, proxyJump: 'second' }, second: { ...second, proxyJump: 'first' } })
    await expect(door.ssh.exec('first', { argv: ['true'] }, never)).rejects.toMatchObject({
      code: 'proxy_loop',
      status: 'unreachable',
    })
  })

  test('lost on the way leaves the command unknown, and is reached again', async () => {
    await using way = await chain()
    const { first, target } = way.hosts
    await using door = doorTo(
      { first, target: { ...target, proxyJump: 'first' } },
      { onOutput: (_host, _stream, text) => text === 'up\n' && way.servers[0]?.cut() },
    )
    await expect(
      door.ssh.exec('target', { argv: ['sh', '-c', 'echo up; exec sleep 12.34'] }, never),
    ).rejects.toMatchObject({ code: 'connection_lost', status: 'unknown' })
    await expect(door.ssh.exec('target', { argv: ['echo', 'back'] }, never)).resolves.toMatchObject({
      stdout: 'back\n',
    })
    execFileSync('pkill', ['-x', '-f', 'sleep 12.34'])
  })
})

/** A real ssh-agent that holds some keys. */
async function startAgent(keys: readonly string[]) {
  const files = folder()
  const socket = `${files.path}/agent`
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  for (const [index, key] of keys.entries()) {
    execFileSync('ssh-add', [files.write(`key${index}`, key)], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: 'ignore',
    })
  }
  return {
    socket,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
      files[Symbol.dispose]()
    },
  }
}
