import type { Declarations } from '../action/declared.ts'
import type { Input, Loop, Runbook, Step } from '../document/runbook.ts'
import { everyStep } from '../document/runbook.ts'
import { parseExpression, typeOf } from '../expression/expression.ts'
import type { Schema } from '../json.ts'

type Names = { readonly [name: string]: Schema }

/** What the names of a runbook hold, as JSON Schema: the types that references are checked against. */
export interface Shapes {
  readonly inputs: Schema
  /** Every step by id. An id that is not there is somebody else's problem, so the object is open. */
  readonly steps: Schema
  readonly run: Schema
  readonly target: Schema
  readonly failure: Schema
  /** `steps` in what undoes these steps: each is the one execution that is undone. */
  undoing(steps: readonly Step[]): Schema
  resultOf(step: Step): Schema
  valueOf(step: Step, name: string): Schema
  itemOf(loop: Loop): Schema
  elementOf(list: string, names: Names): Schema
  typeOf(text: string, names: Names): Schema
}

const closed = (properties: Names): Schema => ({ type: 'object', additionalProperties: false, properties })
const word: Schema = { type: 'string' }
const anything: Schema = {}
const ending = { status: word, started_at: word, error: {} as Schema }

/** Outputs of the runbooks that a runbook calls, by the text of `runbook:`. */
export type OutputShapes = (called: string) => Schema

export function shapesOf(runbook: Runbook, registry: Declarations, outputsOf: OutputShapes): Shapes {
  const known: { [id: string]: Schema } = {}
  const lets = new Map<Step, { readonly [name: string]: Schema }>()
  const shapes: Shapes = {
    inputs: {
      ...closed(Object.fromEntries(runbook.inputs.map(({ name, schema }: Input) => [name, schema]))),
      additionalProperties: true,
    },
    steps: { type: 'object', properties: known, additionalProperties: true },
    run: closed({ id: word, started_at: word, operator: word }),
    target: closed({ name: word, address: word, groups: { type: 'array', items: word }, vars: anything }),
    failure: closed({ code: word, message: word, status: word, step: word, hint: word, detail: anything }),
    undoing: (steps) => ({
      ...shapes.steps,
      properties: { ...known, ...Object.fromEntries(steps.map((step) => [step.id.text, closed(onceOf(step))])) },
    }),
    resultOf(step) {
      if (step.kind === 'action') return registry.get(step.action.text)?.result ?? anything
      return step.kind === 'runbook' ? outputsOf(step.runbook.text) : anything
    },
    valueOf: (step, name) => lets.get(step)?.[name] ?? anything,
    itemOf: (loop) => ('text' in loop.over ? shapes.elementOf(loop.over.text, {}) : anything),
    elementOf: (list, names) => (shapes.typeOf(list, names)['items'] as Schema | undefined) ?? anything,
    typeOf(text, names) {
      const { expression } = parseExpression(text)
      return expression
        ? typeOf(expression, { inputs: shapes.inputs, steps: shapes.steps, run: shapes.run, ...names }).schema
        : anything
    },
  }
  for (const step of everyStep(runbook.steps)) known[step.id.text] = shapeOf(step)
  return shapes

  function shapeOf(step: Step): Schema {
    if (step.kind === 'let') {
      const names: { [name: string]: Schema } = {}
      for (const { name, value } of step.values) names[name] = shapes.typeOf(value.text, names)
      lets.set(step, names)
      return closed({ ...names, status: word, error: anything })
    }
    const one = onceOf(step)
    if (!step.loop) return closed(one)
    const item = step.loop.kind === 'hosts' ? { target: shapes.target } : { item: shapes.itemOf(step.loop) }
    return closed({ ...ending, items: { type: 'array', items: closed({ ...one, key: word, ...item }) } })
  }

  function onceOf(step: Step): Names {
    return step.kind === 'action' || step.kind === 'runbook' ? { ...ending, result: shapes.resultOf(step) } : ending
  }
}
