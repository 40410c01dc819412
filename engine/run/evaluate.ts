import type { Evaluated, Operand } from '../action/contract.ts'
import { parseDuration } from '../duration.ts'
import { ExpressionError, evaluate, operandsOf, parseExpression } from '../expression/expression.ts'
import { Unknown } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import type { Amount, Count, Duration, PlannedCondition } from '../plan/plan.ts'
import {
  isTemplate,
  parseTemplate,
  previewText,
  renderText,
  renderValue,
  type Template,
  TemplateError,
} from '../template/template.ts'
import type { Engine } from './engine.ts'
import type { OutcomeError } from './outcome.ts'
import type { Scope } from './scope.ts'

/** A value, or why there is none. An unknown of a dry run is a value. */
export type Found<T> = { readonly value: T } | { readonly error: OutcomeError }

export type Names = { readonly [name: string]: unknown }

export function namesIn(engine: Engine, scope: Scope, more: Names = {}): Names {
  return { inputs: scope.inputs, steps: scope.steps, run: engine.run, ...scope.names, ...more }
}

/** An expression in a scope. */
export function valueIn(text: string, names: Names): Found<Json | Unknown> {
  const parsed = parseExpression(text)
  if (!parsed.expression)
    return { error: { code: 'bad_expression', message: `\`${text}\`: ${parsed.problem.message}` } }
  try {
    return { value: evaluate(parsed.expression, names) }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    const blocked = blockerOf(error.path, names)
    const message = blocked ? `\`${blocked.step}\` ${blocked.why}` : `\`${text}\`: ${error.message}`
    return { error: { code: error.code, message, ...(blocked && { detail: { blocked_by: blocked.step } }) } }
  }
}

/** A failed look at `steps.ID.…`: the step that has nothing to show, how it ended, and what was behind that. */
function blockerOf(
  path: readonly (string | number)[] | undefined,
  names: Names,
): { readonly step: string; readonly why: string } | undefined {
  const [root, id] = path ?? []
  if (root !== 'steps' || typeof id !== 'string') return undefined
  const why = whyNothing(id, names['steps'] as JsonObject, new Set())
  return why === undefined ? undefined : { step: id, why }
}

/** Why a step has no result; undefined when it has one. A step that was skipped because of another is followed to that one. */
function whyNothing(id: string, steps: JsonObject, seen: Set<string>): string | undefined {
  const view = steps[id]
  if (!isObject(view)) return 'has not run'
  if (view['status'] === 'succeeded') return undefined
  const message = isObject(view['error']) ? String(view['error']['message']) : ''
  if (view['status'] !== 'skipped')
    return `${statusWords[String(view['status'])] ?? 'failed'}${message === '' ? '' : `: ${message}`}`
  seen.add(id)
  const behind = [...message.matchAll(/\bsteps\.([a-z0-9_]+)/g)]
    .map(([, other]) => other ?? '')
    .find((other) => !seen.has(other) && whyNothing(other, steps, seen) !== undefined)
  if (behind === undefined) return `was skipped${message === '' ? '' : `: ${message}`}`
  return `was skipped, because \`${behind}\` ${whyNothing(behind, steps, new Set([id]))}`
}

const statusWords: { readonly [status: string]: string } = {
  unreachable: 'could not be reached',
  timed_out: 'took too long',
  cancelled: 'was cancelled',
  unknown: 'has an end that nobody saw',
}

export interface Judged {
  readonly held: boolean | Unknown
  readonly evaluated: Evaluated
}

/** A condition: whether it holds, and what its parts came to when it does not. */
export function judge(text: string, names: Names): Judged {
  const found = valueIn(text, names)
  if ('error' in found) return { held: false, evaluated: evaluatedOf(text, found, names) }
  if (found.value instanceof Unknown) return { held: found.value, evaluated: { text, error: found.value.why } }
  const held = found.value === true
  return { held, evaluated: held ? { text, value: true, operands: [] } : evaluatedOf(text, found, names) }
}

export function evaluatedOf(text: string, found: Found<Json | Unknown>, names: Names): Evaluated {
  if ('error' in found) {
    const blockedBy = isObject(found.error.detail) ? found.error.detail['blocked_by'] : undefined
    return { text, error: found.error.message, ...(typeof blockedBy === 'string' && { blockedBy }) }
  }
  if (found.value instanceof Unknown) return { text, error: found.value.why }
  const { expression } = parseExpression(text)
  return { text, value: found.value, operands: expression ? operandsOf(expression, names).map(shortened) : [] }
}

/** `\`size(x) == 1\` failed: \`size(x)\` was 2`, after what the author says. */
export function sayFailed({ message }: PlannedCondition, evaluated: Evaluated, names: Names): string {
  const why =
    'error' in evaluated
      ? evaluated.error
      : `\`${evaluated.text}\` failed${evaluated.operands.length > 0 ? `: ${evaluated.operands.map(({ text, value }) => `\`${text}\` was ${JSON.stringify(value)}`).join(', ')}` : ''}`
  const said = message === undefined ? undefined : textFor(message, names)
  return said === undefined ? why : `${said} (${why})`
}

const longestOperand = 400

function shortened({ text, value }: Operand): Operand {
  const written = JSON.stringify(value) ?? ''
  return written.length <= longestOperand ? { text, value } : { text, value: `${written.slice(0, longestOperand)}…` }
}

/** A text for people: rendered; where a value is not there (yet), `…` stands for it. */
export function textFor(template: string, names: Names): string {
  if (!isTemplate(template)) return template
  const parsed = parseTemplate(template)
  if (!parsed.template) return template
  try {
    return previewText(parsed.template, names)
  } catch (error) {
    if (error instanceof TemplateError) return template.replaceAll(/\{\{[^{}]*\}\}/g, '…')
    throw error
  }
}

/** A text that things depend on: a lock, a pattern. */
export function textOf(template: string, names: Names): Found<string | Unknown> {
  return rendered(template, (parsed) => renderText(parsed, names))
}

function rendered<T>(template: string, render: (parsed: Template) => T): Found<T | string> {
  if (!isTemplate(template)) return { value: template }
  const parsed = parseTemplate(template)
  if (!parsed.template)
    return { error: { code: 'bad_template', message: `\`${template}\`: ${parsed.problem.message}` } }
  try {
    return { value: render(parsed.template) }
  } catch (error) {
    if (error instanceof TemplateError)
      return { error: { code: 'missing_value', message: `\`${template}\`: ${error.message}` } }
    throw error
  }
}

/** Milliseconds. */
export function durationIn(duration: Duration, names: Names): Found<number> {
  if (typeof duration === 'number') return { value: duration }
  const found = rendered(duration, (parsed) => renderValue(parsed, names))
  if ('error' in found) return found
  if (found.value instanceof Unknown) return { error: { code: 'unknown_value', message: found.value.why } }
  const ms = typeof found.value === 'string' ? parseDuration(found.value) : undefined
  return ms === undefined
    ? {
        error: {
          code: 'bad_duration',
          message: `\`${duration}\` came to \`${JSON.stringify(found.value)}\`, which is not a duration`,
          hint: 'a duration is a text such as `30s` or `5m`',
        },
      }
    : { value: ms }
}

/** A value in a message: its beginning. */
export function shownBriefly(value: Json): string {
  const written = JSON.stringify(value)
  return `\`${written.length <= 80 ? written : `${written.slice(0, 80)}…`}\``
}

export function countIn(count: Count, names: Names): Found<number> {
  if (typeof count === 'number') return { value: count }
  const found = rendered(count, (parsed) => renderValue(parsed, names))
  if ('error' in found) return found
  const number = Number(found.value)
  return Number.isInteger(number) && number >= 1
    ? { value: number }
    : {
        error: {
          code: 'bad_count',
          message: `\`${count}\` came to \`${JSON.stringify(found.value)}\`, which is not a whole number above 0`,
        },
      }
}

/** A count, or so many percent of a total, rounded up; never less than one. */
export function amountIn(amount: Amount, total: number, names: Names): Found<number> {
  const text = typeof amount === 'number' ? String(amount) : amount
  const found = rendered(text, (parsed) => renderValue(parsed, names))
  if ('error' in found) return found
  const written = String(found.value)
  const percent = /^([0-9]+)%$/.exec(written)?.[1]
  const number = percent === undefined ? Number(written) : Math.ceil((Number(percent) / 100) * total)
  return Number.isInteger(number) && number >= 0
    ? { value: Math.max(1, number) }
    : {
        error: {
          code: 'bad_count',
          message: `\`${text}\` came to \`${written}\`, which is neither a count nor a percentage`,
        },
      }
}
