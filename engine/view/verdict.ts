import { isObject } from '../json.ts'
import type { CheckResult, Verdict } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'

/** The worst first. */
const verdicts = ['fail', 'unknown', 'warn', 'pass', 'skipped'] as const satisfies readonly Verdict[]

/** The one that decides for all of them; `skipped` where there is none, since nothing was looked at. */
export function worstVerdict(results: Iterable<{ readonly verdict: Verdict }>): Verdict {
  let worst = verdicts.length - 1
  for (const { verdict } of results) worst = Math.min(worst, verdicts.indexOf(verdict))
  return verdicts[worst] ?? 'skipped'
}

export function countVerdicts(results: Iterable<{ readonly verdict: Verdict }>): ReadonlyMap<Verdict, number> {
  const counts = new Map<Verdict, number>()
  for (const { verdict } of results) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return new Map(verdicts.flatMap((verdict) => (counts.has(verdict) ? [[verdict, counts.get(verdict) ?? 0]] : [])))
}

/** The result of an `assert.check` step, where the step came to one. */
export function checkResultOf(action: string | undefined, outcome: Outcome): CheckResult | undefined {
  if (action !== 'assert.check' || !('result' in outcome)) return undefined
  const { result } = outcome
  if (!isObject(result) || typeof result['check'] !== 'string' || !isVerdict(result['verdict'])) return undefined
  const findings = Array.isArray(result['findings']) ? result['findings'] : []
  return {
    check: result['check'],
    title: String(result['title'] ?? result['check']),
    verdict: result['verdict'],
    summary: String(result['summary'] ?? ''),
    findings: findings.filter(isObject).map((finding) => ({
      key: String(finding['key']),
      check: String(finding['check'] ?? result['check']),
      verdict: isVerdict(finding['verdict']) ? finding['verdict'] : 'unknown',
      message: String(finding['message'] ?? finding['key']),
      ...(typeof finding['runbook'] === 'string' && { runbook: finding['runbook'] }),
      ...(typeof finding['since'] === 'string' && { since: finding['since'] }),
    })),
  }
}

function isVerdict(value: unknown): value is Verdict {
  return verdicts.some((verdict) => verdict === value)
}
