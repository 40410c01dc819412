import { asks } from '../action/contract.ts'
import type { Declarations } from '../action/declared.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { schemaTold } from '../document/input.ts'
import { problemAt } from '../document/problem.ts'
import type { ActionStep, Runbook } from '../document/runbook.ts'
import { childOf, entryOf, firstOf, itemsOf, type Located, mapToJson, nodeAt, toJson } from '../document/tree.ts'
import type { Json, Schema } from '../json.ts'
import { schemaProblem, validatorOf } from '../schema.ts'
import { holdsTemplate } from './params.ts'

/** What a person is asked for: that it can be answered, and that what holds when nobody answers would be an answer. */
export function* checkQuestion({ source }: Runbook, step: ActionStep, registry: Declarations): Generator<Diagnostic> {
  const action = registry.get(step.action.text)
  if (!action || !asks(action)) return
  const problem = (node: Located, message: string, hint?: string) =>
    problemAt(source, firstOf(node), 'RB1205', message, hint)
  const fallback = childOf(step.with, 'default')
  const schema = entryOf(step.with, 'schema')
  const options = itemsOf(childOf(step.with, 'options')).map((option) => nodeAt(option, ['value']))
  if (schema?.value.kind === 'map') yield* ofSchema(mapToJson(schema.value))
  if (options.length > 0) yield* ofOptions(options.map(toJson))

  function* ofSchema(written: Schema): Generator<Diagnostic> {
    if (schema?.value.kind !== 'map' || holdsTemplate(written as Json)) return
    const said = schemaProblem(written)
    const [misfit] = said || !fallback || holdsTemplate(toJson(fallback)) ? [] : validatorOf(written)(toJson(fallback))
    if (said) yield schemaTold(source, schema.value, said, { what: '`schema`', span: schema.keySpan, code: 'RB1205' })
    else if (misfit && fallback) yield problem(fallback, `the \`default\` ${misfit.message}`, 'the `schema` says so')
  }

  function* ofOptions(values: readonly Json[]): Generator<Diagnostic> {
    for (const [index, value] of values.entries()) {
      const node = options[index]
      if (node && typeof value === 'string' && !holdsTemplate(value) && values.indexOf(value) < index)
        yield problem(
          node,
          `two options have the value \`${value}\``,
          'the value is what the step gives: it says which was chosen',
        )
    }
    if (!fallback || values.some(holdsTemplate) || holdsTemplate(toJson(fallback))) return
    if (!values.includes(toJson(fallback)))
      yield problem(fallback, 'the `default` is none of the options', `they are: ${[...new Set(values)].join(', ')}`)
  }
}
