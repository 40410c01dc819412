import { expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, fail, head, walk } from '../../support/engine.ts'

test('a retry tries again, a change of which nothing is known is not tried again', async () => {
  const world = emptyWorld()
  let tries = 0
  world.touch['a'] = () => {
    if (++tries < 3) throw new StepFailure('not_yet', 'not yet')
    return tries
  }
  world.touch['b'] = fail('unknown')
  const done = await walk(
    `${head}steps:
  - { id: a, action: test.change, with: { what: a }, retry: { attempts: 3 } }
  - { id: b, action: test.change, with: { what: b }, retry: { attempts: 3 }, in_doubt: fail }
`,
    { world },
  )
  expect(world.effects).toEqual(['change a', 'change a', 'change a', 'change b'])
  expect(done.ending).toMatchObject({ status: 'failed', error: { key: 'b' } })
})

test('until asks done, failed and stalled apart: no longer in progress is not done', async () => {
  const world = emptyWorld()
  const states = ['moving', 'moving', 'error']
  world.touch['a'] = () => states.shift() ?? 'error'
  const done = await walk(
    `${head}steps:
  - id: a
    action: test.read
    with: { what: a }
    until: { done: "result.value == 'there'", failed: "result.value == 'error'", every: 5s, timeout: 10m }
`,
    { world },
  )
  expect(world.effects).toHaveLength(3)
  expect(done.ending?.error?.code).toBe('until_failed')
})

test('a wait in which nothing moves ends at once, or after the time it was given, counted from the last movement', async () => {
  const counts = [9, 9, 8, 8, 8, 7, 7, 7, 7, 7, 7, 0]
  const waiting = async (more: string) => {
    const world = emptyWorld()
    let looks = 0
    world.touch['a'] = () => counts[looks++] ?? 0
    const done = await walk(
      `${head}steps:
  - id: a
    action: test.read
    with: { what: a }
    until: { done: result.value == 0, stalled: result.value >= previous.value, ${more}every: 1m, timeout: 1h }
`,
      { world },
    )
    return { looks, code: done.ending?.error?.code }
  }
  expect(await waiting('')).toEqual({ looks: 2, code: 'until_stalled' })
  expect(await waiting('stalled_for: 4m, ')).toEqual({ looks: 10, code: 'until_stalled' })
  expect(await waiting('stalled_for: 6m, ')).toEqual({ looks: 12, code: undefined })
})

test('until gives up at its timeout and says what it saw last', async () => {
  const world = emptyWorld()
  world.touch['a'] = () => 'moving'
  const done = await walk(
    `${head}steps:
  - { id: a, action: test.read, with: { what: a }, until: { done: "result.value == 'there'", every: 20s, timeout: 1m } }
`,
    { world },
  )
  expect(done.ending?.error).toMatchObject({ code: 'timed_out' })
  expect(done.ending?.error?.message).toContain(
    '`result.value == \'there\'` did not come true within 1m: result.value = "moving"',
  )
})
