import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { book, workspace } from './program.ts'

const asking = book(
  'asking',
  `steps:
  - id: one
    action: local.script
    with: { script: echo one >> done.txt }
  - id: ask
    action: human.confirm
    with: { message: Go on? }
  - id: two
    action: local.script
    with: { script: echo two >> done.txt }
  - id: below
    action: local.script
    with: { script: echo below >> done.txt, directory: inner }
`,
)

test('a run that is resumed from another folder goes on in the one in which it began', async () => {
  const space = workspace()
  space.write('asking.yaml', asking)
  const [begun, other] = [join(space.folder, 'begun'), join(space.folder, 'other')]
  for (const folder of [join(begun, 'inner'), join(other, 'inner')]) mkdirSync(folder, { recursive: true })
  const parked = await space.shell(`cd begun && runbook exec ../asking.yaml </dev/null`).ended
  expect(parked.code, parked.all).toBe(6)
  const resumed = await space.shell(`cd other && runbook resume last --answer ask=yes`).ended
  expect(resumed.code, resumed.all).toBe(0)
  expect(readFileSync(join(begun, 'done.txt'), 'utf8')).toBe('one\ntwo\n')
  expect(readFileSync(join(begun, 'inner', 'done.txt'), 'utf8')).toBe('below\n')
  expect(existsSync(join(other, 'done.txt'))).toBe(false)
})

test('a run whose folder is gone is not resumed somewhere else', async () => {
  const space = workspace()
  space.write('asking.yaml', asking)
  const begun = join(space.folder, 'begun')
  mkdirSync(join(begun, 'inner'), { recursive: true })
  const parked = await space.shell(`cd begun && runbook exec ../asking.yaml </dev/null`).ended
  expect(parked.code, parked.all).toBe(6)
  rmSync(begun, { recursive: true })
  const resumed = await space.run(['resume', 'last', '--answer', 'ask=yes'])
  expect(resumed.code, resumed.all).toBe(2)
  expect(resumed.all).toContain('in which this run began, is no longer there')
  mkdirSync(join(begun, 'inner'), { recursive: true })
  expect((await space.run(['resume', 'last', '--answer', 'ask=yes'])).code).toBe(0)
  expect(readFileSync(join(begun, 'done.txt'), 'utf8')).toBe('two\n')
})
