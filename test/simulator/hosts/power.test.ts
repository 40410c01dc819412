import { expect, test } from 'vitest'
import { startWorld } from './world.ts'

test('a host that reboots refuses connections, and comes back with another boot id', async () => {
  await using world = await startWorld({ computes: 1 })
  const bootId = async () => (await world.run('cmp1', 'cat /proc/sys/kernel/random/boot_id')).stdout
  const before = await bootId()
  expect(await world.run('cmp1', 'systemctl reboot')).toMatchObject({ code: 0 })
  await world.clock.advance(30_000)
  await expect(world.connect('cmp1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(world.world.estate.unit('cmp1', 'nova-compute')).toMatchObject({ running: false })
  await world.clock.advance(120_000)
  expect(await bootId()).not.toBe(before)
  const uptime = await world.run('cmp1', 'cut -d" " -f1 /proc/uptime')
  expect(Number(uptime.stdout)).toBeLessThan(60)
  await world.clock.advance(30_000)
  expect(await world.run('cmp1', 'systemctl is-system-running')).toMatchObject({ stdout: 'running\n', code: 0 })
  const unit = world.world.estate.unit('cmp1', 'nova-compute')
  expect(unit?.running).toBe(true)
  expect(unit?.stoppedAt).toBeLessThan(unit?.since ?? 0)
})

test('a reboot in a while happens when the time has come, and the command is over at once', async () => {
  await using world = await startWorld({ computes: 1 })
  expect(await world.run('cmp1', 'systemd-run --on-active=2 systemctl reboot')).toMatchObject({ code: 0 })
  expect(world.world.estate.machines.get('cmp1')?.power.state()).toBe('on')
  await world.clock.advance(20_000)
  expect(world.world.estate.machines.get('cmp1')?.power.state()).toBe('off')
})

test('a unit that fails is seen as failed, and the system as degraded, until it is started', async () => {
  await using world = await startWorld({ computes: 1 })
  world.world.estate.machines.get('cmp1')?.units.fail('nova-compute')
  expect(await world.run('cmp1', 'systemctl --failed --plain --no-legend')).toMatchObject({
    stdout: 'nova-compute.service loaded failed failed OpenStack Compute\n',
  })
  expect(await world.run('cmp1', 'systemctl is-system-running')).toMatchObject({ stdout: 'degraded\n', code: 1 })
  expect(await world.run('cmp1', 'systemctl start nova-compute && systemctl is-system-running')).toMatchObject({
    stdout: 'running\n',
    code: 0,
  })
})

test('a service whose process is killed comes back by itself when its unit says so', async () => {
  await using world = await startWorld({ computes: 1 })
  const said = await world.run(
    'cmp1',
    'kill -9 $(systemctl show -p MainPID --value nova-compute); systemctl is-active nova-compute; sleep 30; systemctl is-active nova-compute; systemctl show -p NRestarts nova-compute',
  )
  expect(said.stdout).toBe('activating\nactive\nNRestarts=1\n')
})
