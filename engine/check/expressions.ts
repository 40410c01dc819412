import type { Code } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { placeOf } from '../document/place.ts'
import { problemAt } from '../document/problem.ts'
import type { Runbook } from '../document/runbook.ts'
import type { Expression, ExpressionProblem, Reference } from '../expression/expression.ts'
import {
  ExpressionError,
  evaluate,
  mayBeMissing,
  parseExpression,
  typeOf,
  typesWhere,
} from '../expression/expression.ts'
import { Unknown } from '../expression/unknown.ts'
import type { Schema } from '../json.ts'
import type { Span } from '../source.ts'
import { isTemplate, parseTemplate } from '../template/template.ts'
import { lookUp, namedTypes, typesOf, withoutEndings } from './look-up.ts'
import { letsGo } from './references.ts'
import type { Shapes } from './shape.ts'
import type { Use } from './use.ts'

const codeOf: { readonly [kind in ExpressionProblem['kind']]: Code } = {
  syntax: 'RB2101',
  unknown_name: 'RB2004',
  unknown_field: 'RB2003',
  unknown_function: 'RB2102',
  type: 'RB2103',
  missing: 'RB2006',
}

export interface Read {
  readonly references: readonly Reference[]
  /** Where a reference begins of which a step may be without what it names. */
  readonly missing?: ReadonlySet<number>
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads an expression or a template where it stands: its syntax, its names and types, and what it refers to. */
export function readUse(runbook: Runbook, shapes: Shapes, use: Use): Read {
  const { text } = use.text
  const parsed = use.kind === 'expression' ? parseExpression(text).expression : parseTemplate(text).template
  const steps = shapes.stepsAt(use.site, parsed?.references ?? [], [...use.asked, use.text])
  let scope: Scope = { inputs: shapes.inputs, steps, run: shapes.run, ...use.names }
  for (const { text: condition } of use.asked) {
    const { expression } = parseExpression(condition)
    if (expression) scope = typesWhere(expression, scope)
  }
  return use.kind === 'expression' ? readExpression(runbook, scope, use) : readTemplate(runbook, scope, use)
}

type Scope = { readonly [name: string]: Schema }

function readExpression({ source }: Runbook, scope: Scope, use: Use): Read {
  const { text } = use.text
  if (isTemplate(text)) {
    const inner = /^\s*\{\{\s*(.*?)\s*\}\}\s*$/.exec(text)?.[1]
    const hint = inner ? `write \`${inner}\`` : 'write the names without braces'
    return {
      references: [],
      diagnostics: [
        problemAt(
          source,
          placeOf(source, use.text, 0, text.length),
          'RB2108',
          'a template stands where an expression belongs',
          hint,
        ),
      ],
    }
  }
  const parsed = parseExpression(text)
  if (!parsed.expression) {
    const { message, start, end, hint } = parsed.problem
    return {
      references: [],
      diagnostics: [
        problemAt(
          source,
          placeOf(source, use.text, start, Math.max(end, start + 1)),
          codeOf[parsed.problem.kind],
          message,
          hint,
        ),
      ],
    }
  }
  const { schema, problems } = typeOf(parsed.expression, scope)
  const diagnostics = problems
    .filter(({ kind, start, end }) => kind !== 'unknown_field' || !isResultOfLoop(text.slice(start, end), scope))
    .filter(({ kind, path }) => kind !== 'missing' || !(use.tolerant || letsGo(use) || isOfStep(path)))
    .map((problem) => {
      const { start, end } = smallest(text, problem)
      return problemAt(
        source,
        placeOf(source, use.text, start, end),
        codeOf[problem.kind],
        problem.message,
        problem.hint,
      )
    })
  const wrong = problems.length === 0 ? failsAlways(parsed.expression, scope) : undefined
  if (wrong) {
    const place = placeOf(source, use.text, wrong.start, wrong.end)
    diagnostics.push(problemAt(source, place, 'RB2103', wrong.message, wrong.hint))
  }
  const expected = diagnostics.length === 0 ? expectation(use, schema) : undefined
  const whole = placeOf(source, use.text, 0, text.length)
  if (expected) diagnostics.push(problemAt(source, whole, expected.code, expected.message, expected.hint))
  const missing = new Set(
    problems.flatMap(({ kind, path, start }) => (kind === 'missing' && isOfStep(path) ? [start] : [])),
  )
  return { references: parsed.expression.references, missing, diagnostics }
}

const anyValue = new Unknown('it is not run')

/** What goes wrong whatever the names stand for. */
function failsAlways(expression: Expression, scope: Scope): ExpressionError | undefined {
  try {
    evaluate(expression, Object.fromEntries(Object.keys(scope).map((name) => [name, anyValue])), { budget: 10_000 })
    return undefined
  } catch (error) {
    if (error instanceof ExpressionError) return error.code === 'work' ? undefined : error
    throw error
  }
}

/** What a step has directly: what is said of it names the step. */
function isOfStep(path: readonly (string | number)[] | undefined): boolean {
  return path?.length === 3 && path[0] === 'steps'
}

/** The name alone, where the problem is about a name at the end of a longer path or in front of arguments. */
function smallest(text: string, { kind, message, start, end }: ExpressionProblem): Span {
  const name = /`([^`]+)`$/.exec(message)?.[1]
  if (name === undefined || (kind !== 'unknown_field' && kind !== 'unknown_function')) return { start, end }
  const part = text.slice(start, end)
  const at =
    kind === 'unknown_field'
      ? part.lastIndexOf(name)
      : part.search(new RegExp(`${name.replaceAll(/\W/g, '\\$&')}\\s*\\(`))
  return at < 0 ? { start, end } : { start: start + at, end: start + at + name.length }
}

/** `steps.loop.result` has a message of its own. */
function isResultOfLoop(text: string, scope: Scope): boolean {
  const [, id] = /^steps\.([a-z0-9_]+)\.result\b/.exec(text) ?? []
  return id !== undefined && lookUp(scope['steps'] ?? {}, [id, 'items']).is === 'known'
}

function expectation({ expects }: Use, schema: Schema): { code: Code; message: string; hint: string } | undefined {
  const types = typesOf(schema)
  if (types.length === 0 || expects === 'any') return undefined
  if (expects === 'boolean' && !types.includes('boolean'))
    return {
      code: 'RB2104',
      message: `the condition gives ${namedTypes(types)}, not true or false`,
      hint: comparison(types),
    }
  if (expects === 'hosts' && !types.some((type) => type === 'string' || type === 'array'))
    return {
      code: 'RB2105',
      message: `the loop goes over ${namedTypes(types)}, not over hosts`,
      hint: 'a pattern of the inventory, or a list of names',
    }
  if (expects === 'key' && !types.some((type) => printable.includes(type)))
    return {
      code: 'RB2103',
      message: `the key is ${namedTypes(types)}, not a text`,
      hint: 'name a field of the item that tells it from the others',
    }
  if (expects === 'list' && !types.includes('array'))
    return {
      code: 'RB2105',
      message: `the loop goes over ${namedTypes(types)}, not a list`,
      hint: types.includes('object')
        ? '`keys(map)` and `values(map)` make lists of a mapping'
        : "a single value in brackets is a list: `[value]`; `text.split(',')` makes one of a text",
    }
  return undefined
}

/** Whether a template in a command line is a word of its own. */
function isWord(text: string, { start, end }: Reference): boolean {
  return /(?:^|\s)\{\{\s*$/.test(text.slice(0, start)) && /^\s*\}\}(?:\s|$)/.test(text.slice(end))
}

/** Where one part of a path stands in the text that holds it. */
function partOf(text: string, { path, start, end }: Reference, depth: number): [start: number, end: number] {
  let from = start
  for (const [index, part] of path.slice(0, depth + 1).entries()) {
    const at = text.indexOf(String(part), from)
    if (at < 0 || at >= end) return [start, end]
    if (index === depth) return [at, at + String(part).length]
    from = at + String(part).length
  }
  return [start, end]
}

function comparison(types: readonly string[]): string {
  if (types.includes('array') || types.includes('object')) return 'ask how many there are: `size(…) > 0`'
  return types.includes('string') ? "compare it: `… != ''`" : 'compare it: `… > 0`'
}

function readTemplate({ source }: Runbook, scope: Scope, use: Use): Read {
  const parsed = parseTemplate(use.text.text)
  if (!parsed.template) {
    const { kind, message, start, end, hint } = parsed.problem
    const code = kind === 'unknown_helper' ? 'RB2107' : 'RB2106'
    return {
      references: [],
      diagnostics: [problemAt(source, placeOf(source, use.text, start, Math.max(end, start + 1)), code, message, hint)],
    }
  }
  const { references, whole } = parsed.template
  const without = new Set<number>()
  const diagnostics: Diagnostic[] = []
  for (const reference of references) {
    const found = lookUp({ type: 'object', properties: scope, additionalProperties: false }, reference.path)
    const at = placeOf(source, use.text, reference.start, reference.end)
    if (
      found.is === 'missing' &&
      !(
        reference.path[0] === 'steps' &&
        reference.path[2] === 'result' &&
        isResultOfLoop(reference.path.join('.'), scope)
      )
    ) {
      const first = found.depth === 0
      diagnostics.push(
        problemAt(
          source,
          placeOf(source, use.text, ...partOf(use.text.text, reference, found.depth)),
          first ? 'RB2004' : 'RB2003',
          first
            ? `nothing is called \`${found.name}\` here`
            : `\`${reference.path.slice(0, found.depth).join('.')}\` has no field \`${found.name}\``,
          found.hint,
        ),
      )
    }
    const missing =
      reference.optional || use.tolerant || letsGo(use) ? undefined : withoutEndings(scope, reference.path)
    if (missing && isOfStep(reference.path.slice(0, missing.depth + 1))) without.add(reference.start)
    else if (missing) {
      const of = `\`${reference.path.slice(0, missing.depth).join('.')}\``
      const [message] = mayBeMissing(of, missing.name, missing.endings)
      const place = placeOf(source, use.text, ...partOf(use.text.text, reference, missing.depth))
      diagnostics.push(
        problemAt(source, place, 'RB2006', message, 'choose the items by their `status` in a `let` step, or in `when`'),
      )
    }
    const types = found.is === 'known' ? typesOf(found.schema) : []
    const alone = whole !== undefined || (use.words === 'a line' && isWord(use.text.text, reference))
    const takes = takenBy(reference.taken ?? '', alone, use)
    if (takes && types.length > 0 && !types.some((type) => takes.includes(type))) {
      const name = `\`${reference.path.join('.')}\` is ${namedTypes(types)}`
      const by = reference.taken === 'each' ? '#each' : reference.taken
      const [message, hint] =
        reference.taken !== 'value'
          ? [`${name}, and \`${by}\` takes ${namedTypes(takes)}`]
          : [
              `${name}, which does not print as text`,
              types.includes('array')
                ? "print it with `{{ join … ', ' }}` or `{{json …}}`"
                : 'name a field of it, or print it with `{{json …}}`',
            ]
      diagnostics.push(problemAt(source, at, 'RB2109', message ?? name, hint))
    }
    if (whole && types.length > 0 && use.expects === 'duration' && !types.includes('string')) {
      const hint = `a duration is a text: \`${use.text.text.trim()}s\` are seconds, with \`m\` minutes`
      diagnostics.push(problemAt(source, at, 'RB2109', `the duration is ${namedTypes(types)}`, hint))
    }
    if (whole && types.length > 0 && use.expects === 'count' && !types.some((type) => counts.includes(type)))
      diagnostics.push(problemAt(source, at, 'RB2109', `the count is ${namedTypes(types)}, not a number`))
  }
  return { references, missing: without, diagnostics }
}

const counts = ['string', 'number', 'integer']
const printable = [...counts, 'boolean']

/** What a helper, a block or the text itself takes; undefined for anything. */
function takenBy(taken: string, alone: boolean, { words }: Use): readonly string[] | undefined {
  switch (taken) {
    case 'value':
      if (!alone) return printable
      return words ? [...printable, 'array'] : undefined
    case 'lower':
    case 'upper':
    case 'trim':
      return printable
    case 'join':
      return ['array']
    case 'each':
      return ['array', 'object']
    case 'length':
      return ['array', 'object', 'string']
    default:
      return undefined
  }
}
