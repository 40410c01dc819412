import { describe, expect, test } from 'vitest'
import { startWorld } from '../../../simulator/hosts/world.ts'
import { doorTo, folder, never } from './harness.ts'

/** A door to simulated hosts, on the world's clock. */
async function rehearsal() {
  const world = await startWorld()
  const files = folder()
  const [name = ''] = Object.keys(world.served.hosts)
  const knownHosts = [files.write('known_hosts', world.served.knownHosts)]
  const identityFiles = [files.write('id', world.served.privateKey)]
  const onOutput = { tell: (_: string) => {} }
  const door = doorTo(
    { [name]: { ...world.served.hosts[name], user: 'root', knownHosts, identityFiles } },
    { clock: world.clock, onOutput: (_host, _stream, text) => onOutput.tell(text) },
  )
  return {
    name,
    door,
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
    const busy = place.world.clock.busy()
    place.onOutput.tell = () => stop.abort(new Error('enough'))
    const ended = place.door.ssh.exec(place.name, { argv: ['sh', '-c', 'echo up; sleep 100000'] }, stop.signal)
    await expect(ended).rejects.toThrow('enough')
    busy()
  })
})
