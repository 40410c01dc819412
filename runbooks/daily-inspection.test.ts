import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import type { CheckResult, Finding, RunEvent } from '../engine/run/event.ts'
import { loadScenario, readScenario, scenarioNames } from '../simulator/scenario.ts'
import { runCli } from '../test/support/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'daily-inspection-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '..')

interface Inspected {
  readonly exit: number
  readonly events: readonly RunEvent[]
  readonly checks: readonly CheckResult[]
  readonly findings: readonly Finding[]
  /** Check by check, those that are not `pass`. */
  readonly verdicts: { readonly [check: string]: string }
}

async function inspect(...args: string[]): Promise<Inspected> {
  const result = await runCli(['exec', 'daily-inspection', '--output', 'json', ...args], { cwd, home })
  const events = result.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  if (events.at(-1)?.type !== 'run.ended') throw new Error(`the inspection did not end: ${result.stderr}`)
  const checks = events.flatMap((event) =>
    event.type === 'step.ended' && event.action === 'assert.check' && event.outcome.status === 'succeeded'
      ? [event.outcome.result as unknown as CheckResult]
      : [],
  )
  return {
    exit: result.exit,
    events,
    checks,
    findings: checks.flatMap(({ findings }) => findings),
    verdicts: Object.fromEntries(
      checks.flatMap(({ check, verdict }) => (verdict === 'pass' ? [] : [[check, verdict]])),
    ),
  }
}

const known = new Map<string, Promise<Inspected>>()

/** The inspection of a shipped scenario; one run of it serves several tests. */
function rehearse(scenario: string): Promise<Inspected> {
  const running = known.get(scenario) ?? inspect('--rehearse', scenario)
  known.set(scenario, running)
  return running
}

/** A world of its own with these faults. */
function world(name: string, more: { readonly [key: string]: unknown }): Promise<Inspected> {
  const path = join(home, `${name}.yaml`)
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, ...more }))
  return inspect('--rehearse', path)
}

const told = ({ findings }: Inspected) => findings.map(({ verdict, message }) => `${verdict}: ${message}`)

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `A${from + index}`)
// from what everything rests on upwards: this machine, haproxy, Keystone, RabbitMQ and Galera, the services, the hosts
const catalogue = ['A0', 'A25', ...ids(1, 2), ...ids(22, 24), ...ids(5, 19), ...ids(26, 28)]

test('a healthy cloud passes every check, in the order of the layers, and the inspection ends well', async () => {
  const { exit, checks, verdicts, findings } = await rehearse('healthy')
  expect({ exit, verdicts, findings }).toEqual({ exit: 0, verdicts: {}, findings: [] })
  expect(checks.map(({ check }) => check)).toEqual(catalogue)
})

const expectations = await Promise.all(
  scenarioNames().map(
    async (name) => [name, readScenario(await loadScenario(name)).expect['daily-inspection']] as const,
  ),
)

test.each(expectations.filter(([, expected]) => expected))(
  'in the scenario %s the inspection finds what the scenario says, and nothing else',
  async (name, expected) => {
    const { verdicts, exit } = await rehearse(name)
    expect(verdicts).toEqual(expected)
    expect(exit).toBe(Object.values(expected ?? {}).some((verdict) => verdict !== 'warn') ? 1 : 0)
  },
)

test('every look at the world ends by itself, and all of them together within a quarter of an hour', () => {
  expect(longest(inspection().steps)).toBeGreaterThan(60)
  expect(longest(inspection().steps)).toBeLessThanOrEqual(15 * 60)
})

const inspection = () =>
  parse(readFileSync(join(cwd, 'runbooks', 'daily-inspection.yaml'), 'utf8')) as { readonly steps: readonly Step[] }

interface Step {
  readonly id: string
  readonly on_failure?: string
  readonly action?: string
  readonly timeout?: string
  readonly until?: { readonly timeout?: string }
  readonly with?: { readonly script?: string }
  readonly block?: readonly Step[]
  readonly parallel?: readonly Step[]
}

test('no answer, however strange, stops the inspection: what cannot be read is unknown', () => {
  const steps = everyStep(inspection().steps).filter(({ block, parallel }) => !block && !parallel)
  expect(steps.filter((step) => step.on_failure === 'continue').length).toBeGreaterThan(40)
  const others = steps.filter((step) => step.on_failure !== 'continue')
  // checks and the inventory have no way to fail, and these pick from what there is
  expect(
    others.flatMap(({ id, action }) => (['assert.check', 'inventory.hosts'].includes(action ?? '') ? [] : [id])),
  ).toEqual(['entry', 'ceph_first', 'alive', 'verdicts'])
})

const everyStep = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => [step, ...everyStep([...(step.block ?? []), ...(step.parallel ?? [])])])

test('an answer that nobody expected makes its check unknown and leaves the others alone', async () => {
  const inputs = join(home, 'strange.json')
  writeFileSync(inputs, JSON.stringify({ ceph_command: ['echo', '{"health": {}}'], mariadb: ['echo', '[]'] }))
  const { verdicts } = await inspect('--rehearse', 'healthy', '--inputs', inputs)
  expect(verdicts).toEqual({ A23: 'unknown', A24: 'unknown', A26: 'unknown' })
})

/** The most seconds that steps can take, one after another; what only computes takes none. */
function longest(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + longestOf(step), 0)
}

function longestOf({ id, action, timeout, until, block, parallel }: Step): number {
  if (block) return longest(block)
  if (parallel) return Math.max(...parallel.map(longestOf))
  if (action === undefined || action === 'assert.check' || action === 'inventory.hosts') return 0
  const [, seconds] = /^(\d+)s$/.exec(until?.timeout ?? timeout ?? '') ?? []
  if (seconds === undefined) throw new Error(`the step \`${id}\` has no timeout in seconds`)
  return Number(seconds)
}

test('a dry run of a healthy cloud gives the same verdicts, for every step is a read', async () => {
  const { exit, checks, events } = await inspect('--rehearse', 'healthy', '--dry-run')
  expect(exit).toBe(0)
  expect(checks.map(({ verdict }) => verdict)).toEqual(catalogue.map(() => 'pass'))
  expect(events.filter(({ type }) => type === 'step.previewed')).toEqual([])
})

test('without Keystone only Keystone is broken, and what rests on it is unknown', async () => {
  const { findings } = await rehearse('keystone-down')
  expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([
    expect.objectContaining({ key: 'A1', message: expect.stringContaining('503') }),
  ])
})

test('a compute service that is down is named, with the servers it leaves alone', async () => {
  const inspected = await rehearse('compute-down')
  expect(told(inspected)).toEqual([
    expect.stringMatching(/^fail: nova-compute on cmp3 is down: its last report is from \d{4}-/),
    expect.stringMatching(/^fail: nova-compute on cmp3 is down, with \d+ servers: .*web-/),
  ])
})

test('a layer-2 agent that is silent is named, and the way to servers without an address', async () => {
  const { findings } = await rehearse('agent-dead')
  expect(findings).toEqual([
    expect.objectContaining({
      key: 'A7/cmp4/neutron-openvswitch-agent',
      message: expect.stringMatching(/^the Open vSwitch agent on cmp4 has been silent since /),
      runbook: 'no-ip',
    }),
  ])
})

test('a host with a wrong clock looks dead to Nova, and the inspection says that it is not', async () => {
  const inspected = await rehearse('clock-skew')
  expect(told(inspected)).toContainEqual(
    expect.stringMatching(
      /^fail: the clock of cmp2 is behind: nova-compute is not dead, its reports move and are dated 1[23]\d s ago$/,
    ),
  )
  expect(told(inspected)).toContainEqual(expect.stringMatching(/^fail: the clock of cmp2 is off by 1(19|20)/))
})

test('a clock that is off a little is told before anything looks dead', async () => {
  const hosts = ['cmp1', 'cmp2', 'cmp3', 'cmp4', 'cmp5', 'cmp6']
  const inspected = await world('a-minute-behind', {
    faults: hosts.map((host) => ({ fault: 'clock.skew', with: { host, seconds: -62 } })),
  })
  expect(inspected.findings.map(({ key }) => key)).toEqual(
    expect.arrayContaining(hosts.map((host) => `A6/${host}/neutron-openvswitch-agent`)),
  )
})

test('a clock that makes a service look dead is told, also when it is off by less than is allowed', async () => {
  const path = join(home, 'tolerant.yaml')
  const faults = [{ fault: 'clock.skew', with: { host: 'cmp2', seconds: -120 } }]
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name: 'tolerant', title: 'Tolerant', faults }))
  const { findings } = await inspect('--rehearse', path, '--input', 'clock_seconds=300')
  expect(findings.filter(({ check }) => check === 'A6').map(({ key }) => key)).toEqual([
    'A6/cmp2/nova-compute',
    'A6/cmp2/neutron-openvswitch-agent',
  ])
})

test('a service that comes back between two looks is not taken for one with a wrong clock', async () => {
  const host = 'cmp3'
  const { checks, findings } = await world('comes-back', {
    faults: [
      { fault: 'nova.compute_down', with: { host } },
      { fault: 'neutron.agent_dead', with: { host } },
      { fault: 'hosts.rebooted', with: { host }, after: '20s' },
    ],
  })
  expect(checks.find(({ check }) => check === 'A6')?.verdict).toBe('pass')
  expect(findings.map(({ key }) => key)).toEqual([
    'A5/cmp3/nova-compute',
    'A7/cmp3/neutron-openvswitch-agent',
    'A27/cmp3/booted',
  ])
})

test('a database node that has a cluster of its own is found by asking every node', async () => {
  const inspected = await rehearse('galera-split')
  expect(told(inspected)).toEqual(
    expect.arrayContaining([
      'fail: db3 is in a cluster of 1, and there are 3 nodes',
      'fail: db1 is in a cluster of 2, and there are 3 nodes',
      expect.stringMatching(/^fail: the nodes do not agree on what their cluster is: /),
    ]),
  )
})

test('a partition of RabbitMQ is told as each side sees it', async () => {
  const inspected = await rehearse('rabbitmq-partition')
  expect(told(inspected)).toEqual(
    expect.arrayContaining([
      'fail: ctl3 sees 1 of 3 nodes running: rabbit@ctl3',
      expect.stringMatching(/^fail: ctl1 sees a partition: .*rabbit@ctl3/),
    ]),
  )
})

test('a dead OSD is named with its host and the runbook that replaces it, and the flags that are set with their names', async () => {
  const { findings } = await rehearse('ceph-osd-down')
  expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([
    expect.objectContaining({ key: 'A26/osd.4', message: 'osd.4 on ceph2 is down', runbook: 'osd-replacement' }),
  ])
  expect(findings).toContainEqual(
    expect.objectContaining({ key: 'A26/OSDMAP_FLAGS', message: expect.stringContaining('noout,norecover') }),
  )
  expect(findings.filter(({ check }) => check === 'A27').map(({ key }) => key)).toEqual([
    'A27/ceph2/ceph-osd@4.service',
    'A27/ceph2/io-errors',
  ])
})

test('a full disk is named with its host and its mount point, a failed unit with its host', async () => {
  const inspected = await rehearse('host-disk-full')
  expect(told(inspected)).toEqual([
    'fail: / on ctl2 has used 96 % of its space',
    'warn: cron.service has failed on ctl2',
  ])
})

test('a network that runs out of addresses is named with its numbers', async () => {
  const inspected = await rehearse('ip-pool')
  expect(told(inspected)).toEqual([
    expect.stringMatching(/^fail: public has used 97.1 % of its addresses: \d+ of \d+$/),
  ])
})

test('networks that lead outside are told first, and a part of a percent counts', async () => {
  const pool = (network: string, percent: number) => ({
    fault: 'neutron.ip_pool_nearly_used',
    with: { network, percent },
  })
  const inspected = await world('pools', { faults: [pool('shop-net', 95), pool('public', 96)] })
  expect(told(inspected)).toEqual([
    expect.stringMatching(/^fail: public has used 96\.3 % of its addresses/),
    'fail: shop-net has used 95 % of its addresses: 970 of 1021',
  ])
})

test('a migration counts by when it broke off, not by when it began', async () => {
  const broke = (host: string, hours: number, took: number) => ({
    fault: 'nova.failed_migration',
    with: { host, hours, took },
  })
  const inspected = await world('long-migrations', { faults: [broke('cmp1', 40, 39 * 60), broke('cmp2', 40, 30)] })
  expect(told(inspected)).toEqual([
    expect.stringMatching(/^warn: the live-migration of .* from cmp1 to .* ended in error$/),
  ])
})

test('connections are near their limit when just as many are in use as the limit says', async () => {
  const limit = 85
  const inspected = await world('at-the-limit', {
    faults: [{ fault: 'galera.connections_high', with: { percent: limit } }],
  })
  expect(inspected.verdicts).toEqual({ A24: 'warn' })
})

test('a cell that does not answer leaves open what it alone knows, and nothing else', async () => {
  const { checks, findings } = await world('silent-cell', {
    topology: { controllers: 2, computes: 3, ceph: 0, databases: 1, osds_per_host: 0, servers: 9 },
    faults: [{ fault: 'nova.cell_down', with: { host: 'cmp2' } }],
  })
  const nova = findings.filter(({ check }) => ['A5', 'A6', 'A15', 'A16', 'A17', 'A18'].includes(check))
  expect(nova.map(({ check, verdict, message }) => `${check} ${verdict}: ${message}`)).toEqual([
    'A5 unknown: the cell of nova-compute on cmp2 does not answer',
    'A15 unknown: of 3 servers nobody knows how they are: their cell does not answer',
  ])
  expect(checks.filter(({ check }) => ['A6', 'A16', 'A17'].includes(check)).map(({ verdict }) => verdict)).toEqual([
    'pass',
    'pass',
    'pass',
  ])
})

test('a cell that does not answer hides nothing of a service that is dead in another one', async () => {
  const { verdicts, findings } = await world('dead-beside-silent-cell', {
    faults: [
      { fault: 'nova.cell_down', with: { host: 'cmp2' } },
      { fault: 'nova.compute_down', with: { host: 'cmp3' } },
    ],
  })
  expect(verdicts).toEqual({ A5: 'fail', A15: 'unknown', A17: 'fail' })
  expect(findings.map(({ key }) => key).sort()).toEqual([
    'A15/cell',
    'A17/cmp3',
    'A5/cmp2/nova-compute',
    'A5/cmp3/nova-compute',
  ])
})

test('servers in ERROR are named with the fault that put them there, and a stuck one with its task', async () => {
  const lines = told(await rehearse('servers-in-error'))
  expect(lines).toHaveLength(4)
  for (const line of lines.slice(0, 3))
    expect(line).toMatch(/^fail: [a-z]+-\d+ \([0-9a-f-]{36}\) is in ERROR: internal error: qemu/)
  expect(lines[3]).toMatch(/^warn: [a-z]+-\d+ \([0-9a-f-]{36}\) has been in the task powering-off since \d{4}-/)
})

test('every fault of the services is found, each by its own check', async () => {
  const inspected = await world('services', {
    faults: [
      { fault: 'api.slow', with: { service: 'keystone' } },
      { fault: 'api.endpoint_broken', with: { service: 'glance' } },
      { fault: 'nova.compute_disabled', with: { host: 'cmp2' } },
      { fault: 'neutron.agent_dead', with: { host: 'ctl2', agent_type: 'L3 agent', minutes: 5 } },
      { fault: 'neutron.dhcp_missing', with: { left: 1 } },
      { fault: 'neutron.l3_two_active' },
      { fault: 'neutron.port_binding_failed', with: { count: 2 } },
      { fault: 'cinder.service_down', with: { host: 'ctl1' } },
      { fault: 'cinder.pool_full' },
      { fault: 'cinder.volumes_stuck' },
      { fault: 'glance.image_stuck' },
      { fault: 'placement.provider_missing', with: { host: 'cmp6' } },
      { fault: 'placement.overcommitted', with: { host: 'cmp1' } },
      { fault: 'nova.servers_stuck' },
      { fault: 'nova.failed_migration' },
    ],
  })
  expect(inspected.verdicts).toEqual({
    A1: 'warn',
    A2: 'fail',
    A5: 'warn',
    A7: 'warn',
    A8: 'warn',
    A9: 'fail',
    A10: 'warn',
    A12: 'fail',
    A13: 'warn',
    A14: 'fail',
    A16: 'warn',
    A17: 'warn',
    A18: 'warn',
    A19: 'warn',
  })
  for (const message of [
    /^warn: a token took 4\d\d\d ms$/,
    /^fail: image \(internal\) at http.*: answered 503$/,
    /^warn: nova-compute on cmp2 is disabled, and nobody said why$/,
    /^warn: the L3 agent on ctl2 is late: its last report is from /,
    /^warn: of the DHCP agents of the network shop-net .* 1 of 2 are alive$/,
    /^fail: the router shop-router .* is active in several places: ctl1, ctl2$/,
    /^warn: port .* could not be bound on cmp\d$/,
    /^fail: cinder-volume on ctl1@ceph is down: its last report is from /,
    /^warn: the pool ctl1@ceph#ceph has 8 % free$/,
    /^warn: the image runner-snapshot .* has been saving since /,
    /^fail: Placement does not know cmp6: no server will be placed there$/,
    /^warn: cmp1 has given out \d+ of \d+ MEMORY_MB$/,
    /^warn: .* has been in the task powering-off since /,
    /^warn: nova-compute on cmp2 is disabled, with \d+ servers: /,
    /^warn: the live-migration of .* from cmp1 to cmp\d ended in error$/,
    /^warn: the volume .* has been deleting since /,
  ])
    expect(told(inspected)).toContainEqual(expect.stringMatching(message))
})

test('every fault of the hosts is found, and a host that does not answer is unknown', async () => {
  const inspected = await world('machines', {
    faults: [
      { fault: 'rabbitmq.alarm', with: { host: 'ctl1' } },
      { fault: 'rabbitmq.node_down', with: { host: 'ctl3' } },
      { fault: 'rabbitmq.queue_backlog' },
      { fault: 'galera.not_synced', with: { node: 'db2' } },
      { fault: 'galera.connections_high', with: { percent: 90 } },
      { fault: 'haproxy.backend_down', with: { server: 'ctl2' } },
      { fault: 'ceph.flags' },
      { fault: 'ceph.nearfull', with: { osd: 2 } },
      { fault: 'ceph.mon_down', with: { host: 'ceph2' } },
      { fault: 'ceph.slow_ops', with: { osd: 3 } },
      { fault: 'ceph.crashed', with: { osd: 3 } },
      { fault: 'hosts.inodes_full', with: { host: 'cmp1', percent: 85 } },
      { fault: 'hosts.unit_failed', with: { host: 'cmp2', unit: 'cron' } },
      { fault: 'hosts.unreachable', with: { host: 'cmp3' } },
      { fault: 'hosts.unreachable', with: { host: 'db3' } },
      { fault: 'hosts.io_errors', with: { host: 'cmp4' } },
      { fault: 'hosts.oom', with: { host: 'cmp5' } },
      { fault: 'hosts.clock_offset', with: { host: 'ceph1', seconds: 0.07 } },
      { fault: 'hosts.high_load', with: { host: 'ctl1' } },
      { fault: 'hosts.nic_down', with: { host: 'ctl2' } },
      { fault: 'hosts.container', with: { host: 'cmp6', name: 'nova_compute', health: 'unhealthy' } },
      { fault: 'hosts.container', with: { host: 'cmp6', name: 'nova_libvirt', health: 'healthy' } },
    ],
  })
  expect(inspected.findings.map(({ verdict, key }) => `${verdict} ${key}`).sort()).toEqual(
    [
      'fail A22/ctl3/stopped',
      'fail A22/ctl1/running',
      'fail A22/ctl2/running',
      'fail A22/alarm/rabbit@ctl1/memory',
      'warn A22/queue/conductor',
      'fail A23/db2/synced',
      'unknown A23/db3',
      'unknown A24/db3',
      'warn A24/db1/used',
      'warn A24/db2/used',
      'fail A25/nova_api/ctl2',
      'fail A25/galera/db2',
      'warn A26/MON_CLOCK_SKEW',
      'warn A26/MON_DOWN',
      'warn A26/OSDMAP_FLAGS',
      'warn A26/OSD_NEARFULL',
      'warn A26/POOL_NEARFULL',
      'warn A26/RECENT_CRASH',
      'warn A26/SLOW_OPS',
      'unknown A27/cmp3',
      'unknown A27/db3',
      'warn A27/cmp1/inodes/',
      'warn A27/ceph2/ceph-mon@ceph2.service',
      'warn A27/cmp2/cron.service',
      'warn A27/cmp6/container/nova_compute',
      'warn A27/ctl3/rabbitmq-server.service',
      'warn A27/cmp5/out-of-memory',
      'warn A27/cmp5/memory',
      'warn A27/cmp4/io-errors',
      'warn A27/ctl2/eno2',
      'warn A27/ctl1/load',
      'unknown A28/cmp3',
      'unknown A28/db3',
      'warn A28/ceph1',
    ].sort(),
  )
})

test('a service that does not run on its host is broken, not unknown', async () => {
  const stopped = (host: string, unit: string) => ({ fault: 'hosts.unit_failed', with: { host, unit } })
  const inspected = await world('stopped', {
    faults: [stopped('ctl1', 'haproxy'), stopped('ctl2', 'memcached'), stopped('db2', 'mariadb')],
  })
  expect(told(inspected)).toEqual(
    expect.arrayContaining([
      'fail: MariaDB does not run on db2, or takes no connections there',
      'fail: db1 is in a cluster of 2, and there are 3 nodes',
      'fail: haproxy on ctl1 does not answer at /run/haproxy/admin.sock',
      'fail: memcached on ctl2 does not answer at 127.0.0.1',
    ]),
  )
  expect(inspected.verdicts).toEqual({ A23: 'fail', A24: 'unknown', A25: 'fail', A27: 'warn' })
})

test('a MariaDB without Galera is not taken for a broken cluster', async () => {
  const status = {
    connection_errors_max_connections: '0',
    max_used_connections: '53',
    wsrep_cluster_conf_id: '18446744073709551615',
    wsrep_cluster_size: '0',
    wsrep_cluster_state_uuid: '',
    wsrep_cluster_status: 'Disconnected',
    wsrep_connected: 'OFF',
    wsrep_provider_name: '',
    wsrep_ready: 'OFF',
  }
  // what stands in the place of the client prints what such a server answers
  const answer = [status, { max_connections: '100' }].map((line) => `echo '${JSON.stringify(line)}'`).join('; ')
  const client = ['sh', '-c', answer, 'mariadb']
  const inputs = join(home, 'without-galera.json')
  writeFileSync(inputs, JSON.stringify({ mariadb: client }))
  const { verdicts, checks } = await inspect('--rehearse', 'healthy', '--inputs', inputs)
  expect(verdicts).toEqual({ A23: 'skipped' })
  expect(checks.find(({ check }) => check === 'A23')?.summary).toBe('MariaDB runs without Galera here')
})

test('what a user sees of one project alone passes for nothing', async () => {
  const folder = join(home, 'narrow')
  const stop = new AbortController()
  const serving = runCli(['rehearse', 'healthy', '--folder', folder], { cwd, home, signal: stop.signal })
  const clouds = join(folder, 'clouds.yaml')
  await vi.waitFor(() => expect(existsSync(join(folder, 'inventory.yaml'))).toBe(true), { timeout: 100_000 })
  try {
    const owner = readFileSync(clouds, 'utf8')
      .replace('username: admin', 'username: shop-owner')
      .replace('project_name: admin', 'project_name: shop')
    writeFileSync(clouds, owner)
    const { verdicts } = await inspect('--inventory', join(folder, 'inventory.yaml'))
    // Glance and Cinder give what is the project's own, and all of that is well
    expect(verdicts).toEqual(Object.fromEntries(ids(5, 19).map((id) => [id, 'unknown'])))
  } finally {
    stop.abort(new Error('the test is over'))
    await serving
  }
})

test.each([
  ['a client alone has no containers', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.', 1, 0],
  ['one who may not ask cannot say', 'permission denied while trying to connect to the Docker daemon socket', 1, 1],
  ['containers are told', 'abc  nova  "run"  Up 2 hours (unhealthy)  nova_compute', 0, 0],
])('of docker, %s', (title, says, ends, exit) => {
  const script = everyStep(inspection().steps).find(({ id }) => id === 'containers')?.with?.script ?? 'exit 99'
  const bin = join(home, title.replaceAll(' ', '-'))
  mkdirSync(bin)
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\necho '${says}' >&${ends === 0 ? 1 : 2}\nexit ${ends}\n`, {
    mode: 0o755,
  })
  for (const name of ['timeout', 'sh']) symlinkSync(`/usr/bin/${name}`, join(bin, name))
  const ran = spawnSync('/bin/sh', ['-c', script], { env: { PATH: bin }, encoding: 'utf8' })
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: exit, stdout: ends === 0 ? `${says}\n` : '' })
})

test('what is not there can be said not to be there: its checks are skipped, and nothing is unknown', async () => {
  const without = ['controllers', 'databases', 'ceph', 'hosts'].flatMap((kind) => ['--input', `${kind}=`])
  const { exit, verdicts, findings, events } = await inspect('--rehearse', 'healthy', ...without)
  expect(verdicts).toEqual(Object.fromEntries(['A25', ...ids(22, 24), ...ids(26, 28)].map((id) => [id, 'skipped'])))
  expect({ exit, findings }).toEqual({ exit: 0, findings: [] })
  expect(events.filter((event) => event.type === 'step.called' && event.call.kind === 'ssh')).toEqual([])
})

test('a user who may not ask RabbitMQ makes it unknown, not broken', async () => {
  const inputs = join(home, 'no-cookie.json')
  const refusal = "Error: unable to perform an operation on node 'rabbit@ctl1': check the Erlang cookie"
  writeFileSync(inputs, JSON.stringify({ rabbitmqctl: ['sh', '-c', `echo "${refusal}" >&2; exit 69`, 'rabbitmqctl'] }))
  const { verdicts } = await inspect('--rehearse', 'healthy', '--inputs', inputs)
  expect(verdicts).toEqual({ A22: 'unknown' })
})

test('a host that has booted by itself is told, for nobody else may have noticed', async () => {
  const { findings } = await world('booted', { faults: [{ fault: 'hosts.rebooted', with: { host: 'cmp6' } }] })
  expect(findings).toContainEqual(
    expect.objectContaining({ key: 'A27/cmp6/booted', message: 'cmp6 has booted within a day' }),
  )
})

test('a database that refuses connections names the runbook that gives it more', async () => {
  const { verdicts, findings } = await world('connections', {
    faults: [{ fault: 'galera.connections_high', with: { percent: 97 } }],
  })
  expect(verdicts).toMatchObject({ A24: 'fail' })
  expect(findings).toContainEqual(
    expect.objectContaining({
      key: 'A24/db1/refused',
      message: expect.stringMatching(/^db1 has refused \d+ connections/),
      runbook: 'mariadb-max-connections',
    }),
  )
})

test('servers beyond the first page are looked at too', async () => {
  const { events, verdicts, findings } = await world('large', {
    topology: { servers: 1_100, computes: 40 },
    // the first servers of the list and the last, whichever way it is sorted
    faults: [{ fault: 'nova.servers_in_error', with: { count: 1 } }, { fault: 'nova.servers_stuck' }],
  })
  const pages = events.filter(
    (event) => event.type === 'step.called' && event.call.kind === 'http' && event.call.url.includes('/servers/detail'),
  )
  expect(pages).toHaveLength(2)
  expect(verdicts).toEqual({ A15: 'fail', A16: 'warn' })
  expect(findings).toHaveLength(2)
})

test('a second inspection of the same cloud says what is new, what persists and what is gone', async () => {
  const folder = join(home, 'served')
  const scenario = join(home, 'two-days.yaml')
  const faults = [
    { fault: 'nova.compute_disabled', with: { host: 'cmp3' } },
    { fault: 'hosts.unit_failed', with: { host: 'cmp2', unit: 'cron' } },
  ]
  writeFileSync(scenario, JSON.stringify({ apiVersion: 'runbook/v1', name: 'two-days', title: 'Two days', faults }))
  const stop = new AbortController()
  const serving = runCli(['rehearse', scenario, '--folder', folder], { cwd, home, signal: stop.signal })
  const inventory = join(folder, 'inventory.yaml')
  await vi.waitFor(() => expect(existsSync(inventory)).toBe(true), { timeout: 100_000 })
  try {
    const first = await inspect('--inventory', inventory)
    expect(first.verdicts).toEqual({ A5: 'warn', A17: 'warn', A27: 'warn' })

    const between = join(home, 'between.yaml')
    writeFileSync(between, overnight)
    expect((await runCli(['exec', between, '--inventory', inventory], { cwd, home })).exit).toBe(0)

    await inspect('--inventory', inventory)
    const { stdout } = await runCli(['show', 'last', '--format', 'json'], { cwd, home })
    const { findings } = JSON.parse(stdout) as { findings: { [state: string]: readonly Finding[] } }
    const keys = (state: string) => findings[state]?.map(({ key }) => key).sort()
    expect(keys('fresh')).toEqual(['A27/cmp1/cron.service'])
    expect(keys('persisting')).toEqual(['A17/cmp3', 'A5/cmp3/nova-compute/disabled'])
    expect(keys('resolved')).toEqual(['A27/cmp2/cron.service'])
  } finally {
    stop.abort(new Error('the test is over'))
    await serving
  }
})

/** What happens between two inspections: one host is mended, another breaks. */
const overnight = `
apiVersion: runbook/v1
name: overnight
steps:
  - id: mend
    action: ssh.run
    targets: cmp2
    with: { command: systemctl start cron }
  - id: break
    action: ssh.run
    targets: cmp1
    with: { command: systemctl kill --signal=KILL cron }
`
