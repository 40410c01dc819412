import { expect, test } from 'vitest'
import { type Asked, newSerial, replace, world } from '../test/support/osd-rehearsal.ts'

const dead = { fault: 'ceph.osd_down', with: { osd: 4 } }
const flags = ['noout', 'nodeep-scrub', 'norebalance', 'norecover', 'nobackfill']
const legacy = (scenario: string, { inputs = {}, answers = {} }: Asked = {}) =>
  replace(scenario, {
    runbook: 'osd-replacement-legacy',
    inputs: { device: 'sdc', deploy_host: 'ctl1', ...inputs },
    answers,
  })

const set = (names: readonly string[]) => names.map((flag) => `ceph: osd set ${flag}`)
const unset = (names: readonly string[]) => names.map((flag) => `ceph: osd unset ${flag}`)
const stopped = ['unit.disable: ceph2:ceph-osd@4.service', 'ceph: osd out 4']
const removed = [
  'ceph: auth del osd.4',
  'ceph: osd crush remove osd.4',
  'ceph: osd rm 4',
  'umount: ceph2:/var/lib/ceph/osd/ceph-4',
]
const deployed = [
  'parted: ceph2:/dev/sdc KOLLA_CEPH_OSD_BOOTSTRAP',
  `kolla_ansible.deploy: ceph2:/dev/sdc (${newSerial})`,
]

test('a dead OSD is removed once its data is elsewhere, its disk is changed, and the flags are gone before the new one is filled', async () => {
  const { exit, effects, said } = await legacy(world('legacy', dead))
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...stopped, ...set(flags), ...removed, ...deployed, ...unset(flags)])
})

test('a flag that somebody has set before is remembered and stays', async () => {
  const theirs = { fault: 'ceph.flags', with: { flags: ['noout', 'nodeep-scrub'] } }
  const ours = ['norebalance', 'norecover', 'nobackfill']
  const { exit, effects, said } = await legacy(world('legacy-flags', theirs, dead))
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...stopped, ...set(ours), ...removed, ...deployed, ...unset(ours)])
})

test('flags are unset when the disk is not as it should be, and when a person says no nothing was removed', async () => {
  const smaller = { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 1, bytes: 2_000_398_934_016 } }
  const failed = await legacy(world('legacy-smaller', dead, smaller))
  expect(failed.error).toMatch(/the new disk is smaller/)
  expect({ exit: failed.exit, effects: failed.effects }).toEqual({
    exit: 1,
    effects: [...stopped, ...set(flags), ...removed, ...unset(flags)],
  })
  const no = await legacy(world('legacy-no', dead), { answers: { last: 'no' } })
  expect({ exit: no.exit, effects: no.effects }).toEqual({ exit: 3, effects: stopped })
})

test('nothing is removed while a copy is missing: data that does not move is a stall, with no flag set', async () => {
  const { exit, effects, error } = await legacy(world('legacy-stuck', dead, { fault: 'ceph.recovery_stuck' }))
  expect(error).toMatch(/^until_stalled: /)
  expect({ exit, effects }).toEqual({ exit: 1, effects: stopped })
})

test('an OSD that lives, another that is down, and flags that stop recovery are refused', async () => {
  for (const [name, faults, why] of [
    ['legacy-alive', [], /osd\.4 is not down/],
    ['legacy-two', [dead, { fault: 'ceph.osd_down', with: { osd: 9 } }], /other OSDs are not up: osd\.9/],
    ['legacy-stop', [dead, { fault: 'ceph.flags', with: { flags: ['norecover'] } }], /somebody has set norecover/],
  ] as const) {
    const { exit, effects, error } = await legacy(world(name, ...faults))
    expect(error).toMatch(why)
    expect({ exit, effects }).toEqual({ exit: 1, effects: [] })
  }
})

test('a serial number that was mistyped is asked about, and costs nothing', async () => {
  const answers = { 'remove/new_serial': 'ZC1TNEW1', 'remove/found/which': newSerial }
  const { exit, effects, said } = await legacy(world('legacy-typed', dead), { answers })
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...stopped, ...set(flags), ...removed, ...deployed, ...unset(flags)])
})

test('a disk that is another one than the host knows for the OSD is not taken on the word of whoever typed it', async () => {
  const gone = { fault: 'ceph.block_differs', with: { osd: 4 } }
  for (const [name, device, faults, why] of [
    ['legacy-other', 'sdd', [], /sdd is not the disk of osd\.4: its folder on ceph2 leads to sdc/],
    ['legacy-others', 'sdd', [gone], /sdd is the disk of osd\.5 on ceph2/],
    ['legacy-system', 'sda', [gone], /sda is in use on ceph2: \//],
  ] as const) {
    const { exit, effects, error } = await legacy(world(name, dead, ...faults), { inputs: { device } })
    expect(error).toMatch(why)
    expect({ exit, effects }).toEqual({ exit: 1, effects: [] })
  }
})

test('a placement group whose copies differ, and a monitor that is out of the quorum, are refused', async () => {
  for (const [name, fault, why] of [
    ['legacy-differ', { fault: 'ceph.inconsistent' }, /placement groups are in trouble: .*inconsistent/],
    ['legacy-mon', { fault: 'ceph.mon_down', with: { host: 'ceph3' } }, /a monitor is out of the quorum: only 2 of 3/],
  ] as const) {
    const { exit, effects, error } = await legacy(world(name, dead, fault))
    expect(error).toMatch(why)
    expect({ exit, effects }).toEqual({ exit: 1, effects: [] })
  }
})

test('a line for the folder of the old disk that is left in fstab is told', async () => {
  const line = '/dev/sdc1 /var/lib/ceph/osd/ceph-4 xfs noatime 0 2'
  const stale = { fault: 'hosts.fstab_line', with: { host: 'ceph2', line } }
  const { exit, said } = await legacy(world('legacy-stale', dead, stale))
  expect(exit, said).toBe(0)
  expect(said).toContain(`/etc/fstab of ceph2 still mounts the old disk, take it out: ${line}`)
})

test('a new disk that does not say how it is gets used only by who says so, and a SAS disk that expects to fail is not', async () => {
  const unasked = { smart_command: '["nosuch"]' }
  const no = await legacy(world('legacy-unsaid', dead), { inputs: unasked, answers: { 'remove/unsaid': 'no' } })
  expect({ exit: no.exit, effects: no.effects }, no.said).toEqual({
    exit: 3,
    effects: [...stopped, ...set(flags), ...removed, ...unset(flags)],
  })
  const yes = await legacy(world('legacy-said', dead), { inputs: unasked, answers: { 'remove/unsaid': 'yes' } })
  expect(yes.exit, yes.said).toBe(0)
  const said = 'SMART Health Status: HARDWARE IMPENDING FAILURE GENERAL HARD DRIVE FAILURE [asc=5d, ascq=10]'
  const failing = await legacy(world('legacy-sas', dead), { inputs: { smart_command: JSON.stringify(['echo', said]) } })
  expect(failing.error).toMatch(/the new disk \/dev\/sdc says that it fails/)
  expect(failing.effects).toEqual(no.effects)
})
