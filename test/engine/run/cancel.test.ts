import { describe, expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, fail, head, outcomeOf, type World, walk } from '../../support/engine.ts'

/** Works until the run is cancelled, which happens as soon as it works. */
const cutBy =
  (stop: AbortController) =>
  (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      stop.abort()
    })

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

test('what was not begun any more when a run is cancelled can be asked how it ended', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = () => {
    stop.abort()
    return 1
  }
  await walk(
    `${head}steps:
  - id: group
    block:
      - { id: a, action: test.change, with: { what: a } }
      - { id: b, action: test.change, with: { what: b } }
      - { id: each, for_each: [1], action: test.change, with: { what: c } }
    always:
      - { id: of_b, when: steps.b.status != 'succeeded', action: test.change, with: { what: tidy } }
      - { id: of_loop, when: size(steps.each.items) == 0, action: test.change, with: { what: sweep } }
`,
    { world, cancel: stop.signal },
  )
  expect(world.effects).toEqual(['change a', 'change tidy', 'change sweep'])
})

test('a running step gets the signal when the run is cancelled', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = cutBy(stop)
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

test('a run that is cancelled while it mends goes on mending', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['breaks'] = fail()
  world.touch['mend'] = async (signal) => {
    stop.abort()
    signal.throwIfAborted()
    return 1
  }
  const done = await walk(
    `${head}steps:
  - id: group
    block: [{ id: breaks, action: test.change, with: { what: breaks } }]
    rescue:
      - { id: mend, action: test.change, with: { what: mend } }
      - { id: rest, action: test.change, with: { what: rest } }
  - { id: c, action: test.change, with: { what: c } }
`,
    { world, cancel: stop.signal },
  )
  expect(outcomeOf(done, 'group/mend')).toMatchObject({ status: 'succeeded' })
  expect(world.effects).toEqual(['change breaks', 'change mend', 'change rest'])
  expect(done.ending?.status).toBe('cancelled')
})

describe('a run is not done when it was cancelled before', () => {
  const stops = (world: World) => {
    const stop = new AbortController()
    world.touch['a'] = () => {
      stop.abort()
      return 1
    }
    return stop.signal
  }

  test('a branch had begun', async () => {
    const world = emptyWorld()
    const cancel = stops(world)
    const branch = (id: string, more = '') => `{ id: ${id}, action: test.change, with: { what: ${id} }${more} }`
    const yaml = `${head}steps:\n  - { id: both, parallel: [${branch('a')}, ${branch('b', ', on_failure: continue')}], max_parallel: 1 }\n`
    const done = await walk(yaml, { world, cancel })
    expect(world.effects).toEqual(['change a'])
    expect(done.ending?.status).toBe('cancelled')
  })

  test('an item of a loop was done, whatever the loop may leave undone', async () => {
    const world = emptyWorld()
    const stop = new AbortController()
    world.touch['x'] = fail()
    world.touch['y'] = cutBy(stop)
    const yaml = `${head}steps:\n  - { id: each, for_each: ['x', 'y'], max_failures: 3, on_failure: continue, action: test.change, with: { what: "{{ item }}" } }\n`
    const done = await walk(yaml, { world, cancel: stop.signal })
    expect(done.ending?.status).toBe('cancelled')
  })
})

test('what is cancelled while its beginning is written is not begun, and not undone', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  const undo = 'rollback: [{ action: test.change, with: { what: undo } }]'
  const done = await walk(`${head}steps:\n  - { id: a, action: test.change, with: { what: a }, ${undo} }\n`, {
    world,
    cancel: stop.signal,
    beforeLine: (line) => line === 1 && stop.abort(),
  })
  expect(done.entries[0]).toMatchObject({ type: 'step.began', key: 'a' })
  expect(world.effects).toEqual([])
  expect(done.ending?.status).toBe('cancelled')
})

test('a loop in which an item was cancelled is cancelled, whatever its guards would say', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  world.touch['a'] = cutBy(stop)
  const yaml = `${head}steps:\n  - { id: each, for_each: "['a', 'b']", batches: [1], max_failures: 2, guards: [{ that: "false" }], action: test.change, with: { what: "{{ item }}" } }\n`
  const done = await walk(yaml, { world, cancel: stop.signal })
  expect(world.effects).toEqual(['change a'])
  expect(done.ending?.status).toBe('cancelled')
})

test('a loop that was cancelled before an item began is cancelled, and its guards are not asked', async () => {
  const world = emptyWorld()
  const stop = new AbortController()
  const yaml = `${head}inputs: { sure: { type: boolean } }
steps:
  - { id: each, for_each: ['a'], action: test.change, with: { what: "{{ item }}" }, guards: [{ that: inputs.sure }] }
`
  const beforeLine = (line: number) => line === 1 && stop.abort()
  const done = await walk(yaml, { world, inputs: { sure: false }, cancel: stop.signal, beforeLine })
  expect({ effects: world.effects, status: done.ending?.status }).toEqual({ effects: [], status: 'cancelled' })
})
