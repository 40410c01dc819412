import type { Effect } from '../action/contract.ts'
import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { problemAt, warningAt } from '../document/problem.ts'
import type { ActionStep, Runbook, Step } from '../document/runbook.ts'
import type { Site } from './site.ts'

/** Loops that cannot end, repeat what must not be repeated, or catch what cannot happen. */
export function* checkFlow({ source }: Runbook, site: Site, registry: Declarations): Generator<Diagnostic> {
  const step = site.at(-1)?.step as Step
  if (step.kind === 'action' && step.until) {
    const effect = effectOf(step, registry)
    if (effect !== undefined && effect !== 'read') {
      yield problemAt(
        source,
        step.until.span,
        'RB2201',
        `\`until\` would repeat \`${step.action.text}\`, which is \`${effect}\``,
        'do it once, and wait in a step of its own that reads; or say `effect: read` if it changes nothing',
      )
    }
    if (!step.until.timeout && !step.timeout) {
      yield problemAt(
        source,
        step.until.span,
        'RB2202',
        '`until` has no timeout',
        'add `timeout: 10m`: what is waited for may never come',
      )
    }
  }
  if (
    step.kind === 'block' &&
    step.rescue.length > 0 &&
    step.steps.every(({ onFailure }) => onFailure === 'continue')
  ) {
    const [first] = step.rescue
    yield problemAt(
      source,
      first?.id.span ?? step.span,
      'RB1113',
      'this rescue can never run: every step of the block lets the run go on when it fails',
      'take `on_failure: continue` from the step that is to be rescued',
    )
  }
  const action = step.kind === 'action' ? registry.get(step.action.text) : undefined
  if (action && asks(action) && site.some(({ word }) => word === 'rollback' || word === 'always')) {
    yield warningAt(
      source,
      step.span,
      'RB2208',
      'a question in a clean-up: after a cancellation nobody may be there to answer',
      'ask before, and let the clean-up run by itself',
    )
  }
  yield* reservedNames()

  function* reservedNames(): Generator<Diagnostic> {
    const { loop } = step
    if (loop && reserved.has(loop.as.text))
      yield problemAt(
        source,
        loop.as.span,
        'RB1114',
        `\`${loop.as.text}\` already means something here`,
        'choose another name for `as`',
      )
    const outer = site.slice(0, -1).find((frame) => frame.step.loop?.as.text === loop?.as.text)
    if (loop && outer)
      yield problemAt(
        source,
        loop.as.span,
        'RB1114',
        `\`${loop.as.text}\` is the name of the loop \`${outer.step.id.text}\` around this one`,
        'give this loop another name with `as`',
      )
    if (step.kind !== 'let') return
    for (const { name, nameSpan } of step.values) {
      if (shadowed.has(name))
        yield problemAt(
          source,
          nameSpan,
          'RB1114',
          `\`${name}\` already means something here`,
          'choose another name: the values below it could not read the other',
        )
      else if (ending.has(name))
        yield problemAt(source, nameSpan, 'RB1114', `\`${name}\` is a word of every step`, 'choose another name')
    }
  }
}

const reserved: ReadonlySet<string> = new Set(['inputs', 'steps', 'run', 'result', 'previous', 'failure'])
const shadowed: ReadonlySet<string> = new Set(['inputs', 'steps', 'run'])
const ending: ReadonlySet<string> = new Set(['status', 'error', 'started_at', 'items'])

/** What a step does to the world, as far as it is known: undefined for an action that does not exist. */
export function effectOf(step: ActionStep, registry: Declarations): Effect | undefined {
  const action = registry.get(step.action.text)
  if (!action) return undefined
  if (asks(action) || !action.effectFromStep) return action.effect
  return (step.effect?.text as Effect | undefined) ?? action.effect
}
