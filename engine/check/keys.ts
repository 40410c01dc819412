import type { Diagnostic } from '../diagnostic.ts'
import { placeOf } from '../document/place.ts'
import { problemAt } from '../document/problem.ts'
import type { Loop, Runbook } from '../document/runbook.ts'
import { toJson } from '../document/tree.ts'
import { ExpressionError, evaluate, parseExpression } from '../expression/expression.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import { holdsTemplate } from './params.ts'
import type { Site } from './site.ts'

/** Items of a list that is known before anything runs, of which two have one key. */
export function* checkKeys({ source }: Runbook, site: Site): Generator<Diagnostic> {
  const loop = site.at(-1)?.step.loop
  if (!loop?.key) return
  const names = Object.fromEntries(site.flatMap(({ step }) => (step.loop ? [[step.loop.as.text, anyValue]] : [])))
  const seen = new Set<string>()
  for (const item of itemsOf(loop) ?? []) {
    const key = known(loop.key.text, { ...names, [loop.as.text]: item })
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return
    if (seen.has(String(key))) {
      const place = placeOf(source, loop.key, 0, loop.key.text.length)
      yield problemAt(source, place, 'RB2010', `two items have the key \`${key}\``, 'the `key` must name each item')
      return
    }
    seen.add(String(key))
  }
}

const anyValue = new Unknown('it is not run')

function itemsOf({ over }: Loop): readonly unknown[] | undefined {
  const written = 'literal' in over ? toJson(over.literal) : undefined
  const list = 'text' in over ? known(over.text, {}) : holdsTemplate(written) ? undefined : written
  return Array.isArray(list) ? list : undefined
}

/** What an expression comes to whatever inputs and steps there are; undefined where they matter, or where it is wrong. */
function known(text: string, names: { readonly [name: string]: unknown }): unknown {
  const { expression } = parseExpression(text)
  try {
    const scope = { inputs: anyValue, steps: anyValue, run: anyValue, ...names }
    const value = expression && evaluate(expression, scope, { budget: 10_000 })
    return unknownIn(value) ? undefined : value
  } catch (error) {
    if (error instanceof ExpressionError) return undefined
    throw error
  }
}
