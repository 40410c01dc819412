import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { RunEnded, RunEvent } from '../engine/run/event.ts'
import { serverIdOf } from '../simulator/openstack/nova/build.ts'
import { residentsOf } from '../simulator/openstack/population.ts'
import { uuidOf } from '../simulator/random.ts'
import { topologyOf } from '../simulator/topology.ts'
import { runCli } from '../test/support/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'compute-reboot-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '..')

/** A host `c1` whose name begins that of another one, and two more. */
const small = { controllers: 1, computes: ['c1', 'c10', 'c2', 'c3'], ceph: 0, databases: 1, servers: 16 }
const onHost = (topology: typeof small) =>
  residentsOf(topologyOf(topology)).flatMap(({ host, name, stopped }) => (host === 'c1' ? [{ name, stopped }] : []))
const [first = '', second = '', third = ''] = onHost(small).map(({ name }) => name)
const stopped = onHost(small).find((server) => server.stopped)?.name ?? ''

const canary = { image: 'debian-12', flavor: 'g1.tiny', networks: [] }

interface Effect {
  readonly at: string
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [key: string]: unknown }
}

interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly end: RunEnded
  readonly effects: readonly Effect[]
  /** Kind and what, without the id in it. */
  readonly did: readonly string[]
}

interface World {
  /** `compute-reboot` unless told. */
  readonly runbook?: string
  /** One that ships, instead of a world of its own. */
  readonly scenario?: string
  readonly topology?: typeof small
  readonly faults?: readonly object[]
  readonly inputs?: { readonly [name: string]: unknown }
  /** These inputs and no others. */
  readonly only?: { readonly [name: string]: unknown }
  readonly answers?: readonly string[]
  readonly flags?: readonly string[]
  /** Where its runs are kept, and its locks. */
  readonly at?: string
}

let worlds = 0

/** One run in a world of its own, and what it wrote. */
async function run({ runbook = 'compute-reboot', scenario, topology = small, faults = [], ...more }: World) {
  const { inputs = {}, answers = [], flags = [], at = home } = more
  const name = `world-${++worlds}`
  const path = (end: string) => join(home, `${name}.${end}`)
  writeFileSync(path('yaml'), JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, topology, faults }))
  const all = { host: 'c1', reason: 'CHG-1', check_platform: false, reserve_ratio: 0, spare_host: false, ...inputs }
  writeFileSync(path('inputs.json'), JSON.stringify(more.only ?? all))
  const words = ['exec', runbook, '--rehearse', scenario ?? path('yaml'), '--effects', path('effects')]
  const given = answers.flatMap((answer) => ['--answer', answer])
  const output = flags.includes('--dry-run') ? [] : ['--output', 'json']
  const { exit, stdout, stderr } = await runCli(
    [...words, '--inputs', path('inputs.json'), ...given, ...output, ...flags],
    { cwd, home: at },
  )
  const effects = readFileSync(path('effects'), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Effect]))
  const lines = output.length === 0 ? [] : stdout.split('\n').filter((line) => line !== '')
  return { exit, stdout, stderr, effects, events: lines.map((line) => JSON.parse(line) as RunEvent) }
}

/** A run to its end. The host is agreed to unless told otherwise. */
async function reboot({ answers = ['enter/agree=c1'], ...world }: World) {
  const { exit, stdout, stderr, effects, events } = await run({ answers, ...world })
  const did = effects.map(({ kind, what }) => `${kind} ${what.replace(/ \(.*\)$/, '')}`)
  const end = events.at(-1)
  if (stdout.startsWith('{') ? end?.type !== 'run.ended' : exit !== 0)
    throw new Error(`the run did not end: ${stderr}${JSON.stringify(end)}`)
  return { exit, stdout, end: end as RunEnded, effects, did } satisfies Ran
}

const homeOfItsOwn = () => join(home, `home-${++worlds}`)

/** What is asked first of those who give no answers. The run waits, and holds its locks. */
async function question({ at = homeOfItsOwn(), ...world }: World) {
  const { events, stderr } = await run({ at, ...world })
  const end = events.at(-1)
  const [asked] = end?.type === 'run.parked' ? end.questions : []
  if (!asked) throw new Error(`nothing was asked: ${stderr}${JSON.stringify(end)}`)
  return { address: asked.key, ...asked.question }
}

const count = ({ did }: Ran, what: string) => did.filter((one) => one === what).length
const rebooted = (ran: Ran) => count(ran, 'host.reboot c1')

/** That each lock, stop and disabling is followed by its undoing, and that nothing else is left changed. */
function allGivenBack(ran: Ran): void {
  const last = new Map<string, string>()
  for (const { kind, what } of ran.effects) {
    // a unit that is enabled starts with its host
    if (kind === 'host.reboot') last.delete(`unit ${what}:nova-compute.service`)
    const [, group] = /(lock|stop|start|able|unit)/.exec(kind) ?? []
    if (group)
      last.set(`${{ lock: 'lock', stop: 'power', start: 'power', able: 'service', unit: 'unit' }[group]} ${what}`, kind)
  }
  expect([...last.values()].filter((kind) => /\.(lock|stop|disable)$/.test(kind))).toEqual([])
}

test('twenty servers in mixed states leave or stay as they should, and only those of the host are touched', async () => {
  const topology = { ...small, servers: 80 }
  const here = onHost(topology)
  expect(here).toHaveLength(20)
  const running = here.filter((server) => !server.stopped).map(({ name }) => name)
  const [paused = '', suspended = '', locked = '', stubborn = '', ...ordinary] = running
  const ran = await reboot({
    topology,
    faults: [
      { fault: 'nova.server_state', with: { server: paused, state: 'paused' } },
      { fault: 'nova.server_state', with: { server: suspended, state: 'suspended' } },
      { fault: 'nova.server_state', with: { server: locked, state: 'active', locked: true } },
      { fault: 'nova.migration_precheck_fails', with: { server: stubborn } },
    ],
    inputs: { unmovable: 'stop', locked: 'move', parallel: 2 },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  const moved = ran.did
    .filter((one) => one.startsWith('openstack.server.live_migrate '))
    .map((one) => one.split(' ')[1])
  expect(moved.toSorted()).toEqual([...ordinary, paused, locked, stubborn].toSorted())
  const off = here.filter((server) => server.stopped).map(({ name }) => name)
  const kept = [...off, suspended, stubborn].toSorted()
  const did = (kind: string) =>
    ran.did
      .filter((one) => one.startsWith(`${kind} `))
      .map((one) => one.split(' ')[1])
      .toSorted()
  expect(did('openstack.server.lock')).toEqual(kept)
  expect(did('openstack.server.unlock')).toEqual(kept)
  expect(did('openstack.server.stop')).toEqual([stubborn])
  expect(did('openstack.server.start')).toEqual([stubborn])
  expect(rebooted(ran)).toBe(1)

  // in this order: emptied, stopped, rebooted, started, unlocked, enabled
  const order = ran.did.filter((one) => one.includes(` ${stubborn}`) || / c1(:|$)/.test(one))
  expect(order.filter((one) => !/file|systemd_run/.test(one))).toEqual([
    'openstack.compute_service.disable c1',
    `openstack.server.live_migrate ${stubborn}`,
    `openstack.server.lock ${stubborn}`,
    `openstack.server.stop ${stubborn}`,
    'host.unit.stop c1:nova-compute.service',
    'host.reboot c1',
    `openstack.server.start ${stubborn}`,
    `openstack.server.unlock ${stubborn}`,
    'openstack.compute_service.enable c1',
  ])
  // nothing of c10 or of any other host, and no server of theirs
  const names = new Set(here.map(({ name }) => name))
  const foreign = ran.did.filter((one) => {
    const what = one.split(' ')[1] ?? ''
    return one.startsWith('openstack.server.') ? !names.has(what) : !/^c1(:|$)/.test(what)
  })
  expect(foreign).toEqual([])

  const outputs = ran.end.outputs as {
    boot: { before: string; after: string }
    servers: { status: string; was: string }[]
  }
  expect(outputs.boot.after).not.toBe(outputs.boot.before)
  expect(outputs.servers).toHaveLength(20)
  for (const { status, was } of outputs.servers) expect(status).toBe(was)
  expect(outputs).toMatchObject({ changed: [] })
})

test.each([
  { answer: 'force_complete', status: 'succeeded', reboots: 1, done: 'force_complete' },
  { answer: 'abort', status: 'rolled_back', reboots: 0, done: 'abort' },
  // who waits for what never ends has waited long enough one day
  { answer: 'wait', status: 'rolled_back', reboots: 0, done: 'abort' },
])('a migration that never converges is decided by a person: $answer', async ({ answer, status, reboots, done }) => {
  const ran = await reboot({
    faults: [{ fault: 'nova.migration_stalls', with: { server: first } }],
    answers: ['enter/agree=c1', `enter/drain[${serverIdOf(first)}]/stalled=${answer}`],
  })
  expect(ran.end.status).toBe(status)
  expect(rebooted(ran)).toBe(reboots)
  expect(ran.did.filter((one) => /force_complete|abort/.test(one)).map((one) => one.split('.').at(-1))).toEqual([
    `${done} ${first}`,
  ])
  allGivenBack(ran)
})

test('disks that are on the host alone are copied too: that is no stall, and is in the estimate when it is told so', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.disks_on_hosts', with: { mib_per_second: 40 } }] })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  // the 80 GiB of the second one take half an hour
  const moves = ran.effects.filter(({ kind }) => kind === 'openstack.server.live_migrate')
  expect(moves.map(({ what }) => what.split(' ')[0])).toEqual([first, second, third])
  expect(Date.parse(moves[2]?.at ?? '') - Date.parse(moves[1]?.at ?? '')).toBeGreaterThan(2_000_000)

  const asked = async (local_disks: boolean) => {
    const { message, table } = await question({ inputs: { local_disks } })
    const rows = (table ?? []) as { server: string; minutes: number }[]
    const minutes = [first, second, third].map((name) => rows.find(({ server }) => server === name)?.minutes)
    return { message, minutes }
  }
  // 36 GiB of memory, and 180 of disks, at 8 a minute
  const without = await asked(false)
  expect(without).toMatchObject({ minutes: [0.5, 2, 2] })
  expect(without.message).toContain(
    'about 5 minutes (longer if their disks, at most 180 GiB, are on c1 alone: see `local_disks`)',
  )
  const counted = await asked(true)
  expect(counted).toMatchObject({ minutes: [3, 12, 12] })
  expect(counted.message).toContain('about 28 minutes, with at most 180 GiB of disks that are copied')
})

test('a host whose cell does not answer is left alone, for its servers would be taken for gone; another cell is no hindrance', async () => {
  const own = await reboot({ faults: [{ fault: 'nova.cell_down', with: { host: 'c1' } }] })
  expect(own.exit).toBe(1)
  expect(own.end.error?.message).toContain('the cell of c1 does not answer')
  expect(own.effects).toEqual([])
  const other = await reboot({
    faults: [{ fault: 'nova.cell_down', with: { host: 'c3' } }],
    inputs: { max_disabled: 1 },
  })
  expect(other.exit).toBe(0)
  const none = await reboot({
    faults: [{ fault: 'nova.cell_down', with: { host: 'c3' } }],
    inputs: { max_disabled: 0 },
  })
  expect(none.end.error?.message).toContain('c3')
  expect(none.effects).toEqual([])
})

test('a migration that is refused after it was accepted ends the run before the reboot, and says why', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }] })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`${second} has not moved`) },
  })
  expect(ran.end.error?.message).toContain('refused')
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test('a migration that breaks off half way ends the run before the reboot, though no record of it says so', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.migration_breaks', with: { server: second } }] })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`${second} has not moved, it is ACTIVE on c1`) },
  })
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test('servers move one after another, unless more at a time are told', async () => {
  /** From the beginning of the first migration to that of the second, by the clock of the world. */
  const between = async (parallel: number) => {
    const { effects } = await reboot({ inputs: { parallel } })
    const begun = effects.filter(({ kind }) => kind === 'openstack.server.live_migrate').map(({ at }) => Date.parse(at))
    expect(begun).toHaveLength(3)
    const [one = 0, two = 0] = begun
    return two - one
  }
  // the memory of a server takes four seconds at least, and it is looked for its end every five
  const apart = await between(1)
  expect(apart).toBeGreaterThanOrEqual(7_000)
  expect(await between(2)).toBeLessThan(7_000)
})

test('what a user does to a server before it moves is let end first; what does not end is in the way', async () => {
  const snapshot = (more: object) => ({
    fault: 'nova.server_state',
    with: { server: second, task: 'image_uploading', ...more },
    after: '55s',
  })
  const ran = await reboot({ faults: [snapshot({ task_seconds: 90 })] })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(count(ran, `openstack.server.live_migrate ${second}`)).toBe(1)
  const never = await reboot({ faults: [snapshot({})] })
  expect(never.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`these servers have not moved: ${second}`) },
  })
  expect(count(never, `openstack.server.live_migrate ${second}`)).toBe(0)
})

test('a server that has moved switched off and cannot be confirmed is taken back', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.confirm_forbidden', with: { server: stopped } }],
    inputs: { shutoff: 'cold' },
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  const about = ran.did.filter((one) => one.endsWith(` ${stopped}`))
  expect(about).toEqual([`openstack.server.migrate ${stopped}`, `openstack.server.revert_resize ${stopped}`])
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test('a server that Nova takes for running, and whose guest is gone, is found before the reboot', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.guest_crashed', with: { server: first } }],
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`Nova believes that ${first} run on c1, and they do not`) },
  })
  expect(ran.did).toEqual(['openstack.compute_service.disable c1', 'openstack.compute_service.enable c1'])
})

test('a nova-compute that does not stop ends it before the reboot, and all is undone, last first', async () => {
  const ran = await reboot({
    inputs: { active: 'stop', compute_stop: ['true'] },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  expect(rebooted(ran)).toBe(0)
  const undone = ran.did.slice(ran.did.findIndex((one) => one.includes('.server.start ')))
  const kept = ran.did.filter((one) => one.startsWith('openstack.server.lock ')).map((one) => one.split(' ')[1] ?? '')
  expect(kept.toSorted()).toEqual([first, second, third, stopped].toSorted())
  // each is started while it is still locked; the one that was off is not started; the host comes last
  const back = kept
    .toReversed()
    .flatMap((name) => [
      ...(name === stopped ? [] : [`openstack.server.start ${name}`]),
      `openstack.server.unlock ${name}`,
    ])
  expect(undone.filter((one) => !one.startsWith('host.unit.start'))).toEqual(
    [...back, 'openstack.compute_service.enable c1'].slice(back[0]?.includes('unlock') ? 1 : 0),
  )
  allGivenBack(ran)
})

test.each([
  {
    when: 'while the servers move',
    after: '62s',
    faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }],
    reboots: 0,
    says: `${second} has not moved`,
  },
  {
    when: 'while the host reboots',
    after: '3m',
    faults: [],
    reboots: 1,
    says: 'c1 is disabled for another reason than',
  },
])(
  'whoever takes the host out of service for a reason of their own keeps it: $when',
  async ({ after, faults, reboots, says }) => {
    const other = { fault: 'nova.compute_disabled', with: { host: 'c1', reason: 'disk, ask Ana', since: 0 }, after }
    const ran = await reboot({ faults: [...faults, other] })
    // nothing failed in undoing it: that was not tried
    expect(ran.end).toMatchObject({ status: 'rolled_back', error: { message: expect.stringContaining(says) } })
    expect(rebooted(ran)).toBe(reboots)
    expect(count(ran, 'openstack.compute_service.disable c1')).toBe(1)
    expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
  },
)

test('a reboot that is silently refused is no reboot: the host stays out of service, its servers are given back', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.reboot_refused', with: { host: 'c1' } }],
    inputs: { active: 'stop', reboot_minutes: 2 },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes', 'forward/not_back=stop'],
  })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toMatch(/has not rebooted.*stays out of service/s)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
  expect(count(ran, `openstack.server.start ${first}`)).toBe(1)
  expect(count(ran, `openstack.server.unlock ${first}`)).toBe(1)
})

test('a host that never comes back stays out of service, and what stayed on it stays off and locked', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.never_back', with: { host: 'c1' } }],
    inputs: { active: 'stop', reboot_minutes: 2 },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes', 'forward/not_back=stop'],
  })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toMatch(
    /^c1 has not rebooted: .*stays out of service: mend it, then.*host-maintenance-leave/s,
  )
  expect(rebooted(ran)).toBe(1)
  expect(ran.did.filter((one) => /\.(start|unlock|enable) /.test(one))).toEqual([])
})

test('a host that is on its way down already is not ordered to reboot', async () => {
  const compute_stop = ['sh', '-c', 'systemctl stop nova-compute; systemctl reboot']
  const ran = await reboot({ inputs: { compute_stop } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(ran.did.filter((one) => /reboot|systemd_run/.test(one))).toEqual(['host.reboot c1'])
})

test('a slow host that somebody wants to order again has come back by then, and is not rebooted twice', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 3 } }],
    inputs: { reboot_minutes: 2 },
    answers: ['enter/agree=c1', 'forward/not_back=again'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(rebooted(ran)).toBe(1)
  expect(count(ran, 'host.systemd_run c1')).toBe(1)
})

test('another machine that answers as the host, with a boot id of its own, is not taken for it', async () => {
  const ran = await reboot({ faults: [{ fault: 'hosts.another_answers', with: { host: 'c1' } }] })
  expect(ran.end.error?.message).toMatch(/what answers as c1 has been up for 17\d{5} seconds.*c1 stays out of service/s)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
})

test('who waits longer for a slow host gets it back: tried with a server, and with those that had moved', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 3 } }],
    inputs: { reboot_minutes: 2, shutoff: 'cold', migrate_back: true, canary, window_end: '2100-01-01T00:00:00Z' },
    answers: ['enter/agree=c1', 'forward/not_back=wait', 'forward/leave/agree_trial=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  expect(rebooted(ran)).toBe(1)
  const running = onHost(small).flatMap((server) => (server.stopped ? [] : [server.name]))
  const servers = ran.did.filter((one) => !one.startsWith('host.'))
  expect(servers).toEqual([
    'openstack.compute_service.disable c1',
    ...running.map((name) => `openstack.server.live_migrate ${name}`),
    `openstack.server.migrate ${stopped}`,
    `openstack.server.confirm_resize ${stopped}`,
    'openstack.compute_service.enable c1',
    'openstack.server.create runbook-canary-c1',
    'openstack.server.delete runbook-canary-c1',
    ...running.toReversed().map((name) => `openstack.server.live_migrate ${name}`),
  ])
})

/** The trial on the host failed: the run ends, with the host out of service and the canary deleted. */
function expectOutAgain({ exit, end, did }: Ran): void {
  expect(exit).toBe(1)
  expect(end.error?.message).toContain('no server comes up on c1, so it is out of service again')
  expect(did.slice(did.indexOf('openstack.compute_service.enable c1'))).toEqual([
    'openstack.compute_service.enable c1',
    'openstack.server.create runbook-canary-c1',
    'openstack.compute_service.disable c1',
    'openstack.server.delete runbook-canary-c1',
  ])
}

test('a reboot that was ignored is ordered once more; a server that does not come up there takes the host out again', async () => {
  const ran = await reboot({
    faults: [
      { fault: 'hosts.reboot_refused', with: { host: 'c1', times: 1 } },
      { fault: 'nova.spawn_fails', with: { server: 'runbook-canary-c1' } },
    ],
    inputs: { active: 'cold', reboot_minutes: 3, canary },
    answers: ['enter/agree=c1', 'forward/not_back=again', 'forward/leave/agree_trial=yes'],
  })
  expectOutAgain(ran)
  expect(
    ran.effects.filter(({ kind }) => kind === 'host.reboot').map(({ detail }) => detail?.['refused'] === true),
  ).toEqual([true, false])
  const moved = ran.did
    .filter((one) => one.startsWith('openstack.server.confirm_resize '))
    .map((one) => one.split(' ')[1])
  expect(moved).toEqual(onHost(small).flatMap((server) => (server.stopped ? [] : [server.name])))
})

test('a server whose port stays down on the host takes that out again, though the server itself is in use', async () => {
  const networks = [uuidOf('network/shop-net')]
  const ran = await reboot({
    faults: [{ fault: 'nova.ports_not_wired', with: { server: 'runbook-canary-c1' } }],
    inputs: { canary: { ...canary, networks } },
    answers: ['enter/agree=c1', 'forward/leave/agree_trial=yes'],
  })
  expectOutAgain(ran)
})

test('who does not want the trial has the host back without it', async () => {
  const ran = await reboot({ inputs: { canary }, answers: ['enter/agree=c1', 'forward/leave/agree_trial=no'] })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
  expect(ran.did.some((one) => one.includes('canary'))).toBe(false)
})

test('a service that is up by its old heartbeat alone is not back', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.service_not_back', with: { host: 'c1' } }] })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain('heartbeat_at')
  expect(rebooted(ran)).toBe(1)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
})

test('a server that a user starts before the host is empty ends the run, and nothing is left stopped', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.user_starts_server', with: { server: stopped, when: 'disabled' } }],
  })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`somebody changed servers in the meantime: ${stopped} is ACTIVE`) },
  })
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test('a server that a user would start during the reboot is locked, and stays off', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.user_starts_server', with: { server: stopped, when: 'reboot' } }],
  })
  expect(ran.end.status).toBe('succeeded')
  const { servers } = ran.end.outputs as { servers: { server: string; status: string }[] }
  expect(servers.find(({ server }) => server === stopped)).toMatchObject({ status: 'SHUTOFF' })
})

test('without room for the last server nothing begins', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.no_capacity', with: { host: 'c1' } }] })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: {
      message: expect.stringMatching(/no other host has room for web-1 \(.* MiB of memory left, 4096 are needed/),
    },
  })
  expect(ran.effects).toEqual([])
})

test('room enough in sum, and no single host for the last server: nothing begins, and that server is named', async () => {
  // 54066 MiB are left for 36864; of the two servers of 16384 `c10` takes one, and nobody the other
  const left = { c10: 80, c2: 88, c3: 88 }
  const faults = Object.entries(left).map(([host, percent]) => ({
    fault: 'placement.overcommitted',
    with: { host, percent },
  }))
  const ran = await reboot({ faults })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining(`no other host has room for ${third} (`) },
  })
  expect(ran.end.error?.message).toContain('`c2`: it has 14745 MiB of memory left, 16384 are needed')
  for (const name of [first, second]) expect(ran.end.error?.message).not.toContain(name)
  expect(ran.effects).toEqual([])
})

test('room that is there only without the reserve is none, and the others must bear the loss of one more', async () => {
  const nearly = ['c10', 'c2', 'c3'].map((host) => ({ fault: 'placement.overcommitted', with: { host, percent: 70 } }))
  const reserved = await reboot({ faults: nearly, inputs: { reserve_ratio: 0.25 } })
  expect(reserved.end.error?.message).toContain(`no other host has room for ${second} (`)
  const spare = await reboot({ faults: nearly, inputs: { spare_host: true } })
  expect(spare.end.error?.message).toMatch(/could not lose one more host then: `c10` would hold \d+ MiB of memory, and/)
  expect([...reserved.effects, ...spare.effects]).toEqual([])
  const neither = await reboot({ faults: nearly })
  expect(neither.end).toMatchObject({ status: 'succeeded' })
})

test('a server that its group keeps with another one is in the way, or is stopped where that was agreed to', async () => {
  const faults = [{ fault: 'nova.servers_kept_together', with: { servers: [first, second] } }]
  const refused = await reboot({ faults })
  for (const name of [first, second])
    expect(refused.end.error?.message).toContain(
      `${name} (ACTIVE, its server group keeps it with others that are here)`,
    )
  expect(refused.effects).toEqual([])
  const ran = await reboot({
    faults,
    inputs: { unmovable: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  for (const name of [first, second]) expect(count(ran, `openstack.server.start ${name}`)).toBe(1)
  expect(ran.did.filter((one) => one.startsWith('openstack.server.live_migrate'))).toEqual([
    `openstack.server.live_migrate ${third}`,
  ])
})

test('all that moves goes to the host that was chosen, whether it runs or not', async () => {
  const ran = await reboot({ inputs: { target_host: 'c3', shutoff: 'cold' } })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  const moves = ran.effects.filter(({ kind }) => /\.(live_)?migrate$/.test(kind))
  expect(moves.map(({ detail }) => detail?.['to'])).toEqual(onHost(small).map(() => 'c3'))
  const { servers } = ran.end.outputs as { servers: { host: string }[] }
  expect(servers.map(({ host }) => host)).toEqual(onHost(small).map(() => 'c3'))
})

test.each([
  { target: 'c1', why: 'c1 is to be emptied, so nothing can move to it' },
  { target: 'c9', why: '0 compute services are called c9' },
  { target: 'c2', fault: 'nova.compute_disabled', with: { reason: 'disk' }, why: 'c2 is disabled: disk' },
  { target: 'c2', fault: 'nova.compute_down', why: 'nova-compute on c2 is down' },
  {
    target: 'c2',
    fault: 'placement.overcommitted',
    with: { percent: 80 },
    why: `c2 has no room for ${third} (\`c2\`: it has 8192 MiB of memory left, 16384 are needed)`,
  },
])('a chosen host that cannot take the servers is refused before anything begins: $why', async (it) => {
  const faults = it.fault === undefined ? [] : [{ fault: it.fault, with: { host: it.target, ...it.with } }]
  const ran = await reboot({ inputs: { target_host: it.target }, faults })
  expect(ran.end.error?.message).toContain(it.why)
  expect(ran.effects).toEqual([])
})

test('when the room goes while the servers move, the last one stops it before the reboot, and all is given back', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.no_capacity', with: { host: 'c1' }, after: '40s' }] })
  expect(ran.end).toMatchObject({ status: 'rolled_back', error: { message: expect.stringContaining('has not moved') } })
  // and what Placement has to say of that
  expect(ran.end.error?.message).toMatch(/No valid host.*`c10`: it has \d+ MiB of memory left, \d+ are needed; `c2`/s)
  expect(rebooted(ran)).toBe(0)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
  allGivenBack(ran)
})

test('everything that speaks against it is told at once, and nothing begins', async () => {
  const ran = await reboot({
    faults: [
      { fault: 'nova.servers_kept_apart' },
      { fault: 'nova.compute_disabled', with: { host: 'c10' } },
      { fault: 'nova.compute_down', with: { host: 'c2' } },
      { fault: 'nova.server_state', with: { server: second, state: 'resized' } },
      { fault: 'nova.server_state', with: { server: third, state: 'active', locked: true } },
    ],
    inputs: { window_end: '2020-01-01T00:00:00Z' },
  })
  const message = ran.end.error?.message ?? ''
  for (const reason of [
    `no other host has room for ${first} (\`c3\`: group \`apart\` keeps it apart from a server there)`,
    'hosts of zone nova are down or disabled already: c10, c2',
    `${second} (VERIFY_RESIZE)`,
    `${third} (ACTIVE, its owner has locked it)`,
    'which is later than 2020-01-01T00:00:00Z',
  ])
    expect(message).toContain(reason)
  expect(ran.effects).toEqual([])
})

test.each([
  { host: 'c', faults: [], why: '0 compute services are called c,' },
  { host: 'c1', faults: [{ fault: 'nova.compute_down', with: { host: 'c1' } }], why: 'nova-compute on c1 is down' },
  {
    host: 'c1',
    faults: [{ fault: 'hosts.unit_failed', with: { host: 'c1', unit: 'nova-compute' } }],
    why: 'nova-compute on c1 is failed',
  },
  {
    host: 'c1',
    faults: [{ fault: 'placement.provider_missing', with: { host: 'c1' } }],
    why: 'Placement does not know c1 by exactly one resource provider',
  },
])('a host that nothing can move away from, or that is not one, is refused: $why', async ({ host, faults, why }) => {
  // the machine answers, whatever Nova is asked for
  const ran = await reboot({ faults, inputs: { host, inventory_host: 'c1' } })
  expect(ran.end.error?.message).toContain(why)
  expect(ran.effects).toEqual([])
})

test('whoever is asked sees each server and what becomes of it, the room that is left, who else is out, and the end', async () => {
  const asked = await question({
    faults: [
      { fault: 'nova.compute_disabled', with: { host: 'c3' } },
      { fault: 'nova.flavor_spec', with: { server: second, name: 'resources:VGPU' } },
    ],
    inputs: { unmovable: 'stop', window_end: '2100-01-01T00:00:00Z' },
  })
  expect(asked.address).toBe('enter/agree')
  for (const words of [
    'Take c1 (zone nova, aggregates ',
    'out of service for a reboot: CHG-1?',
    '2 servers move while they run, 0 move switched off, 2 stay.',
    'all must be done by 2100-01-01T00:00:00Z',
    'Out already: c3.',
  ])
    expect(asked.message).toContain(words)
  // what the two others have, less what is on them and what comes: see the population
  const [, memory = '', processors = ''] =
    /then have (\d+) MiB of memory and (\d+) processors/.exec(asked.message) ?? []
  const roomy = await question({ faults: [], inputs: { active: 'stop' } })
  const [, more = ''] = /then have (\d+) MiB of memory/.exec(roomy.message) ?? []
  expect(Number(memory)).toBeGreaterThan(0)
  expect(Number(processors)).toBeGreaterThan(0)
  expect(Number(more)).toBeGreaterThan(Number(memory))
  const rows = new Map(asked.table?.map((row) => [(row as { server: string }).server, row]))
  expect([...rows.keys()].toSorted()).toEqual([first, second, third, stopped].toSorted())
  const row = (name: string) => rows.get(name)
  const moves = 'moves while it runs'
  expect(row(first)).toMatchObject({ status: 'ACTIVE', 'what becomes of it': moves, minutes: 0.5, because: '' })
  expect(row(second)).toMatchObject({
    'what becomes of it': 'IS STOPPED, and started again',
    because: 'its flavor ties it to the host by resources:VGPU',
  })
  expect(row(third)).toMatchObject({ 'what becomes of it': moves, minutes: 2, flavor: 'g1.large' })
  expect(row(stopped)).toMatchObject({ status: 'SHUTOFF', 'what becomes of it': 'stays as it is, locked' })
})

test('while one maintenance of a host is under way nobody begins another one there, and elsewhere they may', async () => {
  const at = homeOfItsOwn()
  await question({ at })
  const second = await reboot({ at, runbook: 'host-maintenance-enter', answers: ['agree=c1'] })
  expect(second.end.error).toMatchObject({ code: 'locked', message: expect.stringContaining('`compute/c1` is locked') })
  expect(second.effects).toEqual([])
  const elsewhere = await reboot({ at, inputs: { host: 'c10' }, answers: ['enter/agree=c10'] })
  expect(elsewhere.end, elsewhere.end.error?.message).toMatchObject({ status: 'succeeded' })
})

const ties = (what: string, name: string, value = '1') =>
  what === 'flavor'
    ? { fault: 'nova.flavor_spec', with: { server: first, name, value } }
    : { fault: 'glance.image_property', with: { name, value } }

test.each([
  { fault: 'network.port_direct', with: { server: first }, why: 'ACTIVE, a device of the host is passed to it' },
  ...[
    ['flavor', 'resources:VGPU'],
    ['flavor', 'resources_GPU1:VGPU'],
    ['flavor', 'resources:PCPU'],
    ['flavor', 'pci_passthrough:alias', 'a100:1'],
    ['flavor', 'accel:device_profile', 'fpga'],
    ['flavor', 'hw:numa_nodes', '2'],
    ['flavor', 'hw:cpu_policy', 'dedicated'],
    ['flavor', 'hw:mem_page_size', '1GB'],
    ['flavor', 'hw:tpm_version', '2.0'],
    ['image', 'hw_cpu_policy', 'dedicated'],
    ['image', 'hw_tpm_version', '2.0'],
  ].map(([what = '', name = '', value]) => ({
    ...ties(what, name, value),
    why: `ACTIVE, its ${what} ties it to the host by ${name}`,
  })),
  { fault: 'nova.server_state', with: { server: first, state: 'rescued' }, why: 'RESCUE' },
  { fault: 'nova.server_state', with: { server: first, state: 'error' }, why: 'ERROR' },
  {
    fault: 'nova.server_state',
    with: { server: first, task: 'image_uploading' },
    why: 'ACTIVE, it is image_uploading',
  },
])('a server that can neither move nor be stopped is named, and nothing begins: $why', async ({ why, ...fault }) => {
  const ran = await reboot({ faults: [fault] })
  expect(ran.end.error?.message).toContain(`these servers can neither move nor be stopped: ${first} (${why})`)
  expect(ran.effects).toEqual([])
})

test.each([ties('flavor', 'resources:VGPU'), ties('image', 'hw_numa_nodes', '2')])(
  'a server that is tied to the host is stopped where that was agreed to, and not moved: $with.name',
  async (fault) => {
    const ran = await reboot({
      faults: [fault],
      inputs: { unmovable: 'stop' },
      answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
    })
    expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
    expect(ran.did.filter((one) => one.endsWith(` ${first}`))).toEqual(
      ['lock', 'stop', 'start', 'unlock'].map((what) => `openstack.server.${what} ${first}`),
    )
  },
)

test('a server that shares processors, by what its flavor and its image say, is tied to no host', async () => {
  const faults = [ties('flavor', 'hw:cpu_policy', 'shared'), ties('image', 'hw_cpu_policy', 'shared')]
  const ran = await reboot({ faults })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(count(ran, `openstack.server.live_migrate ${first}`)).toBe(1)
})

test('a migration to the host that somebody else began is let end first', async () => {
  const ran = await reboot({
    faults: [
      { fault: 'nova.migration_stalls', with: { server: 'web-2' } },
      { fault: 'nova.migration_under_way', with: { server: 'web-2', to: 'c1' } },
    ],
  })
  expect(ran.end.error?.message).toContain('1 migrations from or to c1 are under way: let them end')
  expect(ran.effects).toEqual([])
})

const cluster = '5d1b6f9c-9a51-11ef-8d3c-0242ac130002'

test.each([
  { fault: 'neutron.agent_added', with: { host: 'c1', agent_type: 'L3 agent' }, role: 'L3 agent' },
  { fault: 'neutron.agent_added', with: { host: 'c1', agent_type: 'DHCP agent' }, role: 'DHCP agent' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'ceph-osd@3' }, role: 'ceph-osd@3.service' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'ceph-mon@c1' }, role: 'ceph-mon@c1.service' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'rabbitmq-server' }, role: 'rabbitmq-server.service' },
  {
    fault: 'neutron.agent_added',
    with: { host: 'c1', agent_type: 'OVN Controller Gateway agent' },
    role: 'OVN Controller Gateway agent',
  },
  // as cephadm calls it, and as Kolla does
  ...[`ceph-${cluster}@osd.3`, `ceph-${cluster}@mon.c1`].map((unit) => ({
    fault: 'hosts.unit_added',
    with: { host: 'c1', unit },
    role: `${unit}.service`,
  })),
  ...['ceph_osd_3', 'rabbitmq', 'neutron_l3_agent'].map((name) => ({
    fault: 'hosts.container',
    with: { host: 'c1', name },
    role: name,
  })),
])('a host that does more than compute is not taken away: $role', async ({ role, ...fault }) => {
  const ran = await reboot({ faults: [fault] })
  expect(ran.end.error?.message).toContain(`c1 does more than compute: ${role}`)
  expect(ran.effects).toEqual([])
})

const large = { controllers: 3, computes: ['c1', 'c10', 'c2', 'c3'], ceph: 3, databases: 3, servers: 16 }

test.each([
  { fault: 'rabbitmq.node_down', with: { host: 'ctl2' }, says: 'sees only 2 nodes of RabbitMQ running' },
  { fault: 'rabbitmq.partition', with: { nodes: ['ctl3'] }, says: 'sees a partition of RabbitMQ' },
  { fault: 'rabbitmq.alarm', with: { host: 'ctl1' }, says: 'RabbitMQ has run out of something' },
  { fault: 'galera.not_synced', with: { node: 'db2' }, says: 'not Synced' },
  { fault: 'ceph.osd_down', with: { osd: 1 }, says: 'Ceph warns of OSD_DOWN' },
])(
  'no host is taken away from a platform that is not well: $fault',
  async ({ says, ...fault }) => {
    const ran = await reboot({ topology: large, faults: [fault], inputs: { check_platform: true } })
    expect(ran.end.error?.message).toContain(says)
    expect(ran.effects).toEqual([])
    const unasked = await reboot({ topology: large, faults: [fault] })
    expect(unasked.end).toMatchObject({ status: 'succeeded' })
  },
  60_000,
)

test("a warning of Ceph that is known to stand in nobody's way does not", async () => {
  const faults = [{ fault: 'ceph.crashed', with: { osd: 1 } }]
  const ran = await reboot({ topology: large, faults, inputs: { check_platform: true } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('a server that is built without end on the host ends it, and the host goes back', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.server_in_flight', with: { host: 'c1', takes: 3600 } }] })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  expect(ran.did).toEqual(['openstack.compute_service.disable c1', 'openstack.compute_service.enable c1'])
  // it is waited for, some ten minutes by the clock of the world
  const waited = timeOf(ran, 'openstack.compute_service.enable') - timeOf(ran, 'openstack.compute_service.disable')
  expect(waited).toBeGreaterThan(500_000)
})

test('what is given to the host before it is out of service is waited for, and nothing moves before', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.server_in_flight', with: { host: 'c1', takes: 120, ends: 'elsewhere' } }],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  const order = ran.did.filter((one) => /server_built|live_migrate|disable/.test(one))
  expect(order.slice(0, 3)).toEqual([
    'openstack.compute_service.disable c1',
    'rehearsal.server_built latecomer',
    `openstack.server.live_migrate ${first}`,
  ])
})

test('a server that came to the host unseen is not moved unasked: nothing moves, and the host goes back', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.server_in_flight', with: { host: 'c1', takes: 30 } }] })
  expect(ran.end).toMatchObject({ status: 'rolled_back', error: { message: expect.stringContaining('begin again') } })
  expect(ran.did).toEqual([
    'openstack.compute_service.disable c1',
    'rehearsal.server_built latecomer',
    'openstack.compute_service.enable c1',
  ])
  // for as long as was asked for after the last one came up
  const at = (kind: string) => Date.parse(ran.effects.find((one) => one.kind === kind)?.at ?? '')
  expect(at('openstack.compute_service.enable') - at('rehearsal.server_built')).toBeGreaterThan(60_000)
})

test.each([
  {
    fault: 'rabbitmq.queue_deaf',
    with: { queue: 'compute.c1' },
    says: 'nobody takes the messages for c1 from `compute.c1`',
  },
  {
    fault: 'rabbitmq.unconnected',
    with: { host: 'c1' },
    says: 'nova-compute on c1 has no connection to RabbitMQ',
  },
  // the agent of Neutron has one, and that is not enough
  {
    fault: 'rabbitmq.unconnected',
    with: { host: 'c1', service: 'nova-compute' },
    says: 'nova-compute on c1 has no connection to RabbitMQ',
  },
])('a host whose messages nobody hears is not put back: $fault', async ({ says, ...fault }) => {
  const ran = await reboot({ faults: [fault] })
  expect(ran.end.error?.message).toContain(says)
  expect(ran.end.error?.message).toContain('c1 stays out of service')
  expect(rebooted(ran)).toBe(1)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
})

test('an agent of Neutron without RabbitMQ is no matter of nova-compute, whose own words of it are kept from its last boot', async () => {
  const old = '2026-01-01 00:00:00.100 7 INFO oslo.messaging [-] Reconnected to AMQP server on 10.1.1.1:5672'
  const late = '2099-01-01 00:00:00.100 7 INFO oslo.messaging [-] Reconnected to AMQP server on 10.2.2.2:5672'
  const ran = await reboot({
    faults: [
      { fault: 'rabbitmq.unconnected', with: { host: 'c1', service: 'neutron-openvswitch-agent' } },
      {
        fault: 'hosts.file',
        with: { host: 'c1', path: '/var/log/nova/nova-compute.log', content: `${old}\n${late}\n` },
      },
    ],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const { amqp } = ran.end.outputs as { amqp: { connections: number; log: string[] } }
  expect(amqp.connections).toBe(1)
  expect(amqp.log, amqp.log.join('|')).toHaveLength(2)
  const [own = '', written] = amqp.log
  expect(own).toContain('Reconnected to AMQP server on 10.77.0.11:5672')
  expect(Date.parse(`${own.slice(0, 19).replace(' ', 'T')}Z`)).toBeGreaterThan(timeOf(ran, 'host.reboot'))
  expect(written).toBe(late)
})

test('a nova-compute that does not start by itself with the host is started', async () => {
  const ran = await reboot({ faults: [{ fault: 'hosts.unit_disabled', with: { host: 'c1', unit: 'nova-compute' } }] })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const order = ran.did.filter((one) => /unit|reboot c1|enable/.test(one))
  expect(order).toEqual([
    'host.unit.stop c1:nova-compute.service',
    'host.reboot c1',
    'host.unit.start c1:nova-compute.service',
    'openstack.compute_service.enable c1',
  ])
})

test.each([
  { command: ['systemctl', 'start', 'nova-compute'], says: 'Job for nova-compute.service failed' },
  // as a container: the command ends well, and nothing runs
  { command: ['true'], says: 'it is inactive' },
])('a nova-compute that cannot be started keeps its host out of service: $says', async ({ command, says }) => {
  const faults = [
    { fault: 'hosts.unit_disabled', with: { host: 'c1', unit: 'nova-compute' } },
    { fault: 'hosts.unit_failed', with: { host: 'c1', unit: 'nova-compute', from_boot: true } },
  ]
  const ran = await reboot({ faults, inputs: { compute_start: command } })
  expect(ran.end.error?.message).toContain('nova-compute on c1 does not run')
  expect(ran.end.error?.message).toContain(says)
  expect(ran.end.error?.message).toContain('c1 stays out of service')
  expect(rebooted(ran)).toBe(1)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
})

const container = (name: string, more: object = {}) => ({
  fault: 'hosts.container',
  with: { host: 'c1', name, ...more },
})

test.each([
  {
    fault: 'hosts.clock_offset',
    with: { host: 'c1', seconds: 3, from_boot: true },
    says: 'the clock of c1 is not set',
  },
  {
    fault: 'hosts.unit_failed',
    with: { host: 'c1', unit: 'cron', from_boot: true },
    says: 'these units have failed that had not before: cron.service',
  },
  {
    fault: 'hosts.nic_down',
    with: { host: 'c1', nic: 'eno2', from_boot: true },
    says: 'these links are not up any more: eno2',
  },
  {
    fault: 'hosts.mounted',
    with: { host: 'c1', from_boot: 'gone' },
    says: 'these file systems are not mounted any more: /var/lib/nova/instances',
  },
  {
    fault: 'hosts.address_gone',
    with: { host: 'c1', nic: 'eno2', from_boot: true },
    says: 'these addresses are gone: eno2 10.78.0.21/24',
  },
  {
    fault: 'network.bridge_added',
    with: { host: 'c1', bridge: 'br-ex', from_boot: 'gone' },
    says: 'these bridges are gone: br-ex',
  },
  {
    fault: 'hosts.bonded',
    with: { host: 'c1', lost: 'eno2' },
    says: 'these members of bonds carry them no more: bond0 eno2',
  },
  {
    fault: 'hosts.unit_slow',
    with: { host: 'c1', unit: 'cron', minutes: 30 },
    says: 'c1 has not finished starting',
  },
  // whoever asks for the guests gets no answer
  { fault: 'hosts.unit_failed', with: { host: 'c1', unit: 'libvirtd', from_boot: true }, says: 'Connection refused' },
  { fault: 'placement.provider_replaced', with: { host: 'c1' }, says: 'c1 is another resource provider than before' },
  {
    fault: 'nova.service_renamed',
    with: { host: 'c1', name: 'c1.lan' },
    says: 'a compute service appeared that was not there before: c1.lan',
  },
  // Neutron still calls it alive, by a report from before
  { fault: 'neutron.agent_dead', with: { host: 'c1', from_boot: true }, says: 'timestamp(a.heartbeat_at)' },
  { ...container('nova_ssh', { from_boot: 'unhealthy' }), says: 'these containers are not well: nova_ssh' },
  { ...container('nova_ssh', { from_boot: 'health: starting' }), says: 'these containers are not well: nova_ssh' },
  { ...container('nova_ssh', { from_boot: 'gone' }), says: 'these containers ran before and do not now: nova_ssh' },
])(
  'a host that is not well after its reboot is not put back: $says',
  async ({ says, ...fault }) => {
    const ran = await reboot({ faults: [fault] })
    expect(ran.end.error?.message).toContain(says)
    expect(ran.end.error?.message).toContain('c1 stays out of service')
    expect(rebooted(ran)).toBe(1)
    expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
  },
  60_000,
)

test('what was there before and is there again is no difference, and what is shown of both is kept', async () => {
  const faults = [
    { fault: 'hosts.mounted', with: { host: 'c1' } },
    { fault: 'network.bridge_added', with: { host: 'c1' } },
    { fault: 'hosts.bonded', with: { host: 'c1' } },
    { fault: 'hosts.address_gone', with: { host: 'c1', nic: 'eno1' } },
  ]
  const ran = await reboot({ faults })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded', outputs: { changed: [] } })
  const { evidence } = ran.end.outputs as { evidence: { before: string; after: string } }
  for (const shown of [evidence.before, evidence.after]) {
    expect(shown).toContain('10.78.0.21/24')
    expect(shown).toContain('/var/lib/nova/instances nas1:/srv/instances nfs4')
    expect(shown).toMatch(/Bridge br-ex/)
    // each guest that is defined there, also those that are off
    expect(shown).toMatch(/^# virsh list --name --all\ninstance-[0-9a-f]{8}$/m)
  }
})

test('a clock and a container that were not well before are not asked to be so afterwards', async () => {
  const ran = await reboot({
    faults: [
      { fault: 'hosts.clock_offset', with: { host: 'c1', seconds: 3 } },
      container('old', { health: 'unhealthy', from_boot: 'unhealthy' }),
      container('nova_ssh'),
    ],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  // by the clock of the world: nor are they waited for, which would take ten minutes
  const at = (kind: string) => Date.parse(ran.effects.find((one) => one.kind === kind)?.at ?? '')
  expect(at('openstack.compute_service.enable') - at('host.reboot')).toBeLessThan(8 * 60_000)
})

/** `c3` has servers with volumes. */
const onC3 = { inputs: { host: 'c3' }, answers: ['enter/agree=c3'] }
const portOf = (server: string) => new RegExp(`[0-9a-f-]{36} of ${server} \\((DOWN|gone)\\)`)

test.each([
  { fault: 'network.port_not_bound', with: { server: 'db-1' }, says: portOf('db-1') },
  { fault: 'network.server_without_port', with: { server: 'db-1' }, says: portOf('db-1') },
  {
    fault: 'cinder.volume_lost',
    with: { server: 'db-1' },
    says: /db-1 is ACTIVE \(ACTIVE before\), without its volume [0-9a-f-]{36}/,
  },
  {
    fault: 'cinder.volume_lost',
    with: { server: 'db-1', nova: false },
    says: /not attached now: [0-9a-f-]{36} of db-1/,
  },
  {
    fault: 'cinder.volume_lost',
    with: { server: 'db-1', nova: false, to: 'web-1' },
    says: /not attached now: [0-9a-f-]{36} of db-1/,
  },
  { fault: 'nova.server_state', with: { server: 'db-1', state: 'error' }, says: /db-1 is ERROR \(ACTIVE before\)/ },
  { fault: 'nova.server_state', with: { server: 'db-1', state: 'stopped' }, says: /db-1 is SHUTOFF \(ACTIVE before\)/ },
])('what a server had before and has not afterwards is told, and its host is in service: $fault', async (it) => {
  // after the server has moved, and before the host is back
  const { says, ...fault } = it
  const ran = await reboot({ faults: [{ ...fault, after: '3m' }], ...onC3, inputs: { host: 'c3', migrate_back: true } })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toMatch(says)
  // nothing else is told, and nothing more is done
  expect(ran.end.error?.message).not.toMatch(/store-1|registry-1/)
  expect(ran.did.at(-1)).toBe('openstack.compute_service.enable c3')
})

test('a volume and a port that were not in use before are not asked to be so afterwards', async () => {
  const faults = [
    { fault: 'cinder.volume_lost', with: { server: 'db-1', nova: false } },
    { fault: 'network.port_not_bound', with: { server: 'store-1' } },
  ]
  const ran = await reboot({ faults, ...onC3 })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('a server that does not start any more is unlocked and told, and the others run on their host', async () => {
  const ran = await reboot({
    faults: [{ fault: 'network.port_not_bound', with: { server: second } }],
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain(`these servers are not as they were: ${second} is ERROR (ACTIVE before)`)
  for (const name of [first, second, third, stopped]) expect(count(ran, `openstack.server.unlock ${name}`)).toBe(1)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
})

test('host-maintenance-leave by itself tells a server that does not start, once the host is in service', async () => {
  const kept = (server: string) => ({
    fault: 'nova.server_state',
    with: { server, state: 'stopped', locked: true, locked_reason: 'rb:r1 ACTIVE CHG-1' },
  })
  const ran = await run({
    runbook: 'host-maintenance-leave',
    faults: [
      { fault: 'nova.compute_disabled', with: { host: 'c1', reason: 'rb:r1 CHG-1 (ana)' } },
      ...[first, second].map(kept),
      { fault: 'network.port_not_bound', with: { server: second } },
    ],
    only: { host: 'c1', reason: 'rb:r1 CHG-1 (ana)' },
  })
  expect(ran.events.at(-1)).toMatchObject({
    error: {
      message: expect.stringMatching(/^c1 is in service again, and these servers have not started: worker-1: /),
    },
  })
  expect(ran.effects.map(({ kind }) => kind)).toEqual([
    ...['openstack.server.start', 'openstack.server.start'],
    ...['openstack.server.unlock', 'openstack.server.unlock'],
    'openstack.compute_service.enable',
  ])
})

test('whoever takes the host out of service for a reason of their own while its servers start keeps it', async () => {
  const topology = { ...small, servers: 80 }
  const here = onHost(topology).map(({ name }) => name)
  const reason = 'rb:r1 CHG-1 (ana)'
  const kept = here.map((server) => ({
    fault: 'nova.server_state',
    with: { server, state: 'stopped', locked: true, locked_reason: 'rb:r1 ACTIVE CHG-1' },
  }))
  const ours = { fault: 'nova.compute_disabled', with: { host: 'c1', reason } }
  const theirs = {
    fault: 'nova.compute_disabled',
    with: { host: 'c1', reason: 'disk, ask Ana', since: 0 },
    after: '60s',
  }
  const ran = await run({
    runbook: 'host-maintenance-leave',
    topology,
    faults: [ours, ...kept, theirs],
    only: { host: 'c1', reason, canary },
    answers: ['agree_trial=yes'],
  })
  expect(ran.events.at(-1)).toMatchObject({ error: { message: expect.stringContaining('disk, ask Ana') } })
  // the first look was long past: all had been started
  expect(ran.effects.filter(({ kind }) => kind === 'openstack.server.start')).toHaveLength(here.length)
  expect(ran.effects.filter(({ kind }) => /compute_service|create/.test(kind))).toEqual([])
})

test('a host on which no server starts stays out of service, and they stay locked', async () => {
  const ran = await reboot({
    faults: [first, second, third].map((server) => ({ fault: 'network.port_not_bound', with: { server } })),
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end.error?.message).toContain('no server starts on c1')
  expect(ran.end.error?.message).toContain('c1 stays out of service')
  expect(ran.did.filter((one) => /unlock|enable/.test(one))).toEqual([])
})

test('how long each stopped server was off is told as Nova wrote it down', async () => {
  const ran = await reboot({
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  const { downtime, boot } = ran.end.outputs as {
    downtime: { name: string; from: string; to: string; seconds: number }[]
    boot: { before: string; after: string }
  }
  const running = onHost(small).flatMap((server) => (server.stopped ? [] : [server.name]))
  expect(downtime.map(({ name }) => name).toSorted()).toEqual(running.toSorted())
  const at = (kind: string, name: string) =>
    Date.parse(ran.effects.find((one) => one.kind === kind && one.what.startsWith(`${name} `))?.at ?? '')
  for (const { name, from, to, seconds } of downtime) {
    expect(Math.abs(Date.parse(from) - at('openstack.server.stop', name))).toBeLessThan(1000)
    expect(Date.parse(to)).toBeGreaterThan(at('openstack.server.start', name))
    expect(seconds).toBe(Math.floor((Date.parse(to) - Date.parse(from)) / 1000))
  }
  const reboots = ran.effects.filter(({ kind }) => kind === 'host.reboot')
  expect(reboots).toHaveLength(1)
  expect(boot.before).not.toBe(boot.after)
})

test('a window must be long enough to empty the host, to reboot it and to prove that it is well', async () => {
  // 36 GiB of memory move at 8 a minute, and one server is locked: 5 minutes
  const inputs = { reboot_minutes: 20, heartbeat_timeout: '3m' }
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
  const short = await reboot({ inputs: { ...inputs, window_end: inMinutes(27) } })
  expect(short.end.error?.message).toContain('it would take 5 minutes to empty the host and 23 for the work')
  expect(short.effects).toEqual([])
  const enough = await reboot({ inputs: { ...inputs, window_end: inMinutes(32) } })
  expect(enough.end, enough.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('a guest that does not end when it is asked to is switched off by Nova in the end, and the reboot waits for that', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.guest_slow_to_stop', with: { server: first, seconds: 240 } }],
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(timeOf(ran, 'host.unit.stop') - timeOf(ran, 'openstack.server.stop')).toBeGreaterThan(240_000)
  expect(ran.did.filter((one) => one.endsWith(` ${first}`))).toEqual(
    ['lock', 'stop', 'start', 'unlock'].map((what) => `openstack.server.${what} ${first}`),
  )
})

test('a server that is not off after five minutes ends the run before the reboot; it is let end, and started and unlocked', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.guest_slow_to_stop', with: { server: second, seconds: 900 } }],
    inputs: { active: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  expect(rebooted(ran)).toBe(0)
  expect(ran.did.filter((one) => one.endsWith(` ${second}`))).toEqual(
    ['lock', 'stop', 'start', 'unlock'].map((what) => `openstack.server.${what} ${second}`),
  )
  allGivenBack(ran)
})

test('a nova-compute that takes longer to stop than it may is started again, before its host is in service', async () => {
  const ran = await reboot({ inputs: { compute_stop: ['sh', '-c', 'systemctl stop nova-compute; sleep 400'] } })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  const order = ran.did.filter((one) => /unit|reboot c1|able c1/.test(one))
  expect(order).toEqual([
    'openstack.compute_service.disable c1',
    'host.unit.stop c1:nova-compute.service',
    'host.unit.start c1:nova-compute.service',
    'openstack.compute_service.enable c1',
  ])
  allGivenBack(ran)
})

test('a host of another zone that is out counts as well where it is in the same aggregate', async () => {
  const elsewhere = (host: string) => ({ fault: 'nova.host_in_zone', with: { host } })
  const out = (host: string) => ({ fault: 'nova.compute_disabled', with: { host } })
  const faults = ['c10', 'c2'].flatMap((host) => [elsewhere(host), out(host)])
  const refused = await reboot({ faults })
  expect(refused.end.error?.message).toContain('these hosts of aggregate general are down or disabled already: c10, c2')
  expect(refused.effects).toEqual([])
  const asked = await question({ faults, inputs: { max_disabled: 2 } })
  expect(asked.message).toContain('Out already: c10, c2.')
})

test('hosts of another zone that are in no aggregate with it are no hindrance, whoever is out there', async () => {
  const faults = ['c10', 'c2'].flatMap((host) => [
    { fault: 'nova.host_in_zone', with: { host, leaves: true } },
    { fault: 'nova.compute_disabled', with: { host } },
  ])
  const ran = await reboot({ faults, inputs: { max_disabled: 0 } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const asked = await question({ faults, inputs: { max_disabled: 0 } })
  expect(asked.message).toContain('Take c1 (zone nova, aggregates general) out of service')
  expect(asked.message).not.toContain('Out already')
})

/** An Alertmanager that is long in answering one kind of question: as long as a person who thinks. */
const slowOn = (word: string, seconds: number) => ({
  silence_on: 'ctl1',
  amtool: ['sh', '-c', `case "$*" in *${word}*) sleep ${seconds};; esac; amtool "$@"`, 'amtool'],
})

test.each([
  { what: 'c1 has rebooted since it was looked at', faults: [{ fault: 'hosts.rebooted', with: { host: 'c1' } }] },
  {
    what: `since the list was shown ${first} is PAUSED`,
    faults: [{ fault: 'nova.server_state', with: { server: first, state: 'paused' } }],
  },
  {
    what: '1 migrations from or to c1 have begun since',
    faults: [
      { fault: 'nova.migration_stalls', with: { server: 'web-2' } },
      { fault: 'nova.migration_under_way', with: { server: 'web-2', to: 'c1' } },
    ],
  },
  {
    what: 'these hosts of zone nova are down or disabled by now: c10, c2',
    faults: ['c10', 'c2'].map((host) => ({ fault: 'nova.compute_disabled', with: { host } })),
  },
  {
    what: 'these hosts of aggregate general are down or disabled by now: c10, c2',
    faults: ['c10', 'c2'].map((host) => ({ fault: 'nova.compute_disabled', with: { host } })),
    before: ['c10', 'c2'].map((host) => ({ fault: 'nova.host_in_zone', with: { host } })),
  },
  {
    what: 'the answer came too late: it would take 5 minutes to empty the host and 23 for the work',
    faults: [],
    window: 28.5,
  },
])('what changes before the answer comes is seen before anything is changed: $what', async (it) => {
  const late = it.faults.map((fault) => ({ ...fault, after: '20s' }))
  const window_end = it.window === undefined ? '' : new Date(Date.now() + it.window * 60_000).toISOString()
  const ran = await reboot({
    faults: [...(it.before ?? []), ...late],
    inputs: { ...slowOn('created-by=runbook', 50), reboot_minutes: 20, heartbeat_timeout: '3m', window_end },
  })
  expect(ran.end.error?.message).toContain(it.what)
  expect(ran.did).toEqual([])
})

test('who takes a host out at the same moment as others gives it back', async () => {
  const others = (zone: boolean) =>
    ['c10', 'c2'].flatMap((host) => [
      ...(zone ? [{ fault: 'nova.host_in_zone', with: { host } }] : []),
      { fault: 'nova.compute_disabled', with: { host }, after: '30s' },
    ])
  for (const zone of [false, true]) {
    const ran = await reboot({ faults: others(zone), inputs: slowOn('" add "', 90) })
    expect(ran.end).toMatchObject({ status: 'rolled_back' })
    expect(ran.end.error?.message).toMatch(/at the same time: c10, c2.*c1 goes back/)
    expect(ran.did.filter((one) => !one.includes('alertmanager'))).toEqual([
      'openstack.compute_service.disable c1',
      'openstack.compute_service.enable c1',
    ])
  }
})

test.each([
  { when: 'before they move', after: '20s', faults: [], inputs: {}, at: 'enter/left_boot' },
  { when: 'while one moves', after: '45s', faults: [], inputs: {}, at: 'enter/drain' },
  {
    when: 'while one moves switched off',
    after: '20s',
    faults: [{ fault: 'nova.confirm_forbidden', with: { server: stopped } }],
    inputs: { active: 'stop', shutoff: 'cold' },
    at: 'enter/move_cold',
  },
  {
    when: 'while one stops',
    after: '90s',
    faults: [{ fault: 'nova.guest_slow_to_stop', with: { server: first, seconds: 240 } }],
    inputs: { active: 'stop' },
    at: 'enter/off_boot',
  },
])(
  'a host that reboots by itself while its servers leave stays out of service, and the error says so: $when',
  async (it) => {
    const by = { fault: 'hosts.rebooted', with: { host: 'c1' }, after: it.after }
    const ran = await reboot({
      inputs: { settle: '30s', ...it.inputs },
      faults: [...it.faults, by],
      answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
    })
    expect(ran.end.error).toMatchObject({ key: it.at })
    expect(ran.end.error?.message).toMatch(
      /c1 has rebooted by itself while it was emptied, and stays out of service: .*host-maintenance-leave --input host=c1 --input 'reason=rb:/,
    )
    expect(rebooted(ran)).toBe(0)
    expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
  },
)

test('a host that somebody else took out of service is left to them', async () => {
  // and nobody is asked about it
  const ran = await reboot({
    answers: [],
    faults: [{ fault: 'nova.compute_disabled', with: { host: 'c1', reason: 'disk, ask Ana' } }],
  })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('c1 is disabled already: disk, ask Ana.') },
  })
  expect(ran.effects).toEqual([])
})

test('a guest that Nova knows nothing of is found before the reboot', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.orphan_domain', with: { host: 'c1' } }] })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining('instance-0000beef') },
  })
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test('who says no at first has changed nothing', async () => {
  const ran = await reboot({ answers: ['enter/agree=no'] })
  expect(ran.exit).toBe(3)
  expect(ran.effects).toEqual([])
})

test('who says no to stopping servers gets all back', async () => {
  const ran = await reboot({ inputs: { active: 'stop' }, answers: ['enter/agree=c1', 'enter/agree_stop=no'] })
  expect(ran.exit).toBe(3)
  expect(ran.did).toEqual(['openstack.compute_service.disable c1', 'openstack.compute_service.enable c1'])
})

interface Held {
  readonly what: string
  readonly id: string
  readonly author: string
  readonly comment: string
  readonly from: number
  readonly ends: number
  /** When somebody ended it before its time. */
  readonly expired: number | undefined
}

/** The silences that Alertmanager was given, by what its hosts say. */
function silences({ effects }: Ran): Held[] {
  const idOf = ({ detail }: Effect) => String(detail?.['id'])
  const ended = effects.filter(({ kind }) => kind === 'host.alertmanager.expire')
  return effects
    .filter(({ kind }) => kind === 'host.alertmanager.silence')
    .map((effect) => {
      const end = ended.find((one) => idOf(one) === idOf(effect))
      return {
        what: effect.what,
        id: idOf(effect),
        author: String(effect.detail?.['author']),
        comment: String(effect.detail?.['comment']),
        from: Date.parse(effect.at),
        ends: Date.parse(String(effect.detail?.['ends'])),
        expired: end && Date.parse(end.at),
      }
    })
}

const timeOf = ({ effects }: Ran, kind: string) => Date.parse(effects.find((one) => one.kind === kind)?.at ?? '')

test('asked to, it silences the monitoring from before the host goes until it is in service again', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1', silence_matcher: '' } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const outputs = ran.end.outputs as { silence: string; reason: string }
  const held = silences(ran)
  expect(held).toMatchObject([
    {
      what: 'instance=~"c1(:.*)?"',
      id: outputs.silence,
      author: outputs.reason.split(' ')[0],
      comment: outputs.reason,
    },
  ])
  const [one] = held
  expect(one?.author).toMatch(/^rb:./)
  expect(one?.from).toBeLessThanOrEqual(timeOf(ran, 'openstack.compute_service.disable'))
  expect(one?.expired).toBeGreaterThanOrEqual(timeOf(ran, 'openstack.compute_service.enable'))
  // nobody is called in the meantime: 5 minutes to empty it, 25 for the reboot, 5 for the proofs, and an hour
  expect(one?.ends).toBeGreaterThan(one?.expired ?? 0)
  expect(((one?.ends ?? 0) - (one?.from ?? 0)) / 60_000).toBeCloseTo(5 + 25 + 5 + 60, 0)
  const order = ran.did.filter((did) => /alertmanager|able c1|reboot c1/.test(did)).map((did) => did.split(' ')[0])
  expect(order).toEqual([
    'host.alertmanager.silence',
    'openstack.compute_service.disable',
    'host.reboot',
    'openstack.compute_service.enable',
    'host.alertmanager.expire',
  ])
})

test('whoever does not ask for it has nothing silenced', async () => {
  const ran = await reboot({})
  expect(ran.end).toMatchObject({ status: 'succeeded', outputs: { silence: '' } })
  expect(silences(ran)).toEqual([])
})

test('a silence ends with the window, matches no other host by the dots of a name, and goes to the Alertmanager that is named', async () => {
  const ran = await reboot({
    topology: { ...small, computes: ['c1.lan', 'c10', 'c2', 'c3'] },
    inputs: {
      host: 'c1.lan',
      window_end: '2100-01-01T02:00:00+02:00',
      silence_on: 'ctl1',
      amtool: ['amtool', '--alertmanager.url=http://ctl1:9093/'],
    },
    answers: ['enter/agree=c1.lan'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(silences(ran)).toMatchObject([
    { what: String.raw`instance=~"c1\\.lan(:.*)?"`, ends: Date.parse('2100-01-01T00:00:00Z') },
  ])
})

test('what is silenced can be told', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1', silence_matcher: 'host=c1' } })
  expect(silences(ran)).toMatchObject([{ what: 'host="c1"', expired: expect.any(Number) }])
})

test.each([
  { faults: [{ fault: 'alertmanager.down' }], on: 'ctl1', says: 'connect: connection refused' },
  { faults: [], on: 'c2', says: 'amtool: command not found' },
  { faults: [], on: 'ctl7', says: 'ctl7' },
])('monitoring that cannot be silenced stops it before anything changes: $says', async ({ faults, on, says }) => {
  const ran = await reboot({ faults, inputs: { silence_on: on } })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain(says)
  expect(ran.effects).toEqual([])
})

test('who says no at first has silenced nothing', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1' }, answers: ['enter/agree=no'] })
  expect(ran.exit).toBe(3)
  expect(ran.effects).toEqual([])
})

test('when all is given back before the reboot, the silence ends as well, after the host is in service', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }],
    inputs: { silence_on: 'ctl1' },
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  expect(silences(ran)).toHaveLength(1)
  expect(silences(ran)[0]?.expired).toBeGreaterThanOrEqual(timeOf(ran, 'openstack.compute_service.enable'))
})

test.each([
  // it cannot be asked whether it has been rebooted, so it is not put back
  { fault: 'hosts.unreachable', with: { host: 'c1' }, enabled: 0 },
  { fault: 'alertmanager.down', enabled: 1 },
])('a silence that cannot be undone is told by whoever made it: $fault', async ({ enabled, ...fault }) => {
  const ran = await reboot({
    runbook: 'host-maintenance-enter',
    faults: [
      { fault: 'nova.migration_precheck_fails', with: { server: second } },
      { ...fault, after: '62s' },
    ],
    inputs: { silence_on: 'ctl1' },
    answers: ['agree=c1'],
  })
  expect(ran.exit).toBe(1)
  const [held] = silences(ran)
  expect(held).toMatchObject({ expired: undefined })
  expect(ran.end.error?.message).toContain(`${second} has not moved`)
  expect(ran.end.error?.message).toContain(
    `the monitoring of c1 stays silenced until ${new Date(held?.ends ?? 0).toISOString()}`,
  )
  expect(ran.end.error?.message).toContain(`on ctl1 with \`amtool silence expire ${held?.id}\``)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(enabled)
})

test('a host that stays out of service stays silenced until the silence ends by itself, and the error says so', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.never_back', with: { host: 'c1' } }],
    inputs: { silence_on: 'ctl1', reboot_minutes: 2 },
    answers: ['enter/agree=c1', 'forward/not_back=stop'],
  })
  const held = silences(ran)
  expect(held).toHaveLength(1)
  expect(held[0]?.expired).toBeUndefined()
  expect(ran.end.error?.message).toContain(`stays silenced until ${new Date(held[0]?.ends ?? 0).toISOString()}`)
  expect(ran.end.error?.message).toContain(`--input silence_on=ctl1 --input 'amtool=["amtool"]'`)
})

test('Alertmanager that is gone in the end keeps no host out of service: it is told, with what is left to do', async () => {
  const ran = await reboot({ faults: [{ fault: 'alertmanager.down', after: '2m' }], inputs: { silence_on: 'ctl1' } })
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
  expect(ran.did.at(-1)).toBe('openstack.compute_service.enable c1')
  const [held] = silences(ran)
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain(`amtool silence expire ${held?.id}`)
})

const fstab = (line: string) => ({
  fault: 'hosts.file',
  with: { host: 'c1', path: '/etc/fstab', content: `/dev/sda1 / ext4 errors=remount-ro 0 1\n${line}\n` },
})
const boot = (file: string) => ({ fault: 'hosts.file_gone', with: { host: 'c1', path: `/boot/${file}` } })
const kernel = (more: object = {}) => ({
  fault: 'hosts.kernel_installed',
  with: { host: 'c1', release: '6.1.0-40-amd64', ...more },
})

test.each([
  { faults: [boot('vmlinuz-6.1.0-37-amd64')], says: 'there is no kernel in /boot' },
  { faults: [boot('initrd.img-6.1.0-37-amd64')], says: 'would start initrd.img-6.1.0-37-amd64, which is not in /boot' },
  {
    faults: [kernel(), boot('vmlinuz-6.1.0-40-amd64')],
    says: 'would start vmlinuz-6.1.0-40-amd64, which is not in /boot',
  },
  {
    faults: [{ fault: 'hosts.disk_full', with: { host: 'c1', mount: '/boot', percent: 99 } }],
    says: '/boot has only',
  },
  {
    faults: [fstab('UUID=0f5a-77aa /boot ext4 defaults 0 2')],
    says: 'fstab, /boot: unreachable on boot required source: UUID=0f5a-77aa',
  },
  // only a warning to findmnt, which ends with 0
  { faults: [fstab('/dev/sdx1 /srv xfs defaults 0 2')], says: 'fstab, /srv: there is no /dev/sdx1' },
  { faults: [fstab('/dev/sda2')], says: '/etc/fstab: parse error at line 2' },
  { faults: [], wanted: '6.1.0-40-amd64', says: 'there is no kernel 6.1.0-40-amd64 in /boot' },
  {
    faults: [kernel({ first: false })],
    wanted: '6.1.0-40-amd64',
    says: 'would start vmlinuz-6.1.0-37-amd64, not 6.1.0-40-amd64',
  },
])('a host that might not come back is not rebooted: $says', async ({ faults, wanted = '', says }) => {
  const ran = await reboot({ faults, inputs: { kernel: wanted } })
  expect(ran.end.error?.message).toMatch(/^c1 might not come back: /)
  expect(ran.end.error?.message).toContain(says)
  expect(ran.effects).toEqual([])
  const unasked = await reboot({ faults, inputs: { check_boot: false } })
  expect(unasked.end, unasked.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('what need not be there to boot keeps no host from its reboot', async () => {
  const faults = ['/dev/sdx1 /srv xfs defaults,nofail 0 2', '/dev/sdx1 /srv xfs noauto 0 2'].map(fstab)
  for (const fault of faults) expect((await reboot({ faults: [fault] })).end).toMatchObject({ status: 'succeeded' })
})

test('the kernel that is wanted runs afterwards, or the host stays out of service', async () => {
  const inputs = { kernel: '6.1.0-40-amd64' }
  const ran = await reboot({ faults: [kernel()], inputs })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(ran.end.outputs).toMatchObject({
    changed: [{ what: 'kernel', before: '6.1.0-37-amd64', after: '6.1.0-40-amd64' }],
  })
  const old = await reboot({ faults: [kernel({ runs: false })], inputs })
  expect(old.end.error?.message).toContain('c1 runs the kernel 6.1.0-37-amd64, not 6.1.0-40-amd64')
  expect(old.end.error?.message).toContain('c1 stays out of service')
  expect(rebooted(old)).toBe(1)
  expect(count(old, 'openstack.compute_service.enable c1')).toBe(0)
})

/** The management board of `c1`, asked on a controller. */
const boardAt = (address: string) => ['ipmitool', '-I', 'lanplus', '-H', address, '-U', 'admin', '-f', '/root/ipmi']
const byBoard = { board: [...boardAt('10.79.0.21'), 'chassis', 'power'], board_on: 'ctl1', reboot_minutes: 5 }
const hangs = [{ fault: 'hosts.hangs_in_reboot', with: { host: 'c1' } }]

test('a host that hangs in its reboot is switched off and on by its board when its name is typed, and is in another boot', async () => {
  const ran = await reboot({
    faults: hangs,
    inputs: byBoard,
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=c1'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const power = ran.did.filter((one) => /^host\.(reboot|power)/.test(one))
  expect(power).toEqual(['host.reboot c1', 'host.power.cycle c1'])
  const { boot } = ran.end.outputs as { boot: { before: string; after: string } }
  expect(boot.after).toMatch(/^[0-9a-f-]{36}$/)
  expect(boot.after).not.toBe(boot.before)
  expect(ran.did.at(-1)).toBe('openstack.compute_service.enable c1')
})

test('who says no instead of the name of the host cuts no power, and the host stays out of service', async () => {
  const ran = await reboot({
    faults: hangs,
    inputs: byBoard,
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=no'],
  })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toMatch(/has not rebooted.*stays out of service/s)
  expect(ran.did.filter((one) => /host\.power|\.enable/.test(one))).toEqual([])
})

// an answer that does not fit leaves the question open, with its text and its options; and the host locked
test.each([
  { host: 'c10', inputs: {}, asks: /at its power by the management board\. What now.*one of wait, again, stop\b/s },
  {
    host: 'c2',
    inputs: { board: [...boardAt('10.79.0.23'), 'chassis', 'power'], board_on: 'ctl1' },
    asks: /Its management board says: Chassis Power is on\. .*one of wait, again, cycle, stop\b/s,
  },
])(
  'the power is offered to be cut only where a board is named, with what it says: $host',
  async ({ host, inputs, asks }) => {
    const left = reboot({
      faults: [{ fault: 'hosts.hangs_in_reboot', with: { host } }],
      inputs: { ...inputs, host, reboot_minutes: 5 },
      answers: [`enter/agree=${host}`, 'forward/not_back=nothing'],
    })
    const error = await left.catch((error: Error) => error)
    // the warning comes before the question
    expect(String(error).split('{"type":"run.parked"').toReversed().join(' ')).toMatch(asks)
  },
)

test('a host that comes back while a person thinks is not switched off', async () => {
  // what the board says takes so long that the host is back before the question is answered
  const board = ['sh', '-c', `${boardAt('10.79.0.21').join(' ')} chassis power "$0"; [ "$0" != status ] || sleep 100`]
  const ran = await reboot({
    faults: [{ fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 5.5 } }],
    inputs: { ...byBoard, board },
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=c1'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(count(ran, 'host.power.cycle c1')).toBe(0)
  expect(rebooted(ran)).toBe(1)
})

test('a board that does not answer stops it before anything changes', async () => {
  const board = [...boardAt('10.79.0.99'), 'chassis', 'power']
  const ran = await reboot({ inputs: { ...byBoard, board } })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain('does not answer ctl1: Error: Unable to establish IPMI v2 / RMCP+ session')
  expect(ran.effects).toEqual([])
})

test.each(['', 'c1'])('a board is asked on a host that is named and does not reboot itself: `%s`', async (board_on) => {
  const ran = await reboot({ inputs: { ...byBoard, board_on } })
  expect(ran.exit).not.toBe(0)
  expect(ran.end.error?.message).toContain('`board_on`')
  expect(ran.effects).toEqual([])
})

/** As a trainee would, with nothing told but the host. */
const trainee = { host: 'cmp2', check_platform: true, reserve_ratio: 0.15, spare_host: true }

test.each([
  { scenario: 'compute-reboot', inputs: { locked: 'move' }, answers: [], status: 'succeeded' },
  {
    scenario: 'compute-reboot-stalled',
    answers: [`enter/drain[${serverIdOf('worker-6')}]/stalled=force_complete`],
    status: 'succeeded',
  },
  { scenario: 'compute-reboot-ignored', answers: ['forward/not_back=again'], status: 'succeeded' },
  {
    scenario: 'compute-reboot-hangs',
    inputs: { ...byBoard, board: [...boardAt('10.79.0.22'), 'chassis', 'power'] },
    answers: ['forward/not_back=cycle', 'forward/agree_cycle=cmp2'],
    status: 'succeeded',
  },
  { scenario: 'compute-reboot-not-heard', answers: [], status: 'rolled_back', says: 'host-maintenance-leave' },
])(
  'the scenario $scenario goes as it tells a trainee',
  async ({ scenario, inputs = {}, answers, status, says = '' }) => {
    const ran = await reboot({
      scenario,
      inputs: { ...trainee, ...inputs },
      answers: ['enter/agree=cmp2', ...answers],
    })
    expect(ran.end.status, ran.end.error?.message).toBe(status)
    expect(ran.end.error?.message ?? '').toContain(says)
    const obeyed = ran.effects.filter(({ kind, detail }) => kind === 'host.reboot' && detail?.['refused'] !== true)
    expect(obeyed.map(({ what }) => what)).toEqual(['cmp2'])
    const back = ran.did.includes('openstack.compute_service.enable cmp2')
    expect(back).toBe(status === 'succeeded')
  },
)

test('the scenario compute-reboot-no-room has no place for the largest, then none to spare, then goes', async () => {
  const scenario = 'compute-reboot-no-room'
  const answers = ['enter/agree=cmp2']
  const refused = await reboot({ scenario, inputs: trainee, answers })
  expect(refused.end.error?.message).toMatch(
    /no other host has room for worker-6 \(`cmp1`: it has \d+ MiB of memory left, 16384/,
  )
  expect(refused.end.error?.message).toContain('store-2 (')
  const tight = await reboot({ scenario, inputs: { ...trainee, reserve_ratio: 0.05 }, answers })
  expect(tight.end.error?.message).toContain('the others could not lose one more host then')
  expect(tight.end.error?.message).not.toContain('has room for')
  expect([...refused.effects, ...tight.effects]).toEqual([])
  const inputs = { ...trainee, reserve_ratio: 0.05, spare_host: false }
  expect((await reboot({ scenario, inputs, answers })).end.status).toBe('succeeded')
})

test('the scenario compute-reboot has a locked server in the way until somebody says that it may move', async () => {
  const ran = await reboot({ scenario: 'compute-reboot', inputs: trainee, answers: ['enter/agree=cmp2'] })
  expect(ran.end.error?.message).toContain('bastion-1 (ACTIVE, its owner has locked it)')
  expect(ran.effects).toEqual([])
})

test('a dry run shows every server and what becomes of it, and changes nothing', async () => {
  const ran = await reboot({ flags: ['--dry-run'], answers: [] })
  expect(ran.exit).toBe(0)
  expect(ran.effects).toEqual([])
  for (const name of [first, second, third])
    expect(ran.stdout).toMatch(new RegExp(`${name} .*ACTIVE.*moves while it runs`))
  expect(ran.stdout).toMatch(new RegExp(`${stopped} .*SHUTOFF.*stays as it is, locked`))
  expect(ran.stdout).toMatch(/would do +enter\/disable/)
  expect(ran.stdout).toMatch(/would do +forward\/order/)
  expect(ran.stdout).not.toContain('FAILED')
  expect(ran.stdout).toContain('message: not known yet')
})
