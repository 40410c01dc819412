import type { Entry } from '../run/event.ts'
import { executionOf, isLookOnly, nearest } from './execution-key.ts'
import { shownAnswer } from './fact-text.ts'
import { statusLabels } from './label.ts'
import type { Doubt } from './report.ts'

interface OpenChange {
  readonly key: string
  readonly name: string
  readonly at: string
}

/**
 * The changes of which it was not known whether they happened, and how that became known: cut off in the middle by a
 * crash, or ended without an end being seen. A dry run leaves none.
 */
export function foldDoubts(entries: readonly Entry[]): readonly Doubt[] {
  const doubts: Doubt[] = []
  const open = new Map<string, OpenChange>()
  const unsettled = new Map<string, number>()
  const answers = new Map<string, string>()

  const doubt = ({ key, name, at }: OpenChange, why: string) => {
    if (!unsettled.has(key)) unsettled.set(key, doubts.push({ key, name, since: at, why }) - 1)
  }
  const settle = (key: string, at: string, how: string) => {
    const index = unsettled.get(key)
    const settled = index === undefined ? undefined : doubts[index]
    if (index === undefined || settled === undefined) return
    const said = answers.get(key)
    doubts[index] = {
      ...settled,
      settled: { at, how: said === undefined ? how : `asked, the answer was ${said}; ${how}` },
    }
    unsettled.delete(key)
    answers.delete(key)
  }

  if (entries.some((entry) => entry.type === 'run.began' && entry.mode === 'dry-run')) return []
  for (const entry of entries) {
    if (entry.type === 'run.resumed') {
      for (const change of open.values()) doubt(change, 'the run was cut off in the middle of it')
      open.clear()
    }
    if (!('key' in entry) || isLookOnly(entry.key)) continue
    const key = executionOf(entry.key)
    if (entry.type === 'step.began') {
      settle(key, entry.at, 'it was done again')
      const { name, at, kind, effect } = entry
      if (kind === 'action' && effect !== undefined && effect !== 'read') open.set(key, { key, name, at })
    } else if (entry.type === 'step.ended') {
      open.delete(key)
      const { status } = entry.outcome
      if (status === 'unknown') {
        const why = 'error' in entry.outcome ? entry.outcome.error.message : 'its end was not seen'
        doubt({ key, name: entry.name, at: entry.at }, why)
      } else settle(key, entry.at, `taken as: ${statusLabels[status].word.toLowerCase()}`)
    } else if (entry.type === 'step.reopened' && entry.inDoubt !== true) settle(key, entry.at, entry.why)
    else if (entry.type === 'answered') {
      const asked = nearest(new Map([...unsettled.keys()].map((unsure) => [unsure, unsure])), key)
      if (asked !== undefined) answers.set(asked, shownAnswer(entry.answer))
    }
  }
  if (!entries.some(({ type }) => type === 'run.ended'))
    for (const change of open.values()) doubt(change, 'no end of it is recorded')
  return doubts
}
