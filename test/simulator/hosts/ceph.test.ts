import { expect, test } from 'vitest'
import { hostFaults } from '../../../simulator/hosts/index.ts'
import { startWorld, type TestWorld } from './world.ts'

const apply = (world: TestWorld, name: string, params: Record<string, unknown>) => {
  const fault = hostFaults.find((each) => each.name === name)
  if (!fault) throw new Error(`no fault ${name}`)
  fault.apply(world.world, params)
}

const status = async (world: TestWorld) => JSON.parse((await world.run('ceph1', 'ceph -f json status')).stdout)
const states = async (world: TestWorld) =>
  Object.fromEntries(
    (await status(world)).pgmap.pgs_by_state.map((each: { state_name: string; count: number }) => [
      each.state_name,
      each.count,
    ]),
  )

test('a dead disk takes its OSD down, then out after ten minutes, and the data is made anew', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  apply(world, 'ceph.osd_down', { osd: 4 })
  const down = await status(world)
  expect(down.osdmap).toMatchObject({ num_osds: 12, num_up_osds: 11, num_in_osds: 12 })
  expect(Object.keys(down.health.checks)).toEqual(['OSD_DOWN', 'PG_DEGRADED'])
  expect(Object.keys(await states(world)).sort()).toEqual(['active+clean', 'active+undersized+degraded'])

  await world.clock.advance(590_000)
  expect((await status(world)).osdmap.num_in_osds).toBe(12)
  await world.clock.advance(40_000)
  const out = await status(world)
  expect(out.osdmap.num_in_osds).toBe(11)
  expect(out.health.checks.OSD_DOWN).toBeUndefined()
  expect(Object.keys(await states(world))).toEqual(
    expect.arrayContaining(['active+recovering+degraded', 'active+recovery_wait+degraded']),
  )
  const left = out.pgmap.degraded_objects
  await world.clock.advance(60_000)
  expect((await status(world)).pgmap.degraded_objects).toBeLessThan(left)

  await world.clock.advance(3_600_000)
  expect(await states(world)).toEqual({ 'active+clean': 161 })
  expect((await status(world)).health.status).toBe('HEALTH_OK')
})

test('with `norecover` set, degraded placement groups stay degraded', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  await world.run('ceph1', 'ceph osd set norecover')
  apply(world, 'ceph.osd_down', { osd: 4 })
  await world.clock.advance(700_000)
  const before = (await status(world)).pgmap.degraded_objects
  await world.clock.advance(7_200_000)
  expect(before).toBeGreaterThan(0)
  expect((await status(world)).pgmap.degraded_objects).toBe(before)
  await world.run('ceph1', 'ceph osd unset norecover')
  await world.clock.advance(3_600_000)
  expect((await status(world)).health.status).toBe('HEALTH_OK')
})

test('with `noout` set, an OSD that is down stays in', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  await world.run('ceph1', 'ceph osd set noout')
  await world.run('ceph2', 'systemctl stop ceph-osd@4')
  await world.clock.advance(7_200_000)
  expect((await status(world)).osdmap).toMatchObject({ num_up_osds: 11, num_in_osds: 12 })
  expect((await status(world)).health.checks.OSDMAP_FLAGS.summary).toEqual({ message: 'noout flag(s) set', count: 5 })
})

test('an OSD is replaced under its own number, with the disk the technician brought', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  apply(world, 'ceph.osd_down', { osd: 4 })
  const serial = async () => (await world.run('ceph2', 'lsblk -dn -o SERIAL /dev/sdc')).stdout
  const old = await serial()
  expect(await world.run('ceph2', 'ceph osd destroy 4')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('EPERM'),
  })
  await world.clock.advance(4_000_000)
  expect(await world.run('ceph2', 'ceph osd safe-to-destroy 4')).toMatchObject({ code: 0 })
  expect(await world.run('ceph2', 'ceph osd destroy 4 --yes-i-really-mean-it')).toMatchObject({
    code: 0,
    stderr: 'destroyed osd.4\n',
  })
  const tree = JSON.parse((await world.run('ceph1', 'ceph -f json osd tree')).stdout)
  expect(tree.nodes.find(({ id }: { id: number }) => id === 4)).toMatchObject({
    status: 'destroyed',
    crush_weight: 3.6386871337890625,
  })
  expect(await world.run('ceph2', 'ceph-volume lvm create --osd-id 4 --data /dev/sdc')).toMatchObject({ code: 1 })

  await world.clock.advance(310_000)
  expect(await serial()).not.toBe(old)
  expect(await world.run('ceph2', 'ceph-volume lvm create --osd-id 4 --data /dev/sdc')).toMatchObject({ code: 0 })
  expect((await status(world)).osdmap).toMatchObject({ num_up_osds: 12, num_in_osds: 12 })
  expect((await status(world)).pgmap.misplaced_objects).toBeGreaterThan(0)
  await world.clock.advance(3_600_000)
  expect(await states(world)).toEqual({ 'active+clean': 161 })
})

test('an OSD that is up cannot be destroyed, and a second failure makes `ok-to-stop` refuse', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  expect(await world.run('ceph1', 'ceph osd destroy 4 --yes-i-really-mean-it')).toMatchObject({
    code: 16,
    stderr: 'Error EBUSY: osd.4 is not `down`.\n',
  })
  expect(await world.run('ceph1', 'ceph osd ok-to-stop 4')).toMatchObject({ code: 0 })
  await world.run('ceph2', 'systemctl stop ceph-osd@3 ceph-osd@4 ceph-osd@5')
  const refused = await world.run('ceph1', 'ceph -f json osd ok-to-stop 0')
  expect(refused.code).toBe(16)
  expect(JSON.parse(refused.stdout)).toMatchObject({ ok_to_stop: false, bad_become_inactive: expect.any(Array) })
})

test('placement groups that an OSD led are stale until another one tells of them, and then short of a copy', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  apply(world, 'ceph.stale', { osd: 4, minutes: 2, once_down: true })
  expect(await states(world)).toEqual({ 'active+clean': 161 })
  await world.run('ceph2', 'systemctl stop ceph-osd@4')
  const first = await states(world)
  expect(Object.keys(first).sort()).toEqual(['active+clean', 'active+undersized+degraded', 'stale+active+clean'])
  expect((await status(world)).health.checks.PG_AVAILABILITY).toBeUndefined()
  await world.clock.advance(61_000)
  expect((await status(world)).health.checks.PG_AVAILABILITY.summary).toEqual({
    message: `Reduced data availability: ${first['stale+active+clean']} pgs stale`,
    count: first['stale+active+clean'],
  })
  await world.clock.advance(60_000)
  expect(Object.keys(await states(world)).sort()).toEqual(['active+clean', 'active+undersized+degraded'])
})

test('placement groups of which every OSD is down are stale, for nobody is left to look', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  await world.run('ceph1', 'ceph osd set noout')
  for (const host of [1, 2, 3]) await world.run(`ceph${host}`, 'systemctl stop ceph-osd@{0..8}')
  const found = await states(world)
  const stale = found['stale+undersized+degraded+peered'] ?? 0
  expect(Object.keys(found).some((name) => name.includes('down'))).toBe(false)
  expect(stale).toBeGreaterThan(0)
  await world.clock.advance(61_000)
  expect((await status(world)).health.checks.PG_AVAILABILITY.summary.message).toMatch(
    new RegExp(`^Reduced data availability: \\d+ pgs inactive, ${stale} pgs stale$`),
  )
})

test('a host of OSDs that reboots brings them all back', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  await world.run('ceph4', 'reboot')
  await world.clock.advance(60_000)
  expect((await status(world)).osdmap.num_up_osds).toBe(9)
  await world.clock.advance(120_000)
  expect((await status(world)).osdmap.num_up_osds).toBe(12)
  expect((await status(world)).health.status).toBe('HEALTH_OK')
})

test('`ceph` is for those who have the keyring', async () => {
  await using world = await startWorld()
  expect(await world.run('ctl1', 'ceph health')).toMatchObject({ stdout: 'HEALTH_OK\n', code: 0 })
  expect(await world.run('cmp1', 'ceph health')).toMatchObject({ code: 127 })
  expect(await world.run('ceph1', 'ceph health', { user: 'ops' })).toMatchObject({ code: 1 })
})

test('cephadm destroys an OSD by itself once it is empty, and makes one of the new disk unless it is kept from it', async () => {
  for (const unmanaged of [false, true]) {
    await using world = await startWorld({ controllers: 1, computes: 1, databases: 1, cephadm: true })
    const orch = (words: string, stdin = '') => world.run('ceph1', `cephadm shell -- ceph orch ${words}`, { stdin })
    const node = async () => {
      const { nodes } = JSON.parse((await world.run('ceph1', 'ceph osd tree -f json')).stdout)
      return nodes.find(({ id }: { id: number }) => id === 4).status
    }
    apply(world, 'ceph.disk_swapped', { osd: 4, minutes: 1, serial: 'ZC1TNEW7', name: '', bytes: 0, signature: '' })
    const exported = (await orch('ls osd --export')).stdout
    expect(exported).toContain('service_name: osd.all-available-devices\n')
    if (unmanaged) await orch('apply -i -', `${exported}unmanaged: true\n`)
    // whatever the format, and what is not there is no error
    expect((await orch('osd rm status --format json')).stdout).toBe('No OSD remove/replace operations reported\n')
    expect(await orch('osd rm 99 --replace')).toMatchObject({ code: 0, stdout: "Unable to find OSDs: ['99']\n" })
    expect(await orch('osd rm stop 4')).toMatchObject({ code: 0, stdout: 'Unable to find OSD in the queue: 4\n' })

    await orch('osd rm 4 --replace')
    await world.clock.advance(60_000)
    expect(JSON.parse((await orch('osd rm status --format json')).stdout)).toMatchObject([
      { osd_id: 4, replace: true, draining: true, hostname: 'ceph2' },
    ])
    expect(await node()).toBe('up')
    await world.clock.advance(7_200_000)
    expect(await node()).toBe(unmanaged ? 'destroyed' : 'up')
    const made = world.effects.filter(({ kind }) => kind === 'host.cephadm.create')
    expect(made).toHaveLength(unmanaged ? 0 : 1)
  }
})
