import { everyParam } from '../action/params.ts'
import type { Registry } from '../action/registry.ts'
import type { Reference } from '../expression/expression.ts'
import { parseExpression } from '../expression/expression.ts'
import type { Json } from '../json.ts'
import { isObject } from '../json.ts'
import type { PlannedStep } from '../plan/plan.ts'
import { isTemplate, parseTemplate } from '../template/template.ts'

const known = new WeakMap<PlannedStep, ReadonlySet<string>>()

/** The steps that a step and all inside it read: what has to be handed to a body that is walked elsewhere. */
export function needsOf(step: PlannedStep, registry: Registry): ReadonlySet<string> {
  const found = known.get(step)
  if (found) return found
  const needs = new Set<string>()
  collect(step, registry, needs)
  known.set(step, needs)
  return needs
}

function collect(step: PlannedStep, registry: Registry, needs: Set<string>): void {
  const expression = (text: string | undefined) =>
    add(needs, text === undefined ? [] : (parseExpression(text).expression?.references ?? []))
  const templates = (value: Json | undefined): void => {
    if (typeof value === 'string') {
      const parsed = isTemplate(value) ? parseTemplate(value) : undefined
      if (parsed?.template) add(needs, parsed.template.references)
    } else if (typeof value === 'object' && value !== null)
      for (const part of Object.values(value)) templates(part as Json)
  }
  expression(step.when)
  templates([step.name, step.timeout ?? null, (step.retry as unknown as Json) ?? null])
  for (const { that, message } of [...step.verify, ...(step.loop?.guards ?? [])]) {
    expression(that)
    templates(message)
  }
  if (step.loop) {
    templates([step.loop.maxParallel, step.loop.maxFailures ?? null, ...step.loop.batches])
    if (step.loop.kind === 'items') {
      if (typeof step.loop.list === 'string') expression(step.loop.list)
      else templates(step.loop.list)
      expression(step.loop.key)
    } else if ('expression' in step.loop.targets) expression(step.loop.targets.expression)
    else templates(step.loop.targets.pattern)
  }
  switch (step.kind) {
    case 'action': {
      for (const { kind, value } of everyParam(registry.get(step.action)?.params ?? {}, step.with)) {
        if ((kind === 'expression' || kind === 'condition') && typeof value === 'string') expression(value)
        else if (kind === 'rows' && isObject(value)) {
          if (typeof value['each'] === 'string') expression(value['each'])
          templates(Object.entries(value).flatMap(([name, part]) => (name === 'each' ? [] : [part])))
        } else if (kind !== 'verbatim') templates(value)
      }
      if (step.until) for (const text of [step.until.done, step.until.failed, step.until.stalled]) expression(text)
      if (step.until) templates([step.until.every, step.until.timeout, step.until.stalledFor ?? null])
      break
    }
    case 'let':
      for (const text of Object.values(step.values)) expression(text)
      break
    case 'runbook':
      templates(step.with)
      break
    case 'block':
    case 'parallel':
      templates(step.kind === 'parallel' ? step.maxParallel : null)
  }
  for (const inner of stepsIn(step)) collect(inner, registry, needs)
}

/** The steps right inside a step; those of a called runbook have names of their own and are not among them. */
export function stepsIn(step: PlannedStep): readonly PlannedStep[] {
  const guards = step.loop?.guardSteps ?? []
  if (step.kind === 'block') return [...step.steps, ...step.rescue, ...step.always, ...step.rollback, ...guards]
  if (step.kind === 'parallel') return [...step.branches, ...step.rollback, ...guards]
  return [...step.rollback, ...guards]
}

function add(needs: Set<string>, references: readonly Reference[]): void {
  for (const { path } of references) if (path[0] === 'steps' && typeof path[1] === 'string') needs.add(path[1])
}
