import { RunbookError } from '../error.ts'
import type { PlannedStep } from '../plan/plan.ts'
import type { Entry, Recorded, RunEnded, StepBegan, StepEnded } from '../run/event.ts'
import { within } from '../run/key.ts'
import { isGood } from '../run/outcome.ts'

/** Refuses to go on with a run that is over: done, undone, or ended by a person. One of which not all could be undone is not. */
export function demandOpen(run: string, entries: readonly Entry[]): void {
  const ended = lastEndOf(entries)
  if (ended?.status === 'succeeded')
    throw new RunbookError('run_over', `\`${run}\` is done: there is nothing to resume`, {
      hint: `\`runbook show ${run}\` shows it`,
    })
  const over = ended && undoingIn(badIn(entries).groups).length === 0 ? overAs[ended.status] : undefined
  if (over !== undefined)
    throw new RunbookError('run_over', `\`${run}\` was ${over}: there is nothing to go on from`, {
      hint: 'start the runbook again',
    })
}

/**
 * What has to be opened again so that a run that ended badly can go on: the executions that failed and were not handled,
 * what they judged, and what was done in every case around them. Of a run that did not end only the looks at what is in
 * doubt: there may be more to see by now. Of one that could not be undone only what undoing failed at.
 */
export function reopenedBy(entries: readonly Entry[], steps: ReadonlyMap<string, PlannedStep>): readonly Recorded[] {
  const ended = lastEndOf(entries)
  if (!ended) return looksInDoubt(entries)
  const bad = badIn(entries)
  const opened = openedAfter(ended, entries, bad, steps)
  return [...opened, ...cleanUpAround(opened, entries, bad, steps)]
}

function openedAfter(
  ended: RunEnded,
  entries: readonly Entry[],
  { failures, groups }: Bad,
  steps: ReadonlyMap<string, PlannedStep>,
): readonly Recorded[] {
  const undoing = undoingIn(groups)
  const named = ended.error?.key
  // what is undone in part is undone to its end: nothing that was done on it since could stand
  const bad = new Map([...failures.all(), ...groups.values()].map((end) => [end.key, end]))
  const blame = undoing.length > 0 ? undoing : named === undefined ? [] : allToBlame(named, bad, steps)
  const isToBlame = (key: string) => blame.length === 0 || blame.some((group) => isIn(key, group))
  const open = failures.all().filter(({ key }) => isToBlame(key))
  const inLoops = (key: string) => groups.has(key) && isToBlame(key)
  // a group in which nothing else failed judged something itself: its list, its inputs, a condition
  const judging = [...groups.values()].filter(
    ({ key }) =>
      inLoops(key) && !key.endsWith('!undo') && ![...bad.keys()].some((other) => other !== key && isIn(other, key)),
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
  const failed = failures.executions().flatMap((key) => {
    // its tries, of which one may have happened, and the looks at what became of them, which touched nothing
    const blamed = failures.of(key).filter((end) => isToBlame(end.key))
    const said = blamed.findLast((end) => failures.isInDoubt(end)) ?? blamed.at(-1)
    if (!said) return []
    const why = `it ended ${said.outcome.status}, and the run is resumed`
    return [{ type: 'step.reopened' as const, key, why, ...(failures.isInDoubt(said) && { inDoubt: true }) }]
  })
  return [...again, ...failed]
}

/** How the run ended; undefined when it did not, or has been opened again since. */
function lastEndOf(entries: readonly Entry[]): RunEnded | undefined {
  const last = entries.findLastIndex(({ type }) => type === 'run.ended')
  const ended = entries[last]
  const since = entries.slice(last).some(({ type }) => type === 'step.reopened')
  return ended?.type === 'run.ended' && !since ? ended : undefined
}

interface Bad {
  readonly failures: Failures
  /** Groups whose last end was bad. */
  readonly groups: ReadonlyMap<string, StepEnded>
}

function badIn(entries: readonly Entry[]): Bad {
  const failures = new Failures()
  const groups = new Map<string, StepEnded>()
  for (const entry of entries) {
    if (entry.type === 'step.began') failures.began(entry)
    if (entry.type !== 'step.ended') continue
    if (entry.kind === 'action' || entry.kind === 'let') failures.ended(entry)
    else if (isGood(entry.outcome)) groups.delete(entry.key)
    else groups.set(entry.key, entry)
  }
  return { failures, groups }
}

const undoingIn = (groups: Bad['groups']): readonly string[] =>
  [...groups.keys()].filter((key) => key.endsWith('!undo'))

/** What is named as the cause, and what failed in the branches beside it: all of them ended, and one could be named. */
function allToBlame(
  named: string,
  bad: ReadonlyMap<string, StepEnded>,
  steps: ReadonlyMap<string, PlannedStep>,
): readonly string[] {
  const causes = new Set([named])
  // what is added while it goes on is gone through too
  for (const cause of causes)
    for (const group of bad.values()) {
      const step = isIn(cause, group.key) ? steps.get(group.step) : undefined
      if (step?.kind !== 'parallel') continue
      for (const { id, onFailure } of step.branches) {
        const failed = bad.get(within(group.key, id))
        if (!failed || onFailure === 'continue') continue
        causes.add(('error' in failed.outcome ? failed.outcome.error.key : undefined) ?? failed.key)
      }
    }
  return [...causes]
}

/** The tries that ended badly, and the looks at them that did; not of what a later try, or a person, made good. */
class Failures {
  readonly #byExecution = new Map<string, Map<string, StepEnded>>()
  readonly #reads = new Set<string>()

  began({ key, effect }: StepBegan): void {
    if (effect === 'read') this.#reads.add(key)
  }

  ended(end: StepEnded): void {
    const base = baseOf(end.key)
    const ends = this.#byExecution.get(base) ?? new Map<string, StepEnded>()
    if (!isGood(end.outcome)) this.#byExecution.set(base, ends.set(end.key, end))
    else if (isLook(end.key)) ends.delete(end.key)
    else this.#byExecution.delete(base)
  }

  of(execution: string): readonly StepEnded[] {
    return [...(this.#byExecution.get(execution)?.values() ?? [])]
  }

  executions(): readonly string[] {
    return [...this.#byExecution.keys()]
  }

  all(): readonly StepEnded[] {
    return this.executions().flatMap((execution) => this.of(execution))
  }

  /** Whether it is a change that was cut off; or that was done, and its result did not pass. */
  isInDoubt({ key, outcome }: StepEnded): boolean {
    const { status } = outcome
    const mayHaveHappened =
      status === 'unknown' ||
      status === 'timed_out' ||
      status === 'cancelled' ||
      ('error' in outcome && outcome.result !== undefined)
    return mayHaveHappened && !this.#reads.has(key)
  }
}

/**
 * What was done in every case (`always`) around executions that are opened again. They leave behind what they always leave,
 * so it is done once more after them.
 */
function cleanUpAround(
  opened: readonly Recorded[],
  entries: readonly Entry[],
  { failures, groups }: Bad,
  steps: ReadonlyMap<string, PlannedStep>,
): readonly Recorded[] {
  const ended = [...new Set(entries.flatMap((entry) => (entry.type === 'step.ended' ? [baseOf(entry.key)] : [])))]
  const known = new Set(opened.flatMap((event) => (event.type === 'step.reopened' ? [event.key] : [])))
  const failed = [...known].filter((key) => (failures.of(key).length > 0 || groups.has(key)) && !key.includes('!undo'))
  const again = new Set<string>()
  for (const entry of entries) {
    const step = entry.type === 'step.began' && entry.kind === 'block' ? steps.get(entry.step) : undefined
    if (entry.type !== 'step.began' || step?.kind !== 'block') continue
    const inCleanUp = (key: string) => step.always.some(({ id }) => isIn(key, within(entry.key, id)))
    if (!failed.some((key) => isIn(key, entry.key) && !inCleanUp(key))) continue
    for (const key of ended) if (inCleanUp(key) && !known.has(key)) again.add(key)
  }
  return [...again].map((key) => ({
    type: 'step.reopened' as const,
    key,
    why: 'it is done in every case: once more after what failed before it',
    ...(failures.of(key).some((end) => failures.isInDoubt(end)) && { inDoubt: true }),
  }))
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

/** Whether it is a look at what became of a change, which rests on that change alone. */
const isLook = (key: string): boolean => key.endsWith('!settled')

/** The execution without its tries and what was asked about it. A look before something is undone is not of doing it. */
const baseOf = (key: string): string => (key.endsWith('!undo!settled') ? key : key.replace(/(?:~\d+|![^/[]*)+$/, ''))

/**
 * What was judged where something failed that had touched nothing itself: to judge the same again would come to the same.
 * It is what was read before it, with all that was read since and may rest on that, but for what a change or an answer
 * came after that may rest on it: that was done, and stays.
 */
function judgedBy(failed: readonly StepEnded[], entries: readonly Entry[]): readonly string[] {
  const called = new Set(entries.flatMap((entry) => (entry.type === 'step.called' ? [entry.key] : [])))
  const acts = entries.flatMap((entry, at) =>
    entry.type === 'answered' || (entry.type === 'step.began' && entry.kind === 'action' && !isLook(entry.key))
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
