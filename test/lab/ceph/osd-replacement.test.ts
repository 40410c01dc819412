import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workspace } from '../../program/program.ts'
import { onHost } from '../support/hosts.ts'
import { eventually, lab } from '../support/lab.ts'
import { ceph, rack, there } from './rack.ts'

const soon = (ms = 340_000) => AbortSignal.timeout(ms)
const pool = 'osd-replacement'
/** A program in the place of `ledctl`, for nothing here has a lamp; what it was told; and what mounts the folder at a boot. */
const [ledctl, told] = ['/usr/local/sbin/ledctl', '/run/lab-ledctl']
/** `ceph` with the serial number that a loop device cannot have in what the daemon of OSD 3 tells; what starts an OSD of lvm. */
const toldBy = '/usr/local/sbin/lab-ceph'
const begins = '/etc/systemd/system/multi-user.target.wants/ceph-volume@lvm-3-'
const mounted = '/dev/loop0 /var/lib/ceph/osd/ceph-3 tmpfs noauto 0 0'
let disk = 'LAB1000'
let sums = ''

/** What every object holds, as its checksum. */
const checksums = (signal: AbortSignal) =>
  there(`for n in 1 2 3 4 5 6 7 8 9 10 11 12; do rados -p ${pool} get obj-$n - | sha256sum; done`, signal)

const clean = (signal: AbortSignal) =>
  eventually(async () => {
    const { osdmap, pgmap } = await ceph('status', signal)
    const all = pgmap.pgs_by_state.every(({ state_name }: { state_name: string }) => state_name === 'active+clean')
    return (all && osdmap.num_up_osds === 4 && osdmap.num_in_osds === 4) || undefined
  }, signal)

beforeAll(async () => {
  const signal = soon()
  await rack('furnish', signal, disk)
  await there(
    `ceph osd pool create ${pool} 16 16 2>&1 && ceph osd pool application enable ${pool} rados 2>&1
     for n in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 1048576 /dev/urandom | rados -p ${pool} put obj-$n - || exit; done`,
    signal,
  )
  sums = await checksums(signal)
  await clean(signal)
})

afterAll(async () => {
  const signal = soon()
  await there(`ceph osd pool delete ${pool} ${pool} --yes-i-really-really-mean-it 2>&1`, signal).catch(() => undefined)
  await there(`rm -f ${ledctl} ${told}; sed -i '\\|^${mounted}$|d' /etc/fstab`, signal)
  await there(`rm -f ${toldBy} ${begins}*`, signal)
  await rack('clear', signal)
})

/** The words of a run for OSD 3, whose disk is the one in the rack. */
const words = (phrase = `replace-osd-3-${disk.slice(-4)}`): string[] => [
  ...['exec', resolve('runbooks/osd-replacement.yaml'), '--inventory', lab.inventory, '--output', 'plain'],
  ...['--inputs', resolve('test/lab/inputs/osd-replacement.yaml')],
  ...['--answer', `identity=${phrase}`, '--answer', 'healthy=yes', '--answer', 'leave/last=yes'],
]

/** Number, place, class and weight; up and in; no flag of any kind; and every object as it was written. */
async function asBefore(place: object, signal: AbortSignal): Promise<void> {
  const { nodes } = await ceph('osd tree', signal)
  expect(nodes.find(({ id }: { id: number }) => id === 3)).toEqual(place)
  const { flags, osds, crush_node_flags } = await ceph('osd dump', signal)
  expect(flags.split(',').filter((flag: string) => /^(no|pause|full)/.test(flag))).toEqual([])
  expect(osds.map(({ state }: { state: string[] }) => state.join(' '))).toEqual(Array(4).fill('exists up'))
  expect(crush_node_flags).toEqual({})
  expect(await checksums(signal)).toBe(sums)
}

const placeOfOsd = async (signal: AbortSignal) => {
  const { nodes } = await ceph('osd tree', signal)
  return nodes.find(({ id }: { id: number }) => id === 3)
}
/** Sets a value of every daemon; whether all of them took it. */
const tell = async (setting: string, signal: AbortSignal) =>
  (await onHost('ceph1', `ceph tell 'osd.*' config set ${setting}`, signal)).code === 0

/** How often anybody told Ceph to destroy an OSD, by its own audit log. */
const destroys = async (signal: AbortSignal) =>
  Number(await there(`grep -c 'cmd=.{"prefix": "osd destroy"' /var/lib/ceph/log/mgr.a.log || true`, signal))

test('flags that somebody has set before are told, and nothing is changed', async () => {
  const signal = soon()
  const before = await placeOfOsd(signal)
  await there('ceph osd set nobackfill 2>&1', signal)
  try {
    const { code, all } = await workspace().run(words())
    expect(code, all).toBe(1)
    expect(all).toContain('somebody has set flags: nobackfill')
    expect(await placeOfOsd(signal)).toEqual(before)
    expect(await there('systemctl is-active ceph-osd@3', signal)).toBe('active')
    expect((await ceph('osd dump', signal)).flags).toContain('nobackfill')
  } finally {
    await there('ceph osd unset nobackfill 2>&1', signal)
  }
})

test('a second OSD that fails while data leaves stops it: nothing is destroyed, and the first is back in', async () => {
  const signal = soon()
  const place = await placeOfOsd(signal)
  // data leaves slowly enough to meet the failure
  await tell('osd_recovery_sleep 5', signal)
  await tell('osd_max_backfills 1', signal)
  try {
    const run = workspace().start(words())
    await run.until('leave/out')
    await there('systemctl stop ceph-osd@1', signal)
    const { code, all } = await run.ended
    expect(code, all).toBe(1)
    expect(all).toContain('until_failed')
    expect(all).not.toContain('begins       leave/destroy')
    expect(await placeOfOsd(signal)).toEqual(place)
    expect(await there('systemctl is-active ceph-osd@3; systemctl is-enabled ceph-osd@3', signal)).toBe(
      'active\nenabled',
    )
  } finally {
    await there('systemctl reset-failed ceph-osd@1; systemctl start ceph-osd@1; ceph osd in 1 3 2>&1', signal)
    // a daemon that has just started does not answer at once
    await eventually(async () => (await tell('osd_recovery_sleep 0', signal)) || undefined, signal)
    await tell('osd_max_backfills 4', signal)
    await clean(signal)
  }
})

test('a disk dies for real and is replaced while the run is parked: number, place and every object are kept', async () => {
  const signal = soon(800_000)
  const place = await placeOfOsd(signal)
  await rack('die', signal, disk)
  const log = `printf '%s\\n' '#!/bin/sh' 'echo "$@" >> ${told}' > ${ledctl}; chmod 755 ${ledctl}`
  await there(`${log}; echo '${mounted}' >> /etc/fstab`, signal)
  const here = workspace()
  const parked = await here.run([...words(), '--input', 'led=ledctl', '--input', 'find_timeout=15s'])
  expect(parked.code, parked.all).toBe(6)
  expect(parked.all).toContain(`/etc/fstab of ceph1 still mounts the old disk, take it out: ${mounted}`)
  expect(parked.all).toContain('; the lamp of its slot is lit) from ceph1')
  expect(await there(`cat ${told}`, signal)).toMatch(/^locate=\/dev\/loop\d+$/)
  expect((await placeOfOsd(signal)).status).toBe('destroyed')

  await rack('unplug', signal, disk)
  disk = 'LAB2000'
  await rack('plug', signal, disk)
  const answer = (said: string) => here.run(['resume', 'last', '--output', 'plain', '--answer', said])
  // mistyped: nothing is lost
  const mistyped = await answer('swap/new_serial=LAB2OOO')
  expect(mistyped.code, mistyped.all).toBe(6)
  expect(mistyped.all).toMatch(/No disk of ceph1 has the serial number LAB2OOO\. Seen are LAB2000 \(\/dev\/loop\d+\)/)
  const { code, all } = await answer(`swap/found/which=${disk}`)
  expect(code, all).toBe(0)
  await asBefore(place, signal)
  expect(await there(`cat ${told}; rm ${ledctl}`, signal)).toMatch(/^locate=(\S+)\nlocate_off=\1$/)
}, 800_000)

test('a disk that fails is changed at once: its copies are missing meanwhile, nothing else is, and every object is kept', async () => {
  const signal = soon(800_000)
  await clean(signal)
  const place = await placeOfOsd(signal)
  const here = workspace()
  const parked = await here.run([...words(), '--input', 'strategy=fast_swap'])
  expect(parked.code, parked.all).toBe(6)
  // groups without an object are among them; for a moment Ceph still calls all of them clean
  const without = ['active+undersized', 'active+undersized+degraded']
  await eventually(async () => {
    const { pgmap } = await ceph('status', signal)
    const states = pgmap.pgs_by_state.map(({ state_name }: { state_name: string }) => state_name)
    return without.every((state) => states.includes(state)) || undefined
  }, signal)
  expect((await placeOfOsd(signal)).status).toBe('destroyed')
  expect((await ceph('osd dump', signal)).osds[3].state).toContain('noout')

  await rack('unplug', signal, disk)
  disk = 'LAB4000'
  await rack('plug', signal, disk)
  const { code, all } = await here.run(['resume', 'last', '--output', 'plain', '--answer', `swap/new_serial=${disk}`])
  expect(code, all).toBe(0)
  await asBefore(place, signal)
}, 800_000)

test('a disk dies for real, and the program is killed between destroy and create: it goes on, and destroys nothing twice', async () => {
  const signal = soon(800_000)
  const place = await placeOfOsd(signal)
  await rack('die', signal, disk)
  const here = workspace()
  const count = await destroys(signal)
  const old = disk
  const run = here.start([...words(), '--answer', 'swap/new_serial=LAB3000', '--input', 'led=ledctl'])
  // nobody has put in the new disk yet: it is looked for
  await run.until('waits        swap/found/appears')
  run.child.kill('SIGKILL')
  // no program that lights a lamp is on this host any more: that keeps nobody from the work
  expect((await run.ended).all).toContain('; the lamp of its slot could not be lit) from ceph1')
  await rack('unplug', signal, old)
  disk = 'LAB3000'
  await rack('plug', signal, disk)
  const { code, all } = await here.run(['resume', 'last', '--output', 'plain'])
  expect(code, all).toBe(0)
  expect(await destroys(signal)).toBe(count + 1)
  await asBefore(place, signal)
}, 800_000)

test('a dead disk has another name since, and another disk has its own: the serial number says which it is; one that is gone needs a unit that says so', async () => {
  const signal = soon(800_000)
  await clean(signal)
  const place = await placeOfOsd(signal)
  const { bluestore_bdev_devices: name } = await ceph('osd metadata 3', signal)
  const { osd_fsid } = await ceph('osd find 3', signal)
  const tells = `import json,sys; told = json.load(sys.stdin); told["device_ids"] = "${name}=lab_${disk}"; print(json.dumps(told))`
  const log = [
    '#!/bin/bash',
    `case "$*" in "osd metadata osd.3 "*) ceph "$@" | python3 -c '${tells}' ;; *) exec ceph "$@" ;; esac`,
  ]
  await there(`cat > ${toldBy} <<'LINES'\n${log.join('\n')}\nLINES\nchmod 755 ${toldBy}`, signal)
  await rack('die', signal, disk)
  // as after a boot: nothing is mounted, and names are given anew
  await there('umount /var/lib/ceph/osd/ceph-3', signal)
  await rack('shift', signal, disk, 'LAB0000')
  const here = workspace()
  const say = [...words(), '--input', `ceph_command=["${toldBy}"]`]

  await there(`losetup --detach $(losetup -n -O NAME -j /srv/disks/ceph1/${disk}.disk)`, signal)
  const gone = await here.run(say)
  expect(gone.code, gone.all).toBe(1)
  expect(gone.all).toContain('nothing on ceph1 says that osd.3 is there')
  await there(`ln -s /lib/systemd/system/ceph-volume@.service ${begins}${osd_fsid}.service`, signal)
  const shown = await here.run([...say, '--dry-run'])
  expect(shown.code, shown.all).toBe(0)
  await there(`rm ${begins}*; losetup --find /srv/disks/ceph1/${disk}.disk`, signal)

  const parked = await here.run(say)
  expect(parked.code, parked.all).toBe(6)
  expect(parked.all).toMatch(new RegExp(`Pull the disk loop\\d+ \\(formerly ${name}\\) \\(lab, serial number ${disk}`))
  await rack('unplug', signal, disk)
  disk = 'LAB5000'
  await rack('plug', signal, disk)
  const { code, all } = await here.run(['resume', 'last', '--output', 'plain', '--answer', `swap/new_serial=${disk}`])
  expect(code, all).toBe(0)
  await asBefore(place, signal)
  // the one that has the old name now is as it was
  expect(await there('wipefs --no-act /srv/disks/ceph1/LAB0000.disk', signal)).toBe('')
}, 800_000)
