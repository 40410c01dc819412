import type { CheckResult, Finding, PreviousRun } from '../run/event.ts'

/** What this inspection found, against the one before. */
export interface FindingsDiff {
  readonly fresh: readonly Finding[]
  readonly persisting: readonly PersistingFinding[]
  /** Found before, looked for again and not found. */
  readonly resolved: readonly Finding[]
  /** Found before and not looked for properly this time: nobody knows. */
  readonly unseen: readonly UnseenFinding[]
}

export interface PersistingFinding extends Finding {
  readonly since: string
  /** Whole days from `since` to this run. */
  readonly days: number
}

export interface UnseenFinding extends Finding {
  readonly since: string
  readonly days: number
  /** Why it could not be seen. */
  readonly why: string
}

/**
 * Compares by the findings' keys. A finding is resolved only when its check gave a whole answer: a check that is missing,
 * was skipped, or has an `unknown` in it proves nothing, so what it found before stays open.
 * `at` is when this run began, ISO 8601.
 */
export function diffFindings(
  previous: PreviousRun | undefined,
  current: readonly CheckResult[],
  at: string,
): FindingsDiff {
  const before = new Map((previous?.findings ?? []).map((finding) => [finding.key, finding]))
  const since = (finding: Finding) => finding.since ?? previous?.at ?? at
  const found = new Map(current.flatMap(({ findings }) => findings.filter(isOpen)).map((item) => [item.key, item]))
  const lost = [...before.values()].filter(({ key }) => !found.has(key))
  const unsure = lost.map((finding) => ({ finding, why: whyUnseen(finding, current) }))
  return {
    fresh: [...found.values()].filter(({ key }) => !before.has(key)),
    persisting: [...found.values()].flatMap((finding) => {
      const old = before.get(finding.key)
      return old ? [{ ...finding, since: since(old), days: daysBetween(since(old), at) }] : []
    }),
    resolved: unsure.flatMap(({ finding, why }) => (why === undefined ? [finding] : [])),
    unseen: unsure.flatMap(({ finding, why }) =>
      why === undefined ? [] : [{ ...finding, since: since(finding), days: daysBetween(since(finding), at), why }],
    ),
  }
}

/** What the next run is to be compared with: all that is open, with when it was first seen; what could not be seen stays. */
export function openFindings({ fresh, persisting, unseen }: FindingsDiff, at: string): readonly Finding[] {
  const kept = [...persisting, ...unseen.map(({ why: _, ...finding }) => finding)].map(
    ({ days: _, ...finding }) => finding,
  )
  return [...fresh.map((finding) => ({ ...finding, since: finding.since ?? at })), ...kept]
}

function isOpen({ verdict }: Finding): boolean {
  return verdict !== 'pass' && verdict !== 'skipped'
}

function whyUnseen({ check, key }: Finding, current: readonly CheckResult[]): string | undefined {
  const same = current.filter((result) => result.check === check)
  if (same.length === 0) return `the check \`${check}\` did not run`
  if (same.some(({ findings }) => findings.some((finding) => finding.key === key && finding.verdict === 'pass')))
    return undefined
  if (same.every(({ verdict }) => verdict === 'skipped')) return `the check \`${check}\` was skipped`
  const blind = same.some(({ verdict, findings }) => [verdict, ...findings.map((f) => f.verdict)].includes('unknown'))
  return blind ? `the check \`${check}\` did not get a whole answer` : undefined
}

function daysBetween(from: string, to: string): number {
  return Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000))
}
