import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { book, workspace } from '../../program/program.ts'
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

test('a run asks 500 hosts at once, and knows what each has said', async () => {
  const here = workspace()
  const named = hosts.map((address, index) => [`h${String(index).padStart(3, '0')}`, { address }] as const)
  const inventory = { apiVersion: 'runbook/v1', ssh: { config: settings }, hosts: Object.fromEntries(named) }
  here.write('inventory.yaml', JSON.stringify(inventory))
  const ask = `steps:
  - { id: ask, targets: 'h*', max_parallel: 500, action: ssh.script, effect: read, with: { script: 'echo "$SSH_CONNECTION"' } }
outputs:
  answered: steps.ask.items.map(i, i.result.stdout.split(' ')[2])
`
  here.write('fan.yaml', book('fan', ask))
  const { code, all } = await here.run(['exec', 'fan.yaml', '--inventory', 'inventory.yaml', '--output', 'json'])
  expect(code, all.slice(-2_000)).toBe(0)
  const ended = all.split('\n').find((line) => line.includes('"type":"run.ended"')) ?? '{}'
  expect(JSON.parse(ended).outputs).toEqual({ answered: hosts })
})
