import { describe, expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, fail, head, outcomeOf, walk } from '../../support/engine.ts'

/** Goes on until it is told to stop. */
const hangs = async (signal: AbortSignal): Promise<never> => {
  signal.throwIfAborted()
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  throw signal.reason
}

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

test('what undoes a step sees how that one execution of it ended', async () => {
  const world = emptyWorld()
  world.touch['last'] = fail()
  const undo = (id: string, said: string) =>
    `rollback: [{ id: ${id}, action: test.change, with: { what: "${said} {{ steps.${said}.status }}" } }]`
  const one = '{ id: one, action: test.change, with: { what: one } }'
  await walk(
    `${head}steps:
  - { id: each, for_each: "['a']", action: test.change, with: { what: "{{ item }}" }, rollback: [{ id: u1, action: test.change, with: { what: "each {{ steps.each.result.of }}" } }] }
  - { id: group, block: [${one}], ${undo('u2', 'group')} }
  - { id: groups, for_each: "['b']", block: [{ id: two, action: test.change, with: { what: two } }], ${undo('u3', 'groups')} }
  - { id: call, runbook: gives, rollback: [{ id: u4, action: test.change, with: { what: "call {{ steps.call.result.word }}" } }] }
  - { id: last, action: test.change, with: { what: last } }
`,
    {
      world,
      called: {
        gives:
          'apiVersion: runbook/v1\nname: gives\nsteps: [{ id: none, let: { a: "1" } }]\noutputs: { word: "\'given\'" }\n',
      },
    },
  )
  expect(world.effects.slice(4)).toEqual([
    'change call given',
    'change groups succeeded',
    'change group succeeded',
    'change each a',
  ])
})

test('what was not undone for the same reason is told once, with the first of it', async () => {
  const world = emptyWorld()
  const fails = (message: string) => () => {
    throw new StepFailure('broken', message)
  }
  for (const what of ['u1', 'u2', 'u3', 'u4', 'u5']) world.touch[what] = fails('the host is gone')
  world.touch['other'] = fails('something else')
  world.touch['last'] = fails('the end')
  const step = (id: string, undo: string) =>
    `  - { id: ${id}, action: test.change, with: { what: ${id} }, rollback: [{ action: test.change, with: { what: ${undo} } }] }\n`
  const steps = [
    ['a', 'u1'],
    ['b', 'u2'],
    ['c', 'other'],
    ['d', 'u3'],
    ['e', 'u4'],
    ['f', 'u5'],
  ] as const
  const done = await walk(
    `${head}steps:\n${steps.map(([id, undo]) => step(id, undo)).join('')}  - { id: last, action: test.change, with: { what: last } }\n`,
    { world },
  )
  expect(done.ending?.error?.message).toBe(
    'the end; and undoing `f`, `e`, `d` and 2 more failed: the host is gone; and undoing `c` failed: something else',
  )
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

describe('a change that was stopped midway', () => {
  const timed = (action: string, undo = 'undo') => `${head}steps:
  - { id: a, action: ${action}, with: { what: a }, timeout: 30s, rollback: [{ action: test.change, with: { what: ${undo} } }] }
`

  test('is undone when it ran out of time: it may have happened', async () => {
    const world = emptyWorld()
    world.touch['a'] = hangs
    const done = await walk(timed('test.change'), { world })
    expect(world.effects).toEqual(['change a', 'change undo'])
    expect(done.ending).toMatchObject({ status: 'rolled_back', error: { code: 'timed_out', key: 'a' } })
  })

  test('is undone when the run was cancelled meanwhile', async () => {
    const world = emptyWorld()
    const stop = new AbortController()
    world.touch['a'] = (signal) => {
      stop.abort()
      return hangs(signal)
    }
    const done = await walk(timed('test.change').replace(', timeout: 30s', ''), { world, cancel: stop.signal })
    expect(world.effects).toEqual(['change a', 'change undo'])
    expect(done.ending?.status).toBe('cancelled')
  })

  test.each([
    { seen: 'yes', effects: ['change a', 'settled? a', 'change undo-a'], status: 'rolled_back' },
    { seen: 'no', effects: ['change a', 'settled? a'], status: 'failed' },
    { seen: 'nothing', effects: ['change a', 'settled? a', 'change undo-nobody'], status: 'rolled_back' },
  ])('is looked at by its action, which sees $seen', async ({ seen, effects, status }) => {
    const world = emptyWorld()
    world.touch['a'] = hangs
    world.touch['a?'] = () => seen
    const undo = `"undo-{{ steps.word.value }}" } }]`
    const done = await walk(
      `${head}steps:
  - id: a
    action: test.settled
    with: { what: a }
    timeout: 30s
    rollback:
      - { id: word, let: { value: "steps.a.status == 'succeeded' ? steps.a.result.of : 'nobody'" } }
      - { id: back, action: test.change, with: { what: ${undo.replace(' } }]', '')} } }
`,
      { world },
    )
    expect(world.effects).toEqual(effects)
    expect(done.ending?.status).toBe(status)
    if (seen === 'no') expect(outcomeOf(done, 'a!undo')).toEqual({ status: 'skipped', why: 'it did not happen' })
  })

  test('and then failed when a person had it tried again is undone once', async () => {
    const world = emptyWorld()
    let first = true
    world.touch['a'] = async (signal) => {
      if (!first) return 'done'
      first = false
      return hangs(signal)
    }
    world.touch['b'] = () => {
      throw new StepFailure('broken', 'it broke')
    }
    const done = await walk(
      `${timed('test.change').replace('timeout: 30s', 'timeout: 30s, on_failure: pause')}  - { id: b, action: test.change, with: { what: b } }\n`,
      { world, answers: { 'a!paused': 'retry' } },
    )
    expect(world.effects).toEqual(['change a', 'change a', 'change b', 'change undo'])
    expect(done.ending?.status).toBe('rolled_back')
  })

  test('is not undone when it was never begun', async () => {
    const world = emptyWorld()
    const stop = new AbortController()
    world.touch['first'] = () => {
      stop.abort()
      return null
    }
    await walk(
      `${head}steps:
  - id: both
    parallel:
      - { id: first, action: test.change, with: { what: first } }
      - id: second
        block: [{ id: a, action: test.change, with: { what: a }, rollback: [{ action: test.change, with: { what: undo } }] }]
    max_parallel: 1
`,
      { world, cancel: stop.signal },
    )
    expect(world.effects).toEqual(['change first'])
  })
})

describe('the time of a group', () => {
  const moving = () => {
    const world = emptyWorld()
    world.touch['slow'] = () => 'moving'
    return world
  }
  const late = (more: string) => `${head}steps:
  - id: group
    timeout: 2h
    block:
      - { id: slow, on_failure: continue, action: test.read, with: { what: slow }, until: { done: "result.value == 'there'", every: 30m, timeout: 3h } }
${more}`

  test('when it is over no change is begun', async () => {
    const world = moving()
    const done = await walk(
      late(
        '      - { id: a, action: test.change, with: { what: a }, rollback: [{ action: test.change, with: { what: undo } }] }\n',
      ),
      { world },
    )
    expect(world.effects.filter((effect) => effect.startsWith('change'))).toEqual([])
    expect(outcomeOf(done, 'group/a')).toMatchObject({
      status: 'timed_out',
      error: { message: 'the time of the group around it was over: it was not begun' },
    })
    expect(done.ending?.status).toBe('failed')
  })

  test('when it is over, what is done in every case is still done', async () => {
    const world = moving()
    await walk(
      late(`      - id: inner
        block: [{ id: a, action: test.change, with: { what: a } }]
        always: [{ id: tidy, action: test.change, with: { what: tidy } }]
`),
      { world },
    )
    expect(world.effects.filter((effect) => effect.startsWith('change'))).toEqual(['change tidy'])
  })

  const asking = `${head}steps:
  - id: group
    timeout: 2h
    block:
      - { id: sure, action: human.confirm, with: { message: sure? } }
      - { id: a, action: test.change, with: { what: a } }
`

  test('does not count while a person is waited for', async () => {
    const world = emptyWorld()
    const done = await walk(asking, { world, answers: { 'group/sure': true }, thinking: 5 * 3_600_000 })
    expect(world.effects).toEqual(['change a'])
    expect(done.ending?.status).toBe('succeeded')
  })

  test('does not count while a parked run waits, nor when it is resumed a second time after the answer', async () => {
    const world = emptyWorld()
    const parked = await walk(asking, { world })
    expect(parked.stopped).toMatchObject({ name: 'Parked' })
    const answers = { 'group/sure': true }
    const dies = (line: number) => {
      if (line > 1) throw new Error('killed')
    }
    const killed = await walk(asking, { world, text: parked.text, answers, after: 5 * 3_600_000, beforeLine: dies })
    expect(world.effects).toEqual([])
    const done = await walk(asking, { world, text: killed.text, after: 5 * 3_600_000 + 60_000 })
    expect(world.effects).toEqual(['change a'])
    expect(done.ending?.status).toBe('succeeded')
  })
})

test('a first try that ran out of time is undone, though the run is cancelled before a second began', async () => {
  const world = emptyWorld()
  world.touch['x'] = fail('timed_out')
  const undo = 'rollback: [{ action: test.change, with: { what: undo } }]'
  const yaml = `${head}steps:\n  - { id: x, action: test.again, with: { what: x }, retry: { attempts: 2, delay: 0s }, ${undo} }\n`
  const { entries } = await walk(yaml, { world })
  const pause = entries.findIndex(({ type }) => type === 'timer')
  world.effects.length = 0
  const cancel = new AbortController()
  const beforeLine = (line: number) => line === pause + 1 && cancel.abort()
  const done = await walk(yaml, { world, cancel: cancel.signal, beforeLine })
  expect({ effects: world.effects, status: done.ending?.status }).toEqual({
    effects: ['change x', 'change undo'],
    status: 'cancelled',
  })
})

test('a change whose result cannot be used has been made all the same: it is not tried again, and it is undone', async () => {
  const world = emptyWorld()
  world.touch['x'] = () => {
    throw new StepFailure('not_json', 'it wrote no JSON', { result: { of: 'x' } })
  }
  const done = await walk(
    `${head}steps:
  - { id: x, action: test.change, with: { what: x }, retry: { attempts: 3, delay: 1s }, rollback: [{ action: test.change, with: { what: "undo {{ steps.x.result.of }}" } }] }
`,
    { world },
  )
  expect(world.effects).toEqual(['change x', 'change undo x'])
  expect(done.ending?.status).toBe('rolled_back')
})

test('a runbook whose `verify` fails was carried out all the same: what undoes it is done', async () => {
  const world = emptyWorld()
  const undo = 'rollback: [{ action: test.change, with: { what: undo } }]'
  await walk(`${head}steps:\n  - { id: x, runbook: inner, verify: [{ that: "result.word == 'other'" }], ${undo} }\n`, {
    world,
    called: {
      inner: `apiVersion: runbook/v1\nname: inner\nsteps: [{ id: y, action: test.change, with: { what: y } }]\noutputs: { word: steps.y.result.of }\n`,
    },
  })
  expect(world.effects).toEqual(['change y', 'change undo'])
})

describe('what a crash cut off, and nobody was asked about, may have been done:', () => {
  /** The transcript up to the line with which the first step begins. */
  const cutOff = async (yaml: string) => {
    const { text, entries } = await walk(yaml)
    const line = entries.findIndex(({ type }) => type === 'step.began')
    return `${text
      .split('\n')
      .slice(0, line + 1)
      .join('\n')}\n`
  }
  const undo = 'rollback: [{ action: test.change, with: { what: undo } }]'

  test('it is undone when the run is cancelled instead of going on', async () => {
    const yaml = `${head}steps:\n  - { id: x, action: test.again, with: { what: x }, ${undo} }\n`
    const world = emptyWorld()
    const stop = new AbortController()
    stop.abort()
    const done = await walk(yaml, { world, text: await cutOff(yaml), cancel: stop.signal })
    expect(world.effects).toEqual(['change undo'])
    expect(outcomeOf(done, 'x')?.status).toBe('cancelled')
  })

  test.each([
    ['test.again', ''],
    ['test.change', 'in_doubt: rerun, '],
  ])('it is undone when it is done again and fails (%s)', async (action, more) => {
    const yaml = `${head}steps:\n  - { id: x, action: ${action}, ${more}with: { what: x }, ${undo} }\n`
    const world = emptyWorld()
    world.touch['x'] = fail()
    const done = await walk(yaml, { world, text: await cutOff(yaml) })
    expect(world.effects).toEqual(['change x', 'change undo'])
    expect(done.ending?.status).toBe('rolled_back')
    // and each time that it is walked again
    const lines = done.text.split('\n')
    const failed = lines.findIndex((line) => line.includes('"step.ended"') && line.includes('"failed"'))
    const again = emptyWorld()
    await walk(yaml, { world: again, text: `${lines.slice(0, failed + 1).join('\n')}\n` })
    expect(again.effects).toEqual(['change undo'])
  })
})

test('a loop that failed before the run was cancelled has failed: what was done after its rescue is undone', async () => {
  const world = emptyWorld()
  world.touch['a'] = fail()
  const yaml = `${head}steps:
  - id: group
    block: [{ id: each, for_each: "['a', 'b']", action: test.change, with: { what: "{{ item }}" } }]
    rescue: [{ id: mend, action: test.change, with: { what: mend } }]
  - { id: x, action: test.change, with: { what: x }, rollback: [{ action: test.change, with: { what: undo } }] }
  - { id: last, action: test.change, with: { what: last } }
`
  const { text, entries } = await walk(yaml, { world })
  const line = entries.findIndex((entry) => entry.type === 'step.ended' && entry.key === 'x')
  const kept = `${text
    .split('\n')
    .slice(0, line + 1)
    .join('\n')}\n`
  const stop = new AbortController()
  stop.abort()
  world.effects.length = 0
  const done = await walk(yaml, { world, text: kept, cancel: stop.signal })
  expect(world.effects).toEqual(['change undo'])
  expect(done.ending?.status).toBe('cancelled')
})
