import { expect, test } from 'vitest'
import { newKey, startSshServer } from '../support/ssh-server.ts'
import { atTerminal } from './at-terminal.ts'
import { book, type Workspace, workspace } from './program.ts'

const says = book(
  'says',
  'steps:\n  - { id: say, action: ssh.script, effect: read, with: { host: h, script: "echo typed-$(echo secret) in" } }\n',
)

function prepared(server: { readonly port: number; knownHosts(): string }, more: object = {}): Workspace {
  const space = workspace()
  space.write('known_hosts', server.knownHosts())
  const ssh = { user: 'ops', port: server.port, known_hosts: 'known_hosts', config: '/dev/null', ...more }
  space.write(
    'inventory.yaml',
    JSON.stringify({ apiVersion: 'runbook/v1', hosts: { h: { address: '127.0.0.1', ssh } } }),
  )
  space.write('says.yaml', says)
  return space
}

const exec = ['exec', 'says.yaml', '--inventory', 'inventory.yaml', '--output', 'plain', '-v']

test('at a terminal the passphrase of a key is asked for, hidden, and masked from then on; elsewhere nobody is asked', async () => {
  const key = newKey('ed25519', 'typed-secret')
  await using server = await startSshServer({ authorized: [key.public] })
  const space = prepared(server, { identity_file: 'id' })
  space.write('id', key.private)
  const run = atTerminal(space, exec)
  await run.until('passphrase for the key')
  run.type('typed-secret\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)
  expect(all).toContain('«typed for h» in')
  expect(all + space.lines().join('\n')).not.toContain('typed-secret in')
  const piped = await space.run(exec)
  expect(piped.code, piped.all).toBe(1)
  expect(piped.all).toContain('it has a passphrase')
})

test('at a terminal the questions of a host are asked in its words, and Ctrl-C there cancels the run', async () => {
  await using server = await startSshServer({ question: { text: 'One-time code: ', answer: 'typed-secret' } })
  const space = prepared(server)
  const run = atTerminal(space, exec)
  await run.until('One-time code:')
  run.type('typed-secret\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)

  const stopped = atTerminal(space, exec)
  await stopped.until('One-time code:')
  await new Promise((done) => setTimeout(done, 200))
  stopped.type('\u0003')
  expect((await stopped.ended).code).toBe(130)
})
