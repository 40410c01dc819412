import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cwd, file, folder, home, nodes, raise, starts, world } from '../../test/support/connections-rehearsal.ts'
import { runCli } from '../../test/support/run-cli.ts'

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

  test('a haproxy that would have nobody else to send people to, for somebody has taken them out', async () => {
    const scenario = world('nobody-else', [
      { fault: 'galera.too_many_connections' },
      { fault: 'haproxy.kept_away', with: { server: 'db2' } },
      { fault: 'haproxy.kept_away', with: { server: 'db3', state: 'drain' } },
    ])
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain(
      'haproxy has no other server to send people to: ctl1 while db1 restarts; somebody has taken out db2 on ctl1 (MAINT), db3 on ctl1 (DRAIN)',
    )
    // where nothing restarts that is no matter
    expect(await raise(scenario, { target: 4000 })).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
  })

  test('a node that has more already, or would start with more: it is not taken down there', async () => {
    const kept = (value: number) => ({
      fault: 'hosts.file',
      with: { host: 'db3', path: `${folder}/60-local.cnf`, content: `[mysqld]\nmax_connections = ${value}\n` },
    })
    const tooMany = { fault: 'galera.too_many_connections' }
    const raised = await raise(world('more', [tooMany, kept(5000)]), { target: 4000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain('more than 4000 already: db3 (5000)')
    expect(await raise(world('as-much', [tooMany, kept(4000)]), { target: 4000 })).toMatchObject({ exit: 0 })
  })

  test('a file that somebody else manages', async () => {
    const raised = await raise('max-connections-managed', { target: 4000 })
    expect(raised).toMatchObject({ exit: 1, effects: [] })
    expect(raised.error).toContain(`db1:${folder}/70-limits.cnf`)
  })
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

test.each([
  { types: 'other', exit: 6 },
  { types: 'no', exit: 3 },
])('somebody who types another name than that of the cluster has changed nothing: $types', async ({ types, exit }) => {
  const raised = await raise('max-connections', { target: 4000 }, '--answer', `mend/agreed=${types}`)
  expect(raised).toMatchObject({ effects: [], exit })
})
