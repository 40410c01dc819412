/** What is known of a story beside what the world counted, and how the tree of a made-up runbook hangs together. */
import type { JsonObject } from '../../../engine/json.ts'
import type { Entry } from '../../../engine/run/event.ts'
import type { Outcome } from '../../../engine/run/outcome.ts'
import type { Node } from './runbook.ts'
import type { Decision, Story, Touch } from './world.ts'
import { idOf, insideOf } from './world.ts'

export interface Facts {
  readonly touches: ReadonlyMap<string, readonly Touch[]>
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  /** How an attempt ended, as far as that was written. */
  readonly recorded: ReadonlyMap<string, Outcome>
  /** How the transcript says that a thing ended, at last. */
  readonly told: ReadonlyMap<string, Outcome>
  /** How often it was begun, as far as the disk knows. */
  readonly begins: ReadonlyMap<string, number>
}

/** What the disk tells of attempts and ends, beside what was touched and said; by what was touched. */
export function factsOf(story: Story, entries: readonly Entry[]): Facts {
  const recorded = new Map<string, Outcome>()
  const told = new Map<string, Outcome>()
  const open = new Map<string, string>()
  const whats = new Map<string, string>()
  const begun = new Set<string>()
  const begins = new Map<string, number>()
  for (const entry of entries) {
    if (entry.type === 'step.began' && entry.kind === 'action' && entry.attempt !== undefined) {
      const what = (entry.params as JsonObject | undefined)?.['what']
      if (typeof what === 'string') begins.set(what, (begins.get(what) ?? 0) + 1)
      open.set(entry.key, entry.attempt)
      begun.add(entry.attempt)
      if (!entry.key.endsWith('!settled') && typeof what === 'string') whats.set(entry.key, what)
    }
    if (entry.type !== 'step.ended' || entry.kind !== 'action') continue
    const attempt = open.get(entry.key)
    const doubt = 'error' in entry.outcome && entry.outcome.error.code === 'in_doubt'
    if (attempt !== undefined && !doubt) recorded.set(attempt, entry.outcome)
    open.delete(entry.key)
    const what = whats.get(entry.key)
    if (what !== undefined) told.set(what, entry.outcome)
  }
  const group = <T extends { readonly what: string }>(all: readonly T[]) => {
    const by = new Map<string, T[]>()
    for (const each of all) by.set(each.what, [...(by.get(each.what) ?? []), each])
    return by
  }
  // a read that the disk knows nothing of has left nothing behind
  const left = story.touches.filter(({ action, attempt }) => action !== 'read' || begun.has(attempt))
  return { touches: group(left), decisions: group(story.decisions), recorded, told, begins }
}

/** The ids of some steps and of all that is done with them; not of what undoes them. */
export function idsIn(list: readonly Node[]): ReadonlySet<string> {
  const ids = new Set<string>()
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      ids.add(node.id)
      if (node.kind === 'block') for (const part of [node.steps, node.rescue, node.always]) visit(part)
      if (node.kind === 'call') visit(node.steps)
      if (node.kind === 'parallel') visit(node.branches)
    }
  }
  visit(list)
  return ids
}

/** Whether something touched is of one of these steps, in this item of the loops around it. */
export function isAt(what: string, ids: ReadonlySet<string>, suffix: string): boolean {
  const id = idOf(what)
  const rest = what.slice(id.length)
  return ids.has(id) && rest.startsWith(suffix) && ['', '|'].includes(rest.charAt(suffix.length))
}

/** What was touched of some steps in one item, in the order in which it was. */
export function touchesIn({ touches }: Facts, list: readonly Node[], suffix: string): readonly Touch[] {
  const ids = idsIn(list)
  return [...touches].flatMap(([what, all]) => (isAt(what, ids, suffix) ? all : [])).toSorted((a, b) => a.n - b.n)
}

/** The ids of all steps that undo. */
export function undoIdsIn(list: readonly Node[]): ReadonlySet<string> {
  const ids = new Set<string>()
  const visit = (nodes: readonly Node[], undoing: boolean) => {
    for (const node of nodes) {
      if (undoing) ids.add(node.id)
      visit(node.rollback, true)
      visit(
        insideOf(node).filter((each) => !node.rollback.includes(each)),
        undoing,
      )
    }
  }
  visit(list, false)
  return ids
}

/** Which step each step undoes, by their ids. */
export function ownersIn(nodes: ReadonlyMap<string, Node>): ReadonlyMap<string, string> {
  return new Map(
    [...nodes.values()].flatMap((node) => [...idsIn(node.rollback)].map((id): [string, string] => [id, node.id])),
  )
}
