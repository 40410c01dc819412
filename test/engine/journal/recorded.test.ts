import { expect, test } from 'vitest'
import { pastOf } from '../../../engine/journal/recorded.ts'
import type { Entry } from '../../../engine/run/event.ts'
import type { Outcome } from '../../../engine/run/outcome.ts'

const failed: Outcome = { status: 'failed', error: { code: 'no', message: 'no' } }
const timedOut: Outcome = { status: 'timed_out', error: { code: 'timed_out', message: 'too late' } }

test('of a change that is opened again in doubt the last try counts, by which its action looks for it', () => {
  const began = (key: string, attempt: string) => ({
    type: 'step.began',
    key,
    attempt,
    fingerprint: 'x',
    effect: 'change',
  })
  const ended = (key: string, outcome: Outcome) => ({ type: 'step.ended', key, outcome, kind: 'action' })
  const entries = [
    began('make', 'first'),
    ended('make', failed),
    began('make~2', 'second'),
    ended('make~2', timedOut),
    began('make!settled', 'look'),
    ended('make!settled', { status: 'succeeded', result: { happened: 'unknown' } }),
    { type: 'step.reopened', key: 'make', inDoubt: true },
  ].map((entry, seq) => ({ ...entry, seq, at: `2026-01-01T00:00:0${seq}.000Z` }) as unknown as Entry)
  const past = pastOf(entries)
  expect(past.began('make')).toMatchObject({ attempt: 'second' })
  expect(past.reopenedInDoubt('make')).toEqual(timedOut)
  for (const key of ['make', 'make~2', 'make!settled']) expect(past.ended(key), key).toBeUndefined()
  expect(past.began('make~2')).toBeUndefined()
})
