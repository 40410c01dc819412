import { expect, test } from 'vitest'
import { uuidOf } from '../../simulator/random.ts'
import {
  allGivenBack,
  canary,
  count,
  first,
  onHost,
  type Ran,
  reboot,
  rebooted,
  small,
  stopped,
  timeOf,
} from '../../test/support/reboot-rehearsal.ts'

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
  // that it cannot be reached is said once, not for each server
  expect(ran.end.error?.message.match(/failed: /g)).toHaveLength(1)
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
  expect(ran.end.error?.message).toMatch(
    /nova-compute on c1 has not reported for 5m: its last report is of \d{4}-\S+Z, by the clock of the cloud\. See its log there/,
  )
  expect(rebooted(ran)).toBe(1)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(0)
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
  {
    fault: 'neutron.agent_dead',
    with: { host: 'c1', from_boot: true },
    says: 'these network agents of c1 have not reported for 5m: neutron-openvswitch-agent (last at ',
  },
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
