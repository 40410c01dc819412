import { expect, test } from 'vitest'
import { serverIdOf } from '../simulator/openstack/nova/build.ts'
import {
  boardAt,
  byBoard,
  count,
  first,
  onHost,
  question,
  reboot,
  rebooted,
  second,
  small,
  stopped,
  third,
} from '../test/support/reboot-rehearsal.ts'

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
  {
    when: 'while the servers move',
    once: 'openstack.server.live_migrate',
    faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }],
    reboots: 0,
    says: `${second} has not moved`,
  },
  {
    when: 'while the host reboots',
    once: 'host.reboot',
    faults: [],
    reboots: 1,
    says: 'c1 is disabled for another reason than',
  },
])(
  'whoever takes the host out of service for a reason of their own keeps it: $when',
  async ({ once, faults, reboots, says }) => {
    const other = { fault: 'nova.compute_disabled', with: { host: 'c1', reason: 'disk, ask Ana', since: 0 }, once }
    const ran = await reboot({ faults: [...faults, other] })
    // nothing failed in undoing it: that was not tried
    expect(ran.end).toMatchObject({ status: 'rolled_back', error: { message: expect.stringContaining(says) } })
    expect(rebooted(ran)).toBe(reboots)
    expect(count(ran, 'openstack.compute_service.disable c1')).toBe(1)
    expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
  },
)

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

test('whoever is asked is told of servers that their owners have locked and that move all the same', async () => {
  const locked = { fault: 'nova.server_state', with: { server: first, state: 'active', locked: true } }
  const asked = await question({ faults: [locked], inputs: { locked: 'move' } })
  const rows = asked.table as readonly { server: string; because: string }[]
  const told = rows.filter(({ because }) => because !== '').map(({ server, because }) => `${server}: ${because}`)
  expect(told).toEqual([`${first}: its owner has locked it, and it moves all the same`])
})

test('whose the servers are is shown by name, and by id alone where Keystone tells nobody: both times somebody is asked', async () => {
  const hidden = { fault: 'keystone.projects_hidden' }
  for (const [faults, shown] of [
    [[], /^(shop|analytics|ci) \([0-9a-f]{32}\)$/],
    [[hidden], /^[0-9a-f]{32}$/],
  ] as const) {
    const inputs = { active: 'stop' }
    for (const answers of [[], ['enter/agree=c1']]) {
      const asked = await question({ faults, inputs, answers })
      expect(asked.address).toBe(answers.length === 0 ? 'enter/agree' : 'enter/agree_stop')
      const projects = asked.table?.map((row) => (row as { project: string }).project) ?? []
      expect(projects.length).toBeGreaterThan(1)
      for (const project of projects) expect(project).toMatch(shown)
    }
  }
  const ran = await reboot({ faults: [hidden] })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
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
    // what a wait has brought to its end is not given up
    const ends = ran.stdout.split('\n').filter((line) => /"step.ended","key":"[^"]*\/give_up"/.test(line))
    expect(ends.filter((line) => line.includes('"status":"failed"'))).toEqual([])
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
  expect(ran.end.error?.message).toContain(
    'bastion-1 (ACTIVE, its owner has locked it). `--input locked=move` moves what its owner has locked all the same',
  )
  expect(ran.end.error?.message).not.toMatch(/unmovable=stop|put right first/)
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
