/** Runs that failed, are mended and resumed: what was done is not done again, and nothing that may have happened without a word. */
import { expect, test } from 'vitest'
import { readTranscript } from '../../../engine/journal/chain.ts'
import { problemsOf } from '../../support/random/oracles.ts'
import type { Block, Leaf, Loop, Made, Node } from '../../support/random/runbook.ts'
import { type Interrupt, type Story, tell } from '../../support/random/world.ts'

const leaf = (id: string, more: Partial<Leaf> = {}): Leaf => ({
  kind: 'leaf',
  id,
  action: 'change',
  does: ['ok'],
  verify: false,
  blind: false,
  rollback: [],
  ...more,
})
const block = (id: string, more: Partial<Block>): Block => ({
  kind: 'block',
  id,
  steps: [],
  rescue: [],
  always: [],
  rollback: [],
  ...more,
})
const made = (...steps: Node[]): Made => ({ flag: false, lock: false, steps })
const guarded: Loop = { as: 'v', items: ['a'], kind: 'texts', guard: 'flag' }

const times = ({ touches }: Story, what: string) => touches.filter((touch) => touch.what === what).length
const kill = (after: number): Interrupt => ({ kind: 'kill', after, kept: 0, torn: false })

/** With what is wrong by what must be true of any run. */
async function mended(steps: Made, interrupts: readonly Interrupt[] = []): Promise<Story> {
  const story = await tell({ made: steps, interrupts, mend: 'at once' })
  expect(problemsOf(story, { structure: false })).toEqual([])
  return story
}

test('a change that was looked up after a crash is not done again because a guard behind it failed', async () => {
  let lookedUp = 0
  for (let after = 0; after < 20; after++) {
    const story = await mended(made(leaf('one', { action: 'settled', loop: guarded })), [kill(after), kill(999)])
    expect(story.touches.filter(({ effect }) => effect !== undefined)).toHaveLength(1)
    if (story.decisions.some(({ kind, said }) => kind === 'settled' && said === 'yes')) lookedUp++
  }
  expect(lookedUp).toBeGreaterThan(0)
})

test('what `always` leaves in doubt is asked about before it is done once more, also when it was looked at', async () => {
  const doubtful = leaf('two', { action: 'settled', does: ['lost-before'], blind: true, onFailure: 'continue' })
  const story = await mended(made(block('b', { steps: [leaf('one', { does: ['fails'] })], always: [doubtful] })))
  expect(story.processes.map(({ exit }) => exit).slice(-2)).toEqual([1, 0])
  const [mendedAt = 0] = story.mends
  expect(story.decisions.some(({ what, kind, n }) => what === 'two' && kind === 'doubt' && n > mendedAt)).toBe(true)
})

test('what could not be looked at before it was undone is not done again when undoing it goes on', async () => {
  const stopped = leaf('one', {
    action: 'settled',
    does: ['hangs-after'],
    timeout: 4,
    lookFails: true,
    rollback: [leaf('undo', { does: ['fails'] })],
  })
  const story = await mended(made(stopped))
  expect([times(story, 'one'), times(story, 'undo')]).toEqual([1, 2])
  expect(story.disk.text).toContain('"status":"rolled_back"')
})

test('a step of which a later try went well is not opened again because one beside it failed', async () => {
  const first = leaf('first', { does: ['fails-once'], attempts: 2 })
  const second = leaf('second', { does: ['fails'] })
  const story = await mended(
    made(leaf('one', { rollback: [first, second] }), leaf('two', { does: ['fails'], action: 'read' })),
  )
  expect([times(story, 'first'), times(story, 'second')]).toEqual([2, 2])
})

test('all branches that failed are opened again, not only the one that was told of', async () => {
  const story = await mended(
    made({
      kind: 'parallel',
      id: 'p',
      rollback: [],
      branches: [
        leaf('one', { does: ['fails'] }),
        block('b', { steps: [leaf('fine'), leaf('two', { does: ['fails'] })] }),
        leaf('three', { does: ['fails'], onFailure: 'continue' }),
      ],
    }),
  )
  expect(['one', 'fine', 'two', 'three'].map((what) => times(story, what))).toEqual([2, 1, 2, 1])
  expect(story.processes.at(-1)?.exit).toBe(0)
})

test('Ctrl-C after the end of a run that failed changes nothing of it: mended it goes on', async () => {
  const ends = new Set<string>()
  for (let after = 0; after < 20; after++) {
    const steps = made(leaf('one', { does: ['fails'] }))
    const story = await mended(steps, [{ kind: 'cancel', after, kept: 0, torn: false }])
    const { entries } = readTranscript(story.disk.text)
    const types = entries.map(({ type }) => type)
    expect(types.slice(0, types.indexOf('run.cancelled') + 1)).not.toContain('run.ended')
    ends.add(entries.flatMap((entry) => (entry.type === 'run.ended' ? [entry.status] : [])).join(', '))
  }
  // the second where it came between the end of the step and that of the run: then it was cancelled, and stays so
  expect([...ends].toSorted()).toEqual(['cancelled', 'failed, cancelled', 'failed, succeeded'])
})
