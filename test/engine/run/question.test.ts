import { expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, fail, head, walk } from '../../support/engine.ts'

test('a no from a person ends the run as refused, without a rescue; always and undo still run', async () => {
  const world = emptyWorld()
  const yaml = `${head}steps:
  - { id: a, action: test.change, with: { what: a }, rollback: [{ action: test.change, with: { what: undo } }] }
  - id: group
    block:
      - { id: ask, action: human.confirm, with: { message: sure? } }
      - { id: b, action: test.change, with: { what: b } }
    rescue:
      - { id: mend, action: test.change, with: { what: mend } }
    always:
      - { id: tidy, action: test.change, with: { what: tidy } }
`
  const done = await walk(yaml, { world, answers: { 'group/ask': false } })
  expect(world.effects).toEqual(['change a', 'change tidy', 'change undo'])
  expect(done.ending?.status).toBe('refused')
})

test('a question that nobody answers parks the run before anything else, and an answer goes on from there', async () => {
  const world = emptyWorld()
  const yaml = `${head}steps:
  - { id: a, action: test.change, with: { what: a } }
  - { id: ask, action: human.confirm, with: { message: sure?, phrase: 'c1' } }
  - { id: b, action: test.change, with: { what: b } }
`
  const parked = await walk(yaml, { world })
  expect(parked.stopped?.name).toBe('Parked')
  const wrong = await walk(yaml, { world, text: parked.text, answers: { ask: 'c10' } })
  expect(wrong.ending?.status).toBe('refused')
  const right = await walk(yaml, { world, text: parked.text, answers: { ask: 'c1' } })
  expect(right.ending?.status).toBe('succeeded')
  expect(world.effects).toEqual(['change a', 'change b'])
})

test('a branch that waits for a person does not stop the others', async () => {
  const world = emptyWorld()
  await walk(
    `${head}steps:
  - id: both
    parallel:
      - { id: ask, action: human.confirm, with: { message: sure? } }
      - id: long
        block:
          - { id: one, action: test.change, with: { what: one } }
          - { id: two, action: test.change, with: { what: two } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change one', 'change two'])
})

test('on_failure pause lets a person try again, go on, or end the run', async () => {
  const yaml = `${head}steps:
  - { id: a, action: test.change, with: { what: a }, on_failure: pause }
  - { id: b, action: test.change, with: { what: b } }
`
  for (const [said, effects] of [
    ['retry', ['change a', 'change a', 'change b']],
    ['continue', ['change a', 'change b']],
    ['abort', ['change a']],
  ] as const) {
    const world = emptyWorld()
    let first = true
    world.touch['a'] = () => {
      if (!first) return 1
      first = false
      throw new StepFailure('broken', 'it broke')
    }
    await walk(yaml, { world, answers: { 'a!paused': said } })
    expect(world.effects, said).toEqual(effects)
  }
})

test.each([
  {
    what: 'a branch',
    both: `{ id: both, parallel: [{ id: a, action: test.change, with: { what: a } }, { id: ask, action: human.confirm, with: { message: sure? } }] }`,
    key: 'group/both/ask',
  },
  {
    what: 'an item',
    both: `{ id: both, for_each: "['a', 'b']", max_failures: 2, block: [{ id: change, when: "item == 'a'", action: test.change, with: { what: a } }, { id: ask, action: human.confirm, with: { message: sure? } }] }`,
    key: 'group/both[1]/ask',
  },
])('a no is a no, though $what failed before', async ({ both, key }) => {
  const world = emptyWorld()
  world.touch['a'] = fail()
  const rescue = 'rescue: [{ id: mend, action: test.change, with: { what: mend } }]'
  const done = await walk(`${head}steps:\n  - { id: group, block: [${both}], ${rescue} }\n`, {
    world,
    answers: { [key]: false },
  })
  expect(world.effects).toEqual(['change a'])
  expect(done.ending?.status).toBe('refused')
})
