import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import { warningAt } from '../document/problem.ts'
import type { Runbook } from '../document/runbook.ts'
import type { Located } from '../document/tree.ts'
import { childOf, firstOf, itemsOf, toJson } from '../document/tree.ts'
import type { Source } from '../source.ts'
import type { Library } from './check.ts'
import { holdsTemplate } from './params.ts'
import type { Site } from './site.ts'

/**
 * Of the checks of an inspection: that each can find something, that none takes the findings of another for its own, and
 * that what it sends people to is there.
 */
export function* checkInspection({ source }: Runbook, sites: readonly Site[], library: Library): Generator<Diagnostic> {
  const seen = new Set<string>()
  for (const site of sites) {
    const step = site.at(-1)?.step
    if (step?.kind !== 'action' || step.action.text !== 'assert.check') continue
    const rules = ['fail', 'warn', 'unknown'].map((rule) => childOf(step.with, rule))
    const node = childOf(step.with, 'check')
    if (!node) continue
    if (rules.every((rule) => rule === undefined || (rule.kind === 'list' && itemsOf(rule).length === 0)))
      yield warningAt(
        source,
        firstOf(node),
        'RB2305',
        'this check finds nothing, whatever it looks at',
        'say what it looks for: `fail`, `warn` or `unknown`',
      )
    for (const sends of [step.with, ...rules.flatMap(itemsOf)])
      yield* checkNext(source, childOf(sends, 'runbook'), library)
    const key = toJson(node)
    if (typeof key !== 'string' || holdsTemplate(key)) continue
    if (seen.has(key))
      yield warningAt(
        source,
        firstOf(node),
        'RB2306',
        `another check has the key \`${key}\` already`,
        'by its key the next run knows again what was found: give this one its own',
      )
    seen.add(key)
  }
}

function* checkNext(source: Source, next: Located | undefined, library: Library): Generator<Diagnostic> {
  const name = next && toJson(next)
  if (!next || typeof name !== 'string' || holdsTemplate(name) || library.has(name, source.path)) return
  const hint = 'who is woken by what this check finds is sent to it: give the name of one that is there'
  yield warningAt(
    source,
    firstOf(next),
    'RB2307',
    `there is no runbook \`${name}\``,
    didYouMean(name, library.names()) ?? hint,
  )
}
