import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../engine/run/event.ts'
import { runCli } from '../test/support/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'max-connections-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '..')
const folder = '/etc/mysql/mariadb.conf.d'
const file = `${folder}/zz-openstack-connections.cnf`
const dropIn = '/etc/systemd/system/mariadb.service.d/zz-connections.conf'
const nodes = ['db1', 'db2', 'db3']

interface Raised {
  readonly exit: number
  readonly stderr: string
  readonly events: readonly RunEvent[]
  /** What was done to the world, in order: `set_global db1 4000`, `restart db2`, `move db1:/etc/…`, `maint ctl1:galera/db2`. */
  readonly effects: readonly string[]
  /** For each restart, the other nodes that were Synced as it began. */
  readonly synced: readonly (readonly string[])[]
  /** What somebody was asked. */
  readonly asked: string
  /** Every question, in order. */
  readonly questions: readonly string[]
  readonly status: string
  readonly error: string
  readonly outputs: unknown
  /** What nobody has answered, when the run is parked for that. */
  readonly waitsFor: readonly { readonly key: string; readonly message: string }[]
}

let worlds = 0

/** Runs it in a scenario, with the answers of somebody who agrees. */
async function raise(scenario: string, inputs: object, ...args: string[]): Promise<Raised> {
  worlds += 1
  const effects = join(home, `effects-${worlds}.jsonl`)
  const given = join(home, `inputs-${worlds}.json`)
  writeFileSync(
    given,
    JSON.stringify({ backup_hours: 3, soak_seconds: 5, sync_seconds: 60, watch_minutes: 1, ...inputs }),
  )
  const agreed = ['--answer', 'mend/agreed=openstack', '--answer', 'mend/restarts=yes']
  const all = ['exec', 'mariadb-max-connections', '--rehearse', scenario, '--effects', effects, '--inputs', given]
  // a run that is parked holds its locks
  const own = { cwd, home: join(home, `home-${worlds}`) }
  const { exit, stdout, stderr } = await runCli([...all, '--output', 'json', ...agreed, ...args], own)
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const ended = events.at(-1)
  if (ended?.type !== 'run.ended' && ended?.type !== 'run.parked') throw new Error(`the run did not end: ${stderr}`)
  const narrow = events.find((event) => event.type === 'step.ended' && event.step === 'mend/narrow')
  const shown = narrow?.type === 'step.ended' && narrow.outcome.status === 'succeeded' ? narrow.outcome.result : {}
  const { message: asked = '' } = shown as { readonly message?: string }
  const waitsFor =
    ended.type === 'run.parked' ? ended.questions.map(({ key, question }) => ({ key, message: question.message })) : []
  const { status, error, outputs } = ended as unknown as Pick<Raised, 'status' | 'outputs'> & {
    readonly error?: { readonly message: string }
  }
  const done = readEffects(effects)
  const synced = done.flatMap(({ kind, detail }) =>
    kind === 'host.unit.restart' ? [detail?.['synced'] as readonly string[]] : [],
  )
  const questions = events.flatMap((event) => (event.type === 'asked' ? [event.question.message] : []))
  const common = { questions, exit, stderr, events, effects: done.map(inShort), synced, asked }
  return { ...common, status, error: error?.message ?? '', outputs, waitsFor }
}

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [name: string]: unknown }
}

function readEffects(path: string): readonly Effect[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Effect)
}

function inShort({ kind, what, detail }: Effect): string {
  const short = what.replace(':mariadb.service', '')
  if (kind === 'host.mariadb.set_global') return `set_global ${short} ${String(detail?.['max_connections'])}`
  if (kind === 'host.haproxy.set_server') return `${String(detail?.['state'])} ${short}`
  return `${kind.replace(/^host\.(unit|file|systemd)\./, '')} ${short}`
}

const of = ({ effects }: Raised, ...kinds: string[]) =>
  effects.filter((effect) => kinds.includes(effect.split(' ')[0] ?? ''))
const verdict = ({ events }: Raised) =>
  events.flatMap((event) =>
    event.type === 'step.ended' && event.step === 'diagnose/goal' && event.outcome.status === 'succeeded'
      ? [(event.outcome.result as { readonly verdict: string }).verdict]
      : [],
  )[0]
const starts = (raised: Raised) => of(raised, 'restart', 'start', 'stop')

/** A scenario of these tests alone. */
function world(name: string, faults: readonly object[], more: object = {}): string {
  const path = join(home, `${name}.yaml`)
  const topology = { controllers: 1, computes: 1, ceph: 3, servers: 2, ...more }
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, topology, faults }))
  return path
}

test('a limit that the process has files for is raised on every node and kept, and nothing is restarted', async () => {
  const raised = await raise('max-connections', { target: 4000 })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', target: 4000, done: 'raised' } })
  expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 4000`))
  expect(of(raised, 'move')).toEqual(nodes.map((node) => `move ${node}:${file}`))
  expect(starts(raised)).toEqual([])
  expect(of(raised, 'maint')).toEqual([])
})

test('what there was and what there is now is in the outputs, node by node, with what haproxy counted', async () => {
  const { outputs } = await raise('max-connections', { target: 8000 })
  const { nodes: before, after, proxies } = outputs as { readonly [name: string]: readonly object[] }
  expect(before).toEqual(
    nodes.map((host) =>
      expect.objectContaining({ host, limit: 2000, connected: 2000, files: 32_768, restarted: true }),
    ),
  )
  expect(after).toEqual(nodes.map((host) => expect.objectContaining({ host, limit: 8000, files: 65_535, refused: 0 })))
  for (const when of ['before', 'after'])
    expect(proxies).toContainEqual(
      expect.objectContaining({ on: 'ctl1', when, name: 'db1', limit: '2500', status: 'UP' }),
    )
  // those of the proxy of the database and of all: nothing of the others
  expect((outputs as { readonly timeouts: readonly object[] }).timeouts).toEqual([
    { on: 'ctl1', section: 'defaults', name: 'connect', value: '10s' },
    { on: 'ctl1', section: 'defaults', name: 'queue', value: '1m' },
    { on: 'ctl1', section: 'defaults', name: 'client', value: '1m' },
    { on: 'ctl1', section: 'defaults', name: 'server', value: '1m' },
    { on: 'ctl1', section: 'defaults', name: 'check', value: '10s' },
    { on: 'ctl1', section: 'listen', name: 'client', value: '1h' },
    { on: 'ctl1', section: 'listen', name: 'server', value: '1h' },
  ])
})

test('a window is no matter where nothing restarts', async () => {
  const raised = await raise('max-connections', { target: 4000, window_end: '2026-01-01T00:00Z' })
  expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
})

test('a window that is no time is refused before anything begins', async () => {
  const given = join(home, 'window.json')
  writeFileSync(given, JSON.stringify({ target: 4000, backup_hours: 3, window_end: 'tonight' }))
  const args = ['exec', 'mariadb-max-connections', '--rehearse', 'max-connections', '--inputs', given]
  const { exit, stderr } = await runCli(args, { cwd, home })
  expect(exit).toBe(2)
  expect(stderr).toMatch(/window_end/)
})

test('a window that is over by the time somebody has agreed keeps every node from being restarted', async () => {
  // the hosts begin with the clock of this machine, and look for five minutes before they decide
  const end = new Date(Date.now() + 17 * 60_000).toISOString().replace(/\.\d+/, '')
  const raised = await raise('max-connections', { target: 8000, observe_seconds: 300, window_end: end })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/15 min for the restarts end later than .* by now/)
  expect(starts(raised)).toEqual([])
  for (const node of nodes) expect(raised.effects).toContain(`remove ${node}:${file}`)
})

describe('a limit that is not enough', () => {
  // 2612 are wanted of each node, and 600 more of the one behind haproxy
  const target = 2300

  test('is kept until somebody has said what is to be done', async () => {
    const raised = await raise('max-connections', { target })
    expect(raised.exit).toBe(6)
    expect(raised.waitsFor.map(({ key }) => key)).toEqual(['mend/enough'])
    expect(raised.waitsFor[0]?.message).toMatch(/^2300 connections are not enough: some were turned away/)
    expect(raised.effects.at(-1)).toBe(`move db3:${file}`)
  })

  test('stays, with its files, when that is wanted', async () => {
    const raised = await raise('max-connections', { target }, '--answer', 'mend/enough=yes')
    expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', done: 'not enough' } })
    expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 2300`))
    for (const node of nodes) expect(raised.effects).not.toContain(`remove ${node}:${file}`)
  })

  test('is undone when that is wanted, as far as nobody is turned away by it', async () => {
    const raised = await raise('max-connections', { target }, '--answer', 'mend/enough=no')
    expect(raised).toMatchObject({ exit: 3, status: 'refused' })
    expect(raised.error).toMatch(/db3 keeps 2300 connections/)
    expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 2300`))
    for (const node of nodes) expect(raised.effects).toContain(`remove ${node}:${file}`)
  })
})

test('a cloud that gives nobody a token at the end is not taken for well, though the databases are', async () => {
  const scenario = world('no-token', [{ fault: 'keystone.failing', after: '90s' }])
  const raised = await raise(scenario, { target: 4000, demand: 3000, watch_minutes: 2 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(of(raised, 'set_global')).toEqual([
    ...nodes.map((node) => `set_global ${node} 4000`),
    ...nodes.toReversed().map((node) => `set_global ${node} 2000`),
  ])
  const without = await raise(scenario, { target: 4000, demand: 3000, watch_minutes: 2, probe_token: false })
  expect(without).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
})

test('a single node restarts with an outage, which is said before, and nobody waits for haproxy to send people elsewhere', async () => {
  const raised = await raise(world('single', [{ fault: 'galera.too_many_connections' }], { databases: 1 }), {
    target: 8000,
  })
  expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
  expect(starts(raised)).toEqual(['restart db1'])
  expect(of(raised, 'maint')).toEqual([])
  expect(raised.questions).toContainEqual(expect.stringMatching(/^Restart db1 now.*This is an outage/))
})

test('a limit that needs more files restarts one node at a time, out of haproxy, the writer last', async () => {
  const raised = await raise('max-connections', { target: 8000 })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', target: 8000 } })
  // both others were, each time; `db1`, the writer, had given the one before its state
  expect(raised.synced).toEqual([
    ['db1', 'db3'],
    ['db1', 'db2'],
    ['db2', 'db3'],
  ])
  // what comes next is told before anything is done
  expect(raised.asked).toContain('haproxy lets less through: db1 (2500), db2 (2500), db3 (2500); it is the next limit')
  // a node without the files for it is never given the limit before its restart
  expect(of(raised, 'set_global')).toEqual([])
  expect(of(raised, 'maint', 'restart', 'ready')).toEqual(
    ['db2', 'db3', 'db1'].flatMap((node) => [
      `maint ctl1:galera/${node}`,
      `restart ${node}`,
      `ready ctl1:galera/${node}`,
    ]),
  )
  expect(of(raised, 'move').filter((effect) => effect.endsWith('.conf'))).toEqual(
    nodes.map((node) => `move ${node}:${dropIn}`),
  )
})

test('the node that people would be sent to is the last one, though nobody is connected', async () => {
  const raised = await raise(world('quiet', [{ fault: 'haproxy.quiet' }]), { target: 8000, demand: 7000 })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', done: 'raised' } })
  expect(starts(raised)).toEqual(['restart db2', 'restart db3', 'restart db1'])
})

test('where every node has enough already nothing is done, and that is no failure', async () => {
  const raised = await raise('healthy', { target: 2000 })
  expect(raised).toMatchObject({ exit: 0, outputs: { done: 'nothing' }, effects: [] })
})

describe('what is not the limit of the database ends with advice, and changes nothing', () => {
  test.each([
    ['max-connections-proxy', /^PROXY_LIMIT: haproxy lets no more through.*"ctl1 defaults: queue 1m"/],
    ['max-connections-leak', /^LEAK\(cinder\): one user holds connections/],
    ['max-connections-slow', /^SLOW_QUERIES: /],
    ['healthy', /^NOT_DB: nobody is turned away/],
    ['max-connections-not-db', /^NOT_DB: nobody is turned away/],
  ])('%s', async (scenario, advice) => {
    const raised = await raise(scenario, { target: 4000 })
    expect(raised).toMatchObject({ exit: 1, status: 'failed', effects: [] })
    expect(raised.error).toMatch(advice)
  })
})

test('a burst that is over is told by the logs of the services and by the most there were, where they are looked at', async () => {
  const raised = await raise('max-connections-burst', { target: 4000, logs: 'controllers' })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', done: 'raised' } })
  expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 4000`))

  const blind = await raise('max-connections-burst', { target: 4000 })
  expect(blind).toMatchObject({ exit: 1, effects: [] })
  expect(blind.error).toMatch(/NOT_DB: .*`logs`/)

  // longer ago than anybody looks
  const old = await raise(world('old', [{ fault: 'galera.burst', with: { minutes: 40 } }]), {
    target: 4000,
    logs: 'controllers',
  })
  expect(old).toMatchObject({ exit: 1, effects: [] })
})

test('a limit that the server lowered by itself is told from one that is too low, and gets files', async () => {
  const raised = await raise('max-connections-fd', { target: 2500 })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'FD_LIMIT', target: 2500 } })
  expect(starts(raised)).toEqual(['restart db2', 'restart db3', 'restart db1'])
})

describe('what the server says to a file', () => {
  const [started, ranOut] = [{ fault: 'galera.error_log' }, { fault: 'galera.out_of_files' }]
  const wants = { fault: 'galera.too_many_connections', with: { wants: 1_800 } }

  test('is read there: that it had no files for people is told', async () => {
    const raised = await raise(world('log-file', [started, ranOut, wants]), { target: 2500 }, '--dry-run')
    expect(verdict(raised)).toBe('FD_LIMIT')
  })

  test('before its last start is not what it says now', async () => {
    const raised = await raise(world('log-file-old', [started, ranOut, started, wants]), { target: 8000 }, '--dry-run')
    expect(verdict(raised)).not.toBe('FD_LIMIT')
  })

  test('is not all: what it made of its limits it has said in the journal, before it opened the file', async () => {
    const few = { fault: 'galera.few_files', with: { files: 1_500 } }
    const raised = await raise(world('log-both', [started, few, wants]), { target: 2500 }, '--dry-run')
    expect(verdict(raised)).toBe('FD_LIMIT')
  })
})

test('a line that lowers nothing is no lowered limit', async () => {
  const scenario = world('cache', [
    { fault: 'galera.few_files', with: { files: 6_000 } },
    { fault: 'galera.too_many_connections' },
  ])
  const raised = await raise(scenario, { target: 8000 }, '--dry-run')
  expect(verdict(raised)).toBe('DB_LIMIT')
})

describe('a database that systemd does not run is left alone, with what to do instead', () => {
  test.each<[string, RegExp]>([
    [
      'max-connections-kolla',
      /in a container: \["db1: docker mariadb","db2: docker mariadb",.*kolla-ansible reconfigure/,
    ],
    ['max-connections-pacemaker', /Pacemaker runs the database: \["db1: galera","db2: galera",.*pcs resource restart/],
  ])('%s', async (scenario, advice) => {
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toMatch(advice)
  })

  test('even when it is one node of three, and its container has another engine', async () => {
    const one = { fault: 'galera.in_container', with: { node: 'db3', engine: 'podman' } }
    const raised = await raise(world('one-contained', [{ fault: 'galera.too_many_connections' }, one]), {
      target: 4000,
    })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain('["db3: podman mariadb"]')
  })
})

describe('what must not be is found before anything is changed', () => {
  const tooMany = { fault: 'galera.too_many_connections' }
  test.each<[string, readonly object[], object, RegExp]>([
    ['a backup that is too old', [tooMany], { backup_hours: 30 }, /the last backup is 30 h old/],
    ['a restart that is not wanted', [tooMany], { target: 8000, restart_policy: 'never' }, /need a restart/],
    [
      'a window that is too short',
      [tooMany],
      { target: 8000, window_end: '2026-01-01T00:00Z' },
      /15 min for the restarts/,
    ],
    ['more than the memory holds', [tooMany], { target: 60_000, nofile: 1_000_000 }, /% of the memory/],
    ['more than the files', [tooMany], { target: 20_000 }, /need more open files than `nofile`/],
    ['a unit that is not there', [tooMany], { unit: 'mariadb-in-a-container' }, /is no unit of systemd on every host/],
    [
      'a node that is not Synced',
      [tooMany, { fault: 'galera.not_synced', with: { node: 'db3' } }],
      {},
      /not Primary, Synced/,
    ],
    [
      'a node with a cluster of its own',
      [tooMany, { fault: 'galera.split', with: { node: 'db3' } }],
      {},
      /has not 3 nodes/,
    ],
  ])('%s', async (name, faults, inputs, message) => {
    const raised = await raise(world(name.replaceAll(' ', '-'), faults), { target: 4000, ...inputs })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toMatch(message)
  })

  test('a node that would have no room for a full state transfer, with how much is missing', async () => {
    const raised = await raise('max-connections-no-room', { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    // 446 GiB, four fifths of it full; 98 GiB of data
    expect(raised.error).toContain('db2 has room for 89 GiB and needs 107: 18 GiB are missing')
    expect(raised.error).not.toContain('db1 has room')
  })

  test('a file that somebody else manages', async () => {
    const raised = await raise('max-connections-managed', { target: 4000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain(`db1:${folder}/70-limits.cnf`)
  })
})

test('a node where no administrator gets in either cannot be asked: its 1040 hides inside a 2002, and is told', async () => {
  const raised = await raise('max-connections-locked-out', { target: 4000 })
  expect(raised).toMatchObject({ exit: 1, effects: [] })
  expect(raised.error).toMatch(/cannot be asked.*db1/)
})

test('a node where no administrator gets in is asked, and given its limit, by another door', async () => {
  const door = ['mariadb', '-h', '127.0.0.1', '-P', '3307', '-u', 'dba']
  const raised = await raise('max-connections-locked-out', { target: 4000, mariadb_spare: door })
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', done: 'raised' } })
  expect(of(raised, 'set_global').toSorted()).toEqual(nodes.map((node) => `set_global ${node} 4000`))
  expect(starts(raised)).toEqual([])
})

const later = {
  fault: 'hosts.file',
  with: { host: 'db3', path: `${folder}/zzz-local.cnf`, content: '[mysqld]\nmax_connections = 500\n' },
}

test('a file that is read later wins: it is seen, and what was done is taken back', async () => {
  // nobody needs the connections yet
  const raised = await raise(world('early', [later]), { target: 4000, demand: 3000 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toContain('another file of db3 is read later: the server would start with 500')
  expect(of(raised, 'set_global')).toEqual([
    ...nodes.map((node) => `set_global ${node} 4000`),
    ...nodes.toReversed().map((node) => `set_global ${node} 2000`),
  ])
  for (const node of nodes) expect(raised.effects).toContain(`remove ${node}:${file}`)
  expect(starts(raised)).toEqual([])
})

test('a limit is not taken down again where people would be turned away: that is said, and the files are put back', async () => {
  const raised = await raise('max-connections-later-file', { target: 4000 })
  expect(raised).toMatchObject({ exit: 1, status: 'failed' })
  expect(raised.error).toContain('another file of db3 is read later: the server would start with 500')
  expect(raised.error).toMatch(/db3 keeps 4000 connections until its next start, for 2611 are open and 2000 would turn/)
  expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 4000`))
  for (const node of nodes) expect(raised.effects).toContain(`remove ${node}:${file}`)
})

test('a limit is taken down on the nodes that have room, and left on the one that has not', async () => {
  const scenario = world('one-full', [later, { fault: 'galera.too_many_connections', with: { node: 'db2' } }])
  const raised = await raise(scenario, { target: 4000 })
  expect(raised).toMatchObject({ exit: 1, status: 'failed' })
  expect(of(raised, 'set_global')).toEqual([
    ...nodes.map((node) => `set_global ${node} 4000`),
    'set_global db3 2000',
    'set_global db1 2000',
  ])
  expect(raised.error).toMatch(/db2 keeps 4000 connections/)
})

describe('a configuration that would not start, or starts as something else, never reaches a start', () => {
  test.each<[string, string, object, RegExp]>([
    ['an option nobody knows', 'max-connections', { options: { max_conections: '300' } }, /db1 would not start/],
    ['a size no machine has', 'max-connections', { options: { innodb_buffer_pool_size: '900G' } }, /does not fit/],
    ['what somebody left for the next start', 'max-connections-pending', {}, /db2 would start with does not fit/],
  ])('%s', async (_name, scenario, inputs, message) => {
    const raised = await raise(scenario, { target: 8000, ...inputs })
    expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
    expect(raised.error).toMatch(message)
    expect(starts(raised)).toEqual([])
    for (const node of nodes) expect(raised.effects).toContain(`remove ${node}:${file}`)
  })

  test('a change of somebody else is not taken in with the restart', async () => {
    const scenario = world('others-change', [
      { fault: 'galera.too_many_connections' },
      {
        fault: 'hosts.file',
        with: { host: 'db3', path: `${folder}/99-tuning.cnf`, content: '[mysqld]\nwait_timeout = 60\n' },
      },
    ])
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
    expect(raised.error).toContain('a restart of db3 would change more than this run does')
    expect(starts(raised)).toEqual([])
  })
})

test('a start that fails is followed by one with the old files, and no other node is touched', async () => {
  const raised = await raise('max-connections', { target: 8000, options: { tmpdir: '/nonexistent' } })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/db2 did not come back as wanted, and was given its old files; it is Synced again/)
  expect(starts(raised)).toEqual(['restart db2', 'stop db2', 'start db2'])
  expect(of(raised, 'maint', 'ready')).toEqual(['maint ctl1:galera/db2', 'ready ctl1:galera/db2'])
  for (const node of nodes) {
    expect(raised.effects).toContain(`remove ${node}:${file}`)
    expect(raised.effects).toContain(`remove ${node}:${dropIn}`)
  }
})

test.each(['max-connections-not-synced', 'max-connections-stuck'])(
  '%s: the roll stops at the node, which is restarted once with its old files',
  async (scenario) => {
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
    expect(raised.error).toMatch(/1 of 3 failed, 2 not begun \(db2\): .*Synced again/)
    expect(starts(raised)).toEqual(['restart db2', 'stop db2', 'start db2'])
    expect(of(raised, 'ready')).toEqual(['ready ctl1:galera/db2'])
  },
)

test('a node that is given everything anew takes longer than a stall may last, and is waited for as long as it goes on', async () => {
  const raised = await raise('max-connections-sst', { target: 8000, sync_seconds: 20 })
  expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
  expect(starts(raised)).toEqual(['restart db2', 'restart db3', 'restart db1'])
})

describe('room for a full state transfer', () => {
  test('is not asked of a node that is not restarted', async () => {
    const raised = await raise('max-connections-no-room', { target: 4000 })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
  })

  test('is found in place of the old data too, where somebody says so', async () => {
    const raised = await raise('max-connections-no-room', { target: 8000, transfer_room: 'replaced' })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
    expect(starts(raised)).toEqual(['restart db2', 'restart db3', 'restart db1'])
  })

  test('that is gone by the time the node is to be restarted keeps it from that', async () => {
    const scenario = world('lost-room', [
      { fault: 'galera.too_many_connections' },
      // after it was looked at, before anything is restarted
      { fault: 'hosts.disk_full', with: { host: 'db2', mount: '/var/lib/mysql', percent: 90 }, after: '30s' },
    ])
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
    expect(raised.error).toContain('db2 has lost the room for a full state transfer')
    expect(starts(raised)).toEqual([])
    expect(of(raised, 'maint')).toEqual([])
  })

  test('cannot be told where there are no data', async () => {
    const raised = await raise('max-connections', { target: 8000, datadir: '/srv/mysql' })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain('`/srv/mysql` is not on every node')
  })
})

test('the limit of the proxy that is met next is told before, and in the outputs', async () => {
  const raised = await raise('max-connections-proxy-next', { target: 4000 })
  const limits = ['db1 (2200)', 'db2 (2500)', 'db3 (2500)']
  expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', done: 'raised', next_limits: limits } })
  expect(raised.asked).toContain(`haproxy lets less through: ${limits.join(', ')}; it is the next limit`)
  const wants = { user: 'nova', wants: 1850 }
  const enough = world('enough', [{ fault: 'galera.too_many_connections', with: wants }])
  const below = await raise(enough, { target: 2500 })
  expect(below).toMatchObject({ exit: 0, outputs: { done: 'raised', next_limits: [] } })
  expect(below.asked).not.toContain('next limit')
})

test('a unit that is started again and again, for its node has no room, is stopped once; it stays out of haproxy, for a person', async () => {
  const scenario = world('filled', [
    { fault: 'galera.too_many_connections' },
    { fault: 'galera.state_lost', with: { node: 'db2' } },
    // there was room when the roll began
    { fault: 'hosts.disk_full', with: { host: 'db2', mount: '/var/lib/mysql', percent: 100 }, after: '68s' },
  ])
  const raised = await raise(scenario, { target: 8000 })
  expect(raised.exit).toBe(1)
  expect(raised.error).toMatch(/1 of 3 failed, 2 not begun \(db2\): .*a person is needed/)
  // it was told from a stall
  expect(raised.error).toContain("result.value.sub == 'auto-restart'")
  expect(starts(raised)).toEqual(['restart db2', 'stop db2', 'start db2'])
  expect(of(raised, 'maint', 'ready')).toEqual(['maint ctl1:galera/db2'])
})

test('a node is not restarted while another one is not Synced, though that was well when the roll began', async () => {
  const scenario = world('later', [
    { fault: 'galera.too_many_connections' },
    { fault: 'galera.not_synced', with: { node: 'db1' }, after: '68s' },
  ])
  const raised = await raise(scenario, { target: 8000 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(starts(raised)).toEqual(['restart db2'])
  expect(of(raised, 'maint')).toEqual(['maint ctl1:galera/db2'])
})

test('a node that is well while another one has failed is not restarted once more', async () => {
  const raised = await raise('max-connections-second-node', { target: 8000 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/db2 is Synced, with what is wanted, and another node has left the cluster/)
  expect(starts(raised)).toEqual(['restart db2'])
  expect(of(raised, 'ready')).toEqual(['ready ctl1:galera/db2'])
})

test('a limit that comes back lower, for the process did not get its files, stops the roll though systemd says it did', async () => {
  const raised = await raise('max-connections-capped', { target: 8000 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/db2 did not come back as wanted.*Synced again/)
  expect(starts(raised)).toEqual(['restart db2', 'stop db2', 'start db2'])
})

test('a node that does not come back with its old files either stays out of haproxy, for a person', async () => {
  const scenario = world('never-synced', [
    { fault: 'galera.too_many_connections' },
    { fault: 'galera.comes_back_desynced', with: { node: 'db2', starts: 9 } },
  ])
  const raised = await raise(scenario, { target: 8000 })
  expect(raised.exit).toBe(1)
  expect(raised.error).toMatch(/db2 did not come back, with its old files neither: a person is needed/)
  expect(starts(raised)).toEqual(['restart db2', 'stop db2', 'start db2'])
  expect(of(raised, 'maint', 'ready')).toEqual(['maint ctl1:galera/db2'])
})

describe('a cluster that loses its majority', () => {
  const majority = { fault: 'galera.no_majority', after: '200s' }

  test('while a node is restarted: a person is called, and until there is an answer nothing more is touched', async () => {
    const raised = await raise('max-connections-non-primary', { target: 8000 })
    expect(raised.exit).toBe(6)
    expect(raised.waitsFor.map(({ key }) => key)).toEqual(['mend/roll[db2]/person'])
    expect(raised.waitsFor[0]?.message).toMatch(
      /^The cluster openstack is not Primary any more: .* Nothing more is touched.* Then whatever node does not run is started, db2 first/,
    )
    expect(starts(raised)).toEqual(['restart db2'])
    expect(raised.effects.at(-1)).toBe('restart db2')
  })

  test('and is left to that person: no file is put back, nothing is restarted', async () => {
    const raised = await raise('max-connections-non-primary', { target: 8000 }, '--answer', 'mend/roll[db2]/person=no')
    expect(raised).toMatchObject({ exit: 3, status: 'refused' })
    expect(raised.error).toContain('the cluster is not Primary, so this is left as it is')
    expect(raised.effects.at(-1)).toBe('restart db2')
  })

  test('nor is a limit set at run time taken back', async () => {
    const scenario = world('set-first', [{ fault: 'galera.no_majority', with: { start_of: 'db2' } }])
    // options need a restart, and the process has files enough to be given the limit before
    const inputs = { target: 4000, demand: 3000, options: { wait_timeout: '600' } }
    const raised = await raise(scenario, inputs, '--answer', 'mend/roll[db2]/person=no')
    expect(raised.exit).toBe(3)
    expect(of(raised, 'set_global')).toEqual(nodes.map((node) => `set_global ${node} 4000`))
    expect(raised.effects.at(-1)).toBe('restart db2')
  })

  test('while a node that has come back is watched', async () => {
    const scenario = world('soaking', [{ fault: 'galera.too_many_connections' }, majority])
    const raised = await raise(scenario, { target: 8000, soak_seconds: 600 })
    expect(raised.exit).toBe(6)
    expect(raised.waitsFor.map(({ key }) => key)).toEqual(['mend/roll[db2]/person'])
    expect(starts(raised)).toEqual(['restart db2'])
    expect(raised.effects.at(-1)).toBe('ready ctl1:galera/db2')
  })

  test('before it begins: that is what is said, not that the database is not the reason', async () => {
    const scenario = world('lost', [{ fault: 'galera.no_majority' }])
    // what the services will want has nothing to do with it
    for (const demand of [0, 3900]) {
      const raised = await raise(scenario, { target: 4000, demand })
      expect(raised).toMatchObject({ exit: 1, effects: [] })
      expect(raised.error).toMatch(/no part of a primary component.*"db1","db2","db3"/)
      expect(raised.error).not.toContain('NOT_DB')
    }
  })
})

test('a dry run shows what would be done, and does none of it; nobody waits for the watch of what was not done', async () => {
  const raised = await raise('max-connections', { target: 4000 }, '--dry-run')
  expect(raised).toMatchObject({ exit: 0, effects: [] })
  const of = (step: string) => raised.events.filter((event) => 'key' in event && event.key === step)
  expect(of('mend/watch').map(({ type }) => type)).toEqual(['step.previewed'])
  expect(of('diagnose/observe').map(({ type }) => type)).toContain('step.ended')
})

test('somebody who types another name has changed nothing', async () => {
  const raised = await raise('max-connections', { target: 4000 }, '--answer', 'mend/agreed=other')
  expect(raised.effects).toEqual([])
  expect(raised.exit).toBe(3)
})
