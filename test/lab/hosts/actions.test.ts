import { afterAll, describe, expect, test } from 'vitest'
import { realClock } from '../../engine/host/ssh/harness.ts'
import { contracts } from '../../plugins/ssh/contract.ts'
import { contextOn, does, type Place } from '../../plugins/ssh/place.ts'
import { labDoor } from '../support/door.ts'
import { onHost } from '../support/hosts.ts'
import { eventually } from '../support/lab.ts'

const host = 'h2'
const door = labDoor({ user: 'ops', become: true })
const soon = () => AbortSignal.timeout(120_000)

const place: Place = {
  host,
  ctx: contextOn(door.ssh, realClock),
  async asRoot(command) {
    const { code, stdout, stderr } = await onHost(host, command, soon())
    if (code !== 0) throw new Error(`${command}: ${stderr}`)
    return stdout
  },
}
const { asRoot } = place

afterAll(async () => {
  await asRoot('rm -rf /var/tmp/contract')
  await door.close()
})

describe('on a real host, as an operator with sudo', () => {
  test.each(contracts)('$name', async ({ holds }) => {
    await holds(place)
  })

  test.each(contracts)('by OpenSSH too: $name', async ({ holds }) => {
    await using other = labDoor({ user: 'ops', become: true, transport: 'openssh' })
    await holds({ ...place, ctx: contextOn(other.ssh, realClock) })
  })

  test('a file that may not be looked at is not said to be absent', async () => {
    await using plain = labDoor({ user: 'ops' })
    const ours = { ...place, ctx: contextOn(plain.ssh, realClock) }
    for (const action of ['ssh.file.read', 'ssh.file']) {
      const params = { path: '/root/none', ...(action === 'ssh.file' && { state: 'absent' }) }
      await expect(does(ours, action, params)).rejects.toMatchObject({ code: 'no_access' })
    }
    await expect(does(ours, 'systemd.unit', { unit: 'cron', state: 'restarted' })).rejects.toMatchObject({
      code: 'unit_refused',
      hint: expect.stringContaining('become'),
    })
    await expect(does(ours, 'ssh.reboot', {})).rejects.toMatchObject({ code: 'reboot_refused' })
  })

  test('a disk that is full leaves the file as it was', async () => {
    const folder = '/var/tmp/full'
    await asRoot(`mkdir -p ${folder}; mount -t tmpfs -o size=64k tmpfs ${folder}; echo old >${folder}/file`)
    try {
      const failed = does(place, 'ssh.file', { path: `${folder}/file`, content: 'x'.repeat(200_000) })
      await expect(failed).rejects.toMatchObject({ code: 'not_whole' })
      expect(await asRoot(`cat ${folder}/file; ls -A ${folder}`)).toBe('old\nfile')
    } finally {
      await asRoot(`umount ${folder}; rmdir ${folder}`)
    }
  })

  test('whoever reads the file meanwhile sees the old or the new, and nothing between', async () => {
    const path = '/var/tmp/contract-atomic'
    const content = (letter: string) => letter.repeat(500_000)
    await asRoot(`head -c 500000 /dev/zero | tr '\\0' a >${path}`)
    const stop = new AbortController()
    const watch = `n=0; while [ -e ${path} ] && [ ! -e ${path}.stop ]; do tr -d '\\n' <${path} | fold -w 500000 | cut -c1 >/tmp/one; tr -d a <${path} | tr -d b | wc -c; wc -c <${path}; done | sort | uniq -c`
    const watching = onHost(host, watch, stop.signal)
    try {
      for (const letter of ['b', 'a', 'b'])
        await does(place, 'ssh.file', { path, content: content(letter), backup: false })
      await asRoot(`touch ${path}.stop`)
      await watching
    } finally {
      // whoever still watches ends with it
      await asRoot(`rm -f ${path} ${path}.stop /tmp/one`)
    }
    const { stdout } = await watching
    expect(stdout.split('\n').map((line) => line.trim().split(' ')[1])).toEqual(['0', '500000'])
  })
})

describe('a unit that is not well', () => {
  const unit = 'contract-test'
  const write = (text: string) =>
    asRoot(
      `printf '${text}' >/etc/systemd/system/${unit}.service; systemctl daemon-reload; systemctl reset-failed ${unit} 2>/dev/null; true`,
    )
  afterAll(() =>
    asRoot(`systemctl stop ${unit}; rm -f /etc/systemd/system/${unit}.service; systemctl daemon-reload; true`),
  )

  test('that ends at once fails with its reason, though its start has returned 0', async () => {
    await write('[Service]\\nType=simple\\nExecStart=/bin/sh -c "echo wrong option; sleep 0.2; exit 3"\\n')
    expect((await onHost(host, `systemctl start ${unit}`, soon())).code).toBe(0)
    await eventually(
      async () => ((await onHost(host, `systemctl is-failed ${unit}`, soon())).code === 0 ? true : undefined),
      soon(),
    )
    await expect(does(place, 'systemd.unit', { unit, state: 'started' })).rejects.toMatchObject({
      code: 'unit_failed',
      message: expect.stringContaining('wrong option'),
    })
  })

  test('that systemd starts again for ever, and calls activating, fails', async () => {
    await write(
      '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nType=simple\\nRestart=always\\nRestartSec=1\\nExecStart=/bin/sh -c "echo loops; exit 1"\\n',
    )
    await expect(does(place, 'systemd.unit', { unit, state: 'started', max_restarts: 1 })).rejects.toMatchObject({
      code: 'unit_failed',
      message: expect.stringContaining('again and again'),
    })
    expect(await does(place, 'systemd.unit', { unit, state: 'stopped' })).toMatchObject({ active_state: 'inactive' })
  })

  test('that takes longer than it may is told with the state that it is in', async () => {
    await write('[Service]\\nType=notify\\nExecStart=/bin/sleep 1000\\n')
    await expect(does(place, 'systemd.unit', { unit, state: 'started', within: '3s' })).rejects.toMatchObject({
      code: 'unit_timeout',
      message: expect.stringContaining('activating'),
    })
    await asRoot(`systemctl kill -s KILL ${unit}; systemctl stop ${unit}`)
  })

  test('that does its work once and ends is started', async () => {
    await write('[Service]\\nType=oneshot\\nExecStart=/bin/touch /tmp/contract-oneshot\\n')
    expect(await does(place, 'systemd.unit', { unit, state: 'started' })).toMatchObject({ active_state: 'inactive' })
    expect(await asRoot('ls /tmp/contract-oneshot; rm /tmp/contract-oneshot')).toBe('/tmp/contract-oneshot')
  })

  test('without an install section is not enabled, and says so', async () => {
    await write('[Service]\\nExecStart=/bin/sleep 1000\\n')
    await expect(does(place, 'systemd.unit', { unit, enabled: true })).rejects.toMatchObject({ code: 'not_so' })
  })
})
