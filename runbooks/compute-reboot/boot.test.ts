import { expect, test } from 'vitest'
import { count, reboot, rebooted } from '../../test/support/reboot-rehearsal.ts'

const fstab = (line: string) => ({
  fault: 'hosts.file',
  with: { host: 'c1', path: '/etc/fstab', content: `/dev/sda1 / ext4 errors=remount-ro 0 1\n${line}\n` },
})
const boot = (file: string) => ({ fault: 'hosts.file_gone', with: { host: 'c1', path: `/boot/${file}` } })
const kernel = (more: object = {}) => ({
  fault: 'hosts.kernel_installed',
  with: { host: 'c1', release: '6.1.0-40-amd64', ...more },
})

test.each([
  { faults: [boot('vmlinuz-6.1.0-37-amd64')], says: 'there is no kernel in /boot' },
  { faults: [boot('initrd.img-6.1.0-37-amd64')], says: 'would start initrd.img-6.1.0-37-amd64, which is not in /boot' },
  {
    faults: [kernel(), boot('vmlinuz-6.1.0-40-amd64')],
    says: 'would start vmlinuz-6.1.0-40-amd64, which is not in /boot',
  },
  {
    faults: [{ fault: 'hosts.disk_full', with: { host: 'c1', mount: '/boot', percent: 99 } }],
    says: '/boot has only',
  },
  {
    faults: [fstab('UUID=0f5a-77aa /boot ext4 defaults 0 2')],
    says: 'fstab, /boot: unreachable on boot required source: UUID=0f5a-77aa',
  },
  // only a warning to findmnt, which ends with 0
  { faults: [fstab('/dev/sdx1 /srv xfs defaults 0 2')], says: 'fstab, /srv: there is no /dev/sdx1' },
  { faults: [fstab('/dev/sda2')], says: '/etc/fstab: parse error at line 2' },
  { faults: [], wanted: '6.1.0-40-amd64', says: 'there is no kernel 6.1.0-40-amd64 in /boot' },
  {
    faults: [kernel({ first: false })],
    wanted: '6.1.0-40-amd64',
    says: 'would start vmlinuz-6.1.0-37-amd64, not 6.1.0-40-amd64',
  },
])('a host that might not come back is not rebooted: $says', async ({ faults, wanted = '', says }) => {
  const ran = await reboot({ faults, inputs: { kernel: wanted } })
  expect(ran.end.error?.message).toMatch(/^c1 might not come back: /)
  expect(ran.end.error?.message).toContain(says)
  expect(ran.effects).toEqual([])
  const unasked = await reboot({ faults, inputs: { check_boot: false } })
  expect(unasked.end, unasked.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('what need not be there to boot keeps no host from its reboot', async () => {
  const faults = ['/dev/sdx1 /srv xfs defaults,nofail 0 2', '/dev/sdx1 /srv xfs noauto 0 2'].map(fstab)
  for (const fault of faults) expect((await reboot({ faults: [fault] })).end).toMatchObject({ status: 'succeeded' })
})

test('the kernel that is wanted runs afterwards, or the host stays out of service', async () => {
  const inputs = { kernel: '6.1.0-40-amd64' }
  const ran = await reboot({ faults: [kernel()], inputs })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(ran.end.outputs).toMatchObject({
    changed: [{ what: 'kernel', before: '6.1.0-37-amd64', after: '6.1.0-40-amd64' }],
  })
  const old = await reboot({ faults: [kernel({ runs: false })], inputs })
  expect(old.end.error?.message).toContain('c1 runs the kernel 6.1.0-37-amd64, not 6.1.0-40-amd64')
  expect(old.end.error?.message).toContain('c1 stays out of service')
  expect(rebooted(old)).toBe(1)
  expect(count(old, 'openstack.compute_service.enable c1')).toBe(0)
})
