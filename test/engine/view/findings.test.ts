import { describe, expect, test } from 'vitest'
import type { CheckResult, Finding, PreviousRun, Verdict } from '../../../engine/run/event.ts'
import { diffFindings, openFindings } from '../../../engine/view/findings.ts'
import { worstVerdict } from '../../../engine/view/verdict.ts'

const at = '2026-11-21T08:00:00.000Z'
const finding = (key: string, verdict: Verdict = 'fail', since?: string): Finding => ({
  key,
  check: 'disk',
  verdict,
  message: key,
  ...(since !== undefined && { since }),
})
const disk = (verdict: Verdict, ...findings: readonly Finding[]): CheckResult => ({
  check: 'disk',
  title: 'disk',
  verdict,
  summary: '',
  findings,
})
const earlier = (...findings: readonly Finding[]): PreviousRun => ({
  run: 'r0',
  at: '2026-11-20T08:00:00.000Z',
  findings,
})
const keys = (findings: readonly Finding[]) => findings.map(({ key }) => key)

describe('a finding of the run before', () => {
  test('that is found again persists since it was first seen', () => {
    const { persisting, fresh } = diffFindings(
      earlier(finding('c1', 'fail', '2026-11-14T08:00:00.000Z')),
      [disk('fail', finding('c1'))],
      at,
    )
    expect(persisting).toMatchObject([{ key: 'c1', since: '2026-11-14T08:00:00.000Z', days: 7 }])
    expect(fresh).toEqual([])
  })

  test('with no date persists since the run that saw it', () => {
    expect(diffFindings(earlier(finding('c1')), [disk('fail', finding('c1'))], at).persisting).toMatchObject([
      { days: 1 },
    ])
  })

  test('that is not found by a whole check is resolved', () => {
    const { resolved, unseen } = diffFindings(earlier(finding('c1')), [disk('pass')], at)
    expect([keys(resolved), keys(unseen)]).toEqual([['c1'], []])
  })

  test.each([
    ['is unknown now', [disk('unknown')], 'whole answer'],
    ['is missing now', [], 'did not run'],
    ['was skipped', [disk('skipped')], 'skipped'],
    ['has an unknown among its findings', [disk('fail', finding('c2'), finding('c9', 'unknown'))], 'whole answer'],
  ])('is not resolved when its check %s', (_, current, why) => {
    const { resolved, unseen } = diffFindings(earlier(finding('c1')), current, at)
    expect(resolved).toEqual([])
    expect(unseen).toMatchObject([{ key: 'c1', why: expect.stringContaining(why) }])
  })

  test('that is looked at and well is resolved, though others could not be seen', () => {
    const current = [disk('unknown', finding('c1', 'pass'), finding('c9', 'unknown'))]
    expect(keys(diffFindings(earlier(finding('c1')), current, at).resolved)).toEqual(['c1'])
  })
})

test('the first run has nothing but new findings, and what is well is none', () => {
  const { fresh } = diffFindings(undefined, [disk('fail', finding('c1'), finding('c2', 'pass'))], at)
  expect(keys(fresh)).toEqual(['c1'])
})

test('what could not be seen stays open for the next run, with its first date', () => {
  const previous = earlier(finding('c1', 'fail', '2026-11-14T08:00:00.000Z'))
  const diff = diffFindings(previous, [disk('unknown', finding('c9', 'unknown'))], at)
  expect(openFindings(diff, at)).toEqual([
    { ...finding('c9', 'unknown'), since: at },
    { ...finding('c1'), since: '2026-11-14T08:00:00.000Z' },
  ])
})

test.each([
  [['pass', 'warn', 'unknown', 'fail'], 'fail'],
  [['pass', 'warn', 'unknown'], 'unknown'],
  [['skipped', 'pass', 'warn'], 'warn'],
  [['skipped', 'pass'], 'pass'],
  [['skipped'], 'skipped'],
  [[], 'skipped'],
] as const)('the worst of %j is %s', (all, worst) => {
  expect(worstVerdict(all.map((verdict) => ({ verdict })))).toBe(worst)
})
