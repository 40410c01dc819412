import type { Client, ClientChannel } from 'ssh2'
import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { execute, startWorld } from './world.ts'

const start = (client: Client, command: string) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)))
  })

const firstText = (stream: { once(event: 'data', listener: (bytes: Buffer) => void): unknown }) =>
  new Promise<string>((resolve) => stream.once('data', (bytes: Buffer) => resolve(bytes.toString())))

const ended = (channel: ClientChannel) =>
  new Promise<{ code: number | null; signal: string | undefined }>((resolve) => {
    let found: { code: number | null; signal: string | undefined } = { code: null, signal: undefined }
    channel.on('exit', (code: number | null, signal?: string) => {
      found = { code, signal }
    })
    channel.on('close', () => resolve(found))
    channel.resume()
  })

test('output comes while the command still runs, so that its group can be killed from another channel', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  // somebody else works: time must not run to the end of the command
  const working = world.clock.busy()
  const alsoWorking = world.clock.busy()
  const channel = await start(client, `exec setsid -w sh -c 'echo $$ >&2; sleep 600; echo never'`)
  const end = ended(channel)
  const pid = Number(await firstText(channel.stderr))
  expect(pid).toBeGreaterThan(1)
  expect(await execute(client, `kill -TERM -- -${pid}`)).toMatchObject({ code: 0 })
  expect(await end).toEqual({ code: 143, signal: undefined })
  expect(await execute(client, `kill -0 -- -${pid}`)).toMatchObject({ code: 1 })
  working()
  alsoWorking()
  client.end()
})

test('a program killed by a signal ends with that signal', async () => {
  await using world = await startWorld({ computes: 1 })
  expect(await world.run('cmp1', 'kill -KILL $$')).toMatchObject({ code: null, signal: 'SIGKILL' })
})

test('a signal sent through the channel reaches the command', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  const working = world.clock.busy()
  const alsoWorking = world.clock.busy()
  const channel = await start(client, 'echo ready; exec sleep 600')
  const end = ended(channel)
  await firstText(channel)
  channel.signal('INT')
  expect(await end).toEqual({ code: null, signal: 'SIGINT' })
  working()
  alsoWorking()
  client.end()
})

test('closing the channel ends what it started, but not what has a session of its own', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  const working = world.clock.busy()
  const alsoWorking = world.clock.busy()
  const channel = await start(client, 'setsid sleep 611 < /dev/null > /dev/null 2>&1 & echo ready; sleep 612')
  const end = ended(channel)
  await firstText(channel)
  channel.close()
  await end
  const left = await execute(client, 'pgrep -af "sleep 61[12]"')
  expect(left.stdout).toMatch(/^\d+ sleep 611\n$/)
  working()
  alsoWorking()
  client.end()
})

test('a command that leaves something behind which holds none of its output ends at once, and no time is made for it', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  const left = 'setsid sleep 613 < /dev/null > /dev/null 2>&1 &'
  expect(await execute(client, left)).toMatchObject({ code: 0 })
  expect(await execute(client, 'pgrep -af "sleep 61[3]"')).toMatchObject({
    stdout: expect.stringMatching(/sleep 613\n$/),
  })
  client.end()
})

test('a script that stands in a command line is found by what it looks for, over its line breaks too', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  const script = (what: string) => `pgrep -f "${what}" > /dev/null && echo found\n# the daemon\n# line 3`
  expect(await execute(client, script('[d]aemon.*line 3'))).toMatchObject({ stdout: 'found\n' })
  expect(await execute(client, script('[d]aemon.*line 4'))).toMatchObject({ stdout: '' })
  client.end()
})

test('several commands run at once on one connection, each with its own input', async () => {
  await using world = await startWorld({ computes: 1 })
  const client = await world.connect('cmp1')
  const said = await Promise.all(
    ['a', 'b', 'c'].map((name) => execute(client, `read x; echo ${name} $x`, `${name}!\n`)),
  )
  expect(said.map(({ stdout }) => stdout)).toEqual(['a a!\n', 'b b!\n', 'c c!\n'])
  client.end()
})

test('only the key of the rehearsal opens a host', async () => {
  await using world = await startWorld({ computes: 1 })
  const { port } = world.served.hosts['cmp1'] ?? { port: 0 }
  const client = new ssh2.Client()
  const refused = new Promise<Error>((resolve) => client.on('error', resolve))
  const other = await startWorld({ computes: 1 })
  client.connect({ host: '127.0.0.1', port, username: 'root', privateKey: other.served.privateKey })
  expect((await refused).message).toBe('All configured authentication methods failed')
  await other[Symbol.asyncDispose]()
})

test('the host keys are those of the known hosts', async () => {
  await using world = await startWorld({ computes: 1 })
  const { port } = world.served.hosts['cmp1'] ?? { port: 0 }
  const client = new ssh2.Client()
  const shown = new Promise<string>((resolve) => {
    client.connect({
      host: '127.0.0.1',
      port,
      username: 'root',
      privateKey: world.served.privateKey,
      hostVerifier: (key: Buffer) => {
        resolve(key.toString('base64'))
        return true
      },
    })
  })
  expect(world.served.knownHosts).toContain(`[127.0.0.1]:${port} ssh-ed25519 ${await shown}\n`)
  client.end()
})

test('an ordinary user may look, and needs sudo to change', async () => {
  await using world = await startWorld({ computes: 1 })
  const as = (command: string) => world.run('cmp1', command, { user: 'ops' })
  expect(await as('id -un')).toMatchObject({ stdout: 'ops\n', code: 0 })
  expect(await as('echo x > /etc/motd')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Permission denied'),
  })
  expect(await as('systemctl restart nova-compute')).toMatchObject({ code: 4 })
  expect(world.effects).toEqual([])
  expect(await as('sudo -n systemctl restart nova-compute')).toMatchObject({ code: 0 })
  expect(world.effects).toEqual([{ kind: 'host.unit.restart', what: 'cmp1:nova-compute.service', detail: undefined }])
})

test('a file that is written is recorded once; one that is read is not', async () => {
  await using world = await startWorld({ computes: 1 })
  await world.run('cmp1', 'cat /etc/hostname > /dev/null; { echo a; echo b; } > /etc/new; cat /etc/new')
  expect(world.effects).toEqual([{ kind: 'host.file.write', what: 'cmp1:/etc/new', detail: { user: 'root' } }])
})

test('sleeping passes on the world’s clock', async () => {
  await using world = await startWorld({ computes: 1 })
  const { stdout } = await world.run('cmp1', 'a=$(date +%s); sleep 3600; b=$(date +%s); echo $((b - a))')
  expect(Number(stdout)).toBeGreaterThanOrEqual(3600)
  expect(Number(stdout)).toBeLessThan(3660)
})

test('a host that is silent takes the connection and says nothing; one that is unreachable refuses it', async () => {
  await using world = await startWorld({ computes: 2 })
  const { estate } = world.world
  estate.reach.set('cmp1', 'silent')
  estate.reach.set('cmp2', 'refuses')
  estate.changed()
  await expect(world.connect('cmp2')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const { port } = world.served.hosts['cmp1'] ?? { port: 0 }
  const client = new ssh2.Client()
  const failed = new Promise<Error>((resolve) => client.on('error', resolve))
  client.connect({ host: '127.0.0.1', port, username: 'root', privateKey: world.served.privateKey, readyTimeout: 200 })
  expect((await failed).message).toBe('Timed out while waiting for handshake')
})
