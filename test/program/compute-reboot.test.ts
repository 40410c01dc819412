import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { serveWorld, workspace } from './program.ts'
import { type WorldInHand, worldInHand } from './world-in-hand.ts'

/** Three servers on `c1`: one moves, one turns out not to and is stopped, one is switched off. The host boots quickly. */
const world = {
  apiVersion: 'runbook/v1',
  name: 'killed',
  title: 'killed',
  topology: { controllers: 1, computes: ['c1', 'c10', 'c2', 'c3', 'c4', 'c5'], ceph: 0, databases: 1, servers: 13 },
  faults: [
    { fault: 'nova.migration_precheck_fails', with: { server: 'web-3' } },
    { fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 0.1 } },
  ],
}

const inputs = {
  host: 'c1',
  reason: 'CHG-1',
  check_platform: false,
  reserve_ratio: 0,
  spare_host: false,
  unmovable: 'stop',
  settle: '0s',
  look_every: '1s',
  silence_on: 'ctl1',
}

/** An Alertmanager that takes a silence, and is a while in saying so. */
const slowly = 'amtool "$@"; code=$?; case "$*" in *" add "*) sleep 3;; esac; exit $code'

test('killed at each stage and resumed each time, it does each thing once and leaves nothing locked or stopped', async () => {
  const space = workspace()
  space.write('inputs.json', JSON.stringify({ ...inputs, amtool: ['sh', '-c', slowly, 'amtool'] }))
  const effects = await serveWorld(space, world)
  const done = () => effects().map(({ kind, what }) => `${kind} ${what.replace(/ \(.*\)$/, '')}`)

  /** The cloud or the host took it: whether its end was written down is left to chance. */
  const taken = (effect: string) => () => done().includes(effect)
  /** It is written down that it begins: whether it was still asked for is left to chance. */
  const begun = (step: RegExp) => () =>
    space.entries().some((entry) => entry.type === 'step.began' && step.test(entry.key))
  const killings: readonly (() => boolean)[] = [
    taken('host.alertmanager.silence instance=~"c1(:.*)?"'),
    taken('openstack.compute_service.disable c1'),
    begun(/^enter\/drain\[.*\/migrate$/),
    taken('openstack.server.live_migrate web-1'),
    taken('openstack.server.lock web-3'),
    begun(/\/stop$/),
    taken('openstack.server.stop web-3'),
    taken('host.unit.stop c1:nova-compute.service'),
    taken('host.systemd_run c1'),
    taken('host.reboot c1'),
    begun(/^forward\/leave\/heard\/beat$/),
    taken('openstack.server.start web-3'),
    taken('openstack.server.unlock runner-3'),
    taken('openstack.server.unlock web-3'),
    begun(/^forward\/leave\/enable$/),
    taken('openstack.compute_service.enable c1'),
    begun(/^forward\/leave\/unsilence$/),
  ]
  const answers = ['enter/agree=c1', 'enter/agree_stop=yes'].flatMap((answer) => ['--answer', answer])
  let running = space.start([
    ...['exec', 'compute-reboot', '--inventory', 'world/inventory.yaml', '--inputs', 'inputs.json'],
    ...answers,
  ])
  for (const came of killings) {
    await running.until(came)
    running.child.kill('SIGKILL')
    await running.ended
    running = space.start(['resume', 'last', ...answers])
  }
  const { code, all } = await running.ended
  // the last kill may come after the last line: then there is nothing left to resume
  if (!(code === 2 && all.includes('is done'))) expect(code, all).toBe(0)
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded' })
  expect(space.names()).toHaveLength(1)
  // stopping a unit that is stopped does no harm, and may be done again
  const once = done().filter((effect, index, all) => effect !== all[index - 1] || !effect.startsWith('host.unit.stop'))
  expect(once).toEqual([
    'host.alertmanager.silence instance=~"c1(:.*)?"',
    'openstack.compute_service.disable c1',
    'openstack.server.live_migrate web-1',
    'openstack.server.live_migrate web-3',
    'openstack.server.lock runner-3',
    'openstack.server.lock web-3',
    'openstack.server.stop web-3',
    'host.unit.stop c1:nova-compute.service',
    `host.file.mkdir c1:/run/runbook-reboot-${space.names()[0]}-first`,
    'host.systemd_run c1',
    'host.reboot c1',
    'openstack.server.start web-3',
    'openstack.server.unlock runner-3',
    'openstack.server.unlock web-3',
    'openstack.compute_service.enable c1',
    'host.alertmanager.expire instance=~"c1(:.*)?"',
  ])
}, 900_000)

test('an answer that comes when the platform is no longer well takes no host away from it', async () => {
  const space = workspace()
  const effects = await serveWorld(space, { ...world, faults: [] })
  const about = ['--inventory', 'world/inventory.yaml']
  const asked = { ...inputs, check_platform: true, unmovable: 'abort', silence_on: '' }
  space.write('inputs.json', JSON.stringify(asked))
  const first = await space.run(['exec', 'compute-reboot', ...about, '--inputs', 'inputs.json'])
  expect(first.code, first.all).toBe(6)
  const stop = {
    id: 'stop',
    name: 'stop',
    action: 'ssh.run',
    with: { host: 'ctl1', command: 'systemctl stop rabbitmq-server' },
  }
  space.write('mess.json', JSON.stringify({ apiVersion: 'runbook/v1', name: 'mess', title: 'mess', steps: [stop] }))
  const mess = await space.run(['exec', './mess.json', ...about])
  expect(mess.code, mess.all).toBe(0)

  const [parked = ''] = space.names().filter((name) => !mess.all.includes(name))
  const then = await space.run(['resume', parked, '--answer', 'enter/agree=c1'])
  expect(then.code, then.all).toBe(1)
  expect(then.all).toContain('enter/again/look/platform')
  expect(effects().map(({ kind }) => kind)).toEqual(['host.unit.stop'])
}, 900_000)

test('a host that stayed out of service is put back by hand, and found by its reason its silence ends', async () => {
  const space = workspace()
  space.write('inputs.json', JSON.stringify({ ...inputs, unmovable: 'abort', heartbeat_timeout: '1ms' }))
  const effects = await serveWorld(space, { ...world, faults: world.faults.slice(1) })
  const about = ['--inventory', 'world/inventory.yaml']
  const first = await space.run([
    'exec',
    'compute-reboot',
    ...about,
    '--inputs',
    'inputs.json',
    '--answer',
    'enter/agree=c1',
  ])
  expect(first.code, first.all).toBe(1)
  expect(first.all).toContain('stays silenced until')
  const silenced = effects().filter(({ kind }) => kind.startsWith('host.alertmanager.'))
  expect(silenced.map(({ kind }) => kind)).toEqual(['host.alertmanager.silence'])
  const { id, comment } = silenced[0]?.detail ?? {}

  const by = ['--input', 'host=c1', '--input', `reason=${String(comment)}`, '--input', 'silence_on=ctl1']
  const then = await space.run(['exec', 'host-maintenance-leave', ...about, ...by])
  expect(then.code, then.all).toBe(0)
  const end = effects().slice(-2)
  expect(end).toMatchObject([
    { kind: 'openstack.compute_service.enable' },
    { kind: 'host.alertmanager.expire', detail: { id } },
  ])
}, 900_000)

test('killed while the power is cut, it asks a person whether it was, and does not cut it twice', async () => {
  const space = workspace()
  // a board that takes the order and is long in saying so
  const words =
    'ipmitool -I lanplus -H 10.79.0.21 -U admin -f /root/ipmi chassis power "$0"; [ "$0" = status ] || sleep 600'
  const more = { board: ['sh', '-c', words], board_on: 'ctl1', reboot_minutes: 1, silence_on: '', unmovable: 'abort' }
  space.write('inputs.json', JSON.stringify({ ...inputs, ...more }))
  const hangs = { fault: 'hosts.hangs_in_reboot', with: { host: 'c1' } }
  const effects = await serveWorld(space, { ...world, faults: [hangs, ...world.faults.slice(1)] })
  const cut = () => effects().filter(({ kind }) => kind === 'host.power.cycle').length
  const answers = ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=c1'].flatMap((one) => [
    '--answer',
    one,
  ])
  const running = space.start([
    ...['exec', 'compute-reboot', '--inventory', 'world/inventory.yaml', '--inputs', 'inputs.json'],
    ...answers,
  ])
  await running.until(() => cut() > 0)
  running.child.kill('SIGKILL')
  await running.ended

  const unsaid = await space.run(['resume', 'last', ...answers])
  expect(unsaid.code, unsaid.all).toBe(5)
  const said = await space.run(['resume', 'last', ...answers, '--answer', 'forward/cycle!doubt=done'])
  expect(said.code, said.all).toBe(0)
  expect(cut()).toBe(1)
}, 900_000)

test('while one maintenance of a host is under way nobody begins another one there, and elsewhere they may', async () => {
  const space = workspace()
  const effects = await serveWorld(space, world)
  const begin = (runbook: string, host: string) => {
    space.write(`${host}.json`, JSON.stringify({ ...inputs, host, silence_on: '' }))
    return space.run(['exec', runbook, '--inventory', 'world/inventory.yaml', '--inputs', `${host}.json`])
  }
  const first = await begin('compute-reboot', 'c1')
  expect(first.code, first.all).toBe(6)
  const second = await begin('host-maintenance-enter', 'c1')
  expect({ code: second.code, effects: effects() }, second.all).toEqual({ code: 1, effects: [] })
  expect(second.all).toContain('`compute/c1` is locked')
  const elsewhere = await begin('host-maintenance-enter', 'c10')
  expect(elsewhere.code, elsewhere.all).toBe(6)
})

const hour = 60 * 60_000

/** What somebody else does in the meantime. */
async function colleague(world: WorldInHand, action: string, about: object): Promise<void> {
  const space = workspace()
  world.lendTo(space)
  const steps = [{ id: 'do', action, with: about }]
  const book = { apiVersion: 'runbook/v1', name: 'colleague', title: 'colleague', steps }
  space.write('colleague.json', JSON.stringify(book))
  const { code, all } = await space.run(['exec', './colleague.json', '--inventory', 'world/inventory.yaml'])
  expect(code, all).toBe(0)
}

/** Goes on to where somebody is asked whether servers in use may be stopped, and is answered two hours later. */
async function stoppedLate(about: {
  faults?: object[]
  meanwhile?: (world: WorldInHand) => Promise<void>
  inputs?: object
}) {
  const faults = [{ fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 0.1 } }, ...(about.faults ?? [])]
  const served = await worldInHand({ ...world, faults }, 20)
  const space = workspace()
  served.lendTo(space)
  const all = { ...inputs, active: 'stop', silence_on: '', ...about.inputs }
  space.write('inputs.json', JSON.stringify(all))
  const begin = ['exec', resolve('runbooks/compute-reboot.yaml'), '--inventory', 'world/inventory.yaml']
  const asked = await space.run([...begin, '--inputs', 'inputs.json', '--answer', 'enter/agree=c1'])
  expect({ code: asked.code, last: asked.all.includes('enter/agree_stop') }, asked.all).toEqual({ code: 6, last: true })
  await served.clock.advance(2 * hour)
  await about.meanwhile?.(served)
  const before = served.effects().length
  const then = await space.run(['resume', 'last', '--answer', 'enter/agree_stop=yes'])
  const did = served
    .effects()
    .slice(before)
    .map(({ kind, what }) => `${kind} ${what.replace(/ \(.*\)$/, '')}`)
  return { ...then, did }
}

const enabled = ['openstack.compute_service.enable c1']

test.each([
  {
    says: 'c1 has rebooted by itself while it was emptied, and stays out of service',
    faults: [{ fault: 'hosts.rebooted', with: { host: 'c1' }, after: '1h' }],
    did: [],
  },
  {
    says: 'since the list was shown web-1 is PAUSED: begin again',
    faults: [{ fault: 'nova.server_state', with: { server: 'web-1', state: 'paused' }, after: '1h' }],
    did: enabled,
  },
  {
    says: 'these hosts of zone nova are down or disabled by now: c10, c2',
    faults: ['c10', 'c2'].map((host) => ({ fault: 'nova.compute_disabled', with: { host }, after: '1h' })),
    did: enabled,
  },
  {
    says: 'enter/stop_again/look/platform',
    inputs: { check_platform: true },
    meanwhile: (world: WorldInHand) =>
      colleague(world, 'ssh.run', { host: 'ctl1', command: 'systemctl stop rabbitmq-server' }),
    did: enabled,
  },
  {
    says: 'the answer came too late: it would take 1 minutes to empty the host',
    inputs: { window_end: new Date(Date.now() + 1.5 * hour).toISOString() },
    did: enabled,
  },
  // somebody has put it back into service, and keeps it there
  {
    says: 'c1 is no longer out of service for our reason: ask whoever changed that',
    meanwhile: (world: WorldInHand) => colleague(world, 'openstack.compute_service.enable', { host: 'c1' }),
    did: [],
  },
])(
  'a yes to stopping servers that comes when it is no longer so stops none: $says',
  async ({ says, did, ...about }) => {
    const ran = await stoppedLate(about)
    expect(ran.all).toContain(says)
    expect({ code: ran.code, did: ran.did }, ran.all).toEqual({ code: 1, did })
  },
  300_000,
)

test('a server that has left before somebody says yes to stopping it is neither locked nor stopped', async () => {
  const moved = await stoppedLate({
    meanwhile: (world) => colleague(world, 'openstack.server.live_migrate', { server: 'web-1', host: 'c2' }),
  })
  expect(moved.code, moved.all).toBe(0)
  expect(moved.did.filter((one) => one.endsWith(' web-1'))).toEqual([])
  expect(moved.did.filter((one) => one.endsWith(' web-3'))).toEqual(
    ['lock', 'stop', 'start', 'unlock'].map((what) => `openstack.server.${what} web-3`),
  )
}, 300_000)
