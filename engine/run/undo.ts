import type { SectionResult } from './durable.ts'
import type { Engine } from './engine.ts'
import { namesIn, textFor } from './evaluate.ts'
import { errorOf, sequence } from './interpret.ts'
import { about } from './key.ts'
import type { Outcome } from './outcome.ts'
import { scopeOf } from './scope.ts'

/** Undoes what was done, last first. Goes on when one fails, and tells of each. */
export async function undoAll(
  engine: Engine,
  undo: SectionResult['undo'],
): Promise<readonly { readonly key: string; readonly message: string }[]> {
  const failed: { readonly key: string; readonly message: string }[] = []
  for (const { key, path, vars } of undo.toReversed()) {
    const step = engine.steps.get(path)
    if (!step) continue
    // the time that the step and its groups had was for doing, and is long over
    const { deadline: _over, ...kept } = vars
    const scope = scopeOf({ ...kept, shield: true })
    const undoKey = about(key, 'undo')
    const names = namesIn(engine, scope)
    await engine.durable.event({
      type: 'step.began',
      key: undoKey,
      step: path,
      kind: 'block',
      name: `undo ${textFor(step.name, names)}`,
    })
    const bad = await sequence(engine, step.rollback, scope, undoKey)
    const outcome: Outcome = bad ?? { status: 'rolled_back', result: null }
    await engine.durable.event({
      type: 'step.ended',
      key: undoKey,
      step: path,
      kind: 'block',
      name: `undo ${textFor(step.name, names)}`,
      outcome,
    })
    if (bad) failed.push({ key, message: errorOf(bad).message })
  }
  return failed
}
