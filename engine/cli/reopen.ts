import { RunbookError } from '../error.ts'
import type { Entry, Recorded, StepBegan, StepEnded } from '../run/event.ts'
import { isGood } from '../run/outcome.ts'

/**
 * What has to be opened again so that a run that ended badly can go on: the executions that failed and were not handled.
 * Nothing for a run that did not end. A run that was undone, refused or done is not resumed.
 */
export function reopenedBy(run: string, entries: readonly Entry[]): readonly Recorded[] {
  const last = entries.findLastIndex(({ type }) => type === 'run.ended')
  const ended = entries[last]
  if (ended?.type !== 'run.ended' || entries.slice(last).some(({ type }) => type === 'step.reopened')) return []
  if (ended.status === 'succeeded')
    throw new RunbookError('run_over', `\`${run}\` is done: there is nothing to resume`, {
      hint: `\`runbook show ${run}\` shows it`,
    })
  if (ended.status === 'cancelled' || ended.status === 'rolled_back')
    throw new RunbookError(
      'run_over',
      `\`${run}\` was ${ended.status === 'cancelled' ? 'cancelled and cleaned up' : 'undone'}: there is nothing to go on from`,
      { hint: 'start the runbook again' },
    )
  const began = new Map<string, StepBegan>()
  const failures = new Map<string, StepEnded>()
  const groups = new Map<string, StepEnded>()
  for (const entry of entries) {
    if (entry.type === 'step.began') began.set(entry.key, entry)
    if (entry.type !== 'step.ended') continue
    const map = entry.kind === 'action' || entry.kind === 'let' ? failures : groups
    if (isGood(entry.outcome)) map.delete(entry.key)
    else map.set(entry.key, entry)
    groups.delete(entry.kind === 'action' ? '' : isGood(entry.outcome) ? entry.key : '')
  }
  const blamed = ended.error?.key
  const open = [...failures.values()].filter(
    ({ key }) =>
      blamed === undefined ||
      key === blamed ||
      key.startsWith(`${blamed}/`) ||
      key.startsWith(`${blamed}[`) ||
      key.startsWith(`${blamed}~`) ||
      key.startsWith(`${blamed}!`),
  )
  return open.map(({ key, outcome }) => {
    const base = key.replace(/(?:~\d+|![^/[]*)+$/, '')
    const change = began.get(key)?.effect !== 'read'
    const inDoubt =
      change && (outcome.status === 'unknown' || outcome.status === 'timed_out' || outcome.status === 'cancelled')
    return {
      type: 'step.reopened' as const,
      key: base,
      why: `it ended ${outcome.status}, and the run is resumed`,
      ...(inDoubt && { inDoubt }),
    }
  })
}
