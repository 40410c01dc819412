import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { labDoor } from '../support/door.ts'
import { lab } from '../support/lab.ts'

const script = join(import.meta.dirname, 'fan.sh')
const settings = join(dirname(lab.sshConfig), 'fan.ssh_config')
const fan = (what: string) =>
  execFileSync('bash', [script, what], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
let wasUp = false

beforeAll(() => {
  wasUp = existsSync(settings) && fan('status').trim() === 'up'
  fan('up')
})
afterAll(() => {
  if (!wasUp) fan('down')
})

const hosts = Array.from({ length: 500 }, (_, index) => `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`)

test('500 hosts answer at once, each for itself', async () => {
  await using door = labDoor({ sshConfig: settings }, { openSsh: false, onOutput: () => {} })
  const answers = await Promise.all(
    hosts.map(async (host) => {
      const { stdout } = await door.ssh.exec(
        host,
        { argv: ['sh', '-c', 'echo "$SSH_CONNECTION"'] },
        AbortSignal.timeout(340_000),
      )
      return stdout.split(' ')[2]
    }),
  )
  expect(answers).toEqual(hosts)
})
