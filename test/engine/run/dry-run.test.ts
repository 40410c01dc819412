import { expect, test } from 'vitest'
import { StepFailure, type WorkAction } from '../../../engine/action/contract.ts'
import { closedObject } from '../../../engine/action/define.ts'
import { emptyWorld, head, outcomeOf, walk } from '../../support/engine.ts'

function previews({ events }: Awaited<ReturnType<typeof walk>>) {
  return events.flatMap((event) =>
    event.type === 'step.previewed' ? [{ key: event.key, params: event.params, maybe: event.maybe }] : [],
  )
}

test('reads are made, changes are shown rendered and not made', async () => {
  const world = emptyWorld()
  world.touch['look'] = () => 'c1'
  const done = await walk(
    `${head}steps:
  - { id: look, action: test.read, with: { what: look } }
  - { id: change, action: test.change, with: { what: "reboot {{ steps.look.result.value }}" } }
  - { id: destroy, action: test.destroy, with: { what: it } }
`,
    { world, dry: true },
  )
  expect(world.effects).toEqual(['read look'])
  expect(previews(done)).toMatchObject([{ key: 'change', params: { what: 'reboot c1' } }, { key: 'destroy' }])
  expect(done.ending?.status).toBe('succeeded')
})

test('what a change would have given is unknown, and so is what depends on it', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: make, action: test.change, with: { what: make } }
  - { id: use, action: test.change, with: { what: "use {{ steps.make.result.of }}" } }
  - { id: look, action: test.read, with: { what: "{{ steps.make.result.of }}" } }
`,
    { world, dry: true },
  )
  expect(world.effects).toEqual([])
  expect(previews(done).map(({ key, maybe }) => [key, maybe !== undefined])).toEqual([
    ['make', false],
    ['use', true],
    ['look', true],
  ])
})

test('a condition on what is not known yet has not failed, one on what is known has', async () => {
  const steps = (condition: string) => `${head}steps:
  - { id: make, action: test.change, with: { what: make } }
  - { id: sure, action: assert.that, with: { conditions: [{ that: "${condition}", message: "not made" }] } }
`
  const open = await walk(steps("steps.make.result.of == 'it'"), { dry: true })
  expect(previews(open).map(({ key, maybe }) => [key, maybe !== undefined])).toEqual([
    ['make', false],
    ['sure', true],
  ])
  expect(open.ending?.status).toBe('succeeded')
  const wrong = await walk(steps('1 == 2').replace('id: make', 'id: look').replace('test.change', 'test.read'), {
    dry: true,
  })
  expect(wrong.ending?.status).toBe('failed')
})

test('a command cannot tell what it would change: a read after it decides nothing', async () => {
  const command: WorkAction = {
    name: 'test.command',
    summary: 'a command',
    effect: 'change',
    effectFromStep: true,
    params: closedObject({}),
    result: closedObject({}),
    examples: [{}],
    plan: async () => ({ summary: 'would run it', changes: [] }),
    run: async () => ({}),
  }
  const done = await walk(
    `${head}steps:
  - { id: make, action: test.command }
  - { id: look, action: test.read, with: { what: look }, verify: [{ that: "result.of == 'made'" }] }
`,
    { world: emptyWorld(), dry: true, moreActions: [command] },
  )
  expect(done.ending?.status).toBe('succeeded')
})

test('a condition on an unknown plans the step and says that it may be skipped', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: make, action: test.change, with: { what: make } }
  - { id: then, when: "steps.make.result.of == 'x'", action: test.change, with: { what: then } }
  - { id: else, when: "steps.make.result.of != 'x'", action: test.change, with: { what: else } }
  - { id: never, when: "false && steps.make.result.of == 'x'", action: test.change, with: { what: never } }
`,
    { world, dry: true },
  )
  expect(previews(done).map(({ key }) => key)).toEqual(['make', 'then', 'else'])
  expect(previews(done)[1]?.maybe).toContain("if `steps.make.result.of == 'x'`")
})

test('a loop over what is not known yet is shown once', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: make, action: test.change, with: { what: make } }
  - { id: each, for_each: steps.make.result.value, as: it, action: test.change, with: { what: "{{ it }}" } }
`,
    { world, dry: true },
  )
  expect(previews(done).map(({ key }) => key)).toEqual(['make', 'each[?]'])
})

test('a read after a change that was not made decides nothing: its verify and its until are not judged', async () => {
  const world = emptyWorld()
  world.touch['look'] = () => 'enabled'
  const done = await walk(
    `${head}steps:
  - { id: disable, action: test.change, with: { what: disable } }
  - { id: look, action: test.read, with: { what: look }, verify: [{ that: "result.value == 'disabled'" }] }
  - { id: wait, action: test.read, with: { what: look }, until: { done: "result.value == 'disabled'", timeout: 5m } }
  - { id: after, when: "steps.look.result.value == 'disabled'", action: test.change, with: { what: after } }
`,
    { world, dry: true },
  )
  expect(world.effects).toEqual(['read look', 'read look'])
  expect(done.ending?.status).toBe('succeeded')
  expect(previews(done).map(({ key }) => key)).toEqual(['disable', 'after'])
})

test('a read before any change decides as in a real run', async () => {
  const world = emptyWorld()
  world.touch['look'] = () => 'bad'
  const done = await walk(
    `${head}steps:
  - { id: look, action: test.read, with: { what: look }, verify: [{ that: "result.value == 'good'" }] }
  - { id: change, action: test.change, with: { what: change } }
`,
    { world, dry: true },
  )
  expect(done.ending).toMatchObject({ status: 'failed', error: { code: 'verify_failed' } })
  expect(previews(done)).toEqual([])
})

test('a failing read after a change that was not made does not end the dry run', async () => {
  const world = emptyWorld()
  world.touch['gone'] = () => {
    throw new StepFailure('not_found', 'there is none yet')
  }
  const done = await walk(
    `${head}steps:
  - { id: make, action: test.change, with: { what: make } }
  - { id: look, action: test.read, with: { what: gone } }
`,
    { world, dry: true },
  )
  expect(done.ending?.status).toBe('succeeded')
})

test('a person is not asked, and what follows is shown', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: ask, action: human.confirm, with: { message: sure? } }
  - { id: change, action: test.change, with: { what: change } }
`,
    { world, dry: true },
  )
  expect(done.stopped).toBeUndefined()
  expect(previews(done).map(({ key }) => key)).toEqual(['ask', 'change'])
})

test('an action that does not say what it does stops the dry run', async () => {
  const silent = {
    name: 'third.party',
    summary: 'who knows',
    params: closedObject({}),
    result: {},
    examples: [],
    run: async () => null,
  } as unknown as WorkAction
  const done = await walk(`${head}steps:\n  - { id: x, action: third.party }\n`, { dry: true, moreActions: [silent] })
  expect(outcomeOf(done, 'x')).toMatchObject({ status: 'failed', error: { code: 'effect_not_declared' } })
})

test('an action that can look ahead is asked what would change, and nothing to do is no change', async () => {
  const looks: WorkAction = {
    name: 'test.plan',
    summary: 'looks ahead',
    effect: 'change',
    params: closedObject({ changes: { type: 'integer', description: 'How many things would change.' } }),
    result: {},
    examples: [],
    run: async () => null,
    plan: async (_ctx, params) => ({
      summary: 'seen',
      changes: Array.from({ length: Number(params['changes']) }, (_, index) => ({
        path: `p${index}`,
        before: 1,
        after: 2,
      })),
    }),
  }
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: nothing, action: test.plan, with: { changes: 0 } }
  - { id: look, action: test.read, with: { what: look }, verify: [{ that: "result.of == 'look'" }] }
  - { id: some, action: test.plan, with: { changes: 2 } }
`,
    { world, dry: true, moreActions: [looks] },
  )
  expect(outcomeOf(done, 'look')).toMatchObject({ status: 'succeeded', result: { of: 'look' } })
  const shown = done.events.flatMap((event) => (event.type === 'step.previewed' ? [event.preview] : []))
  expect(shown.map((preview) => preview?.changes.length)).toEqual([0, 2])
})

test('what could not be done as things stand is told so after a change that may mend it, and ends a dry run before one', async () => {
  const looks: WorkAction = {
    name: 'test.plan',
    summary: 'looks ahead',
    effect: 'change',
    params: closedObject({}),
    result: {},
    examples: [],
    run: async () => null,
    plan: async () => {
      throw new StepFailure('wrong_state', 'the volume is in use')
    },
  }
  const steps = (first: string) => `${head}steps:\n${first}  - { id: x, action: test.plan }\n`
  const change = '  - { id: free, action: test.change, with: { what: free } }\n'
  const after = await walk(steps(change), { dry: true, moreActions: [looks] })
  const shown = after.events.flatMap((event) => (event.type === 'step.previewed' ? [[event.key, event.maybe]] : []))
  expect(shown).toEqual([
    ['free', undefined],
    ['x', 'now it would fail (the volume is in use), unless `free` changes that'],
  ])
  const alone = await walk(steps(''), { dry: true, moreActions: [looks] })
  expect(outcomeOf(alone, 'x')).toMatchObject({ status: 'failed', error: { code: 'wrong_state' } })
})

test('what would fail in a step that may be skipped decides nothing: what comes after it is shown', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - { id: a, on_failure: continue, action: test.change, with: { what: a } }
  - { id: c, action: test.change, with: { what: c } }
  - id: d
    when: steps.a.status == 'failed'
    block: [{ id: inner, for_each: "['1']", guards: [{ that: "false" }], action: test.change, with: { what: d } }]
  - { id: e, action: test.change, with: { what: e } }
`,
    { world, dry: true },
  )
  const shown = done.entries.flatMap((entry) => (entry.type === 'step.previewed' ? [entry.key] : []))
  expect(world.effects).toEqual([])
  expect(shown).toEqual(['a', 'c', 'd/inner[0]', 'e'])
  expect(done.ending?.status).toBe('succeeded')
})

test('where a read fails that a change comes before, what would mend it is shown, and is not certain', async () => {
  const world = emptyWorld()
  world.touch['broken'] = () => {
    throw new StepFailure('broken', 'it is not there yet')
  }
  const group = (first: string) => `${head}steps:
  - id: group
    block:
      - { id: first, action: test.${first}, with: { what: first } }
      - { id: look, action: test.read, with: { what: broken } }
    rescue:
      - { id: mend, action: test.change, with: { what: "mend {{ failure.code }}" } }
  - { id: last, when: "steps.mend.status == 'succeeded'", action: test.change, with: { what: last } }
`
  const open = await walk(group('change'), { world, dry: true })
  expect(previews(open).map(({ key, maybe }) => [key, maybe !== undefined])).toEqual([
    ['group/first', false],
    ['group/mend', true],
    ['last', true],
  ])
  expect(previews(open)[1]?.maybe).toContain('if `group/look` fails')
  expect(open.ending?.status).toBe('succeeded')
  const sure = await walk(group('read'), { world, dry: true })
  expect(previews(sure).map(({ key, maybe }) => [key, maybe !== undefined])).toEqual([
    ['group/mend', false],
    ['last', true],
  ])
})
