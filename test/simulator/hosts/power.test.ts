import { expect, test } from 'vitest'
import { hostFaults } from '../../../simulator/hosts/index.ts'
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

const board = (end: string) => `ipmitool -I lanplus -H 10.79.0.21 -U admin -f /root/ipmi chassis power ${end}`

test('a host that hangs in its reboot has power all the time, and comes back in another boot when that is cut', async () => {
  await using world = await startWorld({ controllers: 1, computes: 2 })
  hostFaults.find(({ name }) => name === 'hosts.hangs_in_reboot')?.apply(world.world, { host: 'cmp1' })
  const bootOf = async (host: string) => (await world.run(host, 'cat /proc/sys/kernel/random/boot_id')).stdout
  const [before, neighbour] = [await bootOf('cmp1'), await bootOf('cmp2')]
  await world.run('cmp1', 'systemctl reboot')
  await world.clock.advance(60 * 60_000)
  await expect(world.connect('cmp1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(await world.run('ctl1', board('status'))).toMatchObject({ stdout: 'Chassis Power is on\n', code: 0 })
  expect(await world.run('ctl1', board('cycle'))).toMatchObject({ stdout: 'Chassis Power Control: Cycle\n', code: 0 })
  await world.clock.advance(5 * 60_000)
  expect(await bootOf('cmp1')).toMatch(/^[0-9a-f-]{36}\n$/)
  expect(await bootOf('cmp1')).not.toBe(before)
  expect(await bootOf('cmp2')).toBe(neighbour)
  expect(world.effects.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
    'host.reboot cmp1',
    'host.power.cycle cmp1',
  ])
})

test('power that is cut stops a host at once, and it starts all over again, whatever it was about to do', async () => {
  await using world = await startWorld({ controllers: 1, computes: 2 })
  const power = (host: string) => world.world.estate.machines.get(host)?.power
  expect(await world.run('ctl1', board('cycle'))).toMatchObject({ code: 0 })
  expect(power('cmp1')?.state()).toBe('off')
  await world.run('cmp2', 'systemctl reboot')
  await world.clock.advance(80_000)
  expect(await world.run('ctl1', board('cycle').replace('.21', '.22'))).toMatchObject({ code: 0 })
  // by now it would have been up
  await world.clock.advance(80_000)
  expect(power('cmp1')?.state()).toBe('on')
  expect(power('cmp2')?.state()).toBe('off')
  await world.clock.advance(60 * 60_000)
  expect(power('cmp2')?.state()).toBe('on')
  for (const host of ['cmp1', 'cmp2']) expect(power(host)?.boots()).toHaveLength(2)
})

test('a host that was switched off has no power, and its board cycles none', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1 })
  await world.run('cmp1', 'systemctl poweroff')
  await world.clock.advance(60_000)
  expect(await world.run('ctl1', board('status'))).toMatchObject({ stdout: 'Chassis Power is off\n', code: 0 })
  expect(await world.run('ctl1', board('cycle'))).toMatchObject({
    stderr: 'Set Chassis Power Control to Cycle failed: Command not supported in present state\n',
    code: 1,
  })
  await world.clock.advance(60 * 60_000)
  expect(world.world.estate.machines.get('cmp1')?.power.state()).toBe('off')
})

test('at an address without a board nothing answers', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1 })
  expect(await world.run('ctl1', board('status').replace('.21', '.99'))).toMatchObject({
    stdout: '',
    stderr: 'Error: Unable to establish IPMI v2 / RMCP+ session\n',
    code: 1,
  })
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
