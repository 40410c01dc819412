import { exitCode } from '../error.ts'
import type { CheckResult, RunEvent } from '../run/event.ts'

export const failOns = ['warn', 'unknown', 'fail'] as const
export type FailOn = (typeof failOns)[number]

const badness: { readonly [verdict: string]: number } = { skipped: 0, pass: 0, warn: 1, unknown: 2, fail: 3 }

/** The exit code of an inspection: 1 when a check is as bad as `--fail-on` says, or worse. Unknown is never taken for pass. */
export function verdictExit(checks: readonly RunEvent[], failOn: FailOn): number {
  const limit = badness[failOn] ?? 2
  const bad = checks.some((event) => {
    if (event.type !== 'step.ended' || event.outcome.status !== 'succeeded') return true
    const { verdict } = event.outcome.result as unknown as CheckResult
    return (badness[verdict] ?? 3) >= limit
  })
  return bad ? exitCode.failed : exitCode.done
}
