import type { Diagnostic } from '../diagnostic.ts'
import { warningAt } from '../document/problem.ts'
import type { Runbook } from '../document/runbook.ts'
import { childOf, firstOf, itemsOf, toJson } from '../document/tree.ts'
import { holdsTemplate } from './params.ts'
import type { Site } from './site.ts'

/** Of the checks of an inspection: that each can find something, and that none takes the findings of another for its own. */
export function* checkInspection({ source }: Runbook, sites: readonly Site[]): Generator<Diagnostic> {
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
