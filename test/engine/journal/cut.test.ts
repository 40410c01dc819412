import { expect, test } from 'vitest'
import { StepFailure } from '../../../engine/action/contract.ts'
import { emptyWorld, type World, walk } from '../../support/engine.ts'
import { calledRunbook, everyChange, longRunbook } from '../../support/long-runbook.ts'

/** A world in which one thing always breaks, and another breaks the first time it is touched. */
function world(): World {
  const made = emptyWorld()
  let tried = 0
  made.touch['breaks'] = () => {
    throw new StepFailure('broken', 'it broke')
  }
  made.touch['retried'] = () => {
    if (++tried === 1) throw new StepFailure('not_yet', 'not yet')
    return 'at last'
  }
  return made
}

const whole = world()
const full = await walk(longRunbook, { world: whole, called: { called: calledRunbook } })
const lines = full.text.split('\n').slice(0, -1)

test('the whole walk does each change once and ends well', () => {
  expect(full.ending).toMatchObject({ status: 'succeeded', outputs: { made: 'made-look' } })
  expect(changesOf(whole)).toEqual(everyChange.toSorted())
})

test.each(lines.map((_, cut) => ({ cut })))(
  'a run cut after $cut lines resumes, repeats no step that had ended and no change that had begun',
  async ({ cut }) => {
    const kept = `${lines.slice(0, cut).join('\n')}${cut > 0 ? '\n' : ''}`
    const before = readChanges(kept)
    const after = world()
    // what the first process did before the cut, the second world knows: `retried` fails once in all
    if (before.ended.has('retried')) after.touch['retried'] = () => 'at last'
    const doubt = Object.fromEntries(
      [...before.open].flatMap((key) => [
        [`${key}!doubt`, 'done'],
        [`${key}!result`, { of: 'made-look' }],
      ]),
    )
    const resumed = await walk(longRunbook, {
      world: after,
      called: { called: calledRunbook },
      text: kept,
      answers: doubt,
    })
    expect(resumed.stopped).toBeUndefined()
    expect(resumed.ending).toMatchObject({ status: 'succeeded' })
    const again = new Set(
      after.effects.filter((effect) => effect.startsWith('change ')).map((effect) => effect.slice(7)),
    )
    for (const what of before.began)
      if (what !== 'retried') expect(again, `${what} had begun before the cut`).not.toContain(what)
    // nothing was left out either: before and after together are the whole
    // (what was in doubt was said to be done, so a step that would have broken there needed no mending)
    const expected = new Set(everyChange)
    if (before.open.has('risky/breaks')) expected.delete('mend-broken')
    expect(new Set([...before.began, ...again])).toEqual(expected)
  },
)

test('a cut in the middle of the last line loses that line and no more', async () => {
  for (const cut of [1, 20, 200]) {
    const torn = full.text.slice(0, -cut)
    const resumed = await walk(longRunbook, {
      world: world(),
      called: { called: calledRunbook },
      text: torn,
      answers: { 'last!doubt': 'done' },
    })
    expect(resumed.ending?.status).toBe('succeeded')
  }
})

test('a step that may be done again is done again after each of many crashes', async () => {
  const text = `apiVersion: runbook/v1
name: again
steps:
  - { id: order, action: test.change, in_doubt: rerun, with: { what: order } }
`
  // each process is gone before it has written down how the step ended
  let kept = ''
  for (let crash = 0; crash < 4; crash++) {
    const world = emptyWorld()
    const run = await walk(text, { world, text: kept })
    expect(world.effects, `process ${crash}`).toEqual(['change order'])
    expect(run.ending?.status, `process ${crash}`).toBe('succeeded')
    const written = run.text.split('\n')
    const last = written.findLastIndex((line) => line.includes('"type":"step.began"'))
    kept = `${written.slice(0, last + 1).join('\n')}\n`
  }
})

function changesOf({ effects }: World): string[] {
  return effects
    .filter((effect) => effect.startsWith('change '))
    .map((effect) => effect.slice(7))
    .toSorted()
}

/** What the lines say was begun and ended, by the thing it touched; and the executions left open. */
function readChanges(text: string): { began: Set<string>; ended: Set<string>; open: Set<string> } {
  const began = new Set<string>()
  const ended = new Set<string>()
  const open = new Map<string, string>()
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const entry = JSON.parse(line) as {
      type: string
      key: string
      effect?: string
      kind?: string
      params?: { what: string }
    }
    if (entry.type === 'step.began' && entry.effect === 'change' && entry.kind === 'action' && entry.params) {
      began.add(entry.params.what)
      open.set(entry.key, entry.params.what)
    }
    if (entry.type === 'step.ended' && open.has(entry.key)) {
      ended.add(open.get(entry.key) ?? '')
      open.delete(entry.key)
    }
  }
  return { began, ended, open: new Set(open.keys()) }
}
