import type { Declarations } from '../action/declared.ts'
import type { Input, Loop, Runbook, Step, Text } from '../document/runbook.ts'
import type { Reference } from '../expression/expression.ts'
import { missingWith, parseExpression, typeOf } from '../expression/expression.ts'
import type { Schema } from '../json.ts'
import type { Site } from './site.ts'
import { afterAll, endingsOf, everySite, itemEndingsOf } from './site.ts'

type Names = { readonly [name: string]: Schema }

/** What the names of a runbook hold, as JSON Schema: the types that references are checked against. */
export interface Shapes {
  readonly inputs: Schema
  /** Every step by id. An id that is not there is somebody else's problem, so the object is open. */
  readonly steps: Schema
  /** The same for a text that stands at a site, after all steps unless told: with what the steps it reads may be without there. */
  stepsAt(site: Site | undefined, references: readonly Pick<Reference, 'path'>[], asked?: readonly Text[]): Schema
  readonly run: Schema
  readonly target: Schema
  readonly failure: Schema
  resultOf(step: Step): Schema
  valueOf(step: Step, name: string): Schema
  itemOf(loop: Loop): Schema
  elementOf(list: string, names: Names, site: Site | undefined): Schema
  typeOf(text: string, names: Names, site: Site | undefined): Schema
}

const closed = (properties: Names): Schema => ({ type: 'object', additionalProperties: false, properties })
const word: Schema = { type: 'string' }
const anything: Schema = {}
const ending = { status: word, started_at: word, error: missingWith(anything, ['succeeded']) }
/** Also of a loop that was not reached: it has no items. Of an error is said with what it comes. */
const alwaysThere: ReadonlySet<string> = new Set(['status', 'error', 'items'])

/** Outputs of the runbooks that a runbook calls, by the text of `runbook:`. */
export type OutputShapes = (called: string) => Schema

export function shapesOf(runbook: Runbook, registry: Declarations, outputsOf: OutputShapes): Shapes {
  const known: { [id: string]: Schema } = {}
  const lets = new Map<Step, { readonly [name: string]: Schema }>()
  const sites = [...everySite(runbook)]
  const places = new Map(sites.toReversed().map((site) => [site.at(-1)?.step.id.text ?? '', site]))
  const loops = new Map(sites.map((site) => [site.at(-1)?.step.loop, site]))
  const shapes: Shapes = {
    inputs: {
      ...closed(Object.fromEntries(runbook.inputs.map(({ name, schema }: Input) => [name, schema]))),
      additionalProperties: true,
    },
    steps: { type: 'object', properties: known, additionalProperties: true },
    stepsAt(site, references, asked = []) {
      const from = site ?? afterAll(runbook)
      const properties: { [id: string]: Schema } = {}
      for (const { path } of references) {
        const id = String(path[1])
        const to = path[0] === 'steps' ? places.get(id) : undefined
        if (to) properties[id] ??= shapeFrom(from, to, asked)
      }
      return { ...shapes.steps, properties }
    },
    run: closed({ id: word, started_at: word, operator: word }),
    target: closed({ name: word, address: word, groups: { type: 'array', items: word }, vars: anything }),
    failure: closed({ code: word, message: word, status: word, step: word, hint: word, detail: anything }),
    resultOf(step) {
      if (step.kind === 'action') return registry.get(step.action.text)?.result ?? anything
      return step.kind === 'runbook' ? outputsOf(step.runbook.text) : anything
    },
    valueOf: (step, name) => lets.get(step)?.[name] ?? anything,
    itemOf: (loop) => ('text' in loop.over ? shapes.elementOf(loop.over.text, {}, loops.get(loop)) : anything),
    elementOf: (list, names, site) => (shapes.typeOf(list, names, site)['items'] as Schema | undefined) ?? anything,
    typeOf(text, names, site) {
      const { expression } = parseExpression(text)
      if (!expression) return anything
      const steps = shapes.stepsAt(site, expression.references)
      return typeOf(expression, { inputs: shapes.inputs, steps, run: shapes.run, ...names }).schema
    },
  }
  for (const site of sites) {
    const step = site.at(-1)?.step as Step
    known[step.id.text] = shapeOf(step, site)
  }
  return shapes

  function shapeOf(step: Step, site: Site): Schema {
    if (step.kind === 'let') {
      const names: { [name: string]: Schema } = {}
      for (const { name, value } of step.values) names[name] = shapes.typeOf(value.text, names, site)
      lets.set(step, names)
      return closed({ ...names, status: word, error: ending.error })
    }
    return step.loop ? loopShape(step, step.when ? ['skipped'] : []) : closed(onceOf(step))
  }

  /** A step as it may be where it is read; in what undoes a loop, the one execution of it that is undone. */
  function shapeFrom(from: Site, to: Site, asked: readonly Text[]): Schema {
    const step = to.at(-1)?.step as Step
    if (step.loop && from.some(({ word, owner }) => word === 'rollback' && owner === step)) return closed(onceOf(step))
    const endings = endingsOf(from, to, asked)
    const failed = step.loop ? itemEndingsOf(from, to) : []
    if (endings.length + failed.length === 0) return known[step.id.text] ?? anything
    const shape = failed.length > 0 ? loopShape(step, failed) : (known[step.id.text] ?? anything)
    const fields = Object.entries((shape['properties'] ?? {}) as Names).map(([name, field]) => [
      name,
      alwaysThere.has(name) ? field : missingWith(field, endings),
    ])
    return closed(Object.fromEntries(fields))
  }

  /** An item that ended otherwise than well has no result, one that went well no error. */
  function loopShape(step: Step, without: readonly string[]): Schema {
    const one = onceOf(step)
    const item =
      step.loop?.kind === 'hosts'
        ? { target: shapes.target }
        : { item: step.loop ? shapes.itemOf(step.loop) : anything }
    const fields: Names = {
      ...one,
      started_at: missingWith(word, without),
      ...('result' in one && { result: missingWith(one['result'] as Schema, without) }),
    }
    return closed({ ...ending, items: { type: 'array', items: closed({ ...fields, key: word, ...item }) } })
  }

  function onceOf(step: Step): Names {
    return step.kind === 'action' || step.kind === 'runbook' ? { ...ending, result: shapes.resultOf(step) } : ending
  }
}
