import type { Span } from '../source.ts'
import { folded, meant, Unusual, unquoted, unusual } from './plain-text.ts'
import type { Located, LocatedEntry, LocatedScalar } from './tree.ts'

/** Values beyond which a document is read with care: it may be meant to exhaust us. */
const mostValues = 100_000
const deepest = 50
const longestKey = 1_000

/** What begins or ends a document, tabs and other white space, other ends of lines, control characters. */
const unread = /^(?:\.\.\.|---|%)|[^\S\n ]|[\0-\x08\x0e-\x1f\x7f-\x9f]/m
/** Empty lines and notes, and the indentation of the line behind them. */
const gap = /(?: *(?:#[^\n]*)?\n)*( *)(?:#[^\n]*)?/y
const restOfLine = /(?: *(?<= )#[^\n]*| *)(?:\n|$)/y
/** A dash with what separates it from its item. */
const dash = /-(?: +|(?=\n|$))/y
const colon = /:(?=[ \n]|$) */y
/** A plain word or several, up to the end of the line, to a colon before a space, or to a note. */
const words = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^ \n]))(?:[^\n: ]|:(?=[^ \n])| +(?=[^ #\n]))*/y
const moreWords = /(?:[^\n: #]|:(?=[^ \n]))(?:[^\n: ]|:(?=[^ \n])| +(?=[^ #\n]))*/y
/** The same between brackets. */
const flowWords =
  /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^ \n,[\]{}]))(?:[^\n: ,[\]{}]|:(?=[^ \n,[\]{}])| +(?=[^ #\n,[\]{}]))*/y
const flowGap = /(?:[ \n]|(?<=[ \n])#[^\n]*)*/y
const quoted = /'((?:[^']|'')*)'|"((?:[^"\\]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*)"/y
/** The head of a text that keeps its lines (`|`) or folds them (`>`). */
const blockHead = /([|>])([-+]?)(?: +#[^\n]*| *)\n/y
const anchor = /&([\w-]+)(?: +|(?=\n))/y
const alias = /\*([\w-]+)/y
const line = /( *)([^\n]*)\n/y

/**
 * The tree of a text that is YAML as people write it, without faults: some ten times faster than the reader that can say
 * what is wrong, and nothing has to be loaded. Nothing for every other text: one with faults, tags,
 * numbers that JSON does not know. It never tells anything but what `readCarefully` tells.
 */
export function readPlain(text: string): Located | undefined {
  if (unread.test(text)) return undefined
  try {
    return treeOf(text)
  } catch (error) {
    if (error instanceof Unusual) return undefined
    throw error
  }
}

function treeOf(text: string): Located {
  let at = 0
  /** How far the line is indented that was come to, from its beginning to what was read last; -1 behind the last. */
  let column = 0
  let depth = 0
  let values = 0
  const anchored = new Map<string, Located>()

  nextLine()
  const tree = startsItem() || startsKey() ? block(-1) : unusual()
  return column < 0 ? tree : unusual()

  /** Goes on to the first line that is neither empty nor a note. */
  function nextLine(): void {
    const [, indent = ''] = take(gap) ?? unusual()
    column = at === text.length ? -1 : indent.length
  }

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found
  }

  function endLine(): void {
    if (!take(restOfLine)) unusual()
    nextLine()
  }

  function startsItem(): boolean {
    const next = text[at + 1]
    return text[at] === '-' && (next === ' ' || next === '\n' || next === undefined)
  }

  function startsKey(): boolean {
    const from = at
    const found = key() !== undefined
    at = from
    return found
  }

  function scalar(start: number, value: LocatedScalar['value'], end = at): LocatedScalar {
    if (++values > mostValues) unusual()
    return { kind: 'scalar', span: { start, end }, value }
  }

  function deeper(): void {
    if (++depth > deepest || ++values > mostValues) unusual()
  }

  /** What stands here, at `column`; `outside` is the indentation of what it belongs to. */
  function block(outside: number): Located {
    if (startsItem()) return list(column)
    const first = key()
    return first ? map(column, first) : inline(outside)
  }

  interface Key {
    readonly key: string
    readonly keySpan: Span
  }

  /** A key and its colon, gone past when there is one. */
  function key(): Key | undefined {
    const start = at
    const name = word(words)
    const keySpan = { start, end: at }
    if (name !== undefined && take(colon)) return { key: usual(name, keySpan), keySpan }
    at = start
    return undefined
  }

  /** A text in quotes, or words of a pattern. */
  function word(pattern: RegExp): string | undefined {
    const inQuotes = take(quoted)
    return inQuotes ? unquoted(inQuotes) : take(pattern)?.[0]
  }

  /** A key that stands in one line, with its colon right behind it. */
  function usual(name: string, { start, end }: Span): string {
    const written = text.slice(start, end)
    return name === '<<' || written.length > longestKey || written.endsWith(' ') || written.includes('\n')
      ? unusual()
      : name
  }

  function textInQuotes(outside: number): LocatedScalar | undefined {
    const start = at
    const inQuotes = take(quoted)
    if (!inQuotes) return undefined
    furtherIn(inQuotes[0], outside)
    return scalar(start, unquoted(inQuotes))
  }

  function map(indent: number, first: Key): Located {
    deeper()
    const entries: LocatedEntry[] = []
    const keys = new Set<string>()
    for (let found: Key | undefined = first; found; found = column === indent ? (key() ?? unusual()) : undefined) {
      if (keys.has(found.key)) unusual()
      keys.add(found.key)
      entries.push({ ...found, value: value(indent) })
    }
    depth--
    return { kind: 'map', span: { start: first.keySpan.start, end: entries.at(-1)?.value.span.end ?? at }, entries }
  }

  /** What stands behind a colon, or below it. */
  function value(indent: number): Located {
    const name = take(anchor)?.[1]
    const nowhere = at
    if (!take(restOfLine)) return marked(name, inline(indent))
    nextLine()
    if (column > indent || (column === indent && startsItem())) return marked(name, block(indent))
    return name === undefined ? scalar(nowhere, null, nowhere) : unusual()
  }

  function marked(name: string | undefined, node: Located): Located {
    if (name === undefined) return node
    if (anchored.has(name)) unusual()
    anchored.set(name, node)
    return node
  }

  /** What is read through an alias stands where the alias stands. */
  function repeated(): Located {
    const start = at
    const [, name = ''] = take(alias) ?? unusual()
    return copy(anchored.get(name) ?? unusual(), { start, end: at })
  }

  function copy(node: Located, span: Span): Located {
    if (++values > mostValues) unusual()
    if (node.kind === 'list') return { kind: 'list', span, items: node.items.map((item) => copy(item, span)) }
    if (node.kind === 'scalar') return { ...node, span }
    const entries = node.entries.map(({ key, value: each }) => ({ key, keySpan: span, value: copy(each, span) }))
    return { kind: 'map', span, entries }
  }

  function list(indent: number): Located {
    deeper()
    const items: Located[] = []
    const start = at
    while (column === indent && startsItem()) {
      const [found] = take(dash) ?? unusual()
      if (take(restOfLine)) {
        nextLine()
        items.push(column > indent ? block(indent) : unusual())
      } else {
        // what stands behind the dash is indented by it
        column = indent + found.length
        items.push(block(indent))
      }
    }
    depth--
    return { kind: 'list', span: { start, end: items.at(-1)?.span.end ?? at }, items }
  }

  /** A value that begins in this line, with all lines that belong to it. */
  function inline(outside: number): Located {
    switch (text[at]) {
      case '|':
      case '>':
        return blockText(outside)
      case '[':
      case '{': {
        const node = flow(outside)
        endLine()
        return node
      }
      case '*': {
        const node = repeated()
        endLine()
        return node
      }
      case "'":
      case '"': {
        const node = textInQuotes(outside) ?? unusual()
        endLine()
        return node
      }
      default:
        return plainText(outside)
    }
  }

  function plainText(outside: number): Located {
    const start = at
    let [written] = take(words) ?? unusual()
    for (;;) {
      const end = at
      endLine()
      if (column <= outside) return scalar(start, meant(written), end)
      const between = text.slice(end, at)
      // behind a note nothing goes on
      if (between.includes('#')) unusual()
      const [more] = take(moreWords) ?? unusual()
      const breaks = between.split('\n').length - 2
      written += (breaks === 0 ? ' ' : '\n'.repeat(breaks)) + more
    }
  }

  function blockText(outside: number): Located {
    const start = at
    const [, style, chomping] = take(blockHead) ?? unusual()
    const lines: string[] = []
    let indent = 0
    /** How far the empty lines above the first are indented. */
    let widest = 0
    /** How many lines there are without the empty ones at the end, and where they end. */
    let written = 0
    let end = at
    for (let from = at; from < text.length; from = at) {
      const [, { length } = '', rest = ''] = take(line) ?? unusual()
      if (rest === '') {
        widest = Math.max(widest, length)
        if (indent > 0 && length > indent) unusual()
        lines.push('')
        continue
      }
      if (indent === 0) indent = length > outside && length >= widest && length > 0 ? length : unusual()
      if (length < indent) {
        at = from
        break
      }
      lines.push(text.slice(from + indent, at - 1))
      written = lines.length
      end = at
    }
    if (indent === 0) unusual()
    const kept = chomping === '+' ? '\n'.repeat(lines.length - written + 1) : chomping === '-' ? '' : '\n'
    const whole = lines.slice(0, written)
    if (chomping === '+') end = at
    const node = scalar(start, (style === '|' ? whole.join('\n') : folded(whole)) + kept, end)
    nextLine()
    return node
  }

  /** What stands in brackets. */
  function flow(outside: number): Located {
    deeper()
    const start = at
    const close = text[at] === '[' ? ']' : '}'
    const items: Located[] = []
    const entries: LocatedEntry[] = []
    const keys = new Set<string>()
    at++
    for (;;) {
      flowSpace(outside)
      if (text[at] === close) break
      if (close === ']') items.push(flowValue(outside))
      else entries.push(flowEntry(outside, keys))
      flowSpace(outside)
      if (text[at] === close) break
      if (text[at] !== ',') unusual()
      at++
    }
    at++
    depth--
    const span = { start, end: at }
    return close === ']' ? { kind: 'list', span, items } : { kind: 'map', span, entries }
  }

  function flowSpace(outside: number): void {
    const [space] = take(flowGap) ?? unusual()
    furtherIn(space, outside)
  }

  /** Lines that go on are indented further than what the value belongs to. */
  function furtherIn(lines: string, outside: number): void {
    for (const [, { length } = ''] of lines.matchAll(/\n( *)(?=[^ \n]|$)/g)) if (length <= outside) unusual()
  }

  function flowEntry(outside: number, keys: Set<string>): LocatedEntry {
    const start = at
    const name = word(flowWords) ?? unusual()
    const keySpan = { start, end: at }
    if (text[at] !== ':' || text[at + 1] !== ' ' || keys.has(name)) unusual()
    keys.add(name)
    at++
    flowSpace(outside)
    return { key: usual(name, keySpan), keySpan, value: flowValue(outside) }
  }

  function flowValue(outside: number): Located {
    const start = at
    if (text[at] === '[' || text[at] === '{') return flow(outside)
    if (text[at] === '*') return repeated()
    return textInQuotes(outside) ?? scalar(start, meant((take(flowWords) ?? unusual())[0]))
  }
}
