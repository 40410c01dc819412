import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import { placeOf } from '../document/place.ts'
import { problemAt } from '../document/problem.ts'
import type { Runbook } from '../document/runbook.ts'
import type { Reference } from '../expression/expression.ts'
import type { Read } from './expressions.ts'
import type { Site } from './site.ts'
import { afterAll, everySite, readingOf, undoes } from './site.ts'
import type { Use } from './use.ts'

export type Sites = ReadonlyMap<string, Site>

export function sitesOf(runbook: Runbook): Sites {
  const sites = new Map<string, Site>()
  for (const site of everySite(runbook)) {
    const id = site.at(-1)?.step.id.text
    if (id && !sites.has(id)) sites.set(id, site)
  }
  return sites
}

/** Names that a text reads: whether they exist, and whether they are there when it is read. */
export function* checkReferences(
  runbook: Runbook,
  sites: Sites,
  use: Use,
  { references, missing }: Read,
): Generator<Diagnostic> {
  const at = (reference: Reference, part: number) => {
    const { start, end } = reference
    const written = use.text.text.slice(start, end)
    const name = String(reference.path[part] ?? '')
    const offset = part === 0 ? 0 : written.indexOf(name, String(reference.path[0]).length)
    return placeOf(
      runbook.source,
      use.text,
      start + Math.max(0, offset),
      start + Math.max(0, offset) + (offset >= 0 ? name.length : end - start),
    )
  }
  for (const reference of references) {
    const [root, name] = reference.path
    if (root === 'inputs' && typeof name === 'string' && !runbook.inputs.some((input) => input.name === name)) {
      const names = runbook.inputs.map((input) => input.name)
      yield problemAt(
        runbook.source,
        at(reference, 1),
        'RB2002',
        `no input is called \`${name}\``,
        didYouMean(name, names) ?? declared('input', names),
      )
    }
    if (root === 'steps' && typeof name === 'string') yield* ofStep(reference, name)
    if (root === 'steps' && reference.path.length === 1)
      yield problemAt(
        runbook.source,
        at(reference, 0),
        'RB2001',
        '`steps` is read without the name of a step',
        'name the step: `steps.ID`; which one it is cannot be computed',
      )
  }

  function* ofStep(reference: Reference, id: string): Generator<Diagnostic> {
    const target = sites.get(id)
    const step = target?.at(-1)?.step
    const problem = (code: Diagnostic['code'], message: string, hint?: string) =>
      problemAt(runbook.source, at(reference, 1), code, message, hint)
    if (!target || !step) {
      yield problem(
        'RB2001',
        `no step is called \`${id}\``,
        didYouMean(id, sites.keys()) ?? declared('step', [...sites.keys()]),
      )
      return
    }
    if (!use.site && !use.after) {
      yield problem(
        'RB2005',
        `\`${id}\` has not run yet when this is read`,
        'locks and preconditions are read before all steps; `assert.that` is a condition between steps',
      )
      return
    }
    const reading = use.site ? readingOf(use.site, target) : readingOf(afterAll(runbook), target)
    const here = use.site?.at(-1)
    if (reading.may === 'not' && here?.word === 'guards' && here.owner === step) {
      yield problem(
        'RB2005',
        `\`${id}\` is still under way when its guard is read`,
        'let a guard be a step that reads what must hold',
      )
      return
    }
    if (reading.may === 'not' && here?.step === step) {
      yield problem(
        'RB2005',
        `\`${id}\` reads itself`,
        step.kind === 'let'
          ? 'what the same `let` computed above goes by its name alone'
          : 'in `verify` and `until`, `result` is its own result',
      )
      return
    }
    if (reading.may === 'not') {
      yield {
        later: () =>
          problem('RB2005', `\`${id}\` has not run yet when this is read`, 'move the step up, or this one down'),
        undo: () => problem('RB2005', `\`${id}\` only runs to undo another step`, 'read the step that it undoes'),
        sibling: () =>
          problem(
            'RB2007',
            `\`${id}\` is another branch of the same \`parallel\``,
            'read it in a step after the `parallel`',
          ),
        loop: () => problem('RB2008', `\`${id}\` runs once per item of a loop`, loopHint(target)),
      }[reading.because]()
      return
    }
    if (step.loop && reference.path[2] === 'result' && !(use.site && undoes(use.site, target))) {
      yield problemAt(
        runbook.source,
        at(reference, 2),
        'RB2009',
        `\`${id}\` is a loop: it has \`items\`, not one result`,
        `read \`steps.${id}.items\`, each with \`key\`, \`status\` and \`result\``,
      )
    }
    if (use.tolerant || letsGo(use) || !missing?.has(reference.start)) return
    const field = String(reference.path[2])
    if (field === 'error') {
      const hint = `guard it with \`steps.${id}.status != 'succeeded'\`, or write \`steps.${id}.?error\``
      yield problem('RB2006', `\`${id}\` may have no error here: it may have gone well`, hint)
    } else if (reading.may === 'perhaps') {
      const what = field === 'started_at' ? `\`${field}\`` : 'result'
      const where = use.eachTime
        ? 'in the expression: `when` is asked for each item'
        : 'in the expression or as `when` of the step'
      const hint = `guard it with \`steps.${id}.status == 'succeeded'\`, ${where}`
      yield problem('RB2006', `\`${id}\` may have no ${what} here: ${reading.because}`, hint)
    }
  }
}

/** A `let` that may fail and let the run go on: what rests on it says then that it is not known. */
export function letsGo(use: Use): boolean {
  const step = use.site?.at(-1)?.step
  return step?.kind === 'let' && step.onFailure === 'continue'
}

function declared(what: string, names: readonly string[]): string {
  if (names.length === 0) return `the runbook has no ${what}s`
  return `${what}s here: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`
}

function loopHint(target: Site): string {
  const loop = target.find(({ step }) => step.loop)?.step.id.text ?? ''
  return `\`steps.${loop}.items\` holds what the loop gave`
}
