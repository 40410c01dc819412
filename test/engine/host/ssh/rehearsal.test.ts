import { describe, expect, test } from 'vitest'
import type { HostSettings } from '../../../../engine/host/ssh/settings.ts'
import { startWorld } from '../../../simulator/hosts/world.ts'
import { doorTo, folder, never } from './harness.ts'

/** A door to simulated hosts, on the world's clock. */
async function rehearsal(settings: HostSettings = {}) {
  const world = await startWorld()
  const files = folder()
  const [name = ''] = Object.keys(world.served.hosts)
  const knownHosts = [files.write('known_hosts', world.served.knownHosts)]
  const identityFiles = [files.write('id', world.served.privateKey)]
  const onOutput = { tell: (_: string) => {} }
  const door = doorTo(
    { [name]: { ...world.served.hosts[name], user: 'root', knownHosts, identityFiles, ...settings } },
    { clock: world.clock, onOutput: (_host, _stream, text) => onOutput.tell(text) },
  )
  const machine = world.world.estate.machines.get(name)
  return {
    name,
    door,
    machine,
    world,
    onOutput,
    async [Symbol.asyncDispose]() {
      await door.close()
      await world[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}

describe('a simulated host', () => {
  test('runs words as a real one', async () => {
    await using place = await rehearsal()
    const argv = ['sh', '-c', `printf '%s|' "$V" "$PWD" "$@"; cat; echo err >&2; exit 3`, 'x', "it's", '', '$HOME']
    const result = await place.door.ssh.exec(place.name, { argv, env: { V: 'a b' }, cwd: '/tmp', stdin: 'data' }, never)
    expect(result).toMatchObject({ exitCode: 3, stdout: "a b|/tmp|it's||$HOME|data", stderr: 'err\n' })
  })

  test('runs scripts as a real one', async () => {
    await using place = await rehearsal()
    const script = { text: 'for a; do echo "<$a>"; done | sort; cat', interpreter: ['bash', '-eu'], args: ['b', 'a c'] }
    await expect(place.door.ssh.exec(place.name, { script, stdin: 'in' }, never)).resolves.toMatchObject({
      exitCode: 0,
      stdout: '<a c>\n<b>\nin',
    })
  })

  test('tells of a program that is not there as a real one', async () => {
    await using place = await rehearsal()
    await expect(place.door.ssh.exec(place.name, { argv: ['no-such-program'] }, never)).resolves.toMatchObject({
      exitCode: 127,
    })
  })

  test('takes a long script', async () => {
    await using place = await rehearsal()
    const script = { text: `${'#\n'.repeat(50_000)}echo "$1"`, interpreter: ['sh'], args: ['x'] }
    await expect(place.door.ssh.exec(place.name, { script }, never)).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'x\n',
    })
  })

  test('ends an aborted command', async () => {
    await using place = await rehearsal()
    const stop = new AbortController()
    // one waits for the command, and one reads what it says: with less the world's time jumps to the end of the sleep
    const busy = [place.world.clock.busy(), place.world.clock.busy()]
    place.onOutput.tell = () => stop.abort(new Error('enough'))
    const ended = place.door.ssh.exec(place.name, { argv: ['sh', '-c', 'echo up; sleep 100000'] }, stop.signal)
    await expect(ended).rejects.toThrow('enough')
    for (const done of busy) done()
  })
})

describe('another user on a simulated host', () => {
  const ways = [
    { name: 'sudo without a password', settings: {}, passwords: {}, refuses: false },
    { name: 'sudo', settings: { becomePassword: () => 'secret-1' }, passwords: { ops: 'secret-1' }, refuses: true },
    {
      name: 'su',
      settings: { becomeMethod: 'su', becomePassword: () => 'secret-2' },
      passwords: { root: 'secret-2' },
      refuses: true,
    },
  ] as const

  test.each(ways)('is become by $name, and reads its own input', async ({ settings, passwords }) => {
    await using place = await rehearsal({ user: 'ops', ...settings })
    for (const [user, password] of Object.entries(passwords)) place.machine?.passwords.set(user, password)
    const argv = ['sh', '-c', `id -un; echo "$V"; cat; exit 3`]
    const result = await place.door.ssh.exec(place.name, { argv, env: { V: 'a b' }, stdin: 'in', become: true }, never)
    expect(result).toMatchObject({ exitCode: 3, stdout: 'root\na b\nin', stderr: '' })
    const script = { text: `${'#\n'.repeat(50_000)}id -un; cat`, interpreter: ['sh'], args: [] }
    const long = await place.door.ssh.exec(place.name, { script, stdin: 'in', become: true }, never)
    expect(long).toMatchObject({ exitCode: 0, stdout: 'root\nin' })
    expect(JSON.stringify([place.door.calls, place.door.output])).not.toContain('secret-')
  })

  test.each(ways.filter(({ refuses }) => refuses))('is not become by $name with a wrong password', async (way) => {
    await using place = await rehearsal({ user: 'ops', ...way.settings })
    place.machine?.passwords.set('ops', 'another').set('root', 'another')
    const touched = place.door.ssh.exec(place.name, { argv: ['touch', '/tmp/x'], become: true }, never)
    await expect(touched).rejects.toMatchObject({ code: 'become_refused', status: 'failed' })
    expect(place.machine?.files.find('/tmp/x')).toBeUndefined()
  })

  test.each(ways)('by $name: an aborted command ends', async ({ settings, passwords }) => {
    await using place = await rehearsal({ user: 'ops', ...settings })
    for (const [user, password] of Object.entries(passwords)) place.machine?.passwords.set(user, password)
    const stop = new AbortController()
    const busy = place.world.clock.busy()
    place.onOutput.tell = () => stop.abort(new Error('enough'))
    const argv = ['sh', '-c', 'echo up; sleep 100000']
    await expect(place.door.ssh.exec(place.name, { argv, become: true }, stop.signal)).rejects.toThrow('enough')
    expect(place.machine?.processes.list().filter(({ argv }) => argv[0] === 'sleep')).toEqual([])
    busy()
  })
})
