import type { Declarations } from '../action/declared.ts'
import { takesHost } from '../action/params.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import { placeOf } from '../document/place.ts'
import { problemAt } from '../document/problem.ts'
import type { Runbook, Step } from '../document/runbook.ts'
import { childOf } from '../document/tree.ts'
import { isTemplate } from '../template/template.ts'
import type { Site } from './site.ts'
import { isTargetExpression } from './use.ts'

/** The names that an inventory knows, and those that a pattern uses. */
export interface KnownHosts {
  readonly hosts: readonly string[]
  readonly groups: readonly string[]
  namesIn(pattern: string): readonly string[]
}

/** Targets that are written out and name nothing in the inventory. */
export function* checkTargets({ source }: Runbook, site: Site, known: KnownHosts): Generator<Diagnostic> {
  const loop = site.at(-1)?.step.loop
  if (loop?.kind !== 'hosts') return
  const written =
    'text' in loop.over
      ? [loop.over]
      : loop.over.literal.kind === 'list'
        ? loop.over.literal.items.flatMap((item) =>
            item.kind === 'scalar' ? [{ text: String(item.value), span: item.span }] : [],
          )
        : []
  for (const { text, span } of written) {
    const placeIn = (pattern: string, name: string) => {
      const start = pattern.indexOf(name)
      return start < 0 ? span : placeOf(source, { text: pattern, span }, start, start + name.length)
    }
    if (isTemplate(text) || isTargetExpression(text, namesOf(site))) continue
    for (const name of known.namesIn(text)) {
      if (known.hosts.includes(name) || known.groups.includes(name) || name === 'all' || /[*?[]/.test(name)) continue
      const names = [...known.groups, ...known.hosts]
      yield problemAt(
        source,
        placeIn(text, name),
        'RB2401',
        `the inventory has no host or group \`${name}\``,
        didYouMean(name, names) ?? heldBy(names),
      )
    }
  }
}

/** The host of a step that is written out and is not in the inventory. */
export function* checkHost(
  { source }: Runbook,
  step: Step,
  registry: Declarations,
  known: KnownHosts,
): Generator<Diagnostic> {
  const host = step.kind === 'action' ? childOf(step.with, 'host') : undefined
  if (step.kind !== 'action' || host?.kind !== 'scalar' || !takesHost(registry.get(step.action.text)?.params)) return
  const name = String(host.value)
  if (isTemplate(name) || known.hosts.includes(name)) return
  const hint = known.groups.includes(name)
    ? 'it is a group: `targets` takes groups, and patterns'
    : (didYouMean(name, known.hosts) ?? heldBy(known.hosts))
  yield problemAt(source, host.span, 'RB2401', `the inventory has no host \`${name}\``, hint)
}

function heldBy(names: readonly string[]): string {
  return names.length > 0 ? `it has: ${names.slice(0, 12).join(', ')}` : 'it is empty'
}

function namesOf(site: Site): { readonly [name: string]: true } {
  return Object.fromEntries(site.flatMap(({ step }) => (step.loop ? [[step.loop.as.text, true as const]] : [])))
}
