import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import { kindOf } from '../action/params.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { placeOf } from '../document/place.ts'
import { warningAt } from '../document/problem.ts'
import type { Runbook, Step } from '../document/runbook.ts'
import { childOf, itemsOf } from '../document/tree.ts'
import type { Reference } from '../expression/expression.ts'
import { changingCommand } from './changing-commands.ts'
import { effectOf } from './flow.ts'
import type { Site } from './site.ts'
import type { Use } from './use.ts'

/** A destructive step that nothing before it asked a person about; a runbook that was called may have. */
export function* checkConfirmed(
  { source }: Runbook,
  sites: readonly Site[],
  registry: Declarations,
  calledAsks: (called: string) => boolean,
): Generator<Diagnostic> {
  const asked: Site[] = []
  for (const site of sites) {
    const step = site.at(-1)?.step as Step
    if (step.kind === 'runbook' && calledAsks(step.runbook.text)) asked.push(site)
    if (step.kind !== 'action') continue
    const action = registry.get(step.action.text)
    if (action && asks(action)) asked.push(site)
    if (effectOf(step, registry) === 'destructive' && !asked.some((question) => isBefore(question, site))) {
      yield warningAt(
        source,
        step.span,
        'RB2301',
        `\`${step.id.text}\` destroys something, and no person is asked before it`,
        'put a `human.confirm` step before it, with a phrase that names what will be lost',
      )
    }
  }
}

/** Whether what stands earlier in the text has been done when a step is reached: not in a branch beside it, nor in what mends or undoes. */
function isBefore(earlier: Site, site: Site): boolean {
  const split = earlier.findIndex((frame, index) => site[index]?.step !== frame.step)
  const [own, ...inner] = earlier.slice(split)
  const here = site[split]
  if (own?.word === 'parallel' && here?.word === 'parallel') return false
  const isAside = ({ word }: { readonly word: string }) => word === 'rescue' || word === 'rollback'
  return !inner.some(isAside) && !(own && isAside(own) && own.word !== here?.word)
}

/** A command known to change things, in a step that says it only reads: the dry run would do it. */
export function* checkReads({ source }: Runbook, site: Site, registry: Declarations): Generator<Diagnostic> {
  const step = site.at(-1)?.step as Step
  if (step.kind !== 'action' || step.effect?.text !== 'read') return
  const action = registry.get(step.action.text)
  if (!action || asks(action) || !action.effectFromStep) return
  for (const name of ['command', 'script']) {
    const node = childOf(step.with, name)
    if (!node) continue
    const text =
      node.kind === 'scalar'
        ? String(node.value)
        : itemsOf(node)
            .map((item) => (item.kind === 'scalar' ? String(item.value) : ''))
            .join(' ')
    const found = changingCommand(text)
    if (found) {
      const span =
        node.kind === 'scalar' ? placeOf(source, { text, span: node.span }, found.start, found.end) : node.span
      yield warningAt(
        source,
        span,
        'RB2302',
        `\`${text.slice(found.start, found.end)}\` changes things, and the step says \`effect: read\``,
        'a dry run would really do it: say `effect: change`',
      )
    }
  }
}

/** Secrets where people read, or where every user of a host can. */
export function* checkSecrets(
  { source, inputs }: Runbook,
  use: Use,
  references: readonly Reference[],
  registry: Declarations,
): Generator<Diagnostic> {
  const secret = (reference: Reference) =>
    reference.path[0] === 'inputs' && inputs.some(({ name, secret }) => secret && name === reference.path[1])
  for (const reference of references.filter(secret)) {
    const span = placeOf(source, use.text, reference.start, reference.end)
    const name = String(reference.path[1])
    if (use.shown)
      yield {
        ...warningAt(
          source,
          span,
          'RB2303',
          `the secret \`${name}\` stands in a text that is shown`,
          'leave it out: names, messages and keys are for people',
        ),
        severity: 'error',
      }
    else if (onCommandLine(use, registry)) {
      yield warningAt(
        source,
        span,
        'RB2304',
        `the secret \`${name}\` stands on a command line, where every user of the host can read it`,
        'hand it over with `stdin`, or with `env` to a script',
      )
    }
  }
}

function onCommandLine(use: Use, registry: Declarations): boolean {
  const step = use.site?.at(-1)?.step
  if (step?.kind !== 'action') return false
  const properties = registry.get(step.action.text)?.params['properties'] as
    | { readonly [name: string]: object }
    | undefined
  return Object.entries(properties ?? {}).some(([name, schema]) => {
    const node = childOf(step.with, name)
    const isCommand = kindOf(schema as never) === 'command' || name === 'args'
    return (
      isCommand && node !== undefined && node.span.start <= use.text.span.start && use.text.span.end <= node.span.end
    )
  })
}
