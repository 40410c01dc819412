import { Lexer } from 'yaml'
import type { Diagnostic } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'
import { problemAt } from './problem.ts'

/** A parser that has lost its way complains of what follows too: one cause, one message. */
export function told(complaints: readonly YamlComplaint[]): readonly YamlComplaint[] {
  const open = complaints.find(({ code, message }) => code === 'MISSING_CHAR' || unclosed.test(message))
  if (open) return [open]
  const deeper = complaints.filter(({ code }) => code === 'MULTILINE_IMPLICIT_KEY')
  const first = complaints.find(({ code }) => !precise.has(code))
  return complaints.filter(
    (complaint) =>
      complaint === first ||
      deeper.includes(complaint) ||
      (precise.has(complaint.code) && !deeper.some(({ pos }) => pos[0] === complaint.pos[0])),
  )
}

/** What a list or a mapping in brackets is told that does not end. */
const unclosed = /^Flow (?:sequence|map) .*end with a ([\]}])/

/** Complaints that stand for themselves, whatever came before. */
const precise: ReadonlySet<string> = new Set([
  'DUPLICATE_KEY',
  'TAG_RESOLVE_FAILED',
  'BAD_ALIAS',
  'NON_STRING_KEY',
  'BLOCK_AS_IMPLICIT_KEY',
])

interface YamlComplaint {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** What the parser complains of, in the words of this program and where a person would mend it. */
export function fromYaml(source: Source, { code, message, pos }: YamlComplaint): Diagnostic {
  // what is missing at the end of the text is marked at its last character
  const start = Math.max(0, Math.min(pos[0], source.text.length - 1))
  const span = { start, end: Math.min(Math.max(pos[1], start + 1), source.text.length) }
  const template = source.text.lastIndexOf('{{', span.end)
  if (code === 'NON_STRING_KEY' || (template >= 0 && template >= span.start - 2 && template <= span.start)) {
    const brace = Math.max(0, source.text.lastIndexOf('{{', span.start + 2))
    if (source.text.startsWith('{{', brace) && Math.abs(brace - span.start) <= 3)
      return problemAt(
        source,
        { start: brace, end: brace + 2 },
        'RB1007',
        'a value that begins with `{{` is not text to YAML',
        'put the whole value in quotes: `"{{ … }}"`',
      )
    return problemAt(source, span, 'RB1007', 'a key is not a text', 'keys of a mapping are plain words')
  }
  const missing = /^Missing closing (["'])quote/.exec(message)?.[1] ?? unclosed.exec(message)?.[1]
  if (missing !== undefined) return notClosed(source, missing, pos[0])
  const said = message.charAt(0).toLowerCase() + message.slice(1).split('\n')[0]
  switch (code) {
    case 'DUPLICATE_KEY':
      return problemAt(
        source,
        wordSpan(source, span),
        'RB1009',
        `the key \`${wordAt(source, span)}\` stands twice in one mapping`,
        'keep one of the two',
      )
    case 'TAB_AS_INDENT':
      return problemAt(source, span, 'RB1008', 'a tab is used to indent', 'YAML indents with spaces')
    case 'TAG_RESOLVE_FAILED':
      return problemAt(
        source,
        span,
        'RB1013',
        `the tag \`${wordAt(source, span)}\` is not understood`,
        'runbooks use plain YAML without tags',
      )
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (message.startsWith('Nested mappings'))
        return problemAt(
          source,
          restOfLine(source, span),
          'RB1007',
          'a colon with a space behind it makes a mapping of this text',
          'put the whole text in quotes',
        )
      return problemAt(source, span, 'RB1007', said)
    case 'MULTILINE_IMPLICIT_KEY':
      return tooFarIn(source, pos)
    case 'MISSING_CHAR':
      if (message.startsWith('Sequence item without'))
        return problemAt(
          source,
          firstOfLine(source, pos[0]),
          'RB1007',
          'this line begins in a column in which nothing above it begins',
          'begin it in the column of the keys, or of the `-`, that it belongs with',
        )
      if (message.startsWith('Implicit map keys')) return noKey(source, span)
      return problemAt(source, span, 'RB1007', said)
    case 'BAD_ALIAS':
      return problemAt(source, span, 'RB1016', said)
    default:
      return source.text.slice(span.start, span.end).startsWith('\t')
        ? problemAt(source, span, 'RB1008', 'a tab is used to indent', 'YAML indents with spaces')
        : problemAt(source, span, 'RB1007', said)
  }
}

/** `end` is the closing quote or bracket that is not there before `offset`. */
function notClosed(source: Source, end: string, offset: number): Diagnostic {
  const begin = { ']': '[', '}': '{' }[end] ?? end
  const start = lastOpen(source.text, begin, offset) ?? Math.max(0, Math.min(offset, source.text.length) - 1)
  const message = `what begins with this \`${begin}\` does not end`
  return problemAt(source, { start, end: start + 1 }, 'RB1007', message, `write \`${end}\` where it ends`)
}

/** Lexemes that stand for something the text does not hold: document and block starts, the end of a flow. */
export const marks: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f'])

/** Where the last quote or bracket stands that is still open at an offset. */
function lastOpen(text: string, begin: string, offset: number): number | undefined {
  const open: number[] = []
  let quoted: number | undefined
  let at = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (marks.has(lexeme)) continue
    if (at > offset) break
    if (lexeme === begin) open.push(at)
    else if (lexeme === { '[': ']', '{': '}' }[begin]) open.pop()
    else if (lexeme.startsWith(begin)) quoted = at
    at += lexeme.length
  }
  return begin === '[' || begin === '{' ? open.at(-1) : quoted
}

/** A key that YAML takes for more of the text above it: it is indented further than the key of that text, or that is no key. */
function tooFarIn(source: Source, [start, end]: readonly [number, number]): Diagnostic {
  const above = /([^\s:]+):[ \t]+$/.exec(source.text.slice(Math.max(0, start - 200), start))?.[1]
  if (above === undefined) return noKey(source, { start, end })
  const place = wordSpan(source, firstOfLine(source, end - 1))
  const key = source.text.slice(place.start, place.end)
  return problemAt(
    source,
    place,
    'RB1007',
    `\`${key}\` is indented further than \`${above}\` above: YAML takes it for more of that text`,
    'begin it in the same column',
  )
}

function noKey(source: Source, span: Span): Diagnostic {
  const hint = 'a key has a colon: `key: value`'
  return problemAt(source, restOfLine(source, span), 'RB1007', 'this is neither a key nor a value', hint)
}

/** The first character of a line that is no space. */
function firstOfLine({ text }: Source, offset: number): Span {
  const line = text.lastIndexOf('\n', offset - 1) + 1
  const start = line + (/^[ ]*/.exec(text.slice(line))?.[0].length ?? 0)
  return { start, end: start + 1 }
}

function wordSpan(source: Source, span: Span): Span {
  return { start: span.start, end: span.start + Math.max(1, wordAt(source, span).length) }
}

function restOfLine({ text }: Source, { start }: Span): Span {
  const end = /^[^\r\n]*/.exec(text.slice(start))?.[0].trimEnd().length ?? 1
  return { start, end: start + Math.max(1, end) }
}

function wordAt({ text }: Source, { start }: Span): string {
  return /^[^\s:]*/.exec(text.slice(start, start + 80))?.[0] ?? ''
}
