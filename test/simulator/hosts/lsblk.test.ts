import { expect, test } from 'vitest'
import { hostFaults } from '../../../simulator/hosts/index.ts'
import { startWorld, type TestWorld } from './world.ts'

function apply(world: TestWorld, name: string, params: Record<string, unknown>): void {
  hostFaults.find((fault) => fault.name === name)?.apply(world.world, params)
}
const small = { controllers: 1, computes: 1, databases: 1 } as const
const said = async (world: TestWorld, command: string) => {
  const { stdout, stderr, code } = await world.run('ceph2', command)
  expect({ stderr, code }, command).toEqual({ stderr: '', code: 0 })
  return stdout.replaceAll(/[0-9a-f]{8}(--?[0-9a-f]{4}){3}--?[0-9a-f]{12}/g, 'ID')
}
const block = '/var/lib/ceph/osd/ceph-4/block'

test('the disk below a volume is found from the volume, and the volume from the disk', async () => {
  await using world = await startWorld(small)
  expect(await said(world, `lsblk -nrso NAME,TYPE ${block}`)).toBe('ceph--ID-osd--block--ID lvm\nsdc disk\n')
  expect(await said(world, 'lsblk -nro NAME,TYPE /dev/sdc')).toBe('sdc disk\nceph--ID-osd--block--ID lvm\n')
  expect(await said(world, `readlink -f ${block}`)).toBe('/dev/dm-1\n')
  const { blockdevices } = JSON.parse(await said(world, `lsblk -J -s -o NAME,KNAME,PKNAME,PATH,TYPE ${block}`))
  expect(blockdevices).toEqual([
    {
      ...{ name: 'ceph--ID-osd--block--ID', kname: 'dm-1', pkname: null },
      ...{ path: '/dev/mapper/ceph--ID-osd--block--ID', type: 'lvm' },
      children: [{ name: 'sdc', kname: 'sdc', pkname: 'dm-1', path: '/dev/sdc', type: 'disk' }],
    },
  ])
})

test('what is encrypted stands on its volume, and the disk is below both', async () => {
  await using world = await startWorld(small)
  apply(world, 'ceph.encrypted', { osd: 4 })
  const under = (await said(world, `lsblk -nrso NAME,TYPE ${block}`)).split('\n')
  expect(under[0]).toMatch(/^[0-9a-f]{6}(-[0-9a-f]{4}){5}-[0-9a-f]{6} crypt$/)
  expect(under.slice(1)).toEqual(['ceph--ID-osd--block--ID lvm', 'sdc disk', ''])
  const name = under[0]?.split(' ')[0]
  expect(await said(world, 'lsblk -nro NAME,TYPE /dev/sdc')).toBe(
    `sdc disk\nceph--ID-osd--block--ID lvm\n${name} crypt\n`,
  )
  await said(world, `cryptsetup close ${name}`)
  expect(await said(world, 'lsblk -nro TYPE /dev/sdc')).toBe('disk\nlvm\n')
  expect(await world.run('ceph2', `lsblk -nrso NAME ${block}`)).toMatchObject({ code: 32, stdout: '' })
})

test('a volume whose disk is gone stands on nothing, until the next boot', async () => {
  await using world = await startWorld(small)
  apply(world, 'ceph.disk_gone', { osd: 4 })
  expect(await said(world, `lsblk -nrso NAME,TYPE ${block}`)).toBe('ceph--ID-osd--block--ID lvm\n')
  expect(await said(world, 'lsblk -dnro NAME,TYPE')).toBe('sda disk\nsdb disk\nsdd disk\nceph--ID-osd--block--ID lvm\n')
  expect(await world.run('ceph2', 'lsblk -n /dev/sdc')).toMatchObject({
    code: 32,
    stderr: 'lsblk: /dev/sdc: not a block device\n',
  })
  expect(await said(world, 'ls /dev/disk/by-path | wc -l')).toBe('3\n')
  await world.run('ceph2', 'reboot')
  await world.clock.advance(300_000)
  expect(await said(world, 'lsblk -nro TYPE | sort | uniq -c | tr -s " "')).toBe(' 3 disk\n 2 lvm\n 2 part\n')
  expect((await world.run('ceph2', `test -e ${block}`)).code).toBe(1)
})

test('a disk that is in use as a volume is not wiped', async () => {
  await using world = await startWorld(small)
  expect(await world.run('ceph2', 'wipefs -a /dev/sdc')).toMatchObject({
    code: 1,
    stderr: 'wipefs: error: /dev/sdc: probing initialization failed: Device or resource busy\n',
  })
  expect(await said(world, 'lsblk -dno FSTYPE /dev/sdc')).toBe('LVM2_member\n')
})

test('what an option of lsblk would do is done, refused or told, and never passed over', async () => {
  await using world = await startWorld(small)
  for (const [option, stderr] of [
    ['-k', "lsblk: invalid option -- 'k'\nTry 'lsblk --help' for more information.\n"],
    ['--odd', "lsblk: unrecognized option '--odd'\nTry 'lsblk --help' for more information.\n"],
    ['-o NAME,BAR', 'lsblk: unknown column: BAR\n'],
    ['-x NAME', 'lsblk: the option `-x` is not part of this rehearsal\n'],
    ['-M', 'lsblk: the option `-M` is not part of this rehearsal\n'],
  ])
    expect(await world.run('ceph2', `lsblk ${option}`), option).toMatchObject({ code: 1, stdout: '', stderr })
  expect(await world.run('ceph2', 'lsblk -nro NAME /dev/null /dev/sda1')).toMatchObject({
    code: 64,
    stdout: 'sda1\n',
    stderr: 'lsblk: /dev/null: not a block device\n',
  })
})
