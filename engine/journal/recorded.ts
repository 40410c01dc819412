import type { Answer } from '../action/contract.ts'
import type { Json } from '../json.ts'
import type { Entry, Recorded, StepBegan, StepEnded } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'

type At<T> = T & { readonly at: string; readonly redacted?: boolean }

/** What a journal that is resumed says, by key. A new run has none of it, however long it grows. */
export interface Past {
  began(key: string): At<StepBegan> | undefined
  ended(key: string): At<StepEnded> | undefined
  /** The attempt that a crash had cut off when it was begun again. */
  cut(key: string): At<StepBegan> | undefined
  value(key: string): { readonly value: Json } | undefined
  due(key: string): number | undefined
  askedAt(key: string): string | undefined
  answer(key: string): Answer | undefined
  told(event: Recorded): string | undefined
  has(key: string): boolean
  /** How it ended, where that left it in doubt, and the run was resumed to go on from there. */
  reopenedInDoubt(key: string): Outcome | undefined
  readonly cancelled: boolean
  /** Whether a secret was left out of something that was recorded. */
  readonly masked: boolean
}

/** The facts of a journal by key. `step.reopened` takes back what it names; a later fact replaces an earlier one. */
export function pastOf(entries: readonly Entry[]): Past {
  const began = new Map<string, At<StepBegan>>()
  const ended = new Map<string, At<StepEnded>>()
  const cut = new Map<string, At<StepBegan>>()
  const values = new Map<string, { value: Json }>()
  const timers = new Map<string, number>()
  const asked = new Map<string, string>()
  const answers = new Map<string, Answer>()
  const told = new Map<string, string>()
  const doubtful = new Map<string, Outcome>()
  let cancelled = false
  let masked = false
  for (const entry of entries) {
    masked ||= entry.redacted === true
    switch (entry.type) {
      case 'step.began':
        // the first beginning counts: time limits run from it
        if (!began.has(entry.key) || ended.has(entry.key)) began.set(entry.key, entry)
        else if (!cut.has(entry.key)) cut.set(entry.key, began.get(entry.key) ?? entry)
        break
      case 'step.ended':
        ended.set(entry.key, entry)
        break
      case 'value':
        values.set(entry.key, { value: entry.value })
        break
      case 'timer':
        timers.set(entry.key, Date.parse(entry.due))
        break
      case 'asked':
        asked.set(entry.key, entry.at)
        break
      case 'answered':
        answers.set(entry.key, entry.answer)
        break
      case 'run.cancelled':
        cancelled = true
        break
      case 'step.reopened': {
        // the last try is the one that may have happened: whoever looks for it looks by what that one left
        const last = entry.inDoubt && [...ended.values()].findLast(({ key }) => isTry(key, entry.key))
        const tried = last && began.get(last.key)
        for (const map of [began, ended, cut, asked, answers, timers, values])
          for (const key of map.keys()) if (isAbout(key, entry.key)) map.delete(key)
        if (last) doubtful.set(entry.key, last.outcome)
        if (tried) began.set(entry.key, tried)
        for (const key of ended.keys()) if (isAround(key, entry.key)) ended.delete(key)
        // what is mended has the time of its groups anew
        for (const key of values.keys())
          if (key.endsWith('!from') && isAround(key.slice(0, -'!from'.length), entry.key)) values.delete(key)
        for (const name of told.keys()) {
          const [type = '', key = ''] = name.split(' ', 2)
          const ending = type === 'step.ended' || type === 'condition'
          if (isAbout(key, entry.key) || (ending && isAround(key, entry.key))) told.delete(name)
        }
        break
      }
      default:
    }
    if ('key' in entry && entry.key !== undefined && entry.type !== 'step.reopened')
      told.set(`${entry.type} ${entry.key}`, entry.at)
  }
  return {
    began: (key) => began.get(key),
    ended: (key) => ended.get(key),
    cut: (key) => cut.get(key),
    value: (key) => values.get(key),
    due: (key) => timers.get(key),
    askedAt: (key) => asked.get(key),
    answer: (key) => answers.get(key),
    told: (event) => ('key' in event ? told.get(`${event.type} ${event.key}`) : undefined),
    has: (key) => began.has(key) || ended.has(key) || asked.has(key),
    reopenedInDoubt: (key) => doubtful.get(key),
    cancelled,
    masked,
  }
}

/** The same past, asked with keys as they are: a secret in one is masked in the transcript, and has to be here. */
export function askedUnmasked(past: Past, mask: (text: string) => string): Past {
  return {
    began: (key) => past.began(mask(key)),
    ended: (key) => past.ended(mask(key)),
    cut: (key) => past.cut(mask(key)),
    value: (key) => past.value(mask(key)),
    due: (key) => past.due(mask(key)),
    askedAt: (key) => past.askedAt(mask(key)),
    answer: (key) => past.answer(mask(key)),
    told: (event) =>
      past.told('key' in event && event.key !== undefined ? ({ ...event, key: mask(event.key) } as Recorded) : event),
    has: (key) => past.has(mask(key)),
    reopenedInDoubt: (key) => past.reopenedInDoubt(mask(key)),
    cancelled: past.cancelled,
    masked: past.masked,
  }
}

/** The execution itself, its tries, and what was asked or measured about it. */
function isAbout(key: string, execution: string): boolean {
  return key === execution || key.startsWith(`${execution}~`) || key.startsWith(`${execution}!`)
}

/** The first time that it was done, or a later one. */
function isTry(key: string, execution: string): boolean {
  return key.startsWith(execution) && /^(?:~\d+|!again\d*)*$/.test(key.slice(execution.length))
}

/** A group that holds the execution. A look at what became of a step is of that step alone, and its undo comes after it. */
function isAround(group: string, execution: string): boolean {
  if (execution.endsWith('!settled') || group.length <= execution.lastIndexOf('!undo/')) return false
  return execution.startsWith(group) && ['/', '[', '!'].includes(execution.charAt(group.length))
}
