import type { CST, Document, Node as YamlNode } from 'yaml'
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from 'yaml'
import type { Code } from '../codes.ts'
import type { Checked, Diagnostic } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'
import { isExact } from '../json.ts'
import { problemAt } from './problem.ts'
import type { Located, LocatedEntry } from './tree.ts'
import { fromYaml, marks, told } from './yaml-fault.ts'

const deepest = 100
const mostNodes = 100_000

/** As `read`, by a parser that goes on behind a fault and tells of each where it is. */
export function readCarefully(source: Source): Checked<Located> {
  const indented = new RegExp(`^ {${deepest * 4},}\\S`, 'm').exec(source.text)
  if (indented) return { value: undefined, diagnostics: [tooDeepAt(source, indented.index)] }
  let documents: readonly Document.Parsed[]
  try {
    const composer = new Composer({ prettyErrors: false, uniqueKeys: true, stringKeys: true, logLevel: 'error' })
    documents = [...composer.compose(shallowTokens(source))]
  } catch (error) {
    if (error instanceof TooDeep) return { value: undefined, diagnostics: [tooDeepAt(source, error.offset)] }
    throw error
  }
  const [document, second] = documents
  if (!document?.contents) {
    const failures = told(document?.errors ?? []).map((error) => fromYaml(source, error))
    return {
      value: undefined,
      diagnostics:
        failures.length > 0
          ? failures
          : [problemAt(source, { start: 0, end: 0 }, 'RB1006', 'the file holds no document')],
    }
  }
  if (second) {
    const [start] = second.range
    return {
      value: undefined,
      diagnostics: [
        problemAt(
          source,
          { start, end: start + 3 },
          'RB1010',
          'the file holds several documents',
          'keep one runbook per file',
        ),
      ],
    }
  }
  const diagnostics: Diagnostic[] = told([...document.errors, ...document.warnings]).map((error) =>
    fromYaml(source, error),
  )
  const budget = { nodes: 0 }
  const value = locate(document.contents, 0, undefined)
  return { value: diagnostics.length > 0 ? undefined : value, diagnostics }

  function complain(span: Span, code: Code, message: string, hint?: string): void {
    if (!diagnostics.some((known) => known.code === code && (code === 'RB1011' || code === 'RB1012')))
      diagnostics.push(problemAt(source, span, code, message, hint))
  }

  /** `alias` is where the outermost alias stands that leads here: what is wrong behind it is wrong there. */
  function locate(node: YamlNode | null, depth: number, alias: Span | undefined): Located {
    const span = alias ?? spanOf(node)
    const nothing: Located = { kind: 'scalar', span, value: null }
    if (++budget.nodes > mostNodes) {
      complain(
        span,
        'RB1011',
        `aliases make the document larger than ${mostNodes} values`,
        'write the repeated part out, or loop with `for_each`',
      )
      return nothing
    }
    if (depth > deepest) {
      complain(span, 'RB1012', `the document is nested deeper than ${deepest} levels`)
      return nothing
    }
    if (isAlias(node)) {
      const target = node.resolve(document as never)
      if (!target) {
        complain(
          span,
          'RB1016',
          `no anchor is called \`${node.source}\` before this`,
          `mark the value with \`&${node.source}\` further up; a text that begins with \`*\` stands in quotes`,
        )
        return nothing
      }
      return at(span, locate(target as YamlNode, depth + 1, span))
    }
    if (isMap(node)) {
      const entries = node.items.flatMap((pair): LocatedEntry[] => {
        const key = isScalar(pair.key) ? pair.key.value : undefined
        if (typeof key !== 'string') return [] // told by the parser already
        if (key === '<<')
          complain(
            alias ?? spanOf(pair.key as YamlNode),
            'RB1102',
            'merge keys are not read',
            'write the keys out; an alias (`*name`) can stand for a whole value',
          )
        return [
          {
            key,
            keySpan: alias ?? spanOf(pair.key as YamlNode),
            value: locate((pair.value as YamlNode | null) ?? null, depth + 1, alias),
          },
        ]
      })
      return { kind: 'map', span: alias ?? ending(node, span, entries.at(-1)?.value), entries }
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => locate(item as YamlNode, depth + 1, alias))
      return { kind: 'list', span: alias ?? ending(node, span, items.at(-1)), items }
    }
    if (isScalar(node)) return { kind: 'scalar', span, value: scalarOf(node.value, span) }
    return nothing
  }

  function scalarOf(value: unknown, span: Span): string | number | boolean | null {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      complain(span, 'RB1014', `\`${source.text.slice(span.start, span.end)}\` is not a JSON number`)
      return 0
    }
    if (typeof value === 'number' && !isExact(value, source.text.slice(span.start, span.end))) {
      complain(
        span,
        'RB1014',
        `\`${source.text.slice(span.start, span.end)}\` is too large to be exact`,
        'write it in quotes, as a text',
      )
      return 0
    }
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value
    complain(span, 'RB1013', 'this value has a YAML type that JSON does not know')
    return null
  }
}

/** A tree read through an alias points at where the alias stands. */
function at(span: Span, node: Located): Located {
  return { ...node, span }
}

/** A map or list without brackets ends where its last part ends, and not with what is empty behind it. */
function ending({ flow }: { readonly flow?: boolean }, span: Span, last: Located | undefined): Span {
  return flow || !last ? span : { start: span.start, end: last.span.end }
}

function spanOf(node: YamlNode | null): Span {
  const [start, end] = node?.range ?? [0, 0]
  return { start, end }
}

/** Thrown on the way through the tokens: the text is nested deeper than the composer, which recurses, can bear. */
class TooDeep extends Error {
  readonly offset: number
  constructor(offset: number) {
    super('nested too deeply')
    this.offset = offset
  }
}

/** The parser's tokens, for as long as they are not nested too deeply. */
function* shallowTokens({ text }: Source): Generator<CST.Token> {
  const parser = new Parser()
  let depth = 0
  let offset = 0
  let indicators = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') depth++
    if (lexeme === ']' || lexeme === '}') depth--
    if (lexeme === '-' || lexeme === '?') indicators++
    else if (lexeme === '\n' || lexeme.trim() !== '') indicators = 0
    if (depth > deepest || indicators > deepest) throw new TooDeep(offset)
    if (!marks.has(lexeme)) offset += lexeme.length
    yield* parser.next(lexeme)
  }
  yield* parser.end()
}

function tooDeepAt(source: Source, offset: number): Diagnostic {
  const message = `the document is nested deeper than ${deepest} levels`
  return problemAt(source, { start: offset, end: offset + 1 }, 'RB1012', message)
}
