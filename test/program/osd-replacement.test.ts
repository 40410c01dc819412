import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { serveWorld, workspace } from './program.ts'

const world = {
  apiVersion: 'runbook/v1',
  name: 'served',
  title: 'A disk that fails, and a technician who takes an hour',
  topology: { controllers: 1, computes: 1, databases: 1, servers: 2 },
  faults: [
    { fault: 'ceph.disk_failing', with: { osd: 4 } },
    { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 60 } },
  ],
}

/** A world that is served by another process, five minutes a second, and a run in it. */
async function served(of: object = world, inputs: readonly string[] = []) {
  const space = workspace()
  const effects = await serveWorld(space, of, 300)
  return {
    ...space,
    done: () => effects().map(({ what }) => what),
    begin: () => [
      ...['exec', resolve('runbooks/osd-replacement.yaml'), '--inventory', 'world/inventory.yaml', '--output', 'plain'],
      ...['osd_id=4', 'admin_host=ceph1', 'poll=1s', ...inputs].flatMap((input) => ['--input', input]),
    ],
  }
}

const resume = (...answers: string[]) => [
  ...['resume', 'last', '--output', 'plain'],
  ...answers.flatMap((answer) => ['--answer', answer]),
]
const given = ['osd out 4', 'ceph2:ceph-osd@4.service', 'osd destroy 4', 'ceph2:/var/lib/ceph/osd/ceph-4']
const taken = ['ceph2:/dev/sdc', 'ceph2:ceph-osd@4.service', 'ceph2:ceph-osd@4.service']

test('a replacement is parked at each question, goes on in a process of its own, and destroys once though it is killed', async () => {
  const space = await served()
  const asked = await space.run(space.begin())
  expect(asked.code, asked.all).toBe(6)
  expect(space.done()).toEqual([])
  const [phrase = ''] = /replace-osd-4-\w+/.exec(asked.all) ?? []
  expect((await space.run(resume(`identity=${phrase}`))).code).toBe(6)
  expect(space.done()).toEqual(given.slice(0, 2))
  const parked = await space.run(resume('leave/last=yes'))
  expect(parked.code, parked.all).toBe(6)
  expect(space.done()).toEqual(given)

  const killed = space.start(resume('swap/new_serial=ZC1TNEW7'))
  await killed.until('swap/found/appears')
  killed.child.kill('SIGKILL')
  await killed.ended
  expect(space.done()).toEqual(given)
  const { code, all } = await space.run(resume())
  expect(code, all).toBe(0)
  expect(space.done()).toEqual([...given, ...taken])
  expect((await space.run(['verify', 'last'])).code).toBe(0)
}, 900_000)

test('a run that is given up after the destroy is taken up by a new one, which destroys nothing', async () => {
  const space = await served()
  const asked = await space.run(space.begin())
  const [phrase = ''] = /replace-osd-4-\w+/.exec(asked.all) ?? []
  const parked = await space.run(resume(`identity=${phrase}`, 'leave/last=yes'))
  expect(parked.code, parked.all).toBe(6)
  await space.run(['resume', 'last', '--cancel'])
  expect(space.done()).toEqual(given)

  const answers = [`identity=${phrase}`, 'swap/new_serial=ZC1TNEW7'].flatMap((answer) => ['--answer', answer])
  const { code, all } = await space.run([...space.begin(), ...answers])
  expect(code, all).toBe(0)
  expect(space.done()).toEqual([...given, ...taken])
}, 900_000)

test('killed while cephadm removes the OSD and again before the swap, it has it removed once, and gives its specification back', async () => {
  const space = await served({ ...world, topology: { ...world.topology, cephadm: true } }, ['deployment=cephadm'])
  const asked = await space.run(space.begin())
  const [phrase = ''] = /replace-osd-4-\w+/.exec(asked.all) ?? []
  let running = space.start(resume(`identity=${phrase}`, 'leave/last=yes'))
  // cephadm has taken the order: whether its end is written down is left to chance; then it has carried it out
  for (const came of ['orch osd rm 4 --replace', 'osd destroy 4']) {
    await running.until(() => space.done().includes(came))
    running.child.kill('SIGKILL')
    await running.ended
    running = space.start(resume('leave/last=yes'))
  }
  const parked = await running.ended
  expect(parked.code, parked.all).toBe(6)
  const { code, all } = await space.run(resume('swap/new_serial=ZC1TNEW7'))
  expect(code, all).toBe(0)
  expect(space.done().filter((what) => !what.endsWith('.service'))).toEqual([
    'orch apply osd.all-available-devices unmanaged',
    'osd out 4',
    'orch osd rm 4 --replace',
    'osd destroy 4',
    'orch apply osd.all-available-devices managed',
    'ceph2:/dev/sdc',
  ])
}, 900_000)
