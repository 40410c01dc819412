import { expect, test } from 'vitest'
import type { WorkAction } from '../../../engine/action/contract.ts'
import { anything, closedObject } from '../../../engine/action/define.ts'
import { emptyWorld, fail, head, outcomeOf, walk } from '../../support/engine.ts'

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

test('the steps of a rescue that was not needed were skipped, and what reads them knows', async () => {
  const world = emptyWorld()
  const done = await walk(
    `${head}steps:
  - id: group
    block: [{ id: x, action: test.change, with: { what: x } }]
    rescue:
      - { id: mend, block: [{ id: inner, action: test.change, with: { what: mend } }] }
  - { id: a, when: "steps.inner.status == 'succeeded'", action: test.change, with: { what: a } }
  - { id: b, action: test.change, with: { what: "{{ steps.mend.status }}" } }
`,
    { world },
  )
  expect(world.effects).toEqual(['change x', 'change skipped'])
  expect(done.ending?.status).toBe('succeeded')
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

test('a failed condition shows what its parts came to', async () => {
  const done = await walk(`${head}steps:
  - { id: a, action: test.read, with: { what: a }, verify: [{ that: "size(result.of) == 4", message: wrong length }] }
`)
  expect(done.ending?.error?.message).toBe('wrong length (`size(result.of) == 4` failed: `size(result.of)` was 1)')
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

/** Keeps the words that it was given. */
const speaking = (said: unknown[]): WorkAction => ({
  name: 'test.words',
  summary: 'take the words of a command',
  effect: 'change',
  params: closedObject({ command: { ...anything('The command.'), 'x-runbook': 'command' } }),
  result: closedObject({}),
  examples: [{ command: 'true' }],
  async run(_ctx, params) {
    said.push(params['command'])
    return {}
  },
})

test('a list that stands alone in a command is as many words, anything else is one, whatever is in it', async () => {
  const said: unknown[] = []
  const done = await walk(
    `${head}inputs:
  list: { type: array, items: { type: string } }
  n: { type: integer }
steps:
  - { id: a, action: test.words, with: { command: "run {{ inputs.list }} --n={{ inputs.n }} {{ inputs.n }} 'a b'" } }
`,
    { moreActions: [speaking(said)], inputs: { list: ['x', 'y z; w'], n: 3 } },
  )
  expect(done.ending).toMatchObject({ status: 'succeeded' })
  expect(said).toEqual([['run', 'x', 'y z; w', '--n=3', '3', 'a b']])
})

test.each([
  '{{ steps.it.result.value.map }}',
  '--x={{ steps.it.result.value.list }}',
  '{{ steps.it.result.value.maps }}',
])('a word of a command is no mapping, and no list beside other text: %s', async (word) => {
  const said: unknown[] = []
  const world = emptyWorld()
  world.touch['it'] = () => ({ list: ['x'], map: { a: 1 }, maps: [{ a: 1 }] })
  const done = await walk(
    `${head}steps:
  - { id: it, action: test.read, with: { what: it } }
  - { id: a, action: test.words, with: { command: "run ${word}" } }
`,
    { world, moreActions: [speaking(said)] },
  )
  expect(outcomeOf(done, 'a')).toMatchObject({ status: 'failed', error: { code: 'missing_value' } })
  expect(said).toEqual([])
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

test.each([
  [
    'for_each: steps.read.value',
    "action: test.change, with: { what: '1' }",
    '`steps.read.value` came to `null`, which is not a list',
  ],
  [
    'when: steps.read.value',
    "action: test.change, with: { what: '1' }",
    '`steps.read.value` came to `null`, which is not true or false',
  ],
  [
    "for_each: ['a']",
    "action: test.words, with: { words: [cat, '{{ steps.read.parts }}'] }",
    '`{{ steps.read.parts }}` came to `{"a":1}`, which is no word of a command',
  ],
])('a value of the wrong kind is shown with where it came from: %s', async (word, does, said) => {
  const words: WorkAction = {
    name: 'test.words',
    summary: 'takes words',
    effect: 'change',
    params: closedObject({ words: { type: 'array', description: 'Words.', 'x-runbook': 'command' } }),
    result: anything('Nothing.'),
    examples: [],
    run: async () => null,
  }
  const done = await walk(
    `${head}steps:
  - { id: read, let: { all: "parse_json('{\\"value\\": null, \\"parts\\": {\\"a\\": 1}}')", value: all.value, parts: all.parts } }
  - { id: a, ${word}, ${does} }
`,
    { world: emptyWorld(), moreActions: [words] },
  )
  expect(JSON.stringify(done.ending)).toContain(JSON.stringify(said).slice(1, -1))
})
