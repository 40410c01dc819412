import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { RunEvent } from '../engine/run/event.ts'
import { uuidOf } from '../simulator/random.ts'
import { workspace } from '../test/program/program.ts'
import { runCli } from '../test/support/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'dhcp-path-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '..')

/** A guest that asks nothing: whoever listens hears nothing until the time is over. */
const silent = (...more: readonly object[]) =>
  JSON.stringify({
    apiVersion: 'runbook/v1',
    name: 'listening',
    title: 'listening',
    topology: { controllers: 2, computes: 2, ceph: 0, databases: 1, osds_per_host: 0, servers: 6 },
    faults: [{ fault: 'network.guest_silent' }, ...more],
  })

const listen = (seconds: number) =>
  ['server=web-1', 'allow_trigger=wait', `capture_seconds=${seconds}`].flatMap((input) => ['--input', input])

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [field: string]: unknown }
}

const effectsIn = (file: string): Effect[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Effect)
    : []

/** The folders that captures made, and those of them that are still there. */
function folders(file: string): { readonly made: string[]; readonly left: string[] } {
  const of = (kind: string) => effectsIn(file).flatMap((one) => (one.kind === kind ? [one.what] : []))
  const made = of('host.file.mkdir').filter((what) => what.includes('runbook-dhcp-path/'))
  const gone = new Set(of('host.file.remove'))
  return { made, left: made.filter((what) => !gone.has(what)) }
}

/** The mirrors that were made on hosts, and those of them that are still there. */
function mirrors(file: string): { readonly made: string[]; readonly left: string[] } {
  const of = (kind: string) => effectsIn(file).flatMap((one) => (one.kind === kind ? [one.what] : []))
  const gone = new Set(of('host.ovs.mirror.remove'))
  const made = of('host.ovs.mirror.add')
  return { made, left: made.filter((what) => !gone.has(what)) }
}

function lastEvent(stdout: string): RunEvent {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as RunEvent
}

interface Listening {
  readonly seconds: number
  readonly faults?: readonly object[]
  readonly args?: readonly string[]
  readonly signal?: AbortSignal
}

/** A run of `no-ip` that does nothing but listen for so long, in a world with a silent guest and these faults. */
function listening(name: string, { seconds, faults = [], args = [], signal }: Listening) {
  const world = join(home, `${name}.yaml`)
  const effects = join(home, `${name}.effects`)
  writeFileSync(world, silent(...faults))
  const words = ['exec', 'no-ip', '--rehearse', world, '--effects', effects, '--output', 'json', ...args]
  const running = runCli([...words, ...listen(seconds)], { cwd, home, ...(signal && { signal }) })
  return { effects, ended: running.then(({ exit, stdout }) => ({ exit, stdout, end: lastEvent(stdout) })) }
}

test('a run that is cancelled while it listens removes what listens', async () => {
  const stop = new AbortController()
  // time passes as outside: the capture lasts ten minutes, and only cancelling ends it
  const { effects, ended } = listening('cancelled', { seconds: 600, args: ['--speed', '1'], signal: stop.signal })
  while (folders(effects).made.length < 4 || mirrors(effects).made.length < 2) await sleep(50)
  stop.abort()
  const { exit, end } = await ended
  expect(end).toMatchObject({ type: 'run.ended', status: 'cancelled' })
  expect(exit).toBe(130)
  expect(folders(effects).left).toEqual([])
  expect(mirrors(effects).left).toEqual([])
})

test('clocks of hosts that are apart are told before anything listens, and change no verdict', async () => {
  const told = (stdout: string) => /captures cannot be compared: ([^"…]+)"/.exec(stdout)?.[1] ?? ''
  const ahead = { fault: 'hosts.clock_offset', with: { host: 'ctl1', seconds: 30 } }
  const { ended } = listening('clocks', { seconds: 5, faults: [ahead], args: ['--input', 'clock_seconds=60'] })
  const { exit, stdout, end } = await ended
  expect(exit).toBe(0)
  expect(told(stdout)).toMatch(/^ctl1 is ahead by (29|30|31) s$/)
  const clocks = (end as { outputs?: { path?: { clocks?: { host: string; ahead: number }[] } } }).outputs?.path?.clocks
  expect(clocks?.filter((one) => one.ahead > 5).map((one) => one.host)).toEqual(['ctl1'])
  expect(clocks?.map((one) => one.host).sort()).toEqual(['cmp1', 'ctl1', 'ctl2'])
  expect(end).toMatchObject({ outputs: { path: { verdict: 'INCONCLUSIVE' } } })
  const { ended: right } = listening('clocks-right', { seconds: 5 })
  expect(told((await right).stdout)).toBe('')
})

test('a host that is lost while it listens is told, and the others are freed of what listens', async () => {
  const faults = [{ fault: 'hosts.unreachable', with: { host: 'ctl1' }, after: '1m' }]
  const { effects, ended } = listening('lost', { seconds: 120, faults })
  const { exit, stdout, end } = await ended
  expect(exit).toBe(0)
  const { made, left } = folders(effects)
  expect(made.filter((what) => what.startsWith('ctl1:'))).not.toEqual([])
  expect(left).toEqual(made.filter((what) => what.startsWith('ctl1:')))
  const lost = expect.arrayContaining([expect.objectContaining({ host: 'ctl1' })])
  expect(end).toMatchObject({
    outputs: { path: { verdict: 'INCONCLUSIVE', not_listened: lost, left_behind: left.map(keyOf) } },
  })
  // whoever watches is told which mirror to look after, and with which command
  const [mirror = ''] = mirrors(effects).made.filter((what) => what.startsWith('ctl1:'))
  const name = mirror.replace('ctl1:', '')
  const remove = `ovs-vsctl -- --id=@mirror get Mirror ${name} -- remove Bridge br-int mirrors @mirror -- --if-exists del-port br-int ${name}`
  expect(end).toMatchObject({ outputs: { path: { mirrors_left: [{ host: 'ctl1', mirror: name, remove }] } } })
  expect(stdout).toContain(`A mirror may be left on ctl1, to be removed with \`${remove}\``)
  expect(mirrors(effects).left.filter((what) => !what.startsWith('ctl1:'))).toEqual([])
})

test.each([
  { fault: 'network.ovn_no_flow', verdict: 'OVN_NO_DHCP_OPTS', of: uuidOf('port/server/web-1') },
  { fault: 'network.ovn_drops', verdict: 'LOST_AT', of: 'ls_in_acl_eval' },
])('with OVN, where the answer stays away, ovn-trace says why: $fault', async ({ fault, verdict, of }) => {
  const world = join(home, `${fault}.yaml`)
  const effects = join(home, `${fault}.effects`)
  const topology = { controllers: 2, computes: 2, ceph: 0, databases: 1, osds_per_host: 0, servers: 6 }
  const faults = [{ fault: 'network.backend', with: { backend: 'ovn' } }, { fault }]
  writeFileSync(world, JSON.stringify({ apiVersion: 'runbook/v1', name: 'ovn', title: 'ovn', topology, faults }))
  const inputs = [`port=${uuidOf('port/server/web-1')}`, 'trigger=port_toggle', 'capture_seconds=20']
  const words = ['exec', 'dhcp-path', '--rehearse', world, '--effects', effects, '--output', 'json']
  const { exit, stdout } = await runCli([...words, ...inputs.flatMap((one) => ['--input', one])], { cwd, home })
  const end = lastEvent(stdout)
  expect(exit).toBe(0)
  expect(end).toMatchObject({ outputs: { verdict, of, matrix: [{ hop: 'tap', OFFER: 0 }], trace: { offer: '' } } })
  expect(folders(effects).left).toEqual([])
})

test('a mirror that outlives a reboot of its host is removed all the same', async () => {
  const faults = [{ fault: 'hosts.rebooted', with: { host: 'cmp1' }, after: '30s' }]
  const { effects, ended } = listening('rebooted', { seconds: 150, faults })
  const { exit, end } = await ended
  expect(exit).toBe(0)
  const lost = expect.arrayContaining([expect.objectContaining({ host: 'cmp1', name: 'compute_int' })])
  expect(end).toMatchObject({ outputs: { path: { not_listened: lost, mirrors_left: [] } } })
  expect(mirrors(effects).made).toContainEqual(expect.stringMatching(/^cmp1:rb-/))
  expect(mirrors(effects).left).toEqual([])
})

test('a mirror of somebody else is left alone, even one that is called as ours would be', async () => {
  const name = `rb-${uuidOf('port/server/web-1').slice(0, 11)}`
  const faults = [{ fault: 'network.mirrored' }, { fault: 'network.mirrored', with: { name } }]
  const { effects, ended } = listening('mirrored', { seconds: 5, faults })
  const { exit, end } = await ended
  expect(exit).toBe(0)
  const why = `there is a port ${name} already, of somebody else`
  expect(end).toMatchObject({
    outputs: { path: { not_listened: [{ name: 'compute_int', host: 'cmp1', why }], mirrors_left: [] } },
  })
  const touched = effectsIn(effects).filter(
    ({ kind, what }) => kind.startsWith('host.ovs.') && what.startsWith('cmp1:'),
  )
  expect(touched).toEqual([])
  expect(mirrors(effects).made.length).toBeGreaterThan(0)
  expect(mirrors(effects).left).toEqual([])
})

/** `ctl1-dhcp` of the folder `…/RUN-ctl1-dhcp`. */
const keyOf = (what: string) => what.replace(/^.*-([a-z0-9]+-[a-z_]+)$/, '$1')

/** What listens on the hosts of a world that is served, seen with their own tools. */
const look = `
apiVersion: runbook/v1
name: look
title: look
steps:
  - id: seen
    targets: all
    action: ssh.script
    effect: read
    with:
      host: "{{ target.name }}"
      script: pgrep -x tcpdump | wc -l
outputs:
  listening: steps.seen.items.map(i, number(i.result.stdout.trim())).sum()
`

test('a run that is killed while it listens removes what listens once it is resumed, and starts nothing twice', async () => {
  const space = workspace()
  const effects = join(space.folder, 'world', 'effects.jsonl')
  space.write('world.yaml', silent())
  space.write('look.yaml', look)
  const served = space.start(['rehearse', 'world.yaml', '--folder', 'world', '--speed', '3'])
  await served.until('is up')
  const from = ['--inventory', 'world/inventory.yaml']
  const listening = async () => {
    const { stdout, all } = await space.run(['exec', './look.yaml', ...from, '--output', 'json'])
    const end = lastEvent(stdout)
    if (end.type !== 'run.ended' || end.status !== 'succeeded') throw new Error(all)
    return end.outputs?.['listening']
  }
  const running = space.start(['exec', 'no-ip', ...from, ...listen(60)])
  const begun = () => space.names().length > 0 && space.lines().some((line) => line.includes('"path/watched/heard['))
  await running.until(begun)
  const [run = ''] = space.names()
  running.child.kill('SIGKILL')
  await running.ended
  const { made } = folders(effects)
  expect(made.length).toBeGreaterThan(3)
  expect(await listening()).toBe(made.length)
  const mirrored = mirrors(effects)
  expect(mirrored.left.length).toBeGreaterThan(1)

  const { code, all } = await space.run(['resume', run])
  expect(code, all).toBe(0)
  expect(folders(effects)).toEqual({ made, left: [] })
  expect(mirrors(effects)).toEqual({ made: mirrored.made, left: [] })
  expect(await listening()).toBe(0)
})

/** How the port was switched, in order. */
const switched = (file: string) =>
  effectsIn(file).flatMap(({ kind, detail }) => (kind === 'openstack.port.update' ? [detail?.['admin_state_up']] : []))

/** The port is off for a second or two: on a busy machine it may be on again before the run is killed. */
async function killedWhileOff(tries = 5) {
  const space = workspace()
  const effects = join(space.folder, 'world', 'effects.jsonl')
  space.write('world.yaml', silent())
  const served = space.start(['rehearse', 'world.yaml', '--folder', 'world', '--speed', '1'])
  await served.until('is up')
  const inputs = [`port=${uuidOf('port/server/web-1')}`, 'trigger=port_toggle', 'capture_seconds=15']
  const words = ['exec', 'dhcp-path', '--inventory', 'world/inventory.yaml']
  const running = space.start([...words, ...inputs.flatMap((one) => ['--input', one])])
  await running.until(() => switched(effects).length > 0)
  running.child.kill('SIGKILL')
  await running.ended
  if (switched(effects).length > 1 && tries > 1) return killedWhileOff(tries - 1)
  expect(switched(effects)).toEqual([false])
  return { space, effects }
}

test('a run that is killed while the port is off leaves it on once it is resumed, and nothing that listens', async () => {
  const { space, effects } = await killedWhileOff()
  const [run = ''] = space.names()
  const { code, all } = await space.run(['resume', run])
  expect(code, all).toBe(0)
  expect(switched(effects).at(-1)).toBe(true)
  expect(folders(effects).left).toEqual([])
  expect(mirrors(effects).left).toEqual([])
})

test('a run that is cancelled while the port is off switches it on again', async () => {
  const world = join(home, 'toggled.yaml')
  const effects = join(home, 'toggled.effects')
  writeFileSync(world, silent())
  const inputs = [`port=${uuidOf('port/server/web-1')}`, 'trigger=port_toggle', 'capture_seconds=600']
  const words = ['exec', 'dhcp-path', '--rehearse', world, '--effects', effects, '--speed', '1', '--output', 'json']
  const stop = new AbortController()
  const all = [...words, ...inputs.flatMap((one) => ['--input', one])]
  const running = runCli(all, { cwd, home, signal: stop.signal })
  while (switched(effects).length === 0) await sleep(5)
  stop.abort()
  const { exit, stdout } = await running
  expect(lastEvent(stdout)).toMatchObject({ type: 'run.ended', status: 'cancelled' })
  expect(exit).toBe(130)
  expect(switched(effects).at(-1)).toBe(true)
  expect(folders(effects).left).toEqual([])
  expect(mirrors(effects).left).toEqual([])
})

test('what listens ends by itself, and takes its files along, when nobody comes back for it', async () => {
  const space = workspace()
  const effects = join(space.folder, 'world', 'effects.jsonl')
  space.write('world.yaml', silent())
  const served = space.start(['rehearse', 'world.yaml', '--folder', 'world', '--speed', '60'])
  await served.until('is up')
  const running = space.start(['exec', 'no-ip', '--inventory', 'world/inventory.yaml', ...listen(300)])
  const begun = () => space.names().length > 0 && space.lines().some((line) => line.includes('"path/watched/heard['))
  await running.until(begun)
  running.child.kill('SIGKILL')
  await running.ended
  const { made, left } = folders(effects)
  expect(left).toEqual(made)
  expect(mirrors(effects).left.length).toBeGreaterThan(1)
  await served.until(() => folders(effects).left.length === 0)
  expect(folders(effects).made).toEqual(made)
  expect(mirrors(effects).left).toEqual([])
})
