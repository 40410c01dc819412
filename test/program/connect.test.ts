import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadScenario, startRehearsal } from '../../simulator/index.ts'
import { fakeCloud } from '../support/openstack-server.ts'
import { runCli } from '../support/run-cli.ts'
import { newKey, startSshServer } from '../support/ssh-server.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runbook-connect-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const servers = 'steps:\n  - { id: servers, action: openstack.server.list, with: { all_projects: true } }\n'
const volumes = 'steps:\n  - { id: volumes, action: openstack.volume.list, with: { all_projects: true } }\n'

function book(name: string, steps: string): void {
  writeFileSync(join(folder, `${name}.yaml`), `apiVersion: runbook/v1\nname: ${name}\n${steps}`)
}

function clouds(clouds: object): void {
  writeFileSync(join(folder, 'clouds.yaml'), JSON.stringify({ clouds }))
}

async function connect(name: string, ...more: readonly string[]) {
  mkdirSync(join(folder, 'home'), { recursive: true })
  return runCli(['check', `${name}.yaml`, '--connect', ...more], { cwd: folder, home: join(folder, 'home') })
}

const entryOf = (url: string, more: object = {}) => ({
  auth: { auth_url: url, username: 'admin', password: 'opensesame', project_name: 'admin' },
  ...more,
})

test('asks the cloud for a token as the actions do, and says who it was let in as', async () => {
  await using server = await fakeCloud({})
  clouds({ prod: { auth_type: 'password', auth: server.cloud.auth } })
  book('servers', servers)
  const { exit, stdout } = await connect('servers')
  expect({ exit, stdout }).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(/^ok {5}cloud prod.*: let in as \S+/m),
  })
  expect(server.logins).toHaveLength(1)
  expect(server.asked).toEqual([])
})

test('credentials that are refused end the check with 2, and the password is not shown', async () => {
  await using server = await fakeCloud(
    {},
    { refuse: { status: 401, json: { error: { message: 'opensesame is wrong' } } } },
  )
  clouds({ prod: { ...entryOf(server.cloud.auth['auth_url'] ?? '') } })
  book('servers', servers)
  const { exit, stdout } = await connect('servers')
  expect({ exit, stdout }).toMatchObject({ exit: 2, stdout: expect.stringContaining('failed cloud: keystone refused') })
  expect(stdout).not.toContain('opensesame')
})

test('a Keystone that is not there ends the check with 2', async () => {
  clouds({ prod: entryOf('http://127.0.0.1:1/v3') })
  book('servers', servers)
  const { exit, stdout } = await connect('servers')
  expect({ exit, stdout }).toMatchObject({ exit: 2, stdout: expect.stringMatching(/^failed cloud: .*127\.0\.0\.1:1/m) })
})

test('a region that the catalog does not have is told once, with those that it has', async () => {
  await using server = await fakeCloud({})
  clouds({ prod: { auth_type: 'password', auth: server.cloud.auth, region_name: 'Mars' } })
  book('both', `${servers}${volumes.replace('steps:\n', '')}`)
  const { exit, stdout } = await connect('both')
  expect(exit).toBe(2)
  const told = stdout.split('\n').filter((line) => line.startsWith('failed'))
  expect(told).toEqual([expect.stringMatching(/no region `Mars` \(there are `.+`\)$/)])
})

test('a service that an action needs, also in a called runbook, and that the catalog lacks is told', async () => {
  await using server = await fakeCloud({}, { catalog: { identity: '/identity/v3', compute: '/compute/v2.1' } })
  clouds({ prod: { auth_type: 'password', auth: server.cloud.auth } })
  book('volumes', volumes)
  book('outer', `${servers}  - { id: inner, runbook: volumes }\n`)
  const { exit, stdout } = await connect('outer')
  expect(exit).toBe(2)
  expect(stdout.split('\n').filter((line) => line.startsWith('failed'))).toEqual([
    expect.stringContaining('the catalog has no `block-storage`'),
  ])
  book('servers', servers)
  expect((await connect('servers')).exit).toBe(0)
})

test('a cloud that a step names is not among those configured', async () => {
  await using server = await fakeCloud({})
  clouds({ prod: { auth_type: 'password', auth: server.cloud.auth } })
  book('servers', servers.replace('{ all', '{ cloud: prd, all'))
  const { exit, stdout } = await connect('servers')
  expect({ exit, stdout }).toMatchObject({ exit: 2, stdout: expect.stringMatching(/^failed cloud prd: .*`prd`/m) })
  expect(server.logins).toEqual([])
})

test('a runbook that uses no cloud needs none', async () => {
  book('quiet', 'steps:\n  - { id: look, action: local.run, effect: read, with: { command: uptime } }\n')
  expect(await connect('quiet')).toMatchObject({ exit: 0, stdout: '1 runbook checked, no problems\n' })
})

test('the rehearsal cloud is let in to, and nothing in it changes', async () => {
  const effects: unknown[] = []
  const rehearsal = await startRehearsal({
    scenario: await loadScenario('healthy'),
    onEffect: (effect) => effects.push(effect),
  })
  try {
    clouds(rehearsal.clouds.clouds)
    book('both', `${servers}${volumes.replace('steps:\n', '')}`)
    const { exit, stdout } = await connect('both')
    expect({ exit, stdout }).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^ok {5}cloud \S+.*: let in as/m) })
    expect(effects).toEqual([])
  } finally {
    await rehearsal.close()
  }
})

test('every host of the inventory is logged in to, and each that is not reached is told with what to try', async () => {
  const client = newKey()
  await using server = await startSshServer({ authorized: [client.public] })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('id', client.private)
  write('known_hosts', server.knownHosts())
  write('none', '')
  const at = { address: '127.0.0.1', ssh: { port: server.port } }
  const hosts = {
    good: at,
    stranger: { ...at, ssh: { ...at.ssh, known_hosts: 'none' } },
    dead: { address: '127.0.0.1', ssh: { port: 1 } },
  }
  const ssh = { user: 'ops', identity_file: 'id', known_hosts: 'known_hosts', config: '/dev/null' }
  write('inventory.yaml', JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts }))
  book('quiet', 'steps:\n  - { id: look, action: local.run, effect: read, with: { command: uptime } }\n')
  const { exit, stdout } = await connect('quiet', '--inventory', 'inventory.yaml')
  expect(exit).toBe(2)
  expect(stdout.split('\n').slice(1, -1).toSorted()).toEqual([
    expect.stringMatching(/^failed dead: .* refused the connection \(look whether sshd runs there/),
    expect.stringMatching(/^failed stranger: the key of .* is not known: .* \(compare the fingerprint .*ssh-keyscan/),
    expect.stringMatching(/^ok {5}good$/),
  ])
  rmSync(join(folder, 'inventory.yaml'))
  write('inventory.yaml', JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts: { good: at } }))
  expect((await connect('quiet', '--inventory', 'inventory.yaml')).exit).toBe(0)
})

test('a password and a passphrase come from where the inventory says, and are masked; with `transport: openssh` they are refused', async () => {
  const locked = newKey('ed25519', 'the-passphrase')
  await using keys = await startSshServer({ authorized: [locked.public] })
  await using asks = await startSshServer({ question: { text: 'Password: ', answer: 'the-password' } })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('id', locked.private)
  write('known_hosts', `${keys.knownHosts()}${asks.knownHosts()}`)
  write('secret', 'the-passphrase\n')
  const address = '127.0.0.1'
  const passphrase = { file: 'secret' }
  const hosts = {
    key: { address, ssh: { port: keys.port, identity_file: 'id', passphrase } },
    asks: { address, ssh: { port: asks.port, password: { env: 'HOST_PW' } } },
    unset: { address, ssh: { port: asks.port, password: { env: 'NO_PW' } } },
    other: { address, ssh: { port: keys.port, identity_file: 'id', passphrase, transport: 'openssh' } },
  }
  const ssh = { user: 'ops', known_hosts: 'known_hosts', config: '/dev/null' }
  write('inventory.yaml', JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts }))
  book(
    'says',
    `steps:
  - { id: say, targets: all, max_failures: 9, action: ssh.script, effect: read, with: { script: "echo the-password the-passphrase" } }
`,
  )
  mkdirSync(join(folder, 'home'))
  const { exit, stdout } = await runCli(['exec', 'says.yaml', '--inventory', 'inventory.yaml', '--output', 'json'], {
    cwd: folder,
    home: join(folder, 'home'),
    env: { HOST_PW: 'the-password' },
  })
  const ended = stdout.split('\n').flatMap((line) => (line.includes('"step.ended"') ? [JSON.parse(line)] : []))
  const of = (host: string) => ended.find(({ key }) => key === `say[${host}]`)?.outcome
  expect(exit).toBe(1)
  expect(of('key')).toMatchObject({
    status: 'succeeded',
    result: { stdout: expect.stringContaining('«passphrase of key»') },
  })
  expect(of('asks')).toMatchObject({
    status: 'succeeded',
    result: { stdout: expect.stringContaining('«password of asks»') },
  })
  expect(of('unset')).toMatchObject({ status: 'unreachable', error: { message: expect.stringContaining('`NO_PW`') } })
  expect(of('other')).toMatchObject({ status: 'unreachable', error: { message: expect.stringContaining('openssh') } })
  expect(of('key').result.stdout).not.toContain('the-passphrase')
  expect(of('asks').result.stdout).not.toContain('the-password')
})
