import { expect, test } from 'vitest'
import type { WorkAction } from '../../../engine/action/contract.ts'
import { closedObject, text, whole } from '../../../engine/action/define.ts'
import { emptyWorld, head, outcomeOf, walk } from '../../support/engine.ts'

const writes: WorkAction = {
  name: 'test.writes',
  summary: 'changes something and writes more than is kept',
  effect: 'change',
  params: closedObject({}),
  result: closedObject({ stdout: text('The beginning of what it wrote.'), code: whole('The exit code.') }),
  examples: [{}],
  run: async () => ({ stdout: 'the beginn', code: 0 }),
  cut: () => ['stdout'],
}

test.each([
  ['its own condition', `, verify: [{ that: "!('error' in [result.stdout])" }]`, ''],
  ['a later condition', '', `  - { id: y, when: "steps.x.result.stdout != 'error'", let: { a: "1" } }\n`],
  ['a later template', '', '  - { id: y, action: test.read, with: { what: "{{ steps.x.result.stdout }}" } }\n'],
  ['whoever takes all of it', '', '  - { id: y, let: { all: steps.x.result } }\n'],
])('the beginning of what a change gave does not pass for the whole, for %s', async (_who, more, then) => {
  const undo = ', rollback: [{ action: test.change, with: { what: undo } }]'
  const world = emptyWorld()
  const done = await walk(`${head}steps:\n  - { id: x, action: test.writes${more}${undo} }\n${then}`, {
    world,
    moreActions: [writes],
  })
  expect(outcomeOf(done, 'x')).toMatchObject({ status: 'failed', error: { code: 'output_cut' } })
  expect({ effects: world.effects, status: done.ending?.status }).toEqual({
    effects: ['change undo'],
    status: 'rolled_back',
  })
})

test('where nothing reads what was not kept whole, the change has succeeded', async () => {
  const yaml = `${head}steps:
  - { id: x, action: test.writes, verify: [{ that: result.code == 0 }] }
  - { id: y, when: steps.x.result.code == 0, let: { a: "1" } }
`
  expect((await walk(yaml, { moreActions: [writes] })).ending?.status).toBe('succeeded')
})
