import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { book, type Workspace, workspace } from './program.ts'
import { type WorldInHand, worldInHand } from './world-in-hand.ts'

const day = 24 * 60 * 60_000

interface Fault {
  readonly fault: string
  readonly with?: object
  readonly after?: string
}

/** A disk that fails; the technician comes two days after it was given up, and the new disk gets another name. */
const served = (...more: Fault[]): Promise<WorldInHand> =>
  worldInHand(
    {
      apiVersion: 'runbook/v1',
      name: 'parked',
      title: 'A technician who takes days',
      topology: { controllers: 1, computes: 1, databases: 1, servers: 2 },
      faults: [
        { fault: 'ceph.disk_failing', with: { osd: 4 } },
        { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 2 * 24 * 60, name: 'sdf' } },
        ...more,
      ],
    },
    300,
  )

interface Operator extends Workspace {
  /** The command that begins it. */
  begin(...inputs: string[]): string[]
}

/** Somebody who works on it from a machine of their own. */
function operator(world: WorldInHand): Operator {
  const space = workspace()
  world.lendTo(space)
  const begin = (...inputs: string[]) => [
    ...['exec', resolve('runbooks/osd-replacement.yaml'), '--inventory', 'world/inventory.yaml', '--output', 'plain'],
    ...['osd_id=4', 'admin_host=ceph1', 'poll=1s', ...inputs].flatMap((input) => ['--input', input]),
  ]
  return { ...space, begin }
}

const resume = (...answers: string[]) => [
  ...['resume', 'last', '--output', 'plain'],
  ...answers.flatMap((answer) => ['--answer', answer]),
]

/** What somebody else types on a host of the cluster. */
async function colleague(world: WorldInHand, command: string, host = 'ceph1'): Promise<void> {
  const space = operator(world)
  space.write(
    'colleague.yaml',
    book('colleague', `steps:\n  - { id: do, action: ssh.run, with: { host: ${host}, command: ${command} } }\n`),
  )
  const { code, all } = await space.run(['exec', 'colleague.yaml', '--inventory', 'world/inventory.yaml'])
  expect(code, all).toBe(0)
}

/** Begins, and waits for an answer to the first question: the phrase that is to be typed. */
async function toThePhrase(space: Workspace, command: readonly string[]): Promise<string> {
  const asked = await space.run(command)
  expect(asked.code, asked.all).toBe(6)
  const [phrase = ''] = /replace-osd-4-\w+/.exec(asked.all) ?? []
  return phrase
}

/** Begins, and goes on to where it asks for the last time before the disk is given up. */
async function toTheLastQuestion(space: Workspace, command: readonly string[]): Promise<void> {
  const phrase = await toThePhrase(space, command)
  const parked = await space.run(resume(`identity=${phrase}`))
  expect(parked.code, parked.all).toBe(6)
}

/** Begins, and goes on to where it waits for the technician. */
async function toTheTechnician(space: Operator, ...inputs: string[]): Promise<void> {
  const phrase = await toThePhrase(space, space.begin(...inputs))
  const parked = await space.run(resume(`identity=${phrase}`, 'leave/last=yes'))
  expect(parked.code, parked.all).toBe(6)
}

/** Three days, in which a colleague replaces the OSD. */
async function replacedMeanwhile(world: WorldInHand): Promise<void> {
  const space = operator(world)
  await toTheTechnician(space)
  await world.clock.advance(3 * day)
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(code, all).toBe(0)
}

const given = ['osd out 4', 'ceph2:ceph-osd@4.service', 'osd destroy 4', 'ceph2:/var/lib/ceph/osd/ceph-4']
const taken = ['ceph2:/dev/sdf', 'ceph2:ceph-osd@4.service', 'ceph2:ceph-osd@4.service']

test('three days after it was parked it goes on: the new disk is found under another name, and nothing is done twice', async () => {
  const world = await served()
  const space = operator(world)
  await toTheTechnician(space)
  expect(world.done()).toEqual(given)
  await world.clock.advance(3 * day)
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(code, all).toBe(0)
  expect(world.done()).toEqual([...given, ...taken])
}, 300_000)

test('a technician who takes longer than the limit ends the run: lamp and flag are taken back, no disk is taken, and another run goes on from there', async () => {
  const world = await served()
  const space = operator(world)
  await toTheTechnician(space, 'strategy=fast_swap', 'led=ledctl', 'swap_timeout=5s')
  const parked = ['osd add-noout 4', ...given.slice(1), 'ceph2:locate=/dev/sdc']
  expect(world.done()).toEqual(parked)
  await world.clock.advance(3 * day)
  await sleep(5_100)
  const late = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(late.all).toContain('nobody answered in time')
  const ended = [...parked, 'ceph2:locate_off=/dev/sdf', 'osd rm-noout 4']
  expect({ code: late.code, done: world.done() }, late.all).toEqual({ code: 3, done: ended })
  const over = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect({ code: over.code, done: world.done() }, over.all).toEqual({ code: 2, done: ended })

  const phrase = await toThePhrase(space, space.begin())
  const again = await space.run(resume(`identity=${phrase}`, 'swap/new_serial=ZC1TNEW7'))
  expect(again.code, again.all).toBe(0)
  expect(world.done()).toEqual([...ended, ...taken])
}, 300_000)

test('flags that somebody set while it was parked are told before the new disk is touched, and it goes on when they are gone', async () => {
  const world = await served({ fault: 'ceph.flags', with: { flags: ['noout', 'norebalance'] }, after: '1d' })
  const space = operator(world)
  await toTheTechnician(space)
  await world.clock.advance(3 * day)
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(all).toContain('somebody has set flags: noout, norebalance')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done: given })

  for (const flag of ['noout', 'norebalance']) await colleague(world, `ceph osd unset ${flag}`)
  const done = world.done()
  const again = await space.run(resume())
  expect(again.code, again.all).toBe(0)
  expect(world.done()).toEqual([...done, ...taken])
}, 300_000)

test('another OSD that failed while it was parked is told before the new disk is touched', async () => {
  const world = await served({ fault: 'ceph.osd_down', with: { osd: 9 }, after: '1d' })
  const space = operator(world)
  await toTheTechnician(space)
  await world.clock.advance(3 * day)
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(all).toContain('other OSDs are not up: osd.9')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done: given })
}, 300_000)

test('another OSD that failed while the last question was open: a fast swap destroys nothing, and puts back what it did', async () => {
  const world = await served({ fault: 'ceph.osd_down', with: { osd: 9 }, after: '1d' })
  const space = operator(world)
  await toTheLastQuestion(space, space.begin('strategy=fast_swap'))
  await world.clock.advance(1 * day)
  const { code, all } = await space.run(resume('leave/last=yes'))
  expect(all).toContain('other OSDs are not up: osd.9')
  expect(code, all).toBe(1)
  expect(world.done()).toEqual([
    'osd add-noout 4',
    'ceph2:ceph-osd@4.service',
    'ceph2:ceph-osd@4.service',
    'osd rm-noout 4',
  ])
}, 300_000)

test('a flag of another OSD alone is told before anything is changed', async () => {
  const world = await served()
  const space = operator(world)
  await colleague(world, 'ceph osd add-noout osd.7')
  const { code, all } = await space.run(space.begin())
  expect(all).toContain('somebody has set flags: osd.7 noout')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done: ['osd add-noout 7'] })
})

test('an OSD that somebody put out while it was parked is told; one that was out before stays out, and is no reason to wait', async () => {
  const world = await served()
  const space = operator(world)
  await colleague(world, 'ceph osd out 7')
  await world.clock.advance(3 * day)
  await toTheTechnician(space)
  await colleague(world, 'ceph osd out 10')
  await world.clock.advance(3 * day)
  const done = world.done()
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(all).toContain('other OSDs have been put out meanwhile: osd.10')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done })

  await colleague(world, 'ceph osd in 10')
  await world.clock.advance(day)
  const again = await space.run(resume())
  expect(again.code, again.all).toBe(0)
  expect(world.done()).toEqual([...done, 'osd in 10', ...taken])
}, 300_000)

test('data that is on its way after the last question keeps a fast swap from destroying a copy', async () => {
  const world = await served({ fault: 'ceph.recovery_stuck', after: '3d' })
  const space = operator(world)
  await colleague(world, 'ceph osd out 7')
  await world.clock.advance(day)
  await toTheLastQuestion(space, space.begin('strategy=fast_swap'))
  await world.clock.advance(3 * day)
  await colleague(world, 'ceph osd in 7')
  const { code, all } = await space.run(resume('leave/last=yes'))
  expect(all).toContain('data is on its way')
  expect(code, all).toBe(1)
  expect(world.done().filter((what) => !what.endsWith('.service'))).toEqual([
    ...['osd out 7', 'osd add-noout 4', 'osd in 7', 'osd rm-noout 4'],
  ])
}, 300_000)

function beginLegacy(...more: string[]): string[] {
  const inputs = ['osd_id=4', 'admin_host=ceph1', 'poll=1s', 'settle=1', 'device=sdc', 'deploy_host=ctl1', ...more]
  return [
    ...['exec', resolve('runbooks/osd-replacement-legacy.yaml'), '--inventory', 'world/inventory.yaml'],
    ...['--output', 'plain', ...inputs.flatMap((input) => ['--input', input])],
  ]
}

/** A disk that has died, and a cluster that is too old to keep its number. */
const servedLegacy = () => served({ fault: 'ceph.osd_down', with: { osd: 4 } })

test('for old clusters: an OSD that a colleague replaced while the first question was open is left alone', async () => {
  const world = await servedLegacy()
  const space = operator(world)
  const phrase = await toThePhrase(space, beginLegacy())
  await replacedMeanwhile(world)
  const done = world.done()
  const { code, all } = await space.run(resume(`identity=${phrase}`, 'last=yes'))
  expect(all).toContain('osd.4 is not down any more')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done })
}, 300_000)

test('for old clusters: another OSD that failed while the last question was open stops it, with nothing removed and no flag set', async () => {
  const world = await servedLegacy()
  const space = operator(world)
  await toTheLastQuestion(space, beginLegacy())
  await colleague(world, 'systemctl stop ceph-osd@3', 'ceph2')
  const done = world.done()
  const { code, all } = await space.run(resume('last=yes'))
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done })
  expect(all).toContain('until_failed')
}, 300_000)

test('for old clusters: a technician who takes longer than the limit ends the run: the flags are unset, and no disk is labelled', async () => {
  const world = await servedLegacy()
  const space = operator(world)
  const phrase = await toThePhrase(space, beginLegacy('swap_timeout=5s'))
  const parked = await space.run(resume(`identity=${phrase}`, 'last=yes'))
  expect(parked.code, parked.all).toBe(6)
  // where this machine is slow the cluster has marked the dead OSD out by itself
  const did = () => world.done().filter((what) => what !== 'osd out 4')
  const flags = ['noout', 'nodeep-scrub', 'norebalance', 'norecover', 'nobackfill']
  const done = [
    ...['ceph2:ceph-osd@4.service', ...flags.map((flag) => `osd set ${flag}`)],
    ...['auth del osd.4', 'osd crush remove osd.4', 'osd rm 4', 'ceph2:/var/lib/ceph/osd/ceph-4'],
  ]
  expect(did()).toEqual(done)
  await world.clock.advance(3 * day)
  await sleep(5_100)
  const late = await space.run(resume('remove/new_serial=ZC1TNEW7'))
  expect(late.all).toContain('nobody answered in time')
  const ended = [...done, ...flags.map((flag) => `osd unset ${flag}`)]
  expect({ code: late.code, done: did() }, late.all).toEqual({ code: 3, done: ended })
  const over = await space.run(resume('remove/new_serial=ZC1TNEW7'))
  expect({ code: over.code, done: did() }, over.all).toEqual({ code: 2, done: ended })
}, 300_000)

/** For an old cluster: begins, and goes on to where it waits for the technician, who has come since. */
async function toTheLegacyTechnician(world: WorldInHand, space: Workspace, ...inputs: string[]): Promise<void> {
  await toTheLastQuestion(space, beginLegacy(...inputs))
  const parked = await space.run(resume('last=yes'))
  expect(parked.code, parked.all).toBe(6)
  await world.clock.advance(3 * day)
}

/** Whether a disk was labelled, or anything deployed. */
const labelled = (world: WorldInHand) => world.done().filter((what) => /sdf/.test(what))

test('for old clusters: what happened to the others while the technician was waited for stops it before the new disk is labelled', async () => {
  for (const [command, host, why] of [
    ['systemctl stop ceph-osd@3', 'ceph2', /other OSDs are not up any more: osd\.3/],
    ['ceph osd out 7', 'ceph1', /other OSDs were put out meanwhile: osd\.7/],
    ['ceph osd set pause', 'ceph1', /somebody has set flags meanwhile: pauserd, pausewr/],
  ] as const) {
    const world = await servedLegacy()
    const space = operator(world)
    await toTheLegacyTechnician(world, space)
    await colleague(world, command, host)
    const { code, all } = await space.run(resume('remove/new_serial=ZC1TNEW7'))
    expect({ command, code, labelled: labelled(world) }, all).toEqual({ command, code: 1, labelled: [] })
    expect(all).toMatch(why)
    expect(world.done().filter((what) => what.startsWith('osd unset'))).toHaveLength(5)
  }
}, 600_000)

test('for old clusters: a flag that a colleague sets while the last question is open is theirs, and stays', async () => {
  const world = await servedLegacy()
  const space = operator(world)
  await toTheLastQuestion(space, beginLegacy())
  await colleague(world, 'ceph osd set noout')
  const parked = await space.run(resume('last=yes'))
  expect(parked.code, parked.all).toBe(6)
  await world.clock.advance(3 * day)
  const { code, all } = await space.run(resume('remove/new_serial=ZC1TNEW7'))
  expect(code, all).toBe(0)
  expect(world.done().filter((what) => what.startsWith('osd unset'))).toEqual(
    ['nodeep-scrub', 'norebalance', 'norecover', 'nobackfill'].map((flag) => `osd unset ${flag}`),
  )
}, 300_000)

test('for old clusters: a flag that a colleague sets meanwhile, with which nothing is ever filled, stops it before anything is removed', async () => {
  const world = await servedLegacy()
  const space = operator(world)
  await toTheLastQuestion(space, beginLegacy())
  await colleague(world, 'ceph osd set norebalance')
  const done = world.done()
  const { code, all } = await space.run(resume('last=yes'))
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done })
  expect(all).toContain('somebody has set')
}, 300_000)

test('a serial number that is mistyped after three days is asked for again, with the disks that are there', async () => {
  for (const legacy of [false, true]) {
    const world = await (legacy ? servedLegacy() : served())
    const space = operator(world)
    if (legacy) await toTheLegacyTechnician(world, space, 'find_timeout=5s')
    else await toTheTechnician(space, 'find_timeout=5s')
    if (!legacy) await world.clock.advance(3 * day)
    const block = legacy ? 'remove' : 'swap'
    const asked = await space.run(resume(`${block}/new_serial=ZC1TNEW1`))
    expect(asked.code, asked.all).toBe(6)
    expect(asked.all).toContain('No disk of ceph2 has the serial number ZC1TNEW1. Seen are ZC1TNEW7 (/dev/sdf).')
    // not there is no answer either: it is tried again
    const none = await space.run(resume(`${block}/found/which=none`))
    expect(none.code, none.all).toBe(6)
    const again = await space.run(resume(`${block}/found!paused=retry`))
    expect(again.code, again.all).toBe(6)
    const { code, all } = await space.run(resume(`${block}/found!again2/which=ZC1TNEW7`))
    expect(code, all).toBe(0)
    expect(labelled(world)[0]).toMatch(/^ceph2:\/dev\/sdf/)
  }
}, 600_000)

test('an OSD that a colleague replaced while the first question was open is left alone', async () => {
  const world = await served()
  const space = operator(world)
  const phrase = await toThePhrase(space, space.begin())
  await replacedMeanwhile(world)
  const done = world.done()
  const { code, all } = await space.run(resume(`identity=${phrase}`, 'leave/last=yes'))
  expect(all).toContain('osd.4 is not the OSD any more that was looked at')
  expect({ code, done: world.done() }, all).toEqual({ code: 1, done })
}, 300_000)
