import { describe, expect, test } from 'vitest'
import { dropIn, file, nodes, of, raise, starts, world } from '../../test/support/connections-rehearsal.ts'

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

describe('a node that somebody has taken out of haproxy', () => {
  const kept = (name: string, how: object, ...more: object[]) =>
    world(name, [{ fault: 'galera.too_many_connections' }, { fault: 'haproxy.kept_away', with: how }, ...more])
  const out = 'somebody has taken these out of haproxy, and they stay so: '

  test('is named before, restarted, and stays out: it is not put back by who did not take it out', async () => {
    const raised = await raise('max-connections-taken-out', { target: 8000 })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
    expect(raised.asked).toContain(`${out}db3 on ctl1 (MAINT)`)
    expect(of(raised, 'maint', 'drain', 'restart', 'ready')).toEqual([
      ...['maint ctl1:galera/db2', 'restart db2', 'ready ctl1:galera/db2'],
      'restart db3',
      ...['maint ctl1:galera/db1', 'restart db1', 'ready ctl1:galera/db1'],
    ])
    const { proxies } = raised.outputs as { readonly proxies: readonly object[] }
    expect(proxies).toContainEqual(expect.objectContaining({ when: 'after', name: 'db3', status: 'MAINT' }))
  })

  test('is drained again when it was, and nobody waits for people to come', async () => {
    const raised = await raise(kept('kept-drain', { server: 'db3', state: 'drain' }), { target: 8000 })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
    expect(raised.asked).toContain(`${out}db3 on ctl1 (DRAIN)`)
    expect(raised.effects.filter((effect) => effect.endsWith(' ctl1:galera/db3'))).toEqual([
      'maint ctl1:galera/db3',
      'drain ctl1:galera/db3',
    ])
  })

  test('is drained again, too, when its restart has failed and was undone', async () => {
    const desynced = { fault: 'galera.comes_back_desynced', with: { node: 'db2' } }
    const raised = await raise(kept('kept-failed', { server: 'db2', state: 'drain' }, desynced), { target: 8000 })
    expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
    expect(of(raised, 'maint', 'drain', 'ready')).toEqual(['maint ctl1:galera/db2', 'drain ctl1:galera/db2'])
  })

  test('on one haproxy is put back on the other', async () => {
    const two = { controllers: 2 }
    const scenario = world(
      'kept-on-one',
      [{ fault: 'galera.too_many_connections' }, { fault: 'haproxy.kept_away', with: { server: 'db3', on: 'ctl2' } }],
      two,
    )
    const raised = await raise(scenario, { target: 8000 })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
    expect(raised.effects.filter((effect) => effect.endsWith(':galera/db3'))).toEqual([
      'maint ctl1:galera/db3',
      'ready ctl1:galera/db3',
    ])
  })

  test('is not the writer: who people are sent to instead is restarted last', async () => {
    const quiet = { fault: 'haproxy.quiet' }
    const raised = await raise(kept('kept-writer', { server: 'db1' }, quiet), { target: 8000 })
    expect(raised).toMatchObject({ exit: 0, outputs: { done: 'raised' } })
    expect(starts(raised).at(-1)).toBe('restart db2')
    expect(raised.effects.filter((effect) => effect.endsWith(' ctl1:galera/db1'))).toEqual([])
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
      {
        fault: 'hosts.disk_full',
        with: { host: 'db2', mount: '/var/lib/mysql', percent: 90 },
        once: 'host.file.move',
      },
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

test('a unit that is started again and again, for its node has no room, is stopped once; it stays out of haproxy, for a person', async () => {
  const scenario = world('filled', [
    { fault: 'galera.too_many_connections' },
    { fault: 'galera.state_lost', with: { node: 'db2' } },
    // there was room when the roll began
    {
      fault: 'hosts.disk_full',
      with: { host: 'db2', mount: '/var/lib/mysql', percent: 100 },
      once: 'host.unit.restart',
    },
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
    { fault: 'galera.not_synced', with: { node: 'db1' }, once: 'host.unit.restart' },
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
    for (const host of nodes)
      expect(raised.error).toContain(`the cluster is not Primary, so ${file} of ${host} is left as it is`)
    // whoever reads this has no time for what each node answered to each question
    expect(raised.error).not.toContain('exit_code')
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
