import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kill } from 'node:process'
import { expect, onTestFinished, test } from 'vitest'
import { folder } from '../engine/host/ssh/harness.ts'
import { commandLines } from '../support/processes.ts'
import { newKey } from '../support/ssh-server.ts'
import { sshdMissing, startSshd } from '../support/sshd.ts'
import { book, workspace } from './program.ts'

test.skipIf(sshdMissing !== undefined)(
  'the `ssh` that a run started ends with it, even when it is killed',
  async () => {
    const space = workspace()
    using files = folder()
    const client = newKey()
    await using server = await startSshd(client, files.write)
    const known = files.write('known_hosts', `[127.0.0.1]:${server.port} ${server.hostKey.public}\n`)
    space.write(
      'inventory.yaml',
      `apiVersion: runbook/v1
ssh:
  transport: openssh
  user: ${server.user}
  identity_file: ${files.write('id', client.private)}
  known_hosts: ${known}
  config: ${files.write('config', '')}
hosts:
  c1: { address: 127.0.0.1, ssh: { port: ${server.port} } }
`,
    )
    const pid = join(space.folder, 'pid')
    const script = `echo $$ > ${pid}; exec sleep 300`
    space.write(
      'stays.yaml',
      book(
        'stays',
        `steps:\n  - id: stays\n    targets: c1\n    action: ssh.script\n    with: { script: ${JSON.stringify(script)} }\n`,
      ),
    )
    // where its control sockets are, which its command line names
    const run = space.start(['exec', 'stays.yaml', '--inventory', 'inventory.yaml'], { TMPDIR: space.folder })
    await run.until(() => existsSync(pid) && readFileSync(pid, 'utf8').endsWith('\n'))
    onTestFinished(() => void kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL'))
    const ours = join(space.folder, 'rb-')
    expect(commandLines(ours)).toContainEqual(expect.stringMatching(/^ssh .* -- c1$/))
    // its control socket has no name by which anybody else could come in
    expect(readdirSync(space.folder).filter((name) => name.startsWith('rb-'))).toEqual([])
    run.child.kill('SIGKILL')
    await run.ended
    await expect.poll(() => commandLines(ours)).toEqual([])
  },
)

test('a way to reach hosts that there is none of is told where it is written', async () => {
  const space = workspace()
  space.write('inventory.yaml', 'apiVersion: runbook/v1\nhosts:\n  c1: { ssh: { transport: opensh } }\n')
  const { code, all } = await space.run(['hosts', 'all', '--inventory', 'inventory.yaml'])
  expect(code).toBe(2)
  expect(all).toContain('inventory.yaml:3')
  expect(all).toContain('`openssh`')
})
