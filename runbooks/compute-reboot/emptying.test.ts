import { expect, test } from 'vitest'
import { serverIdOf } from '../../simulator/openstack/nova/build.ts'
import {
  allGivenBack,
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
  timeOf,
} from '../../test/support/reboot-rehearsal.ts'

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

test('the migration of a paused server, which Nova does not force, is waited for or given up', async () => {
  const world = {
    faults: [
      { fault: 'nova.server_state', with: { server: first, state: 'paused' } },
      { fault: 'nova.migration_stalls', with: { server: first } },
    ],
  }
  const answers = ['enter/agree=c1']
  const { options } = await question({ ...world, answers })
  expect(options?.map(({ value }) => value)).toEqual(['wait', 'abort'])
  const ran = await reboot({
    ...world,
    answers: [...answers, `enter/drain[${serverIdOf(first)}]/stalled=abort`],
  })
  expect(ran.end.status).toBe('rolled_back')
  expect(ran.did.filter((one) => /force_complete|abort/.test(one))).toEqual([
    `openstack.server_migration.abort ${first}`,
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

test('a migration that is refused after it was accepted ends the run before the reboot, and says why', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }] })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining(`${second} has not moved`) },
  })
  expect(ran.end.error?.message).toContain('refused before anything moved')
  // what the hosts said, and not that Nova then found none
  expect(ran.end.error?.message).toContain('Unacceptable CPU info')
  expect(ran.end.error?.message).not.toContain('No valid host')
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
    once: `openstack.server.live_migrate ${first}`,
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

test.each([
  { how: 'has rebooted by itself', fault: 'hosts.rebooted', after: '20s' },
  { how: 'does not answer', fault: 'hosts.unreachable', after: '34s' },
])(
  'a server that has moved switched off and cannot be confirmed is not taken back to a host that $how: a person is told',
  async ({ fault, after }) => {
    const ran = await reboot({
      faults: [
        { fault: 'nova.confirm_forbidden', with: { server: stopped } },
        { fault, with: { host: 'c1' }, after },
      ],
      inputs: { active: 'stop', shutoff: 'cold', settle: '30s' },
    })
    const about = ran.did.filter((one) => one.endsWith(` ${stopped}`))
    expect(about).toEqual([`openstack.server.migrate ${stopped}`])
    expect(ran.stdout).toMatch(
      new RegExp(
        `${stopped} is not taken back to c1, which .* waits on c\\d+ to be confirmed: .*resize confirm [0-9a-f-]{36}`,
      ),
    )
    // what is there for its message alone says nothing of its condition
    expect(ran.end.error?.message).not.toContain('`false`')
    expect(rebooted(ran)).toBe(0)
  },
)

test('a server that is still on its way switched off when the run ends is waited for, and taken back', async () => {
  const ran = await reboot({
    inputs: { active: 'cold' },
    faults: [{ fault: 'nova.guest_slow_to_stop', with: { server: first, seconds: 2400 } }],
  })
  expect(ran.end.status).toBe('rolled_back')
  expect(count(ran, `openstack.server.migrate ${first}`)).toBe(1)
  expect(count(ran, `openstack.server.revert_resize ${first}`)).toBe(1)
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

test('all that moves goes to the host that was chosen, whether it runs or not', async () => {
  const ran = await reboot({ inputs: { target_host: 'c3', shutoff: 'cold' } })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  const moves = ran.effects.filter(({ kind }) => /\.(live_)?migrate$/.test(kind))
  expect(moves.map(({ detail }) => detail?.['to'])).toEqual(onHost(small).map(() => 'c3'))
  const { servers } = ran.end.outputs as { servers: { host: string }[] }
  expect(servers.map(({ host }) => host)).toEqual(onHost(small).map(() => 'c3'))
})

test('when the room goes while the servers move, the last one stops it before the reboot, and all is given back', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.no_capacity', with: { host: 'c1' }, once: 'openstack.server.live_migrate' }],
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back', error: { message: expect.stringContaining('has not moved') } })
  // and what Placement has to say of that
  expect(ran.end.error?.message).toMatch(/No valid host.*`c10`: it has \d+ MiB of memory left, \d+ are needed; `c2`/s)
  expect(rebooted(ran)).toBe(0)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
  allGivenBack(ran)
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

test.each([
  {
    when: 'before they move',
    once: 'openstack.compute_service.disable',
    faults: [],
    inputs: {},
    at: 'enter/left_boot',
  },
  { when: 'while one moves', once: 'openstack.server.live_migrate', faults: [], inputs: {}, at: 'enter/drain' },
  {
    when: 'while one moves switched off',
    once: 'openstack.server.migrate',
    faults: [{ fault: 'nova.confirm_forbidden', with: { server: stopped } }],
    inputs: { active: 'stop', shutoff: 'cold' },
    at: 'enter/move_cold',
  },
  {
    when: 'while one stops',
    once: 'openstack.server.stop',
    faults: [{ fault: 'nova.guest_slow_to_stop', with: { server: first, seconds: 240 } }],
    inputs: { active: 'stop' },
    at: 'enter/off_boot',
  },
])(
  'a host that reboots by itself while its servers leave stays out of service, and the error says so: $when',
  async (it) => {
    const by = { fault: 'hosts.rebooted', with: { host: 'c1' }, once: it.once, after: '1s' }
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

test('a guest that Nova knows nothing of is found before the reboot', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.orphan_domain', with: { host: 'c1' } }] })
  expect(ran.end).toMatchObject({
    status: 'rolled_back',
    error: { message: expect.stringContaining('instance-0000beef') },
  })
  expect(rebooted(ran)).toBe(0)
  allGivenBack(ran)
})

test.each(['docker', 'podman'])(
  'libvirt in a container of %s is asked there: who runs on the host is known, and whom Nova knows nothing of is found',
  async (engine) => {
    const contained = { fault: 'network.in_containers', with: { engine, only: 'nova_libvirt' } }
    expect((await reboot({ faults: [contained] })).end).toMatchObject({ status: 'succeeded' })
    const orphan = { fault: 'nova.orphan_domain', with: { host: 'c1' } }
    const ran = await reboot({ faults: [contained, orphan] })
    const error = { message: expect.stringContaining('instance-0000beef') }
    expect(ran.end).toMatchObject({ status: 'rolled_back', error })
    expect(rebooted(ran)).toBe(0)
  },
)

test('a host on which libvirt can be asked nowhere is left alone', async () => {
  const contained = { fault: 'network.in_containers', with: { only: 'nova_libvirt' } }
  const gone = { fault: 'hosts.container', with: { host: 'c1', name: 'nova_libvirt', health: 'gone' } }
  const ran = await reboot({ faults: [contained, gone] })
  expect(ran.end).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('virsh') } })
  expect(ran.effects).toEqual([])
})
