/** A text somebody wrote, with where it came from; everything that points into it does so by offset. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** Offsets into a source text, in UTF-16 code units; `end` is exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A line and a column, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Where in its text an offset stands; an offset past the end is the end. */
export function positionOf(source: Source, offset: number): Position {
  const starts = lineStarts(source)
  const at = Math.max(0, Math.min(offset, source.text.length))
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= at) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: at - (starts[low] ?? 0) + 1 }
}

/** The text of a line, from 1, without its line break; empty where there is no such line. */
export function lineOf(source: Source, line: number): string {
  const starts = lineStarts(source)
  const start = starts[line - 1]
  if (start === undefined) return ''
  const next = starts[line]
  return source.text.slice(start, next === undefined ? source.text.length : next - 1).replace(/\r$/, '')
}

const known = new WeakMap<Source, readonly number[]>()

/** Where each line begins, found once per source. */
function lineStarts(source: Source): readonly number[] {
  const found = known.get(source)
  if (found) return found
  const starts = [0]
  for (let at = source.text.indexOf('\n'); at >= 0; at = source.text.indexOf('\n', at + 1)) starts.push(at + 1)
  known.set(source, starts)
  return starts
}
