/** The parts of a report that every form of it says in the same words. */
import { shownDuration } from '../duration.ts'
import type { Finding, Verdict } from '../run/event.ts'
import type { Style } from './colour.ts'
import { executionOf } from './execution-key.ts'
import { shownFields, shownTime } from './fact-text.ts'
import type { Label } from './label.ts'
import { previewLabels, runLabels, statusLabels, verdictLabels } from './label.ts'
import { previewed } from './progress.ts'
import type { Doubt, Report, ReportedStep } from './report.ts'
import { checkResultOf } from './verdict.ts'

/** Who ran what, where, when, with what: the head of a report. */
export function headFacts(report: Report): readonly (readonly [name: string, value: string])[] {
  const { runbook, by, resumes, hosts, inputs } = report
  const commit =
    runbook.commit === undefined
      ? 'none'
      : `${runbook.commit}${runbook.clean === false ? ', with changes that are not committed' : ''}`
  const optional = (name: string, value: string | undefined) => (value ? [[name, value] as const] : [])
  return [
    ['run', report.run],
    ...optional('dry run', report.mode === 'dry-run' ? 'yes: nothing was changed' : ''),
    ...optional('rehearsal', report.rehearsal && `${report.rehearsal}, on a simulated cloud`),
    ['by', `${by.user} on ${by.host}`],
    ['began', `${shownTime(report.began)} UTC`],
    [isOver(report) ? 'ended' : 'until now', `${shownTime(report.until)} UTC, after ${shownDuration(report.took)}`],
    ...resumes.map(
      (resume) => ['resumed', `${shownTime(resume.at)} UTC, by ${resume.by.user} on ${resume.by.host}`] as const,
    ),
    ...report.cancelled.map(
      ({ at, by: who }) => ['cancelled', `${shownTime(at)} UTC, by ${who.user} on ${who.host}`] as const,
    ),
    ...optional('cloud', report.cloud),
    ...optional('hosts', hosts.join(', ')),
    ...optional('inputs', shownFields(inputs)),
    ...optional('locks', report.locks.join(', ')),
    ['runbook', runbook.path],
    ['digest', runbook.digest],
    ['commit', commit],
    ['engine', `runbook ${report.engine}`],
    ['transcript', `${report.transcript.entries} entries, chain ${report.transcript.chain}`],
  ]
}

function isOver({ status }: Report): boolean {
  return status !== 'unfinished' && status !== 'waiting'
}

/** How it came out: an inspection by its worst verdict, if it came to its end; any other run by its status. */
export function headline(report: Report): Label {
  if (report.mode === 'dry-run' && report.status === 'succeeded')
    return { word: 'dry run, nothing was changed', sign: '~', style: 'plain' }
  if (report.status !== 'succeeded' || report.verdict === undefined) return runLabels[report.status]
  const verdict = verdictLabels[report.verdict]
  return { ...verdict, word: `worst verdict ${verdict.word}` }
}

export interface FindingGroup {
  readonly title: string
  readonly style: Style
  readonly findings: readonly { readonly finding: Finding; readonly note: string; readonly label: Label }[]
}

/** Findings by what became of them since the run before, the most urgent first; empty groups are left out. */
export function findingGroups({ findings, previous }: Report): readonly FindingGroup[] {
  const { fresh, persisting, resolved, unseen } = findings
  const groups: readonly FindingGroup[] = [
    {
      title: previous ? 'New' : 'Found',
      style: 'bad',
      findings: worstFirst(fresh).map((finding) => ({ finding, note: '', label: labelOf(finding) })),
    },
    {
      title: 'Still there',
      style: 'warn',
      findings: worstFirst(persisting).map((finding) => ({
        finding,
        note: sinceNote(finding),
        label: labelOf(finding),
      })),
    },
    {
      title: 'No longer visible, not known to be resolved',
      style: 'doubt',
      findings: unseen.map((finding) => ({
        finding,
        note: `${finding.why}; ${sinceNote(finding)}`,
        label: labelOf(finding),
      })),
    },
    {
      title: 'Resolved',
      style: 'good',
      findings: resolved.map((finding) => ({ finding, note: '', label: resolvedLabel })),
    },
  ]
  return groups.filter((group) => group.findings.length > 0)
}

const resolvedLabel: Label = { word: 'resolved', sign: '✓', style: 'good' }

function labelOf({ verdict }: Finding): Label {
  return verdictLabels[verdict]
}

function sinceNote({ since, days }: { readonly since: string; readonly days: number }): string {
  return `since ${since.slice(0, 10)}, ${days === 0 ? 'today' : days === 1 ? '1 day' : `${days} days`}`
}

function worstFirst<T extends Finding>(findings: readonly T[]): readonly T[] {
  const order: readonly Verdict[] = ['fail', 'unknown', 'warn']
  return findings.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
}

/** `change, 41.0s, 2 tries, 12 polls, on cmp3`. */
export function stepFacts(step: ReportedStep): string {
  const polls = step.polls.reduce((sum, { times }) => sum + times, 0)
  return [
    step.kind === 'action' ? step.action : step.kind,
    step.effect === 'read' ? undefined : step.effect,
    step.target && `on ${step.target}`,
    step.count === undefined ? undefined : `${step.count} items`,
    verdictNote(step),
    step.took === undefined ? undefined : shownDuration(step.took),
    step.tries.length > 0 ? `${step.tries.length + 1} tries` : undefined,
    polls > 0 ? `${polls} ${polls === 1 ? 'poll' : 'polls'}` : undefined,
  ]
    .filter(Boolean)
    .join(', ')
}

/** A check that was made is a step that succeeded, whatever it found: so its verdict stands beside it. */
function verdictNote({ action, result }: ReportedStep): string | undefined {
  const check = result === undefined ? undefined : checkResultOf(action, { status: 'succeeded', result })
  return check && `verdict ${verdictLabels[check.verdict].word}`
}

export function stepLabel(step: ReportedStep): Label {
  if (step.status === 'running') return { ...statusLabels.running, word: 'not ended' }
  return step.status === 'previewed' ? previewLabels[previewed(step)] : statusLabels[step.status]
}

/** Why a step did not end well; a group only names the step that is the reason. */
export function errorText({ key, error }: ReportedStep): string | undefined {
  if (error === undefined) return undefined
  return error.key !== undefined && executionOf(error.key) !== key
    ? `because of ${executionOf(error.key)}`
    : `${error.code}: ${error.message}`
}

/** Whether somebody who reads the report should look at this step. */
export function isNotable({ status, conditions, reopened }: ReportedStep): boolean {
  const calm = status === 'succeeded' || status === 'skipped' || status === 'previewed'
  return !calm || reopened.length > 0 || conditions.some(({ held }) => !held)
}

export function doubtText({ why, since, settled }: Doubt): string {
  const open = `${why}, ${shownTime(since)} UTC`
  return settled
    ? `${open}. Settled ${shownTime(settled.at)} UTC: ${settled.how}`
    : `${open}. Still in doubt: find out before it is done again`
}

/** `12 ok, 1 failed`. */
export function countsText({ counts }: Report): string {
  const words: { readonly [status: string]: Label } = {
    ...statusLabels,
    running: { ...statusLabels.running, word: 'not ended' },
  }
  return Object.entries(counts)
    .map(([status, count]) => `${count} ${(words[status]?.word ?? status).toLowerCase()}`)
    .join(', ')
}
