import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../../engine/action/contract.ts'
import type { HostSettings } from '../../../engine/host/ssh/settings.ts'
import { never } from '../../engine/host/ssh/harness.ts'
import { labDoor } from '../support/door.ts'
import { onHost } from '../support/hosts.ts'
import { eventually } from '../support/lab.ts'

const host = 'h1'
const soon = () => AbortSignal.timeout(120_000)
const rootPassword = 'root-of-the-lab'
const ownPassword = 'own-of-the-lab'

const asRoot = async (command: string) => {
  const { code, stdout, stderr } = await onHost(host, command, soon())
  if (code !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

beforeAll(async () => {
  await asRoot(`set -e; cp -p /etc/shadow /root/shadow.kept
for u in asked free; do id $u >/dev/null 2>&1 || useradd -m -s /bin/bash $u; echo "$u:${ownPassword}" | chpasswd
install -d -m700 -o $u /home/$u/.ssh; install -m600 -o $u /root/.ssh/authorized_keys /home/$u/.ssh/authorized_keys; done
echo "root:${rootPassword}" | chpasswd
echo 'asked ALL=(ALL) ALL' >/etc/sudoers.d/become-test; chmod 440 /etc/sudoers.d/become-test`)
})

afterAll(async () => {
  await asRoot(`rm -f /etc/sudoers.d/become-test; userdel -f -r asked 2>/dev/null; userdel -f -r free 2>/dev/null
mv /root/shadow.kept /etc/shadow; sed -i '/^\\(asked\\|free\\):/d' /etc/shadow; true`)
})

const ways: { name: string; user: string; settings: HostSettings; wrong?: HostSettings }[] = [
  { name: 'sudo without a password', user: 'ops', settings: {} },
  {
    name: 'sudo with a password',
    user: 'asked',
    settings: { becomePassword: () => ownPassword },
    wrong: { becomePassword: () => 'not-the-password' },
  },
  {
    name: 'su with a password',
    user: 'free',
    settings: { becomeMethod: 'su', becomePassword: () => rootPassword },
    wrong: { becomeMethod: 'su', becomePassword: () => 'not-the-password' },
  },
]

const running = (text: string) => asRoot(`pgrep -xf '${text}' | wc -l`)

describe.each(ways)('by $name', ({ user, settings, wrong }) => {
  test('a command is root, and has its own input, environment, folder and streams', async () => {
    await using door = labDoor({ user, ...settings })
    const text = `id -un; printf '%s|' "$V" "$PWD" "$@"; cat; echo err >&2; exit 3`
    const command: Command = { argv: ['sh', '-c', text, 'x', "it's", '', '$HOME'], become: true }
    const result = await door.ssh.exec(host, { ...command, env: { V: 'a b' }, cwd: '/root', stdin: 'one\ntwo' }, soon())
    expect(result).toMatchObject({ exitCode: 3, stdout: "root\na b|/root|it's||$HOME|one\ntwo", stderr: 'err\n' })
  })

  test('a long script is root, and reads its own input', async () => {
    await using door = labDoor({ user, ...settings, become: true })
    const script = { text: `${'#\n'.repeat(50_000)}id -un; cat; echo "$1"`, interpreter: ['sh'], args: ['a b'] }
    const result = await door.ssh.exec(host, { script, stdin: 'in ' }, soon())
    expect(result).toMatchObject({ exitCode: 0, stdout: 'root\nin a b\n', stderr: '' })
  })

  test('one that is called off ends, though we may not end it ourselves', async () => {
    const stop = new AbortController()
    await using door = labDoor({ user, ...settings }, { onOutput: () => stop.abort(new Error('enough')) })
    const text = `trap '' TERM; sh -c "trap '' TERM; sleep 31.41" & echo up; sleep 31.41; sleep 31.41`
    const ended = door.ssh.exec(host, { argv: ['sh', '-c', text], become: true }, stop.signal)
    await expect(ended).rejects.toThrow('enough')
    expect(await running('sleep 31.41')).toBe('0')
  })

  test('the password is in no command line, no environment and no record', async () => {
    await using door = labDoor({ user, ...settings })
    const held = new AbortController()
    const ended = door.ssh
      .exec(host, { argv: ['sh', '-c', 'echo up; exec sleep 27.18'], become: true }, held.signal)
      .catch(() => undefined)
    await eventually(async () => ((await running('sleep 27.18')) === '1' ? true : undefined), soon(), 200)
    const search = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c -e of-the-la[b] || true`
    expect(await asRoot(search)).toBe('0')
    held.abort(new Error('enough'))
    await ended
    expect(JSON.stringify([door.calls, door.output])).not.toMatch(/of-the-lab/)
    expect(door.calls[0]).toMatchObject({ command: expect.stringMatching(/^(sudo -u root -- |su root: )sh -c/) })
  })

  test.skipIf(!wrong)('a wrong password is refused, and nothing has run', async () => {
    await using door = labDoor({ user, ...wrong })
    const command: Command = { argv: ['touch', '/tmp/become-was-here'], stdin: 'not-the-password\n'.repeat(5) }
    await expect(door.ssh.exec(host, { ...command, become: true }, soon())).rejects.toMatchObject({
      code: 'become_refused',
      status: 'failed',
    })
    expect(await asRoot('ls /tmp/become-was-here 2>/dev/null || true')).toBe('')
  })
})

test('another user than root is possible, and the one who logs in is no other user', async () => {
  await using door = labDoor({ user: 'ops', become: true })
  const id = async (become: Command['become']) =>
    (await door.ssh.exec(host, { argv: ['id', '-un'], ...(become !== undefined && { become }) }, soon())).stdout
  expect(await id({ user: 'free' })).toBe('free\n')
  expect(await id(undefined)).toBe('root\n')
  expect(await id(false)).toBe('ops\n')
  expect(await id({ user: 'ops', method: 'su' })).toBe('ops\n')
})

test('without the password that is asked for it is refused, with the way to give one', async () => {
  await using door = labDoor({ user: 'asked' })
  await expect(door.ssh.exec(host, { argv: ['id'], become: true }, soon())).rejects.toMatchObject({
    code: 'become_refused',
    message: expect.stringContaining('password is required'),
    hint: expect.stringContaining('become_password'),
  })
  await using su = labDoor({ user: 'free', becomeMethod: 'su' })
  await expect(su.ssh.exec(host, { argv: ['id'], become: true }, soon())).rejects.toMatchObject({
    code: 'become_refused',
  })
})

test('a user that is not there is refused', async () => {
  await using door = labDoor({ user: 'ops' })
  for (const method of ['sudo', 'su'] as const) {
    const ended = door.ssh.exec(host, { argv: ['id'], become: { user: 'nobody-here', method } }, soon())
    await expect(ended).rejects.toMatchObject({ code: 'become_refused' })
  }
})

test('one whose `sudo` hangs ends with the step, and never begins', async () => {
  await asRoot(`printf '#!/bin/sh\\nsleep 1000\\n' >/usr/local/bin/sudo; chmod 755 /usr/local/bin/sudo`)
  try {
    await using door = labDoor({ user: 'ops' }, { timing: { grace: 500 } })
    const stop = new AbortController()
    const ended = door.ssh.exec(host, { argv: ['touch', '/tmp/become-was-late'], become: true }, stop.signal)
    await eventually(async () => ((await running('sleep 1000')) === '1' ? true : undefined), soon(), 200)
    stop.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    await expect(door.ssh.exec(host, { argv: ['ls', '/tmp/become-was-late'] }, never)).resolves.toMatchObject({
      exitCode: 2,
    })
  } finally {
    await asRoot(`rm -f /usr/local/bin/sudo; pkill -xf 'sleep 1000' || true`)
  }
})
