import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { book, type Workspace, workspace } from './program.ts'

/** What was done to the world so far, as its effect log tells. */
const effects = (space: Workspace) =>
  readFileSync(join(space.folder, 'effects.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { kind: string; what: string }]))

async function served(space: Workspace) {
  const world = space.start(['rehearse', 'healthy', '--folder', 'a world', '--effects', 'effects.jsonl'])
  await world.until('every change made to it is appended')
  return world
}

test.skipIf(!existsSync('/usr/bin/ssh'))(
  'people reach the hosts of a served world with `ssh`, as it tells them',
  async () => {
    const space = workspace()
    const world = await served(space)
    // a line as it is printed, with a command after it
    const line = /^ {2}(ssh -F .*) ctl1$/m.exec(world.said())?.[1] ?? 'false'
    const restarted = await space.shell(`${line} cmp2 'hostname && systemctl restart nova-compute'`).ended
    expect(restarted).toMatchObject({ code: 0, stdout: 'cmp2\n' })
    expect(effects(space).map(({ what }) => what)).toEqual([expect.stringContaining('nova-compute')])
  },
)

test('a world that is served lives on while a run on it is killed and resumed, and nothing is done twice', async () => {
  const space = workspace()
  await served(space)
  space.write(
    'two.yaml',
    book(
      'two',
      `steps:
  - { id: one, action: ssh.run, with: { host: cmp1, command: systemctl restart nova-compute } }
  - { id: wait, action: local.script, effect: read, with: { script: "[ -e over ] || { touch begun; sleep 60; }" } }
  - { id: two, action: ssh.run, with: { host: cmp2, command: systemctl restart nova-compute } }
`,
    ),
  )
  const run = space.start(['exec', 'two.yaml', '--inventory', 'a world/inventory.yaml'])
  await run.until(() => existsSync(join(space.folder, 'begun')))
  run.child.kill('SIGKILL')
  await run.ended
  space.write('over', '')
  expect(await space.run(['resume', 'last'])).toMatchObject({ code: 0 })
  const [first, second, ...more] = effects(space).map(({ what }) => what)
  expect([first, second]).toEqual([expect.stringContaining('cmp1'), expect.stringContaining('cmp2')])
  expect(more).toEqual([])
})
