import { expect, test } from 'vitest'
import { labHosts, onHost } from '../support/hosts.ts'
import { eventually } from '../support/lab.ts'

const soon = () => AbortSignal.timeout(180_000)
const bootId = 'cat /proc/sys/kernel/random/boot_id'

test('every host of the lab has an address, a systemd of its own and a name of its own', async () => {
  const signal = soon()
  const hosts = await labHosts()
  expect([...hosts.keys()]).toEqual(expect.arrayContaining(['h1', 'h2', 'h3']))
  for (const name of ['h1', 'h2', 'h3']) {
    const { code, stdout } = await onHost(name, 'cat /proc/1/comm; hostname', signal)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `systemd\n${name}` })
  }
})

test('an operator who is not root gets there by sudo', async () => {
  const signal = soon()
  expect(await onHost('h1', 'id -un', signal, 'ops')).toMatchObject({ code: 0, stdout: 'ops' })
  expect(await onHost('h1', 'sudo -n id -un', signal, 'ops')).toMatchObject({ code: 0, stdout: 'root' })
})

test('a command that fails on a host gives its own exit code, and its two streams apart', async () => {
  const said = await onHost('h1', 'echo out; echo err >&2; exit 7', soon())
  expect(said).toEqual({ code: 7, stdout: 'out', stderr: 'err\n' })
})

test('a host that reboots comes back with another boot id, and its disk', async () => {
  const signal = soon()
  const before = await onHost('h3', `echo kept >/root/over-the-reboot; ${bootId}`, signal)
  expect(before.code).toBe(0)
  await onHost('h3', 'reboot', signal)
  const after = await eventually(async () => {
    const now = await onHost('h3', bootId, signal)
    return now.code === 0 && now.stdout !== before.stdout ? now.stdout : undefined
  }, signal)
  expect(after).toMatch(/^[0-9a-f-]{36}$/)
  expect(await onHost('h3', 'cat /root/over-the-reboot', signal)).toMatchObject({ code: 0, stdout: 'kept' })
})
