import { expect, test } from 'vitest'
import type { Json } from '../../../engine/json.ts'
import { emptyWorld, fail, head, outcomeOf, walk } from '../../support/engine.ts'

test('a loop names its items by key, goes on in batches, and fails in the end when an item failed', async () => {
  const world = emptyWorld()
  world.touch['y'] = fail()
  const done = await walk(
    `${head}steps:
  - id: each
    for_each: "['x', 'y', 'z']"
    as: it
    key: it
    max_failures: 3
    batches: [1, 50%]
    action: test.change
    with: { what: "{{ it }}" }
`,
    { world },
  )
  expect(world.effects).toEqual(['change x', 'change y', 'change z'])
  expect(outcomeOf(done, 'each[y]')).toMatchObject({ status: 'failed' })
  expect(done.ending).toMatchObject({ status: 'failed', error: { message: '1 of 3 failed (y): it broke' } })
})

test('a loop begins no more items once `max_failures` is reached', async () => {
  const world = emptyWorld()
  for (const what of ['a', 'b', 'c', 'd']) world.touch[what] = fail()
  await walk(
    `${head}steps:
  - { id: each, for_each: "['a', 'b', 'c', 'd']", max_failures: 50%, action: test.change, with: { what: "{{ item }}" } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change a', 'change b'])
})

test('a guard that does not hold stops the loop after its batch', async () => {
  const world = emptyWorld()
  let health = 0
  world.touch['health'] = () => ++health
  const done = await walk(
    `${head}steps:
  - id: each
    for_each: "['a', 'b', 'c']"
    batches: [1]
    action: test.change
    with: { what: "{{ item }}" }
    guards:
      - { id: look, action: test.read, with: { what: health }, verify: [{ that: 'result.value < 2', message: health is bad }] }
`,
    { world },
  )
  expect(world.effects).toEqual(['change a', 'read health', 'change b', 'read health'])
  expect(done.ending?.error?.message).toContain('health is bad (`result.value < 2` failed: `result.value` was 2)')
})

test('a loop over hosts gives each its host, and an unreachable one is told apart', async () => {
  const world = emptyWorld()
  world.touch['at-h2'] = fail('unreachable')
  const done = await walk(
    `${head}steps:
  - id: hosts
    targets: all
    max_failures: 100%
    on_failure: continue
    action: test.read
    with: { what: "at-{{ target.name }}" }
  - id: after
    let: { silent: "steps.hosts.status == 'skipped' ? [] : steps.hosts.items.filter(i, i.status == 'unreachable').map(i, i.key)" }
outputs: { silent: steps.after.silent }
`,
    { world, hosts: ['h1', 'h2', 'h3'] },
  )
  expect(done.ending).toMatchObject({ status: 'succeeded', outputs: { silent: ['h2'] } })
})

test('a host that is not reached counts for `max_failures`, and what was done on the others is undone', async () => {
  const world = emptyWorld()
  for (const host of ['h2', 'h3']) world.touch[host] = fail('unreachable')
  const done = await walk(
    `${head}steps:
  - id: hosts
    targets: all
    max_parallel: 1
    max_failures: 2
    action: test.change
    with: { what: "{{ target.name }}" }
    rollback: [{ action: test.change, with: { what: "undo-{{ target.name }}" } }]
`,
    { world, hosts: ['h1', 'h2', 'h3', 'h4'] },
  )
  expect(world.effects).toEqual(['change h1', 'change h2', 'change h3', 'change undo-h1'])
  expect(done.ending?.status).toBe('rolled_back')
})

test('an item that waits for a person keeps its place among those that may run at once', async () => {
  const world = emptyWorld()
  await walk(
    `${head}steps:
  - id: each
    for_each: "['a', 'b', 'c', 'd']"
    key: item
    max_parallel: 2
    block:
      - { id: ask, when: "item == 'a'", action: human.confirm, with: { message: sure? } }
      - { id: do, action: test.change, with: { what: "{{ item }}" } }
  - { id: never, action: test.change, with: { what: never } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change b', 'change c', 'change d'])
  world.effects.length = 0
  await walk(
    `${head}steps:
  - { id: each, for_each: "['a', 'b']", key: item, block: [{ id: ask, action: human.confirm, with: { message: "{{ item }}?" } }, { id: do, action: test.change, with: { what: "{{ item }}" } }] }
`,
    { world, answers: { 'each[b]/ask': true } },
  )
  expect(world.effects).toEqual([])
})

test('a loop that had stopped begins nothing more when its run is resumed, however quickly the other items are walked again', async () => {
  const world = emptyWorld()
  let failed = () => {}
  const failing = new Promise<void>((resolve) => {
    failed = resolve
  })
  world.touch['last-a'] = () => {
    failed()
    return fail()()
  }
  world.touch['last-b'] = async () => {
    await failing
    await new Promise((resolve) => setImmediate(resolve))
    return 1
  }
  const yaml = `${head}steps:
  - id: each
    for_each: "['a', 'b', 'c']"
    max_parallel: 2
    block:
      - { id: one, when: "item == 'a'", action: test.change, with: { what: "one-{{ item }}" } }
      - { id: two, when: "item == 'a'", action: test.change, with: { what: "two-{{ item }}" } }
      - { id: last, action: test.change, with: { what: "last-{{ item }}" } }
`
  const whole = await walk(yaml, { world })
  expect(world.effects.toSorted()).toEqual(['change last-a', 'change last-b', 'change one-a', 'change two-a'])
  world.effects.length = 0
  const again = await walk(yaml, { world, text: whole.text })
  expect(world.effects).toEqual([])
  expect(again.ending?.status).toBe('failed')
})

test('an item that was cut off is not forgotten because another had failed meanwhile', async () => {
  const world = emptyWorld()
  let begun = () => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  // `b` fails when `c` has begun, and `c` never ends
  world.touch['b'] = async () => {
    await beginning
    return fail()()
  }
  world.touch['c'] = () => {
    begun()
    return new Promise<Json>(() => {})
  }
  const yaml = `${head}steps:
  - id: each
    for_each: "['a', 'b', 'c']"
    key: item
    max_parallel: 2
    block:
      - { id: one, when: "item == 'a'", action: test.read, with: { what: "one-{{ item }}" } }
      - { id: two, when: "item == 'a'", action: test.read, with: { what: "two-{{ item }}" } }
      - { id: last, action: test.change, with: { what: "{{ item }}" }, rollback: [{ action: test.change, with: { what: "undo-{{ item }}" } }] }
`
  let kept = ''
  await new Promise<void>((resolve) => {
    void walk(yaml, {
      world,
      onLine: (text) => {
        kept = text
        if (/"step.ended","key":"each\[b\]"/.test(text)) resolve()
      },
    })
  })
  expect(kept).toMatch(/"step.began","key":"each\[c\]\/last"/)
  world.effects.length = 0
  const done = await walk(yaml, { world, text: kept, answers: { 'each[c]/last!doubt': 'done' } })
  expect(world.effects).toEqual(['change undo-c', 'change undo-a'])
  expect(done.ending?.status).toBe('rolled_back')
})
