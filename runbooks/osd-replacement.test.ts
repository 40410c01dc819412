import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../engine/run/event.ts'
import {
  type Asked,
  newSerial,
  place,
  replace,
  serialOf,
  world,
  worldOfCephadm,
} from '../test/support/osd-rehearsal.ts'

const osd4 = { osd: 4 }
const replaced = [
  'ceph: osd out 4',
  'unit.disable: ceph2:ceph-osd@4.service',
  'ceph: osd destroy 4',
  'umount: ceph2:/var/lib/ceph/osd/ceph-4',
  `ceph_volume.create: ceph2:/dev/sdc (${newSerial})`,
  'unit.reset_failed: ceph2:ceph-osd@4.service',
  'unit.enable: ceph2:ceph-osd@4.service',
]
const putBack = ['unit.enable: ceph2:ceph-osd@4.service', 'ceph: osd in 4']
const refusedBefore = async (scenario: string, why: RegExp, inputs: Asked['inputs'] = {}) => {
  const { exit, effects, error } = await replace(scenario, { inputs })
  expect(error).toMatch(why)
  expect({ exit, effects }).toEqual({ exit: 1, effects: [] })
}

test('a disk that fails is drained, destroyed once, changed, and filled again under its old number', async () => {
  const { exit, effects, events, said } = await replace('osd-failing')
  expect(exit, said).toBe(0)
  expect(effects).toEqual(replaced)
  const end = events.at(-1)
  expect(end?.type === 'run.ended' && end.outputs).toMatchObject({ osd: 'osd.4', host: 'ceph2', new_serial: newSerial })
})

test('a disk that has died is replaced as well, though its host can no longer read it', async () => {
  const scenario = world('dead', { fault: 'ceph.osd_down', with: osd4 })
  const { exit, effects, said } = await replace(scenario)
  expect(exit, said).toBe(0)
  expect(effects).toEqual(replaced)
})

test('a disk that its host no longer has leaves a volume on nothing, and is replaced by what its daemon told of it', async () => {
  const sealed = [
    { fault: 'ceph.encrypted', with: osd4 },
    { fault: 'ceph.disk_gone', with: osd4 },
  ]
  for (const gone of ['osd-disk-gone', world('gone-sealed', ...sealed)]) {
    const { exit, effects, said } = await replace(gone)
    expect(exit, said).toBe(0)
    const encrypted = gone === 'osd-disk-gone' ? '' : ', encrypted'
    expect(effects).toEqual(replaced.map((each) => each.replace(`(${newSerial})`, `(${newSerial}${encrypted})`)))
  }
})

test('a dry run reads everything and changes nothing', async () => {
  const { exit, effects, events } = await replace('osd-failing', { args: ['--dry-run'] })
  expect({ exit, effects }).toEqual({ exit: 0, effects: [] })
  const shown = events.flatMap((event) => (event.type === 'step.previewed' ? [event.step] : []))
  expect(shown).toEqual(expect.arrayContaining(['leave/out', 'leave/stop', 'leave/destroy', 'swap/create']))
})

test('no step has a hole in its name where there is no specification of cephadm', async () => {
  const { exit, events } = await replace('osd-failing', { args: ['--dry-run'] })
  const names = events.flatMap((event) => ('name' in event && event.name !== undefined ? [event.name] : []))
  expect({ exit, names: names.filter((name) => / {2}|^ | $/.test(name)) }).toEqual({ exit: 0, names: [] })
  expect(names).toContain('See whether its specification is as it was')
})

test('another phrase than the number with the end of the serial number changes nothing', async () => {
  for (const identity of ['no', 'yes', 'replace-osd-4', 'replace-osd-4-0000', 'replace-osd-5-7777']) {
    const { exit, effects } = await replace(world('phrase'), { answers: { identity } })
    expect({ identity, exit, effects }).toEqual({ identity, exit: identity === 'no' ? 3 : 6, effects: [] })
  }
})

test('flags that somebody has set are told, and nothing is changed', async () => {
  const flags = ['noout', 'norecover']
  await refusedBefore(
    world('flags', { fault: 'ceph.flags', with: { flags } }),
    /somebody has set flags: noout, norecover/,
  )
})

test('peers that would be nearly full are told, and nothing is changed', async () => {
  const full = { fault: 'ceph.nearfull', with: { osd: 7, percent: 84.5 } }
  await refusedBefore(world('full', full), /these would be nearly full, 85 % or more: osd\.7/)
})

test('a serial number on which daemon and host disagree stops it before anything is changed', async () => {
  await refusedBefore(
    'osd-wrong-disk',
    /the serial numbers disagree: the daemon of osd\.4 ran on ZC1WRONG, and sdc on ceph2 is ZC1/,
  )
})

describe('a dead disk whose host was rebooted', () => {
  const swapped = { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 1, name: 'sdf' } }
  const shifted = (name: string, how: object, ...more: { fault: string; with?: object }[]) =>
    world(name, { fault: 'ceph.osd_down', with: osd4 }, ...more, {
      fault: 'ceph.names_shifted',
      with: { osd: 4, ...how },
    })
  const unmounted = replaced.filter((effect) => !effect.startsWith('umount'))
  const taken = (disk: string) => `ceph_volume.create: ceph2:/dev/${disk} (${newSerial})`

  test('is known by its serial number under the name that it has now, and no other is taken for it', async () => {
    const scenario = shifted('renamed', { gone: false, unit: 'none' })
    const { exit, effects, said } = await replace(scenario)
    expect(exit, said).toBe(0)
    expect(effects).toEqual(unmounted.map((effect) => effect.replace(replaced[4] ?? '', taken('sdd'))))
    expect(said).toContain('Pull the disk sdd (formerly sdc) (ST4000NM000A-2HZ100')
  })

  test('is replaced when it is gone, for the host still has the unit of that very OSD: its slot is told, not the name that another one has', async () => {
    const { exit, effects, said } = await replace('osd-host-rebooted')
    expect(exit, said).toBe(0)
    expect(effects).toEqual(unmounted.map((effect) => effect.replace(replaced[4] ?? '', taken('sdf'))))
    expect(said).toMatch(
      /Pull the disk \(formerly sdc, which its host no longer sees\) \(.*slot pci-0000:3b:00\.0-sas-phy2-lun-0\)/,
    )
    expect(said).toMatch(/map, daemon, unit/)
  })

  test('is replaced when it is gone and cephadm keeps the folder of the OSD', async () => {
    const late = { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 8, name: 'sdf' } }
    const dead = { fault: 'ceph.osd_down', with: osd4 }
    const scenario = worldOfCephadm('gone-cephadm', dead, late, {
      fault: 'ceph.names_shifted',
      with: { osd: 4, unit: 'none' },
    })
    const { exit, effects, said } = await replace(scenario, { inputs: { deployment: 'cephadm' } })
    expect(exit, said).toBe(0)
    expect(effects).toContain(`cephadm.create: ceph2:/dev/sdf (${newSerial})`)
  })

  test('is refused when it is gone and nothing on the host says that the OSD is there', async () => {
    for (const unit of ['none', 'earlier'])
      await refusedBefore(
        shifted(`gone-${unit}`, { gone: true, unit }, swapped),
        /nothing on ceph2 says that osd\.4 is there: .* no unit begins it when the host boots/,
      )
  })

  test('is refused when its daemon told no serial number, for its name is that of another one by now', async () => {
    const untold = { fault: 'ceph.serial_differs', with: { osd: 4, serial: '' } }
    for (const gone of [true, false])
      await refusedBefore(
        shifted(`untold-${gone}`, { gone, unit: 'own' }, swapped, untold),
        /nothing on ceph2 says that sdc is the disk of osd\.4/,
      )
  })
})

test('a daemon that ran on another host than the map has stops it before anything is changed', async () => {
  await refusedBefore(
    world('host', { fault: 'ceph.host_differs', with: osd4 }),
    /osd\.4 is on ceph2 in Ceph's map, and its daemon ran on ceph9/,
  )
})

test('a folder that belongs to another OSD stops it before anything is changed', async () => {
  await refusedBefore(
    world('folder', { fault: 'ceph.folder_differs', with: { osd: 4, of: 5 } }),
    /the folder of osd\.4 on ceph2 belongs to [0-9a-f-]{36}, and Ceph's map says [0-9a-f-]{36}/,
  )
})

test('a folder that leads to another disk than the daemon told stops it before anything is changed, whether ceph-volume lists the OSD or not', async () => {
  const listed = world('leads-listed', { fault: 'ceph.block_differs', with: { osd: 4, disk: 'sdd' } })
  for (const scenario of [listed, 'osd-disks-moved'])
    await refusedBefore(scenario, /the folder of osd\.4 on ceph2 leads to sdd, and its daemon named sdc when it began/)
})

test('another disk that ceph-volume has for the OSD, or another OSD with its number, stops it before anything is changed', async () => {
  const fsid = '0a0a0a0a-0000-4000-8000-000000000001'
  for (const prepare of ['lvm', 'raw']) {
    for (const [what, differs, shown] of [
      ['disk', { disk: 'sdd' }, '/dev/sdd'],
      ['fsid', { fsid }, fsid],
    ] as const) {
      const scenario = world(`${prepare}-${what}`, { fault: 'ceph.volume_differs', with: { osd: 4, ...differs } })
      const why = new RegExp(`ceph-volume has another disk for osd\\.4 than its daemon, which names sdc: .*${shown}`)
      await refusedBefore(scenario, why, { prepare })
    }
  }
})

test('what ran out of time midway is put back as well, for it may have happened', async () => {
  const late = (change: string) => ({ fault: 'ceph.answers_late', with: { change } })
  const { exit, effects } = await replace(world('late-out', late('osd out')))
  expect({ exit, effects }).toEqual({ exit: 1, effects: [replaced[0], putBack[1]] })

  const swap = await replace(world('late-noout', late('osd add-noout')), { inputs: { strategy: 'fast_swap' } })
  expect({ exit: swap.exit, effects: swap.effects }).toEqual({
    exit: 1,
    effects: ['ceph: osd add-noout 4', 'ceph: osd rm-noout 4'],
  })

  const slow = { fault: 'hosts.unit_slow_to_stop', with: { host: 'ceph2', unit: 'ceph-osd@4' } }
  const stopped = await replace(world('slow-stop', slow))
  expect({ exit: stopped.exit, effects: stopped.effects }).toEqual({
    exit: 1,
    effects: [...replaced.slice(0, 2), ...putBack],
  })
})

test('a cluster with a daemon from before Luminous is left to the other runbook', async () => {
  await refusedBefore(
    world('old', { fault: 'ceph.old_daemon', with: { osd: 9 } }),
    /this needs Ceph 12 or newer, and there is ceph version 10\.2\.11 .*: use `osd-replacement-legacy`/,
  )
})

test('another OSD that is down already stops it before anything is changed', async () => {
  await refusedBefore(world('two', { fault: 'ceph.osd_down', with: { osd: 9 } }), /other OSDs are not up: osd\.9/)
})

test('a monitor that is out of the quorum stops it before anything is changed', async () => {
  await refusedBefore(
    world('mon', { fault: 'ceph.mon_down', with: { host: 'ceph3' } }),
    /a monitor is out of the quorum/,
  )
})

test('a placement group whose copies differ stops it before anything is changed', async () => {
  await refusedBefore(
    world('differ', { fault: 'ceph.inconsistent' }),
    /placement groups are in trouble: .*active\+clean\+inconsistent/,
  )
})

test('an OSD that does not exist is not safe, it is not there', async () => {
  await refusedBefore(world('absent'), /osd\.99 does not exist/, { osd_id: '99' })
})

test('a second OSD that fails while data leaves stops it: nothing is destroyed, and the OSD is back in', async () => {
  const { exit, effects, error } = await replace('osd-second-failure')
  expect({ exit, effects }).toEqual({ exit: 1, effects: ['ceph: osd out 4', 'ceph: osd in 4'] })
  expect(error).toMatch(/^until_failed: .*n\.id != inputs\.osd_id && n\.status != 'up'/)
})

test('data that no longer moves is a stall after half an hour, long before the time limit', async () => {
  const { exit, effects, error, events } = await replace('osd-drain-stalled')
  expect(error).toMatch(/^until_stalled: [\s\S]*nothing moves any more since 30m/)
  expect({ exit, effects }).toEqual({ exit: 1, effects: ['ceph: osd out 4', 'ceph: osd in 4'] })
  const [first, last] = [events[0], events.at(-1)]
  if (first?.type !== 'run.began' || last?.type !== 'run.ended') throw new Error('no run')
  expect(Date.parse(last.at) - Date.parse(first.at)).toBeLessThan(60 * 60_000)
})

test('a destroy that is refused because the OSD is seen up is tried again, after looking whether it is safe', async () => {
  expect(await replace('osd-destroy-refused')).toMatchObject({ exit: 0, effects: replaced })
  const always = await replace(world('busier', { fault: 'ceph.destroy_refused', with: { osd: 4, times: 99 } }))
  expect(always.error).toMatch(/EBUSY/)
  expect(always.effects).toEqual([...replaced.slice(0, 2), ...putBack])
})

test('an OSD that is still up a minute after its daemon was stopped is not destroyed, and is put back as it was', async () => {
  const stays = world('stays-up', { fault: 'ceph.stays_up', with: { osd: 4, minutes: 10 } })
  const drained = await replace(stays)
  expect(drained.error).toMatch(/^timed_out: [\s\S]*n\.status == 'down'\)[\s\S]* did not come true within 1m: /)
  expect({ exit: drained.exit, effects: drained.effects }).toEqual({
    exit: 1,
    effects: [...replaced.slice(0, 2), ...putBack],
  })
  const fast = await replace(stays, { inputs: { strategy: 'fast_swap' } })
  expect({ exit: fast.exit, effects: fast.effects }).toEqual({
    exit: 1,
    effects: ['ceph: osd add-noout 4', replaced[1], putBack[0], 'ceph: osd rm-noout 4'],
  })
})

test('a disk that does not say how it is has not passed: the old one is asked about, the new one is used only by who says so', async () => {
  for (const said of ['nosuch', 'echo', '["echo", "Unable to detect device type"]']) {
    const smart_command = said.startsWith('[') ? said : JSON.stringify([said])
    const sound = world('sound', { fault: 'ceph.disk_failing', with: { osd: 9 } })
    const no = await replace(sound, { inputs: { smart_command }, answers: { 'swap/unsaid': 'no' } })
    expect(no.said).toContain('cannot be told, 1 errors in the kernel log')
    expect({ exit: no.exit, effects: no.effects }, no.said).toEqual({ exit: 3, effects: replaced.slice(0, 4) })
    const yes = await replace(sound, { inputs: { smart_command }, answers: { 'swap/unsaid': 'yes' } })
    expect({ exit: yes.exit, effects: yes.effects }, yes.said).toEqual({ exit: 0, effects: replaced })
  }
})

test('a SAS disk that expects to fail says so in other words than an ATA disk, and is not used', async () => {
  const said = 'SMART Health Status: FAILURE PREDICTION THRESHOLD EXCEEDED [asc=5d, ascq=0]'
  const failing = await replace(world('sas-failing'), { inputs: { smart_command: JSON.stringify(['echo', said]) } })
  expect(failing.error).toMatch(/the new disk \/dev\/sdc says that it fails, or does not answer/)
  expect(failing.said).toContain('failing, 1 errors in the kernel log')
  expect({ exit: failing.exit, effects: failing.effects }).toEqual({ exit: 1, effects: replaced.slice(0, 4) })
  const well = JSON.stringify(['echo', 'SMART Health Status: OK'])
  const used = await replace(world('sas-well'), { inputs: { smart_command: well } })
  expect({ exit: used.exit, effects: used.effects }, used.said).toEqual({ exit: 0, effects: replaced })
})

test('a line for the folder of the old disk that is left in fstab is told', async () => {
  const line = '/dev/sdc1 /var/lib/ceph/osd/ceph-4 xfs noatime 0 2'
  const stale = world('stale', { fault: 'hosts.fstab_line', with: { host: 'ceph2', line } })
  const { exit, effects, said } = await replace(stale)
  expect({ exit, effects }).toEqual({ exit: 0, effects: replaced })
  expect(said).toContain(`/etc/fstab of ceph2 still mounts the old disk, take it out: ${line}`)
})

test('a no to the last question puts the OSD back as it was', async () => {
  const { exit, effects } = await replace(world('no'), { answers: { 'leave/last': 'no' } })
  expect({ exit, effects }).toEqual({ exit: 3, effects: [...replaced.slice(0, 2), ...putBack] })
})

test('a new disk under another name is found by its serial number', async () => {
  const { exit, effects, said } = await replace('osd-disk-renamed')
  expect(exit, said).toBe(0)
  expect(effects).toContain(`ceph_volume.create: ceph2:/dev/sdf (${newSerial})`)
})

test('a new disk that is smaller than the old one is not used', async () => {
  const { exit, effects, error } = await replace('osd-smaller-disk')
  expect(error).toMatch(/the new disk is smaller: 2000398934016 bytes, and the old one has 4000787030016/)
  expect({ exit, effects }).toEqual({ exit: 1, effects: replaced.slice(0, 4) })
})

test('a new disk of another kind, in another slot, or that fails is not used', async () => {
  for (const [name, how, why] of [
    ['kind', { rotational: false }, /the new disk is of another kind than the old one/],
    [
      'slot',
      { elsewhere: true },
      /the new disk is in another slot: pci-0000:3b:00\.0-sas-phy\d+-lun-0, and the old one/,
    ],
    ['fails', { failing: true }, /the new disk \/dev\/sdc says that it fails/],
  ] as const) {
    const scenario = world(name, { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 1, ...how } })
    const { exit, effects, error } = await replace(scenario)
    expect(error).toMatch(why)
    expect({ name, exit, effects }).toEqual({ name, exit: 1, effects: replaced.slice(0, 4) })
  }
})

describe('a serial number that was not typed as it stands on the label', () => {
  const askedIn = (events: readonly RunEvent[], step: string) =>
    events.flatMap((event) => (event.type === 'asked' && event.step === step ? [event.question] : []))

  test('is asked about: which of the disks that are there it is; nothing is lost, and the old ones are not offered', async () => {
    const scenario = world('typed')
    const [old, other] = [await serialOf(scenario, 4), await serialOf(scenario, 5)]
    for (const [typed, why] of [
      ['ZC1TNEW8', /No disk of ceph2 has the serial number ZC1TNEW8\. Seen are ZC1TNEW7 \(\/dev\/sdc\)/],
      [other, /is the serial number of the disk of another OSD\. Seen are ZC1TNEW7/],
    ] as const) {
      const answers = { 'swap/new_serial': typed, 'swap/found/which': newSerial }
      const { exit, effects, events } = await replace(scenario, { answers })
      expect({ typed, exit, effects }).toEqual({ typed, exit: 0, effects: replaced })
      const [question] = askedIn(events, 'swap/found/which')
      expect(question?.message).toMatch(why)
      expect(question?.options?.map(({ value }) => value)).toEqual([newSerial, 'none'])
      expect(JSON.stringify(question)).not.toContain(`"value":"${old}"`)
      // as soon as nothing more comes, and not after ten minutes
      const minutes = (key: string) => Date.parse(events.find((e) => 'key' in e && e.key === key)?.at ?? '') / 60_000
      expect(minutes('swap/found/which') - minutes('swap/found/appears')).toBeLessThan(3)
    }
  })

  test('is asked for again as often as need be, when no new disk is there yet', async () => {
    const late = world('late-disk', { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 25 } })
    const old = await serialOf(late, 4)
    // the old one is still in its slot, and it is its label that was read
    const parked = await replace(late, { answers: { 'swap/new_serial': old } })
    expect({ exit: parked.exit, effects: parked.effects }).toEqual({ exit: 6, effects: replaced.slice(0, 4) })
    const [question] = askedIn(parked.events, 'swap/found')
    expect(question?.message).toMatch(
      /ceph2 does not see the new disk: ZC1\d+ was typed, which is the serial number of the old disk, and seen is no disk that is free/,
    )
    // ten minutes, and ten, and then it is there
    const again = ['swap/found!paused', 'swap/found!again2!paused'].map((key) => [key, 'retry'])
    const answers = { ...Object.fromEntries(again), 'swap/new_serial': newSerial }
    const { exit, effects } = await replace(late, { answers })
    expect({ exit, effects }).toEqual({ exit: 0, effects: replaced })
  })

  test('ends the run when nobody finds the disk', async () => {
    const answers = { 'swap/new_serial': 'ZC1NOBODY', 'swap/found/which': 'none', 'swap/found!paused': 'abort' }
    const { exit, effects, error } = await replace(world('nobody'), { answers })
    expect(error).toMatch(/ceph2 does not see the new disk: ZC1NOBODY was typed, and seen are ZC1TNEW7 \(\/dev\/sdc\)/)
    expect({ exit, effects }).toEqual({ exit: 1, effects: replaced.slice(0, 4) })
    const on = await replace(world('without'), { answers: { ...answers, 'swap/found!paused': 'continue' } })
    expect(on.error).toMatch(/the new disk was not found, and without one nothing more can be done here/)
    expect({ exit: on.exit, effects: on.effects }).toEqual({ exit, effects })
  })
})

test('what somebody left on the new disk is wiped only by who types its serial number', async () => {
  const used = world('used', { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 1, signature: 'xfs' } })
  const no = await replace(used, { answers: { 'swap/leftovers/wipe': 'no' } })
  expect({ exit: no.exit, effects: no.effects }).toEqual({ exit: 3, effects: replaced.slice(0, 4) })
  const { exit, effects } = await replace(used, { answers: { 'swap/leftovers/wipe': `wipe-${newSerial}` } })
  expect(exit).toBe(0)
  expect(effects).toEqual([...replaced.slice(0, 4), 'ceph_volume.zap: ceph2:/dev/sdc', ...replaced.slice(4)])
})

test('an OSD that somebody purged meanwhile is not made anew under another number or place', async () => {
  const { exit, effects, error } = await replace(world('purged', { fault: 'ceph.id_lost', with: osd4 }))
  expect(error).toMatch(/osd\.4 is no longer destroyed and waiting/)
  expect({ exit, effects }).toEqual({ exit: 1, effects: replaced.slice(0, 4) })
})

test('a number that somebody took for another disk is in use: it is told, and no disk is taken', async () => {
  const { exit, effects, error } = await replace('osd-number-taken')
  expect(error).toMatch(/osd\.4 is no longer destroyed and waiting: .*begun to make it anew/)
  expect({ exit, effects }).toEqual({ exit: 1, effects: replaced.slice(0, 4) })
})

test('a new disk that is not filled any further is a stall, and not done', async () => {
  const { exit, effects, error } = await replace('osd-not-filled')
  expect(error).toMatch(/^until_stalled: /)
  expect({ exit, effects }).toEqual({ exit: 1, effects: replaced })
})

test('a fast swap keeps the OSD from being put out, and takes that back, also when it fails', async () => {
  const inputs = { strategy: 'fast_swap' }
  const kept = ['ceph: osd add-noout 4', ...replaced.slice(1)]
  const { exit, effects, said } = await replace(world('fast'), { inputs })
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...kept, 'ceph: osd rm-noout 4'])
  const failed = await replace('osd-smaller-disk', { inputs })
  expect({ exit: failed.exit, effects: failed.effects }).toEqual({
    exit: 1,
    effects: [...kept.slice(0, 4), 'ceph: osd rm-noout 4'],
  })
})

test('placement groups without an object lack no copy while the disk is away, and are no reason to stop a fast swap', async () => {
  const { exit, effects, said } = await replace(world('empty', { fault: 'ceph.pool_empty' }), {
    inputs: { strategy: 'fast_swap' },
  })
  expect(exit, said).toBe(0)
  expect(said).toMatch(/active\+undersized\\*"/)
  expect(effects).toContain('ceph: osd destroy 4')
})

test('a disk of which nothing says that it fails is replaced only when a person says so again', async () => {
  const path = place('sound.yaml')
  const topology = { controllers: 1, computes: 1, databases: 1, servers: 2 }
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name: 'sound', title: 'sound', topology }))
  const { exit, effects } = await replace(path, { answers: { healthy: 'no' } })
  expect({ exit, effects }).toEqual({ exit: 3, effects: [] })
})

test('a database on a device of its own takes its old volume again, which is wiped first, and no other OSD loses its own', async () => {
  const scenario = world('database', { fault: 'ceph.shared_database', with: osd4 })
  await refusedBefore(scenario, /has its database on a device of its own: say with `block_db`/)
  await refusedBefore(scenario, /ceph-db\/db-5 is of osd\.5/, { block_db: 'ceph-db/db-5' })
  const { exit, effects, said } = await replace(scenario, { inputs: { block_db: 'ceph-db/db-4' } })
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...replaced.slice(0, 4), 'ceph_volume.zap: ceph2:ceph-db/db-4', ...replaced.slice(4)])
  expect(said).toContain('nvme0n1, shared with osd.3, osd.5')
})

test('a write-ahead log on a volume of its own is told, wiped, and taken by the new OSD', async () => {
  const scenario = world('log', { fault: 'ceph.shared_database', with: { osd: 4, logs: true } })
  const block_db = 'ceph-db/db-4'
  await refusedBefore(scenario, /has its write-ahead log on a device of its own: say with `block_wal`/, { block_db })
  await refusedBefore(scenario, /ceph-db\/wal-5 is of osd\.5/, { block_db, block_wal: 'ceph-db/wal-5' })
  const { exit, effects, said } = await replace(scenario, { inputs: { block_db, block_wal: 'ceph-db/wal-4' } })
  expect(exit, said).toBe(0)
  expect(effects).toEqual([
    ...replaced.slice(0, 4),
    'ceph_volume.zap: ceph2:ceph-db/db-4',
    'ceph_volume.zap: ceph2:ceph-db/wal-4',
    `ceph_volume.create: ceph2:/dev/sdc (${newSerial}, ceph-db/wal-4)`,
    ...replaced.slice(5),
  ])
})

test('a failing device with the databases of several OSDs is not taken for one disk', async () => {
  await refusedBefore('osd-shared-database', /nvme0n1, which fails and carries those of osd\.3, osd\.5 too/, {
    block_db: 'ceph-db/db-4',
  })
})

test('an OSD that was encrypted is closed, and encrypted again', async () => {
  const sealed = world('sealed', { fault: 'ceph.encrypted', with: osd4 })
  const { exit, effects, said } = await replace(sealed)
  expect(exit, said).toBe(0)
  expect(effects.map((effect) => effect.replace(/close [\w-]{38}$/, 'close its volume'))).toEqual([
    ...replaced.slice(0, 4),
    'cryptsetup: ceph2:close its volume',
    `ceph_volume.create: ceph2:/dev/sdc (${newSerial}, encrypted)`,
    ...replaced.slice(5),
  ])
})

test('a number that is lost while the new OSD is made is told, and not taken for done', async () => {
  const { exit, effects, said } = await replace('osd-number-lost')
  expect({ exit, effects }).toEqual({
    exit: 1,
    effects: [...replaced.slice(0, 4), 'ceph_volume.rollback: ceph2:osd.4'],
  })
  expect(said).toMatch(/has removed its number and its place\. Decide:/)
})

test('a fast swap needs pools that bear it', async () => {
  await refusedBefore(world('thin', { fault: 'ceph.thin_pool' }), /these do not: vms/, { strategy: 'fast_swap' })
})

test('placement groups of which nobody tells stop it before anything is changed', async () => {
  const stale = world('stale-first', { fault: 'ceph.stale', with: { osd: 7 } })
  for (const strategy of ['drain', 'fast_swap']) await refusedBefore(stale, /stale\+active\+clean/, { strategy })
})

test('a fast swap waits until another OSD tells of the placement groups that the stopped one led, and puts it back when none does', async () => {
  const fast = { inputs: { strategy: 'fast_swap' } }
  const soon = await replace(
    world('stale-soon', { fault: 'ceph.stale', with: { osd: 4, minutes: 0.5, once_down: true } }),
    fast,
  )
  expect(soon.exit, soon.said).toBe(0)
  expect(soon.effects).toContain('ceph: osd destroy 4')
  const never = await replace('osd-stale', fast)
  expect(never.error).toMatch(/did not come true within 1m.*stale\+active\+clean/s)
  expect({ exit: never.exit, effects: never.effects }).toEqual({
    exit: 1,
    effects: ['ceph: osd add-noout 4', replaced[1], putBack[0], 'ceph: osd rm-noout 4'],
  })
})

test('a daemon that Ceph would not let stop is not stopped, and nothing stays set', async () => {
  const strict = world('strict', { fault: 'ceph.thin_pool', with: { pool: 'vms', size: 3, min_size: 3 } })
  const { exit, effects, error } = await replace(strict, { inputs: { strategy: 'fast_swap' } })
  expect(error).toMatch(/Ceph says that osd\.4 may not be stopped: .*bad_become_inactive/)
  expect({ exit, effects }).toEqual({ exit: 1, effects: ['ceph: osd add-noout 4', 'ceph: osd rm-noout 4'] })
})

test('the lamp of the slot is lit for the technician, who is told so, and put out', async () => {
  const lamps = async (scenario: string, inputs: { readonly [name: string]: string }) => {
    const { exit, effects, said } = await replace(scenario, { inputs })
    expect(exit, said).toBe(0)
    expect(said).toContain('; the lamp of its slot is lit) from ceph2')
    return effects.filter((effect) => /light|ledctl|destroy|osd rm|create|osd add/.test(effect))
  }
  expect(await lamps(world('lamp'), { led: 'ledctl' })).toEqual([
    'ceph: osd destroy 4',
    'ledctl: ceph2:locate=/dev/sdc',
    replaced[4],
    'ledctl: ceph2:locate_off=/dev/sdc',
  ])
  // cephadm takes its time to remove an OSD, and the technician comes after that
  const cephadm = worldOfCephadm('lamp-cephadm', { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 8 } })
  const old = await serialOf(cephadm, 4)
  expect((await lamps(cephadm, { led: 'ceph', deployment: 'cephadm' })).slice(1)).toEqual([
    'cephadm: osd destroy 4',
    `ceph: device light on ST4000NM000A-2HZ100_${old}`,
    `cephadm.create: ceph2:/dev/sdc (${newSerial})`,
    `ceph: device light off ST4000NM000A-2HZ100_${old}`,
  ])
})

test('a lamp that cannot be lit keeps nobody from changing the disk, and the technician is told', async () => {
  // a cluster of packages has no orchestrator
  const { exit, effects, said } = await replace(world('no-lamp'), { inputs: { led: 'ceph' } })
  expect({ exit, effects }, said).toEqual({ exit: 0, effects: replaced })
  expect(said).toContain('No orchestrator configured')
  expect(said).toContain('; the lamp of its slot could not be lit) from ceph2')
})

test('flags that somebody sets while the new disk is filled are told at the end', async () => {
  const late = world('late-flags', { fault: 'ceph.flags', with: { flags: ['nodeep-scrub'] }, after: '10m' })
  const { exit, effects, error } = await replace(late)
  expect({ exit, effects }).toEqual({ exit: 1, effects: replaced })
  expect(error).toMatch(/OSDMAP_FLAGS|somebody else has changed them/)
})
