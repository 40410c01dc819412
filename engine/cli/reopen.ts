import { RunbookError } from '../error.ts'
import type { PlannedStep } from '../plan/plan.ts'
import type { Entry, Recorded, StepBegan, StepEnded } from '../run/event.ts'
import { within } from '../run/key.ts'
import { isGood, type Outcome } from '../run/outcome.ts'

/**
 * What has to be opened again so that a run that ended badly can go on: the executions that failed and were not handled,
 * and what they judged. Of a run that did not end only the looks at what is in doubt: there may be more to see by now.
 * A run that was undone, refused or done is not resumed; one of which undoing a step failed only to undo the rest.
 */
export function reopenedBy(run: string, entries: readonly Entry[]): readonly Recorded[] {
  const last = entries.findLastIndex(({ type }) => type === 'run.ended')
  const ended = entries[last]
  if (ended?.type !== 'run.ended' || entries.slice(last).some(({ type }) => type === 'step.reopened'))
    return looksInDoubt(entries)
  if (ended.status === 'succeeded')
    throw new RunbookError('run_over', `\`${run}\` is done: there is nothing to resume`, {
      hint: `\`runbook show ${run}\` shows it`,
    })
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
  const undoing = [...groups.keys()].filter((key) => key.endsWith('!undo'))
  const over = undoing.length === 0 ? overAs[ended.status] : undefined
  if (over !== undefined)
    throw new RunbookError('run_over', `\`${run}\` was ${over}: there is nothing to go on from`, {
      hint: 'start the runbook again',
    })
  const blamed = ended.error?.key
  // what is undone in part is undone to its end: nothing that was done on it since could stand
  const blame = undoing.length > 0 ? undoing : blamed === undefined ? [] : [blamed]
  const open = [...failures.values()].filter(({ key }) => blame.length === 0 || blame.some((group) => isIn(key, group)))
  const inLoops = (key: string) => groups.has(key) && (blame.length === 0 || blame.some((group) => isIn(key, group)))
  // a group in which nothing else failed judged something itself: its list, its inputs, a condition
  const bad = [...failures.keys(), ...groups.keys()]
  const judging = [...groups.values()].filter(
    ({ key }) => inLoops(key) && !key.endsWith('!undo') && !bad.some((other) => other !== key && isIn(other, key)),
  )
  const judged = new Set([
    ...judgedBy([...open, ...judging], entries),
    ...(undoing.length > 0 ? [] : guardedBy(entries, inLoops)),
  ])
  for (const { key } of open) judged.delete(baseOf(key))
  const again = [...judged].map((key) => ({
    type: 'step.reopened' as const,
    key,
    why: 'it is looked at again: what failed rests on it',
  }))
  const failed = open.map(({ key, outcome }) => {
    const base = baseOf(key)
    const inDoubt = began.get(key)?.effect !== 'read' && mayHaveHappened(outcome)
    return {
      type: 'step.reopened' as const,
      key: base,
      why: `it ended ${outcome.status}, and the run is resumed`,
      ...(inDoubt && { inDoubt }),
    }
  })
  return [...again, ...failed]
}

/**
 * What was done in every case (`always`) around executions that are opened again. They leave behind what they always leave,
 * so it is done once more after them.
 */
export function cleanUpAround(
  opened: readonly Recorded[],
  entries: readonly Entry[],
  steps: ReadonlyMap<string, PlannedStep>,
): readonly Recorded[] {
  const last = new Map(entries.flatMap((entry) => (entry.type === 'step.ended' ? [[entry.key, entry] as const] : [])))
  const bad = new Set([...last.values()].flatMap(({ key, outcome }) => (isGood(outcome) ? [] : [baseOf(key)])))
  const known = new Set(opened.flatMap((event) => (event.type === 'step.reopened' ? [event.key] : [])))
  const failed = [...known].filter((key) => bad.has(key) && !key.includes('!undo/'))
  const changes = new Set(entries.flatMap((entry) => (isChange(entry) && 'key' in entry ? [entry.key] : [])))
  const again = new Map<string, boolean>()
  for (const entry of entries) {
    const step = entry.type === 'step.began' && entry.kind === 'block' ? steps.get(entry.step) : undefined
    if (entry.type !== 'step.began' || step?.kind !== 'block') continue
    const inCleanUp = (key: string) => step.always.some(({ id }) => isIn(key, within(entry.key, id)))
    if (!failed.some((key) => isIn(key, entry.key) && !inCleanUp(key))) continue
    for (const { key, outcome } of last.values())
      if (inCleanUp(key) && !known.has(baseOf(key)))
        again.set(baseOf(key), changes.has(key) && mayHaveHappened(outcome))
  }
  return [...again].map(([key, inDoubt]) => ({
    type: 'step.reopened' as const,
    key,
    why: 'it is done in every case: once more after what failed before it',
    ...(inDoubt && { inDoubt }),
  }))
}

/** It was cut off; or it was done, and its result did not pass. */
function mayHaveHappened(outcome: Outcome): boolean {
  const { status } = outcome
  return (
    status === 'unknown' ||
    status === 'timed_out' ||
    status === 'cancelled' ||
    ('error' in outcome && outcome.result !== undefined)
  )
}

/** What was done in such a run has been undone, or a person wanted no more of it. */
const overAs: { readonly [status: string]: string } = {
  cancelled: 'cancelled and cleaned up',
  refused: 'refused by a person, and cleaned up',
  rolled_back: 'undone',
}

/** The looks at steps of which nobody has said yet what became of them. */
function looksInDoubt(entries: readonly Entry[]): readonly Recorded[] {
  const answered = new Set(entries.flatMap((entry) => (entry.type === 'answered' ? [entry.key] : [])))
  const open = entries.flatMap((entry) => (entry.type === 'asked' && !answered.has(entry.key) ? [entry.key] : []))
  return [...new Set(open)]
    .filter((key) => key.endsWith('!doubt'))
    .map((key) => key.replace(/!doubt$/, '!settled'))
    .filter((look) => entries.some((entry) => entry.type === 'step.ended' && entry.key === look))
    .map((key) => ({ type: 'step.reopened', key, why: 'it is looked at again: nobody has said what became of it' }))
}

/** The execution without its tries and what was asked about it. */
const baseOf = (key: string): string => key.replace(/(?:~\d+|![^/[]*)+$/, '')

/**
 * What was judged where something failed that had touched nothing itself: to judge the same again would come to the same.
 * It is what was read before it, with all that was read since and may rest on that, but for what a change or an answer
 * came after that may rest on it: that was done, and stays.
 */
function judgedBy(failed: readonly StepEnded[], entries: readonly Entry[]): readonly string[] {
  const called = new Set(entries.flatMap((entry) => (entry.type === 'step.called' ? [entry.key] : [])))
  const acts = entries.flatMap((entry, at) =>
    entry.type === 'answered' || (entry.type === 'step.began' && entry.kind === 'action')
      ? [{ key: entry.key, at, read: entry.type === 'step.began' && !isChange(entry) }]
      : [],
  )
  const firm = acts.filter(({ read }) => !read).toReversed()
  // of a read that was made again the last one counts
  const reads = [...new Map(acts.flatMap((act) => (act.read ? [[act.key, act] as const] : []))).values()]
  const free = reads.filter((read) => !firm.some(({ key, at }) => at > read.at && sees(key, read.key)))
  const judged = failed
    .filter(({ key }) => !called.has(key))
    .flatMap((failure) => {
      const end = entries.lastIndexOf(failure as Entry)
      return free.filter((read) => read.at < end && sees(failure.key, read.key))
    })
  const again = new Set(judged)
  const rest = reads.filter(
    (later) => !again.has(later) && judged.some((read) => read.at < later.at && sees(later.key, read.key)),
  )
  return [...judged, ...rest].map(({ key }) => baseOf(key))
}

/** Whether what stands at one key may rest on what was read at another: it does not on another item of the same loop. */
function sees(key: string, read: string): boolean {
  return [...read.matchAll(/\[[^\]]*\]/g)].every(
    ({ 0: item, index }) =>
      !key.startsWith(read.slice(0, index + 1)) || key.startsWith(read.slice(0, index + item.length)),
  )
}

const isIn = (key: string, group: string): boolean =>
  key === group || (key.startsWith(group) && '/[~!'.includes(key.charAt(group.length)))

/** What the guards had read of which a condition did not hold last, in loops that failed: it may hold by now. */
function guardedBy(entries: readonly Entry[], inLoops: (key: string) => boolean): readonly string[] {
  const stopped = new Map(
    entries.flatMap((entry) =>
      entry.type === 'condition' && entry.word === 'guard' && !entry.held
        ? [[entry.key.replace(/!after\d+$/, ''), entry.key]]
        : [],
    ),
  )
  return [...stopped].flatMap(([loop, key]) =>
    inLoops(loop)
      ? entries.flatMap((entry) =>
          entry.type === 'step.began' && entry.kind === 'action' && entry.key.startsWith(`${key}/`)
            ? [baseOf(entry.key)]
            : [],
        )
      : [],
  )
}

const isChange = (entry: Entry): boolean =>
  entry.type === 'step.began' && entry.kind === 'action' && entry.effect !== 'read'
