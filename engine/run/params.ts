import type { Action, Evaluated, EvaluatedRows } from '../action/contract.ts'
import { asks } from '../action/contract.ts'
import { mapParams, takesHost } from '../action/params.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import type { PlannedAction } from '../plan/plan.ts'
import { schemaProblem, validatorOf } from '../schema.ts'
import { renderDeep, TemplateError } from '../template/template.ts'
import type { Found, Names } from './evaluate.ts'
import { evaluatedOf, shownBriefly, textFor, valueIn } from './evaluate.ts'

/** A step's parameters, ready for its action: rendered, evaluated, the host filled in, checked against the schema. */
export function paramsOf(
  step: PlannedAction,
  action: Action,
  target: string | undefined,
  names: Names,
): Found<JsonObject> {
  const written =
    target !== undefined && takesHost(action.params) && !('host' in step.with)
      ? { ...step.with, host: target }
      : step.with
  try {
    const params = mapParams(action.params, written, ({ kind, value }) => {
      switch (kind) {
        case 'verbatim':
          return value
        case 'expression':
        case 'condition':
          return typeof value === 'string' ? expressionOf(value, names) : value
        case 'rows':
          return rowsOf(value, names)
        case 'command':
          return wordsOf(value, names)
        case 'plain':
          return renderDeep(value, names)
      }
    }) as JsonObject
    if (unknownIn(params)) return { value: params }
    // what is marked was checked when the file was read; here the rendered rest
    const plain = mapParams(action.params, written, ({ kind, value }) =>
      kind === 'plain' ? renderDeep(value, names) : value,
    )
    const [misfit] = validatorOf(action.params)(plain)
    const wanted = asks(action) ? params['schema'] : undefined
    const said = misfit || !isObject(wanted) ? undefined : schemaProblem(wanted)
    if (said !== undefined)
      return {
        error: { code: 'bad_parameter', message: `\`schema\` of \`${step.action}\` is not a JSON Schema: ${said}` },
      }
    if (!misfit) return { value: params }
    const where = misfit.path.join('.')
    return {
      error: {
        code: 'bad_parameter',
        message: `${where === '' ? 'the parameters' : `\`${where}\``} of \`${step.action}\`: ${misfit.message}`,
      },
    }
  } catch (error) {
    if (error instanceof TemplateError) return { error: { code: 'missing_value', message: error.message } }
    throw error
  }
}

/** What a dry run cannot know yet stays unknown: it has not failed. */
function expressionOf(text: string, names: Names): Evaluated | Unknown {
  const found = valueIn(text, names)
  return 'value' in found && found.value instanceof Unknown ? found.value : evaluatedOf(text, found, names)
}

/** Words of a command: one word each; a list is as many words as it has items. */
function wordsOf(value: Json, names: Names): unknown {
  if (!Array.isArray(value)) return value
  return (value as readonly Json[]).flatMap((word): readonly unknown[] => {
    const part = typeof word === 'string' ? renderDeep(word, names) : word
    if (part instanceof Unknown) return [part]
    if (Array.isArray(part)) return part.map((item) => plainWord(item as Json, word))
    return [plainWord(part as Json, word)]
  })
}

function plainWord(value: Json, word: Json): string {
  if (typeof value === 'object')
    throw new TemplateError(
      `\`${String(word)}\` came to ${shownBriefly(value)}, which is no word of a command`,
      { start: 0, end: 0 },
      { hint: 'name a field of it' },
    )
  return String(value)
}

function rowsOf(value: Json, names: Names): EvaluatedRows {
  if (!isObject(value) || typeof value['each'] !== 'string') return { rows: [] }
  const { each, as, ...fields } = value
  const found = valueIn(each, names)
  if ('error' in found || found.value instanceof Unknown) {
    const evaluated = evaluatedOf(each, found, names)
    return 'error' in evaluated
      ? { error: evaluated.error, ...(evaluated.blockedBy !== undefined && { blockedBy: evaluated.blockedBy }) }
      : { rows: [] }
  }
  if (!Array.isArray(found.value)) return { error: `\`${each}\` is not a list` }
  const name = typeof as === 'string' ? as : 'item'
  return {
    rows: found.value.map((item) =>
      Object.fromEntries(
        Object.entries(fields).map(([field, text]) => [
          field,
          typeof text === 'string' ? textFor(text, { ...names, [name]: item as Json }) : text,
        ]),
      ),
    ),
  }
}
