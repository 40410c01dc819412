import { expect, test } from 'vitest'
import { StepFailure, type WorkAction } from '../../../engine/action/contract.ts'
import { closedObject } from '../../../engine/action/define.ts'
import { emptyWorld, fail, head, outcomeOf, walk } from '../../support/engine.ts'

test('an unknown end is settled by the action where it can look, and asked of a person where it cannot', async () => {
  for (const [said, effects] of [
    ['yes', ['change x', 'settled? x']],
    ['no', ['change x', 'settled? x', 'change x']],
  ] as const) {
    const world = emptyWorld()
    let first = true
    world.touch['x'] = () => {
      if (first) {
        first = false
        throw new StepFailure('connection_lost', 'lost', { status: 'unknown' })
      }
      return 'ok'
    }
    world.touch['x?'] = () => said
    const done = await walk(`${head}steps:\n  - { id: x, action: test.settled, with: { what: x } }\n`, { world })
    expect(world.effects).toEqual(effects)
    expect(done.ending?.status).toBe('succeeded')
  }
  const world = emptyWorld()
  world.touch['x'] = fail('unknown')
  const asked = await walk(`${head}steps:\n  - { id: x, action: test.change, with: { what: x } }\n`, { world })
  expect(asked.stopped).toMatchObject({ name: 'Parked', inDoubt: true })
  expect(world.effects).toEqual(['change x'])
})

test('an action that is asked whether it happened knows which attempt is in doubt, and since when', async () => {
  const asked: string[] = []
  const look: WorkAction = {
    name: 'test.look',
    summary: 'tells which attempt it is asked about',
    effect: 'change',
    params: closedObject({}),
    result: closedObject({}),
    examples: [{}],
    run: ({ step }) => {
      asked.push(`run ${step.attempt} ${new Date(step.began).toISOString()}`)
      throw new StepFailure('connection_lost', 'lost', { status: 'unknown' })
    },
    async settled({ step }) {
      asked.push(`settled ${step.attempt} ${new Date(step.began).toISOString()}`)
      return { happened: 'yes', result: {} }
    },
  }
  const yaml = `${head}steps:\n  - { id: x, action: test.look }\n`
  const done = await walk(yaml, { moreActions: [look] })
  const began = done.entries.find(({ type }) => type === 'step.began')
  const first = `${began?.type === 'step.began' ? began.attempt : ''} ${began?.at}`
  expect(asked).toEqual([`run ${first}`, `settled ${first}`])

  const cut = done.text.split('\n').slice(
    0,
    done.entries.findIndex(({ type }) => type === 'step.ended'),
  )
  asked.length = 0
  const resumed = await walk(yaml, { moreActions: [look], text: `${cut.join('\n')}\n` })
  expect(resumed.ending?.status).toBe('succeeded')
  expect(asked).toEqual([`settled ${first}`])
})

test.each([
  { look: async () => ({ happened: 'unknown', why: 'the server is gone' }) as const, says: 'the server is gone' },
  {
    look: async () => {
      throw new StepFailure('unreachable', 'nobody answers', { status: 'unreachable' })
    },
    says: 'the look failed: nobody answers',
  },
])('whoever is asked whether a step happened is told what the look found: $says', async ({ look, says }) => {
  const action: WorkAction = {
    name: 'test.look',
    summary: 'looks',
    effect: 'change',
    params: closedObject({}),
    result: closedObject({}),
    examples: [{}],
    run: () => {
      throw new StepFailure('connection_lost', 'lost', { status: 'unknown' })
    },
    settled: look,
  }
  const done = await walk(`${head}steps:\n  - { id: x, action: test.look }\n`, { moreActions: [action] })
  const asked = done.entries.flatMap((entry) => (entry.type === 'asked' ? [entry.question.message] : []))
  expect(asked).toEqual([`did \`x\` (x; test.look) happen? lost; looked since: ${says}`])
})

test('what is found to have happened has to fulfil the conditions too', async () => {
  const world = emptyWorld()
  world.touch['x'] = fail('unknown')
  world.touch['x?'] = () => 'yes'
  const done = await walk(
    `${head}steps:\n  - { id: x, action: test.settled, with: { what: x }, verify: [{ that: "result.of == 'y'" }] }\n`,
    { world },
  )
  expect(done.ending).toMatchObject({ status: 'failed', error: { code: 'verify_failed' } })
})

test('a change that is lost each time before it happens is begun again once, and has failed then', async () => {
  const world = emptyWorld()
  world.touch['x'] = () => {
    // a guard against an engine that never gives up
    if (world.effects.length > 20) return 'at last'
    throw new StepFailure('connection_lost', 'lost', { status: 'unknown' })
  }
  world.touch['x?'] = () => 'no'
  const undo = 'rollback: [{ action: test.change, with: { what: undo } }]'
  const done = await walk(`${head}steps:\n  - { id: x, action: test.settled, with: { what: x }, ${undo} }\n`, { world })
  expect(world.effects).toEqual(['change x', 'settled? x', 'change x', 'settled? x'])
  expect(done.ending).toMatchObject({
    status: 'failed',
    error: { code: 'connection_lost', message: 'lost; looked since: it did not happen' },
  })
})

test('what a person says became of a change is what the transcript says of it, also when the run was resumed for that', async () => {
  const world = emptyWorld()
  world.touch['x'] = fail('unknown')
  const yaml = `${head}steps:\n  - { id: x, action: test.change, with: { what: x } }\n`
  const parked = await walk(yaml, { world })
  const done = await walk(yaml, { world, text: parked.text, answers: { 'x!doubt': 'done' } })
  expect(outcomeOf(parked, 'x')?.status).toBe('unknown')
  expect(outcomeOf(done, 'x')?.status).toBe('succeeded')
  expect(world.effects).toEqual(['change x'])
})
