import { expect, test } from 'vitest'
import {
  canary,
  count,
  first,
  onHost,
  reboot,
  run,
  second,
  small,
  stopped,
  third,
} from '../../test/support/reboot-rehearsal.ts'

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
  const ran = await reboot({
    faults: [{ ...fault, once: 'host.reboot' }],
    ...onC3,
    inputs: { host: 'c3', migrate_back: true },
  })
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
    once: `openstack.server.start ${here.at(-1)}`,
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
