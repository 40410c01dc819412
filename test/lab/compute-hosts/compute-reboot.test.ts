import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { RunEvent } from '../../../engine/run/event.ts'
import { runCli } from '../../support/run-cli.ts'
import { onHost } from '../support/hosts.ts'
import { eventually, lab } from '../support/lab.ts'
import { type Answer, type Cloud, openCloud } from '../support/openstack.ts'

const host = 'cmp1'
const home = mkdtempSync(join(tmpdir(), 'lab-compute-reboot-'))
const inventory = join(home, 'inventory.yaml')
const cwd = resolve(import.meta.dirname, '../../..')
let cloud: Cloud

beforeAll(async () => {
  const signal = AbortSignal.timeout(120_000)
  cloud = await openCloud('lab-admin', signal)
  // the hosts of this part alone: others are being tested, and a platform that is not well keeps a host from its reboot
  const { hosts, ssh } = parse(readFileSync(lab.inventory, 'utf8'))
  const own = Object.fromEntries(Object.entries(hosts).filter(([name]) => name.startsWith('cmp')))
  writeFileSync(inventory, JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts: own }))
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

/** What is there before each test, and is gone after it. */
let servers: { readonly [name: string]: string } = {}

beforeEach(async () => {
  const signal = AbortSignal.timeout(300_000)
  servers = Object.fromEntries(
    await Promise.all(['busy', 'off', 'paused'].map(async (name) => [name, await makeServer(name, signal)] as const)),
  )
  await act('off', { 'os-stop': null })
  await act('paused', { pause: null })
  await Promise.all([settled('off', 'SHUTOFF', signal), settled('paused', 'PAUSED', signal)])
}, 360_000)

afterEach(async () => {
  const signal = AbortSignal.timeout(200_000)
  await onHost(host, 'rm -f /var/lib/nova/lab-control.json; systemctl start nova-compute', signal)
  for (const id of Object.values(servers)) await nova('DELETE', `/servers/${id}`)
  for (const id of Object.values(servers))
    await eventually(async () => (await nova('GET', `/servers/${id}`)).status === 404 || undefined, signal)
  const { id, disabled_reason: reason } = await service()
  // whatever a test left: the next one begins with the host in service
  if (reason?.startsWith('rb:')) await nova('PUT', `/os-services/${id}`, { status: 'enabled' })
}, 240_000)

interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  readonly events: readonly RunEvent[]
}

async function reboot(...args: string[]): Promise<Ran> {
  const inputs = join(cwd, 'test/lab/inputs/compute-reboot.yaml')
  const env = { OS_CLIENT_CONFIG_FILE: lab.clouds, OS_CLOUD: 'lab-admin' }
  const words = ['exec', 'compute-reboot', '--inventory', inventory, '--inputs', inputs, ...args]
  const ran = await runCli(words, { cwd, home, env })
  const events = args.includes('json')
    ? ran.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
    : []
  return { ...ran, events }
}

test('a real host is shown by a dry run, then emptied, rebooted, proven and put back, its servers as they were', async () => {
  const signal = AbortSignal.timeout(480_000)
  const boot = await bootId(signal)
  const all = async () => [
    await wordOnService(),
    await Promise.all(['busy', 'off', 'paused'].map(actionsOf)),
    await Promise.all(['busy', 'off', 'paused'].map(placeOf)),
    (
      await onHost(
        host,
        'systemctl show -p InvocationID --value nova-compute; cat /proc/sys/kernel/random/boot_id',
        signal,
      )
    ).stdout,
  ]
  const before = await all()
  const dry = await reboot('--dry-run')
  expect(dry.exit, dry.stdout + dry.stderr).toBe(0)
  expect(dry.stdout).toMatch(/reboot-busy .*ACTIVE.*moves while it runs/)
  expect(dry.stdout).toMatch(/reboot-paused .*PAUSED.*moves while it runs/)
  expect(dry.stdout).toMatch(/reboot-off .*SHUTOFF.*stays as it is, locked/)
  expect(dry.stdout).toMatch(/would do +enter\/disable/)
  expect(dry.stdout).toMatch(/would do +forward\/order/)
  expect(dry.stdout).not.toContain('FAILED')
  expect(await all()).toEqual(before)

  // slow is not stalled, and of two that are asked for at once the second is queued while the first one moves
  await play({ live_migration: { seconds: 30 } }, signal)
  const ran = await reboot('--output', 'json', '--input', 'parallel=2', '--answer', `enter/agree=${host}`)
  expect(ran.events.at(-1), JSON.stringify(ran.events.at(-1))).toMatchObject({ type: 'run.ended', status: 'succeeded' })
  expect(await bootId(signal)).not.toBe(boot)
  expect(await service()).toMatchObject({ status: 'enabled', state: 'up', disabled_reason: null })
  expect(await placeOf('busy')).toMatchObject({ status: 'ACTIVE', locked: false })
  expect((await placeOf('busy')).host).not.toBe(host)
  expect(await placeOf('paused')).toMatchObject({ status: 'PAUSED', locked: false })
  expect((await placeOf('paused')).host).not.toBe(host)
  expect(await placeOf('off')).toEqual({ status: 'SHUTOFF', host, locked: false })

  // the last word on the heartbeat: the service reported after the host had started
  const outputs = outputsOf(ran) as { heartbeat: string; boot: { before: string; after: string } }
  expect(outputs.boot).toEqual({ before: boot, after: await bootId(signal) })
  const started = await onHost(host, 'date -u +%FT%TZ -d "$(systemctl show -p UserspaceTimestamp --value)"', signal)
  expect(Date.parse(outputs.heartbeat)).toBeGreaterThan(Date.parse(started.stdout))
}, 480_000)

test.each([
  {
    what: 'breaks off while every event says Success',
    fault: { live_migration: { seconds: 3, fail: 'the lab breaks it off' } },
    says: /(busy|paused).* has not moved.*broke off/,
    ends: 'failed',
  },
  {
    // each host that Nova finds is asked, and says no; in the end it finds none
    what: 'is refused after Nova had answered 202',
    fault: { fail: { check_can_live_migrate_source: 'the lab has another processor' } },
    says: /(busy|paused).* has not moved.*refused before anything moved.*the lab has another processor/,
    ends: 'error',
  },
])(
  'a migration that $what stops the reboot, and all is undone',
  async ({ fault, says, ends }) => {
    const signal = AbortSignal.timeout(480_000)
    const before = await state(signal)
    await play(fault, signal)
    const ran = await reboot('--output', 'json', '--answer', `enter/agree=${host}`)
    expect(ran.events.at(-1)).toMatchObject({
      type: 'run.ended',
      status: 'rolled_back',
      error: { message: expect.stringMatching(says) },
    })
    expect(await state(signal)).toEqual(before)
    expect(await migrations()).toEqual([{ type: 'live-migration', status: ends }])
  },
  480_000,
)

test('a migration that never ends is given up when a person says so, and all is undone', async () => {
  const signal = AbortSignal.timeout(480_000)
  const before = await state(signal)
  await play({ live_migration: { stall: true } }, signal)
  const ran = await reboot('--output', 'json', '--answer', `enter/agree=${host}`, ...onStall('abort', 'busy', 'paused'))
  expect(ran.events.at(-1)).toMatchObject({
    type: 'run.ended',
    status: 'rolled_back',
    error: { message: expect.stringMatching(/(busy|paused).* has not moved.*does not come to an end/) },
  })
  expect(await state(signal)).toEqual(before)
  expect(await migrations()).toEqual([{ type: 'live-migration', status: 'cancelled' }])
}, 480_000)

test('a migration that never ends is finished by force or waited for, as a person says, and then the host is rebooted', async () => {
  const signal = AbortSignal.timeout(480_000)
  const boot = await bootId(signal)
  await play({ live_migration: { stall: true } }, signal)
  // whoever is waited for gets on once that was said; the other one does not
  const over = new AbortController()
  const gettingOn = (async (until: AbortSignal) => {
    await eventually(async () => endedInJournal(`enter/drain[${servers['paused']}]/stalled`) || undefined, until)
    await play({}, until)
    await eventually(async () => (await placeOf('paused')).host !== host || undefined, until)
    await play({ live_migration: { stall: true } }, until)
  })(AbortSignal.any([signal, over.signal]))
  const ran = await reboot(
    ...['--output', 'json', '--answer', `enter/agree=${host}`],
    ...onStall('force_complete', 'busy'),
    ...onStall('wait', 'paused'),
  )
  over.abort()
  await Promise.allSettled([gettingOn])
  expect(ran.events.at(-1), JSON.stringify(ran.events.at(-1))).toMatchObject({ type: 'run.ended', status: 'succeeded' })
  const after = await state(signal)
  expect(after).toMatchObject({ service: { status: 'enabled', state: 'up', reason: null }, compute: 'active' })
  expect(after.boot).not.toBe(boot)
  expect(after.servers).toMatchObject({
    busy: { status: 'ACTIVE', locked: false },
    off: { status: 'SHUTOFF', host, locked: false },
    paused: { status: 'PAUSED', locked: false },
  })
  expect([after.servers['busy']?.host, after.servers['paused']?.host]).not.toContain(host)
  expect(await migrations()).toEqual(['completed', 'completed'].map((status) => ({ type: 'live-migration', status })))
  expect(await actionsOf('busy')).toEqual(['live_migration_force_complete', 'live-migration', 'create'])
  expect(await actionsOf('paused')).toEqual(['live-migration', 'pause', 'create'])
}, 480_000)

test('a server whose migration never ends is stopped for the reboot where a person agrees, and is started after it', async () => {
  const signal = AbortSignal.timeout(480_000)
  await act('paused', { unpause: null })
  await settled('paused', 'ACTIVE', signal)
  await act('paused', { suspend: null })
  await settled('paused', 'SUSPENDED', signal)
  const before = await state(signal)
  await play({ live_migration: { stall: true } }, signal)
  const ran = await reboot(
    ...['--output', 'json', '--input', 'unmovable=stop', '--answer', `enter/agree=${host}`],
    ...onStall('abort', 'busy'),
    ...['--answer', 'enter/agree_stop=yes'],
  )
  expect(ran.events.at(-1), JSON.stringify(ran.events.at(-1))).toMatchObject({ type: 'run.ended', status: 'succeeded' })
  const after = await state(signal)
  expect(after.boot).not.toBe(before.boot)
  expect(after).toEqual({ ...before, boot: after.boot })
  expect(await migrations()).toEqual([{ type: 'live-migration', status: 'cancelled' }])
  expect((await actionsOf('busy')).toReversed()).toEqual([
    'create',
    'live-migration',
    'live_migration_cancel',
    'lock',
    'stop',
    'start',
    'unlock',
  ])
  expect((await actionsOf('paused')).toReversed()).toEqual(['create', 'pause', 'unpause', 'suspend', 'lock', 'unlock'])
}, 480_000)

/** All that a reboot may change for those who use the host, as the cloud and the host say. */
async function state(signal: AbortSignal) {
  const { status, state: heard, disabled_reason: reason } = await service()
  return {
    boot: await bootId(signal),
    service: { status, state: heard, reason },
    compute: (await onHost(host, 'systemctl is-active nova-compute', signal)).stdout.trim(),
    servers: Object.fromEntries(
      await Promise.all(Object.keys(servers).map(async (name) => [name, await placeOf(name)] as const)),
    ),
  }
}

const play = (fault: object, signal: AbortSignal) =>
  onHost(host, `echo '${JSON.stringify(fault)}' > /var/lib/nova/lab-control.json`, signal)

/** Every migration that there was of the servers of this test. */
async function migrations() {
  const rows = await Promise.all(
    Object.values(servers).map(async (id) => (await nova('GET', `/os-migrations?instance_uuid=${id}`)).body),
  )
  return (rows as { migrations: { migration_type: string; status: string }[] }[]).flatMap((one) =>
    one.migrations.map(({ migration_type: type, status }) => ({ type, status })),
  )
}

/** Whether a step has ended, by what was written down of the runs so far. */
function endedInJournal(key: string): boolean {
  const runs = join(home, '.local', 'state', 'runbook', 'runs')
  const folders = existsSync(runs) ? readdirSync(runs) : []
  const lines = folders.flatMap((run) => readFileSync(join(runs, run, 'transcript.jsonl'), 'utf8').split('\n'))
  return lines.some((line) => line.includes('"step.ended"') && line.includes(JSON.stringify(key)))
}

const onStall = (answer: string, ...names: string[]) =>
  names.flatMap((name) => ['--answer', `enter/drain[${servers[name]}]/stalled=${answer}`])

const outputsOf = ({ events }: Ran) => (events.at(-1) as { readonly outputs?: unknown }).outputs

const bootId = async (signal: AbortSignal) => (await onHost(host, 'cat /proc/sys/kernel/random/boot_id', signal)).stdout

const nova = (method: string, path: string, body?: unknown): Promise<Answer> =>
  cloud.ask('compute', method, path, AbortSignal.timeout(120_000), {
    headers: { 'x-openstack-nova-api-version': '2.90' },
    ...(body !== undefined && { body }),
  })

interface Service {
  readonly id: string
  readonly status: string
  readonly state: string
  readonly disabled_reason: string | null
}

async function service(): Promise<Service> {
  const { body } = await nova('GET', `/os-services?binary=nova-compute&host=${host}`)
  const [one] = (body as { services: Service[] }).services
  if (!one) throw new Error(`Nova knows no nova-compute on ${host}`)
  return one
}

async function wordOnService() {
  const { status, disabled_reason: reason } = await service()
  return { status, reason }
}

/** What Nova was ever asked to do with a server. */
async function actionsOf(name: string): Promise<readonly string[]> {
  const { body } = await nova('GET', `/servers/${servers[name]}/os-instance-actions`)
  return (body as { instanceActions: { action: string }[] }).instanceActions.map(({ action }) => action)
}

interface ServerView {
  readonly status: string
  readonly locked: boolean
  readonly 'OS-EXT-SRV-ATTR:host': string
  readonly 'OS-EXT-STS:task_state': string | null
}

async function serverOf(name: string): Promise<ServerView> {
  return ((await nova('GET', `/servers/${servers[name]}`)).body as { server: ServerView }).server
}

async function placeOf(name: string) {
  const { status, locked, 'OS-EXT-SRV-ATTR:host': at } = await serverOf(name)
  return { status, host: at, locked }
}

async function makeServer(name: string, signal: AbortSignal): Promise<string> {
  const flavors = (await nova('GET', '/flavors')).body as { flavors: { id: string; name: string }[] }
  const images = (await cloud.ask('image', 'GET', '/v2/images?name=tiny', signal)).body as { images: { id: string }[] }
  const made = await nova('POST', '/servers', {
    server: {
      name: `reboot-${name}`,
      flavorRef: flavors.flavors.find((flavor) => flavor.name === 'm1.nano')?.id,
      imageRef: images.images[0]?.id,
      networks: 'none',
      host,
    },
  })
  const id = (made.body as { server?: { id: string } }).server?.id
  if (!id) throw new Error(`no server was made: ${JSON.stringify(made.body)}`)
  servers = { ...servers, [name]: id }
  await settled(name, 'ACTIVE', signal)
  return id
}

const act = (name: string, action: object) => nova('POST', `/servers/${servers[name]}/action`, action)

async function settled(name: string, status: string, signal: AbortSignal): Promise<void> {
  await eventually(async () => {
    const { status: now, 'OS-EXT-STS:task_state': task } = await serverOf(name)
    if (now === 'ERROR') throw new Error(`${name} is in ERROR`)
    return (now === status && task === null) || undefined
  }, signal)
}
