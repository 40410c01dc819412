import { expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, head, outcomeOf, walk } from '../../support/engine.ts'

test('cancelling stops before the next step; always and undo run', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = () => {
    stop.abort()
    return 1
  }
  const done = await walk(
    `${head}steps:
  - id: group
    block:
      - { id: a, action: test.change, with: { what: a }, rollback: [{ action: test.change, with: { what: undo } }] }
      - { id: b, action: test.change, with: { what: b } }
    always:
      - { id: tidy, action: test.change, with: { what: tidy } }
  - { id: c, action: test.change, with: { what: c } }
`,
    { world, cancel: stop.signal },
  )
  expect(world.effects).toEqual(['change a', 'change tidy', 'change undo'])
  expect(done.ending?.status).toBe('cancelled')
})

test('a running step gets the signal when the run is cancelled', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      stop.abort()
    })
  const done = await walk(`${head}steps:\n  - { id: a, action: test.change, with: { what: a } }\n`, {
    world,
    cancel: stop.signal,
  })
  expect(outcomeOf(done, 'a')).toMatchObject({ status: 'cancelled' })
  expect(done.ending?.status).toBe('cancelled')
})

test('a step that is cancelled tells what its action says of what it leaves behind', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = (signal) =>
    new Promise((_, reject) => {
      const left = new StepFailure('interrupted', 'broken off', { hint: 'delete `b`', detail: { left: 'b' } })
      signal.addEventListener('abort', () => reject(left), { once: true })
      stop.abort()
    })
  const yaml = `${head}steps:\n  - { id: a, action: test.change, with: { what: a } }\n`
  const done = await walk(yaml, { world, cancel: stop.signal })
  expect(outcomeOf(done, 'a')).toMatchObject({
    status: 'cancelled',
    error: { code: 'cancelled', hint: 'delete `b`', detail: { left: 'b' } },
  })
})
