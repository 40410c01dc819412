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
export function positionOf({ text }: Source, offset: number): Position {
  const upTo = text.slice(0, Math.max(0, Math.min(offset, text.length)))
  const lastBreak = upTo.lastIndexOf('\n')
  return { line: countBreaks(upTo) + 1, column: upTo.length - lastBreak }
}

/** The text of a line, from 1, without its line break. */
export function lineOf({ text }: Source, line: number): string {
  return (text.split('\n')[line - 1] ?? '').replace(/\r$/, '')
}

function countBreaks(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
