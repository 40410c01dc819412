/**
 * Templates: Handlebars for text, read by a library and rendered here. Paths, `if`, `unless`, `each` and a few helpers;
 * what is missing is an error with a place, and nothing prints as `[object Object]`.
 */
import type { Reference, Scope } from '../expression/expression.ts'
import { remembered } from '../expression/remembered.ts'
import type { Unknown } from '../expression/unknown.ts'
import type { Json } from '../json.ts'
import type { Operand, Part, PathOperand } from './part.ts'
import type { TemplateProblem } from './problem.ts'
import { NoTemplate, TemplateError } from './problem.ts'
import { readParts } from './read.ts'
import { referencesIn } from './references.ts'
import { render } from './render.ts'
import type { Renderer } from './renderer.ts'
import { resolve, scopeLevel } from './resolve.ts'
import { syntaxProblem } from './syntax.ts'

export { TemplateError } from './problem.ts'
export type { Reference, Renderer, Scope, TemplateProblem }

/** A template that has been read. */
export interface Template {
  readonly text: string
  /** What it takes from the scope; an item of an `#each` counts as the first: `['list', 0, 'name']`. */
  readonly references: readonly Reference[]
  /** The path, where the text is exactly one `{{ path }}`: such a template keeps the value's type. */
  readonly whole: readonly (string | number)[] | undefined
  /** The helpers and blocks it uses, each once. */
  readonly helpers: readonly string[]
  readonly parts: readonly Part[]
}

export type ParsedTemplate =
  | { readonly template: Template; readonly problem?: undefined }
  | { readonly template?: undefined; readonly problem: TemplateProblem }

/** Whether a text has to be rendered: it holds `{{`, be it an escaped one. */
export function isTemplate(text: string): boolean {
  return text.includes('{{')
}

/** Reads a template; the same text is read once. */
export const parseTemplate: (text: string) => ParsedTemplate = remembered(1_000, parse)

function parse(text: string): ParsedTemplate {
  try {
    const parts = readParts(text)
    return {
      template: {
        text,
        parts,
        references: referencesIn(parts),
        whole: wholeOf(parts)?.path,
        helpers: [...new Set(helpersIn(parts))],
      },
    }
  } catch (error) {
    return { problem: error instanceof NoTemplate ? error.problem : syntaxProblem(text, error) }
  }
}

/** Line breaks behind it do not count: a block of YAML text ends in one. */
function wholeOf(parts: readonly Part[]): PathOperand | undefined {
  const [first, second, ...others] = parts
  if (others.length > 0 || first?.is !== 'value' || first.of.is !== 'path') return undefined
  return second === undefined || (second.is === 'text' && /^[\r\n]+$/.test(second.text)) ? first.of : undefined
}

function helpersIn(parts: readonly Part[]): readonly string[] {
  return parts.flatMap(helpersOfPart)
}

function helpersOfPart(part: Part): readonly string[] {
  switch (part.is) {
    case 'text':
      return []
    case 'value':
      return helpersOf(part.of)
    case 'if':
      return ['if', ...helpersOf(part.test), ...helpersIn(part.yes), ...helpersIn(part.no)]
    case 'each':
      return ['each', ...helpersOf(part.over), ...helpersIn(part.body), ...helpersIn(part.otherwise)]
  }
}

function helpersOf(operand: Operand): readonly string[] {
  return operand.is === 'helper' ? [operand.helper, ...operand.args.flatMap(helpersOf)] : []
}

/** The text, or the first unknown value that it rests on. Throws `TemplateError` where a value is missing or does not print. */
export function renderText(template: Template, scope: Scope, renderer: Renderer = 'text'): string | Unknown {
  const { text, unknown } = render(template.parts, scope, renderer)
  return unknown ?? text
}

/** The text for people, with what is not known yet shown as `‹why›`. Throws `TemplateError` as `renderText` does. */
export function previewText(template: Template, scope: Scope): string {
  return render(template.parts, scope, 'text').text
}

/** The value itself where the template is exactly one path (it may hold unknown parts), else the text. */
export function renderValue(template: Template, scope: Scope): Json | Unknown {
  const whole = wholeOf(template.parts)
  return whole ? resolve(whole, scopeLevel(scope)) : renderText(template, scope)
}

/**
 * Every template in a JSON value rendered, types kept, keys left as they are; unknown values stay where they stand.
 * A `TemplateError` has the JSON Pointer of its text.
 */
export function renderDeep(value: Json, scope: Scope): Json | Unknown {
  return renderAt(value, scope, '')
}

function renderAt(value: Json, scope: Scope, pointer: string): Json | Unknown {
  if (typeof value === 'string') return isTemplate(value) ? renderString(value, scope, pointer) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return (value as readonly Json[]).map((item, index) => renderAt(item, scope, `${pointer}/${index}`) as Json)
  const rendered = Object.entries(value).map(
    ([key, part]) =>
      [key, renderAt(part, scope, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`) as Json] as const,
  )
  return Object.fromEntries(rendered)
}

function renderString(text: string, scope: Scope, pointer: string): Json | Unknown {
  const { template, problem } = parseTemplate(text)
  if (!template) throw new TemplateError(problem.message, problem, { hint: problem.hint, pointer })
  try {
    return renderValue(template, scope)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw new TemplateError(error.message, error, { hint: error.hint, path: error.path, pointer, cause: error })
  }
}
