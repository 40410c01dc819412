import { describe, expect, test } from 'vitest'
import { doorTo, folder } from '../../engine/host/ssh/harness.ts'
import { startWorld } from '../../simulator/hosts/world.ts'
import { contracts } from './contract.ts'
import { contextOn, does, type Place, settles } from './place.ts'

/** A simulated host, on the world's clock. */
async function simulated(host = 'ctl1') {
  const world = await startWorld({ computes: 1 })
  const files = folder()
  const knownHosts = [files.write('known_hosts', world.served.knownHosts)]
  const identityFiles = [files.write('id', world.served.privateKey)]
  const door = doorTo(
    { [host]: { ...world.served.hosts[host], user: 'root', knownHosts, identityFiles } },
    { clock: world.clock },
  )
  const machine = world.world.estate.machines.get(host)
  if (!machine) throw new Error(`no host ${host}`)
  const place: Place = {
    host,
    ctx: contextOn(door.ssh, world.clock),
    async asRoot(command) {
      const { code, stdout, stderr } = await world.run(host, command)
      if (code !== 0) throw new Error(`${command}: ${stderr}`)
      return stdout.trim()
    },
  }
  return {
    place,
    world,
    machine,
    async [Symbol.asyncDispose]() {
      await door.close()
      await world[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}

describe('on a simulated host', () => {
  test.each(contracts)('$name', async ({ holds }) => {
    await using here = await simulated()
    await holds(here.place)
  })

  test('a unit that does not start fails, with what it said', async () => {
    await using here = await simulated()
    here.machine.units.hold('cron', 'cron: cannot read its table')
    await does(here.place, 'systemd.unit', { unit: 'cron', state: 'stopped' })
    await expect(does(here.place, 'systemd.unit', { unit: 'cron', state: 'started' })).rejects.toMatchObject({
      code: 'unit_failed',
      message: expect.stringContaining('cannot read its table'),
    })
  })

  test('a unit that still stops or starts when it is looked at gets there, and a part of what was wanted is not nothing', async () => {
    await using here = await simulated()
    const { machine, place } = here
    const state = () => place.asRoot('systemctl is-active cron; systemctl is-enabled cron; true')
    machine.units.delayStop('cron', 60_000)
    machine.units.stop('cron')
    expect(await state()).toBe('deactivating\nenabled')
    expect(await settles(place, 'systemd.unit', { unit: 'cron', state: 'stopped' })).toMatchObject({ happened: 'yes' })
    expect(await state()).toBe('inactive\nenabled')

    const both = { unit: 'cron', state: 'stopped', enabled: false }
    expect(await settles(place, 'systemd.unit', both)).toMatchObject({ happened: 'unknown' })

    machine.units.delay('cron', 60_000)
    machine.units.start('cron')
    expect(await settles(place, 'systemd.unit', { unit: 'cron', state: 'started' })).toMatchObject({ happened: 'yes' })
    expect(await state()).toBe('active\nenabled')

    machine.units.stop('cron')
    const soon = { unit: 'cron', state: 'stopped', within: '10s' }
    expect(await settles(place, 'systemd.unit', soon)).toMatchObject({
      happened: 'unknown',
      why: expect.stringContaining('deactivating'),
    })
    expect(await settles(place, 'systemd.unit', { unit: 'cron', state: 'reloaded' })).toMatchObject({
      happened: 'unknown',
    })
  })

  test('a host that goes down and stays down is not back, and nobody knows how it ends', async () => {
    await using here = await simulated()
    const failed = does(here.place, 'ssh.reboot', { command: ['systemctl', 'poweroff'], within: '10m' })
    await expect(failed).rejects.toMatchObject({ code: 'not_back', status: 'unknown' })
  })
})
