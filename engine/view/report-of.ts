import { RunbookError } from '../error.ts'
import type { CheckResult, Entry, RunBegan, RunEnded, Verdict } from '../run/event.ts'
import { executionOf } from './execution-key.ts'
import { diffFindings } from './findings.ts'
import type { Report, ReportedCheck, ReportedStep, UncheckedCheck } from './report.ts'
import { foldDoubts } from './report-doubts.ts'
import { foldSteps } from './report-steps.ts'
import { checkResultOf, worstVerdict } from './verdict.ts'

/**
 * Reads a transcript, whole or as far as it goes, into a report.
 * Throws `RunbookError` when it does not begin with the beginning of a run.
 */
export function reportOf(transcript: Iterable<Entry>): Report {
  const entries = [...transcript]
  const first = entries[0]
  const last = entries.at(-1)
  if (first?.type !== 'run.began' || last === undefined)
    throw new RunbookError('no_beginning', 'the transcript does not begin with the beginning of a run', {
      hint: 'check it with `runbook verify`',
    })
  const { ended, status } = endOf(entries)
  const { steps, conditions, questions } = foldSteps(entries)
  const checks = checksOf(entries)
  const unchecked = uncheckedOf(first, steps, checks, ended !== undefined)
  const locks = new Set(entries.flatMap((entry) => (entry.type === 'locks.taken' ? entry.locks : [])))
  return {
    ...identityOf(first),
    status,
    ...(ended && { exit: ended.exit }),
    began: first.at,
    until: last.at,
    took: Math.max(0, Date.parse(last.at) - Date.parse(first.at)),
    ...(ended?.error && { error: ended.error }),
    ...(ended?.outputs && { outputs: ended.outputs }),
    counts: countsOf(steps),
    ...verdictOf(checks, unchecked),
    checks,
    unchecked,
    findings: diffFindings(first.previous, checks, first.at),
    ...(first.previous && { previous: { run: first.previous.run, at: first.previous.at } }),
    steps,
    conditions,
    questions,
    doubts: foldDoubts(entries),
    resumes: entries.flatMap((entry) => (entry.type === 'run.resumed' ? [{ at: entry.at, by: entry.by }] : [])),
    cancelled: entries.flatMap((entry) => (entry.type === 'run.cancelled' ? [{ at: entry.at, by: entry.by }] : [])),
    locks: [...locks],
    transcript: { entries: entries.length, chain: last.sum ?? last.prev },
  }
}

function identityOf(began: RunBegan) {
  const { run, mode, engine, runbook, by, inputs, hosts, cloud, rehearsal } = began
  const where = { ...(cloud !== undefined && { cloud }), ...(rehearsal !== undefined && { rehearsal }) }
  return { run, mode, engine, runbook, by, inputs, hosts, ...where }
}

/** A resumed run may have ended before: only what comes after the last resume counts. */
function endOf(entries: readonly Entry[]): { ended: RunEnded | undefined; status: Report['status'] } {
  const end = entries.findLast(({ type }) => type === 'run.ended' || type === 'run.parked' || type === 'run.resumed')
  if (end?.type === 'run.ended') return { ended: end, status: end.status }
  return { ended: undefined, status: end?.type === 'run.parked' ? 'waiting' : 'unfinished' }
}

/** The last result of each execution: a check that was run again replaces what it said before. */
function checksOf(entries: readonly Entry[]): readonly ReportedCheck[] {
  const checks = new Map<string, ReportedCheck>()
  for (const entry of entries) {
    if (entry.type !== 'step.ended') continue
    const result: CheckResult | undefined = checkResultOf(entry.action, entry.outcome)
    const key = executionOf(entry.key)
    if (result) checks.set(key, { ...result, key, at: entry.at })
    else checks.delete(key)
  }
  return [...checks.values()]
}

/** Checks the runbook has and the run has no verdict of: an inspection that stopped half way is not half green. */
function uncheckedOf(
  began: RunBegan,
  steps: readonly ReportedStep[],
  checks: readonly ReportedCheck[],
  ended: boolean,
): readonly UncheckedCheck[] {
  const executed = steps.filter(({ action }) => action === 'assert.check')
  const verdictKeys = new Set(checks.map(({ key }) => key))
  // a loop over checks has none itself: its items do
  const without = executed.filter((step) => step.kind === 'action' && !verdictKeys.has(step.key))
  const reached = new Set(executed.map(({ step }) => step))
  const missed = began.outline.filter(({ step, action }) => action === 'assert.check' && !reached.has(step))
  return [
    ...without.map((step) => ({
      key: step.key,
      name: step.name,
      why:
        step.why ??
        step.error?.message ??
        (step.ended === undefined ? 'it did not end' : 'its result cannot be read here'),
      verdict: step.status === 'skipped' ? ('skipped' as const) : ('unknown' as const),
    })),
    ...missed.flatMap(({ step, name }): UncheckedCheck[] => {
      const fate = fateOf(step, steps)
      if (fate === 'not needed') return []
      if (fate === 'skipped') return [{ key: step, name, why: 'what it is a part of was skipped', verdict: fate }]
      const why = ended ? 'it was not reached' : 'it has not been reached yet'
      return [{ key: step, name, why, verdict: 'unknown' as const }]
    }),
  ]
}

/** Why a step has no execution: a rescue is not needed where the block it belongs to succeeded. */
function fateOf(address: string, steps: readonly ReportedStep[]): 'skipped' | 'not needed' | 'missed' {
  for (let end = address.lastIndexOf('/'); end > 0; end = address.lastIndexOf('/', end - 1)) {
    const group = steps.filter(({ step, kind }) => step === address.slice(0, end) && kind !== 'loop')
    if (group.length === 0) continue
    if (group.every(({ status }) => status === 'skipped')) return 'skipped'
    return group.every(({ status }) => status === 'skipped' || status === 'succeeded') ? 'not needed' : 'missed'
  }
  return 'missed'
}

function verdictOf(
  checks: readonly ReportedCheck[],
  unchecked: readonly UncheckedCheck[],
): { readonly verdict?: Verdict } {
  const all = [...checks, ...unchecked]
  return all.length === 0 ? {} : { verdict: worstVerdict(all) }
}

function countsOf(steps: readonly ReportedStep[]): { readonly [status: string]: number } {
  const counts: { [status: string]: number } = {}
  for (const { status } of steps) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
