import type { Source, Span } from '../source.ts'
import type { Text } from './runbook.ts'

/**
 * Where a part of a text stands in its file. Exact for plain and quoted scalars without escapes and for literal blocks;
 * for folded or escaped texts the whole scalar.
 */
export function placeOf({ text: file }: Source, { text, span }: Text, start: number, end: number): Span {
  const written = file.slice(span.start, span.end)
  if (written === text) return { start: span.start + start, end: span.start + end }
  if (written.length === text.length + 2 && written.slice(1, -1) === text)
    return { start: span.start + 1 + start, end: span.start + 1 + end }
  if (written.startsWith('|')) return inBlock(written, text, start, end, span) ?? span
  const [first = ''] = text.slice(start).split('\n')
  const found = first.length >= 3 ? written.indexOf(first.slice(0, end - start)) : -1
  return found >= 0 && written.indexOf(first.slice(0, end - start), found + 1) < 0
    ? { start: span.start + found, end: span.start + found + (end - start) }
    : firstLine(span, written)
}

/** A literal block: the text's lines are the file's lines without their indentation. */
function inBlock(written: string, text: string, start: number, end: number, span: Span): Span | undefined {
  const line = text.slice(0, start).split('\n').length - 1
  const column = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lines = written.split('\n')
  const indent = /^ */.exec(lines.slice(1).find((each) => each.trim() !== '') ?? '')?.[0].length ?? 0
  const before = lines.slice(0, line + 1).reduce((sum, each) => sum + each.length + 1, 0)
  const from = span.start + before + indent + column
  return line + 1 < lines.length ? { start: from, end: from + (end - start) } : undefined
}

function firstLine(span: Span, written: string): Span {
  const length = written.indexOf('\n')
  return length > 0 ? { start: span.start, end: span.start + length } : span
}
