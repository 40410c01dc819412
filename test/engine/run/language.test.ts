import { expect, test } from 'vitest'
import { StepFailure, type WorkAction } from '../../../engine/action/contract.ts'
import { closedObject } from '../../../engine/action/define.ts'
import { emptyWorld, outcomeOf, walk } from '../../support/engine.ts'

const head = 'apiVersion: runbook/v1\nname: t\n'
const fail =
  (status: StepFailure['status'] = 'failed') =>
  () => {
    throw new StepFailure('broken', 'it broke', { status })
  }

test('steps run in order, and a failure ends the run at the step where it happened', async () => {
  const world = emptyWorld()
  world.touch['b'] = fail()
  const done = await walk(
    `${head}steps:
  - { id: a, action: test.change, with: { what: a } }
  - { id: b, action: test.change, with: { what: b } }
  - { id: c, action: test.change, with: { what: c } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change a', 'change b'])
  expect(done.ending).toMatchObject({ status: 'failed', error: { code: 'broken', key: 'b' } })
})

test('a false `when` skips the step, and what reads it knows', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: a, when: '1 > 2', action: test.change, with: { what: a } }
  - { id: b, action: test.change, with: { what: "{{ steps.a.status }}" } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change skipped'])
  expect(outcomeOf(done, 'a')).toEqual({ status: 'skipped', why: '`1 > 2` is false' })
})

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

test.each(['failed', 'unreachable', 'timed_out', 'unknown'] as const)(
  'a rescue sees a step that ended %s',
  async (status) => {
    const world = emptyWorld()
    world.touch['x'] = fail(status)
    const done = await walk(
      `${head}steps:
  - id: group
    block:
      - { id: x, action: test.change, with: { what: x }, in_doubt: fail }
    rescue:
      - { id: mend, action: test.change, with: { what: "mend {{ failure.status }} {{ failure.code }}" } }
    always:
      - { id: tidy, action: test.change, with: { what: tidy } }
`,
      { world },
    )
    expect(world.effects).toEqual(['change x', `change mend ${status} broken`, 'change tidy'])
    expect(done.ending?.status).toBe('succeeded')
  },
)

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

test('what was done is undone in reverse order when the run fails, the failed step aside', async () => {
  const world = emptyWorld()
  world.touch['c'] = fail()
  const undo = (what: string) => `, rollback: [{ action: test.change, with: { what: undo-${what} } }]`
  const done = await walk(
    `${head}steps:
  - { id: a, action: test.change, with: { what: a }${undo('a')} }
  - { id: each, for_each: "['1', '2']", action: test.change, with: { what: "b{{ item }}" }, rollback: [{ action: test.change, with: { what: "undo-b{{ item }}" } }] }
  - { id: c, action: test.change, with: { what: c }${undo('c')} }
`,
    { world },
  )
  expect(world.effects.slice(4)).toEqual(['change undo-b2', 'change undo-b1', 'change undo-a'])
  expect(done.ending?.status).toBe('rolled_back')
})

test('what is undone has its own time: that of the step it undoes may be over', async () => {
  const world = emptyWorld()
  world.touch['undo-a1'] = async (signal) => {
    await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
    return null
  }
  const done = await walk(
    `${head}steps:
  - { id: each, for_each: "['1']", timeout: 30s, action: test.change, with: { what: "a{{ item }}" }, rollback: [{ action: test.change, with: { what: "undo-a{{ item }}" } }] }
  - { id: never, action: test.read, with: { what: never }, until: { done: "result.value == 'there'", every: 20s, timeout: 1m } }
`,
    { world },
  )
  expect(world.effects.filter((effect) => effect.startsWith('change'))).toEqual(['change a1', 'change undo-a1'])
  expect(done.ending).toMatchObject({ status: 'rolled_back' })
})

test('a change whose verify fails happened all the same: it is undone too', async () => {
  const world = emptyWorld()
  await walk(
    `${head}steps:
  - { id: a, action: test.change, with: { what: a }, verify: [{ that: "result.of == 'other'" }], rollback: [{ action: test.change, with: { what: undo } }] }
`,
    { world },
  )
  expect(world.effects).toEqual(['change a', 'change undo'])
})

test('a failed condition shows what its parts came to', async () => {
  const done = await walk(`${head}steps:
  - { id: a, action: test.read, with: { what: a }, verify: [{ that: "size(result.of) == 4", message: wrong length }] }
`)
  expect(done.ending?.error?.message).toBe('wrong length (`size(result.of) == 4` failed: `size(result.of)` was 1)')
})

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

test('a changed runbook is found where it differs from the journal', async () => {
  const yaml = (note: string) => `${head}steps:
  - { id: a, action: test.change, with: { what: a, note: ${note} } }
  - { id: ask, action: human.confirm, with: { message: sure? } }
`
  const parked = await walk(yaml('one'))
  const other = await walk(yaml('two'), { text: parked.text })
  expect(other.stopped).toMatchObject({ name: 'Diverged', key: 'a' })
})

test('preconditions stop the run before anything is done', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}inputs: { host: { type: string } }
preconditions: [{ that: "inputs.host != ''", message: a host is needed }]
steps: [{ id: a, action: test.change, with: { what: a } }]
`,
    { world, inputs: { host: '' } },
  )
  expect(world.effects).toEqual([])
  expect(done.ending).toMatchObject({ status: 'failed', error: { code: 'precondition_failed' } })
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

test('what cannot be known names the step behind it, through the steps that were skipped because of it', async () => {
  const world = emptyWorld()
  world.touch['token'] = fail()
  const done = await walk(
    `${head}steps:
  - { id: token, action: test.read, with: { what: token }, on_failure: continue }
  - id: group
    when: steps.token.status == 'succeeded'
    parallel:
      - { id: services, action: test.read, with: { what: services } }
  - id: nova
    action: assert.check
    with: { check: A5, title: services, fail: [{ each: steps.services.result.value, message: down }] }
`,
    { world },
  )
  expect(outcomeOf(done, 'nova')).toMatchObject({
    status: 'succeeded',
    result: { verdict: 'unknown', summary: '`services` was skipped, because `token` failed: it broke' },
  })
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
