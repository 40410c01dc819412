import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import { everyParam } from '../action/params.ts'
import type { Condition, Loop, Runbook, Step, Text } from '../document/runbook.ts'
import type { Located } from '../document/tree.ts'
import { entriesOf, nodeAt, toJson } from '../document/tree.ts'
import type { Schema } from '../json.ts'
import { isTemplate } from '../template/template.ts'
import type { Shapes } from './shape.ts'
import type { Site } from './site.ts'
import { everySite } from './site.ts'

/** A place in a runbook where an expression or a template stands, with what it may name there. */
export interface Use {
  readonly kind: 'expression' | 'template'
  readonly text: Text
  readonly expects: 'boolean' | 'list' | 'hosts' | 'key' | 'duration' | 'count' | 'any'
  /** Where it stands; undefined for what belongs to the runbook itself, before (`locks`, `preconditions`) or after its steps. */
  readonly site: Site | undefined
  readonly after: boolean
  /** A reading of a step that has no result is an answer here, not a mistake. */
  readonly tolerant: boolean
  /** People see what it comes to: names, messages, keys, locks. */
  readonly shown: boolean
  /** It gives words of a command: a list that is a word of its own becomes several. */
  readonly words?: 'a line' | 'one'
  /** It is read before `when`, which is asked for each item of the loop. */
  readonly eachTime?: boolean
  /** The conditions without which it is not come to. */
  readonly asked: readonly Text[]
  /** Names besides `inputs`, `steps` and `run`, with their types. */
  readonly names: { readonly [name: string]: Schema }
}

/** Every expression and template of a runbook, in the order of its steps. */
export function* everyUse(runbook: Runbook, registry: Declarations, shapes: Shapes): Generator<Use> {
  const plain = { site: undefined, after: false, tolerant: false, shown: false, asked: [], names: {} }
  for (const lock of runbook.locks) yield { ...plain, kind: 'template', text: lock, expects: 'any', shown: true }
  yield* ofConditions(runbook.preconditions, plain)
  for (const site of everySite(runbook)) yield* ofStep(site, registry, shapes)
  for (const { value } of runbook.outputs)
    yield { ...plain, kind: 'expression', text: value, expects: 'any', after: true }
}

type Base = Omit<Use, 'kind' | 'text' | 'expects'>

function* ofStep(site: Site, registry: Declarations, shapes: Shapes): Generator<Use> {
  const step = site.at(-1)?.step as Step
  const outer = { ...namesAround(site.slice(0, -1), shapes), ...failureIn(site, shapes) }
  const inner = { ...outer, ...ownNames(step, shapes) }
  const asked = site.flatMap(({ step: { when } }) => (when ? [when] : []))
  const base: Base = { site, after: false, tolerant: false, shown: false, asked, names: inner }
  // the list of a loop is read before `when` is asked for each item
  const around: Base = {
    ...base,
    ...(step.loop && step.when && { eachTime: true }),
    asked: step.when ? asked.slice(0, -1) : asked,
    names: outer,
  }
  if (step.name) yield { ...base, kind: 'template', text: step.name, expects: 'any', shown: true }
  // inside a loop `when` decides for each item, so it may name the item
  if (step.when) yield { ...base, kind: 'expression', text: step.when, expects: 'boolean', asked: around.asked }
  if (step.loop) yield* ofLoop(step.loop, around, base)
  for (const text of [step.timeout, step.retry?.delay, step.retry?.maxDelay]) yield* ofTemplate(text, base, 'duration')
  const withResult: Base = { ...base, names: { ...inner, result: shapes.resultOf(step) } }
  yield* ofConditions(step.verify, withResult)
  switch (step.kind) {
    case 'action': {
      if (step.until) {
        const { done, failed, stalled, stalledFor, every, timeout } = step.until
        for (const text of [done, failed])
          if (text) yield { ...withResult, kind: 'expression', text, expects: 'boolean' }
        // there is one only from the second look on, and only `stalled` waits for that
        const names = { ...withResult.names, previous: shapes.resultOf(step) }
        if (stalled) yield { ...withResult, names, kind: 'expression', text: stalled, expects: 'boolean' }
        for (const text of [every, timeout, stalledFor]) yield* ofTemplate(text, base, 'duration')
      }
      const declared = registry.get(step.action.text)
      const schema = declared?.params
      const asking = declared !== undefined && asks(declared)
      if (step.with && schema) yield* ofParams(schema, step.with, { ...base, shown: asking }, shapes)
      return
    }
    case 'let': {
      const names: { [name: string]: Schema } = { ...inner }
      for (const { name, value } of step.values) {
        yield { ...base, names: { ...names }, kind: 'expression', text: value, expects: 'any' }
        names[name] = shapes.valueOf(step, name)
      }
      return
    }
    case 'runbook':
      if (step.with) yield* deepTemplates(step.with, base)
      return
    case 'parallel':
      yield* ofTemplate(step.maxParallel, base, 'count')
      return
    case 'block':
      return
  }
}

function* ofLoop(loop: Loop, outside: Base, inside: Base): Generator<Use> {
  if (loop.kind === 'items' && 'text' in loop.over)
    yield { ...outside, kind: 'expression', text: loop.over, expects: 'list' }
  if (loop.kind === 'hosts' && 'text' in loop.over) {
    if (isTargetExpression(loop.over.text, outside.names))
      yield { ...outside, kind: 'expression', text: loop.over, expects: 'hosts' }
    else yield* ofTemplate(loop.over, outside)
  }
  if ('literal' in loop.over) yield* deepTemplates(loop.over.literal, outside)
  if (loop.key) yield { ...inside, kind: 'expression', text: loop.key, expects: 'key', shown: true }
  for (const text of [loop.maxParallel, loop.maxFailures, ...loop.batches]) yield* ofTemplate(text, outside, 'count')
  yield* ofConditions(loop.guards, { ...outside, tolerant: true, site: behindGuards(outside.site, loop) })
}

/** The conditions of a loop's guards are looked at after its guards that are steps, so they may read them. */
function behindGuards(site: Site | undefined, { guardSteps }: Loop): Site | undefined {
  const owner = site?.at(-1)?.step
  return site && owner && [...site, { owner, word: 'guards', index: guardSteps.length, step: { ...owner } }]
}

/** `targets` is an expression when it begins with a name that has fields here; else it is an inventory pattern. */
export function isTargetExpression(text: string, names: { readonly [name: string]: unknown }): boolean {
  const root = /^([a-z][a-z0-9_]*)\s*[.[]/.exec(text)?.[1]
  return root !== undefined && (['inputs', 'steps', 'run'].includes(root) || Object.hasOwn(names, root))
}

function* ofConditions(conditions: readonly Condition[], base: Base): Generator<Use> {
  for (const { that, message } of conditions) {
    yield { ...base, kind: 'expression', text: that, expects: 'boolean' }
    if (message) yield { ...base, kind: 'template', text: message, expects: 'any', shown: true }
  }
}

function* ofTemplate(text: Text | undefined, base: Base, expects: Use['expects'] = 'any'): Generator<Use> {
  if (text && isTemplate(text.text)) yield { ...base, kind: 'template', text, expects }
}

function* ofParams(params: Schema, node: Located, base: Base, shapes: Shapes): Generator<Use> {
  for (const { path, kind, value, schema } of everyParam(params, toJson(node))) {
    const at = nodeAt(node, path)
    const text = typeof value === 'string' && at.kind === 'scalar' ? { text: value, span: at.span } : undefined
    switch (kind) {
      case 'verbatim':
        break
      case 'expression':
      case 'condition': {
        const expects = kind === 'condition' ? 'boolean' : 'any'
        if (text) yield { ...base, kind: 'expression', text, expects, tolerant: true }
        break
      }
      case 'rows':
        yield* ofRows(at, base, shapes)
        break
      case 'command':
        if (at.kind === 'scalar') yield* ofTemplate(text, { ...base, words: 'a line' })
        else yield* deepTemplates(at, { ...base, words: 'one' })
        break
      case 'plain':
        if (at.kind !== 'scalar') yield* deepTemplates(at, base)
        else yield* ofTemplate(text, { ...base, shown: base.shown || schema['x-runbook-shown'] === true })
    }
  }
}

function* ofRows(node: Located, base: Base, shapes: Shapes): Generator<Use> {
  const fields = new Map(entriesOf(node).map(({ key, value }) => [key, value]))
  const each = fields.get('each')
  if (each?.kind !== 'scalar') return
  const list = { text: String(each.value), span: each.span }
  yield { ...base, kind: 'expression', text: list, expects: 'list', tolerant: true }
  const as = fields.get('as')
  const name = as?.kind === 'scalar' ? String(as.value) : 'item'
  const names = { ...base.names, [name]: shapes.elementOf(list.text, base.names, base.site) }
  for (const [key, value] of fields) {
    if (key !== 'each' && key !== 'as') yield* deepTemplates(value, { ...base, names, shown: true, tolerant: true })
  }
}

function* deepTemplates(node: Located, base: Base): Generator<Use> {
  if (node.kind === 'scalar') {
    if (typeof node.value === 'string') yield* ofTemplate({ text: node.value, span: node.span }, base)
  } else if (node.kind === 'list') for (const item of node.items) yield* deepTemplates(item, base)
  else for (const { value } of node.entries) yield* deepTemplates(value, base)
}

/** The names that the steps around a place bring: loop items, targets, `failure` in a rescue. */
function namesAround(frames: Site, shapes: Shapes): { readonly [name: string]: Schema } {
  return Object.assign({}, ...frames.map(({ step }) => ownNames(step, shapes)))
}

/** In a rescue, at whatever depth, `failure` says what happened. */
function failureIn(site: Site, shapes: Shapes): { readonly [name: string]: Schema } {
  return site.some(({ word }) => word === 'rescue') ? { failure: shapes.failure } : {}
}

function ownNames({ loop }: Step, shapes: Shapes): { readonly [name: string]: Schema } {
  if (!loop) return {}
  return { [loop.as.text]: loop.kind === 'hosts' ? shapes.target : shapes.itemOf(loop) }
}
