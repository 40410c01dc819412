import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean, inOrder } from '../diagnostic.ts'
import { diagnose } from '../document/misfit.ts'
import { problemAt } from '../document/problem.ts'
import type { CallStep, Runbook, Step } from '../document/runbook.ts'
import { entryOf, firstOf, nodeAt, toJson } from '../document/tree.ts'
import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'
import { validatorOf } from '../schema.ts'
import { isTemplate } from '../template/template.ts'
import { readUse } from './expressions.ts'
import { checkFlow } from './flow.ts'
import type { KnownHosts } from './hosts.ts'
import { checkHost, checkTargets } from './hosts.ts'
import { checkInspection } from './inspection.ts'
import { checkKeys } from './keys.ts'
import { checkParams, checkWhole, holdsTemplate } from './params.ts'
import { checkQuestion } from './question.ts'
import { checkReferences, sitesOf } from './references.ts'
import { checkConfirmed, checkReads, checkSecrets } from './safety.ts'
import type { Shapes } from './shape.ts'
import { shapesOf } from './shape.ts'
import type { Site } from './site.ts'
import { everySite } from './site.ts'
import { everyUse } from './use.ts'

/** Finds the runbook that a `runbook:` step names, from the file that names it. Problems in that file are its own. */
export interface Library {
  find(called: string, from: string): Runbook | undefined
  /** Whether it is there, whatever stands in it. */
  has(called: string, from: string): boolean
  /** Names that could have been meant. */
  names(): readonly string[]
}

export interface CheckWorld {
  readonly registry: Declarations
  readonly library: Library
  readonly hosts?: KnownHosts
}

/** Every static problem of a runbook, in the order of its text. */
export function checkRunbook(runbook: Runbook, world: CheckWorld): readonly Diagnostic[] {
  return inOrder([...problemsOf(runbook, world)])
}

function* problemsOf(runbook: Runbook, world: CheckWorld): Generator<Diagnostic> {
  const { registry } = world
  const outputs = new Map<string, Schema>()
  const shapes = shapesOf(runbook, registry, (called) => outputShape(called, runbook, world, outputs))
  const sites = sitesOf(runbook)
  const all = [...everySite(runbook)]
  for (const site of all) {
    const step = site.at(-1)?.step as Step
    if (step.kind === 'action') {
      yield* checkParams(
        runbook,
        step,
        registry,
        scopeAt(site, shapes),
        site.some(({ step: each }) => each.loop?.kind === 'hosts' || entryOf(each.node, 'targets') !== undefined),
      )
      yield* checkQuestion(runbook, step, registry)
    }
    if (step.kind === 'runbook') yield* checkCall(runbook, step, world, scopeAt(site, shapes))
    yield* checkFlow(runbook, site, registry)
    yield* checkKeys(runbook, site)
    yield* checkReads(runbook, site, registry)
    if (world.hosts) {
      yield* checkTargets(runbook, site, world.hosts)
      yield* checkHost(runbook, step, registry, world.hosts)
    }
  }
  for (const use of everyUse(runbook, registry, shapes)) {
    const read = readUse(runbook, shapes, use)
    yield* read.diagnostics
    yield* checkReferences(runbook, sites, use, read)
    yield* checkSecrets(runbook, use, read.references, registry)
  }
  yield* checkInspection(runbook, all, world.library)
  yield* checkConfirmed(runbook, all, registry, (called) => asksSomebody(called, runbook, world, new Set()))
}

/** Whether a called runbook, or one that it calls, asks a person. */
function asksSomebody(called: string, from: Runbook, world: CheckWorld, seen: Set<string>): boolean {
  const runbook = world.library.find(called, from.source.path)
  if (!runbook || seen.has(runbook.source.path)) return false
  seen.add(runbook.source.path)
  return [...everySite(runbook)].some((site) => {
    const step = site.at(-1)?.step
    if (step?.kind === 'runbook') return asksSomebody(step.runbook.text, runbook, world, seen)
    const action = step?.kind === 'action' ? world.registry.get(step.action.text) : undefined
    return action !== undefined && asks(action)
  })
}

function scopeAt(site: Site, shapes: Shapes): { readonly [name: string]: Schema } {
  const loops = site.flatMap(({ step: { loop } }) =>
    loop ? [[loop.as.text, loop.kind === 'hosts' ? shapes.target : shapes.itemOf(loop)] as const] : [],
  )
  // in what undoes a loop it is the one execution that is undone
  const undone = site.flatMap(({ word, owner }) =>
    word === 'rollback' && owner?.loop ? [{ path: ['steps', owner.id.text] }] : [],
  )
  return {
    ...{
      inputs: shapes.inputs,
      steps: undone.length > 0 ? shapes.stepsAt(site, undone) : shapes.steps,
      run: shapes.run,
    },
    ...Object.fromEntries(loops),
  }
}

/** A call of another runbook: that it is there, does not come back here, and gets the inputs it needs. */
function* checkCall(
  runbook: Runbook,
  step: CallStep,
  { library }: CheckWorld,
  scope: { readonly [name: string]: Schema },
): Generator<Diagnostic> {
  const { source } = runbook
  const called = library.find(step.runbook.text, source.path)
  if (!called) {
    yield problemAt(
      source,
      step.runbook.span,
      'RB2204',
      `there is no runbook \`${step.runbook.text}\``,
      didYouMean(step.runbook.text, library.names()) ?? 'give its name, or its path from this file',
    )
    return
  }
  const circle = circleFrom(runbook, called, library, new Set())
  if (circle)
    yield problemAt(
      source,
      step.runbook.span,
      'RB2203',
      `runbooks call each other in a circle: ${[runbook.name.text, ...circle].join(' → ')}`,
    )
  if (step.with && step.with.kind !== 'map') return // told by its structure
  const root = step.with ?? { kind: 'map' as const, span: step.runbook.span, entries: [] }
  const given = toJson(root)
  const names = isObject(given) ? Object.keys(given) : []
  for (const input of called.inputs) {
    if (input.required && !names.includes(input.name))
      yield problemAt(
        source,
        step.runbook.span,
        'RB2205',
        `\`${called.name.text}\` needs the input \`${input.name}\``,
        'add it under `with`',
      )
    const value = isObject(given) ? given[input.name] : undefined
    if (value === undefined) continue
    if (typeof value === 'string' && isTemplate(value)) {
      yield* checkWhole(source, nodeAt(root, [input.name]), value, input.schema, `\`${input.name}\``, scope, 'RB2207')
      continue
    }
    if (holdsTemplate(value)) continue
    for (const misfit of validatorOf(input.schema)(value)) {
      yield { ...diagnose(source, root, { ...misfit, path: [input.name, ...misfit.path] }), code: 'RB2207' }
    }
  }
  for (const name of names) {
    const entry = root.kind === 'map' ? root.entries.find(({ key }) => key === name) : undefined
    if (called.inputs.some((input) => input.name === name)) continue
    const known = called.inputs.map((input) => input.name)
    yield problemAt(
      source,
      entry?.keySpan ?? firstOf(root),
      'RB2206',
      `\`${called.name.text}\` has no input \`${name}\``,
      didYouMean(name, known) ?? (known.length > 0 ? `it has: ${known.join(', ')}` : 'it has none'),
    )
  }
}

function circleFrom(start: Runbook, at: Runbook, library: Library, seen: Set<string>): readonly string[] | undefined {
  if (at.source.path === start.source.path) return [at.name.text]
  // what led nowhere once leads nowhere again
  if (seen.has(at.source.path)) return undefined
  seen.add(at.source.path)
  for (const site of everySite(at)) {
    const step = site.at(-1)?.step
    const next = step?.kind === 'runbook' ? library.find(step.runbook.text, at.source.path) : undefined
    const circle = next && circleFrom(start, next, library, seen)
    if (circle) return [at.name.text, ...circle]
  }
  return undefined
}

/** What a called runbook gives back, typed by its own expressions; a circle gives anything. */
function outputShape(called: string, from: Runbook, world: CheckWorld, known: Map<string, Schema>): Schema {
  const runbook = world.library.find(called, from.source.path)
  if (!runbook) return {}
  const before = known.get(runbook.source.path)
  if (before) return before
  known.set(runbook.source.path, {})
  const shapes = shapesOf(runbook, world.registry, (next) => outputShape(next, runbook, world, known))
  const outputs = runbook.outputs.map(({ name, value }) => [name, shapes.typeOf(value.text, {}, undefined)] as const)
  const shape: Schema = { type: 'object', additionalProperties: false, properties: Object.fromEntries(outputs) }
  known.set(runbook.source.path, shape)
  return shape
}
