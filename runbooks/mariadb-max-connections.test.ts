import { describe, expect, test } from 'vitest'
import { file, folder, nodes, of, raise, starts, verdict, world } from '../test/support/connections-rehearsal.ts'

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

test('a limit that a server takes only in part is undone there, and on the nodes before it', async () => {
  const scenario = world('cut', [{ fault: 'galera.limit_cut', with: { node: 'db2' } }])
  const raised = await raise(scenario, { target: 4000, demand: 3000 })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/db2 did not take 4000 connections: Warning\s1292\s.*'4000'; 3000/)
  expect(of(raised, 'set_global')).toEqual([
    'set_global db1 4000',
    'set_global db2 4000',
    'set_global db2 2000',
    'set_global db1 2000',
  ])
  expect(of(raised, 'move')).toEqual([])
})

test('a client that is cut off is not believed: what it has done is undone, and what it has not is not', async () => {
  const client = (words: string) => [
    'sh',
    '-c',
    `case "$*" in *"max_connections = 4000"*) ${words} ;; *) mariadb "$@" ;; esac`,
    'client',
  ]
  const scenario = world('cut-off', [])
  const done = await raise(scenario, { target: 4000, demand: 3000, mariadb: client('mariadb "$@"; exit 1') })
  expect(done).toMatchObject({
    exit: 1,
    status: 'rolled_back',
    effects: ['set_global db1 4000', 'set_global db1 2000'],
  })
  const not = await raise(scenario, { target: 4000, demand: 3000, mariadb: client('exit 1') })
  expect(not).toMatchObject({ exit: 1, status: 'failed', effects: [] })
})

test('a limit that comes out lower than before is raised again, though people would not be turned away for the first time', async () => {
  const scenario = world('cut-below', [
    { fault: 'galera.limit_cut', with: { node: 'db1', most: 1950 } },
    { fault: 'galera.connections_high', with: { node: 'db1', percent: 92 } },
  ])
  const raised = await raise(scenario, { target: 4000, demand: 3000 })
  expect(raised.exit).toBe(1)
  expect(of(raised, 'set_global')).toEqual(['set_global db1 4000', 'set_global db1 2000'])
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

test('a dry run shows what would be done, and does none of it; nobody waits for the watch of what was not done', async () => {
  const raised = await raise('max-connections', { target: 4000 }, '--dry-run')
  expect(raised).toMatchObject({ exit: 0, effects: [] })
  const of = (step: string) => raised.events.filter((event) => 'key' in event && event.key === step)
  expect(of('mend/watch').map(({ type }) => type)).toEqual(['step.previewed'])
  expect(of('diagnose/observe').map(({ type }) => type)).toContain('step.ended')
})
