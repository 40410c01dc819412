import type { Code } from './codes.ts'
import type { Source, Span } from './source.ts'
import { lineOf, positionOf } from './source.ts'

/** A problem in what somebody wrote: a value with a place, drawn only at the edge. */
export interface Diagnostic {
  readonly code: Code
  readonly severity: 'error' | 'warning'
  /** What is wrong, true on its own: lower case, no full stop, backticks round what was typed. */
  readonly message: string
  readonly source: Source
  readonly span: Span
  /** The next thing to try, as a command where there is one. */
  readonly hint?: string
}

/** A stage's answer: the best value it has, and every problem it met. */
export interface Checked<T> {
  readonly value: T | undefined
  readonly diagnostics: readonly Diagnostic[]
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error')
}

/** The text form: the message, the place, the line with a marker below it, the hint. */
export function drawDiagnostic({ code, severity, message, source, span, hint }: Diagnostic): string {
  const { line, column } = positionOf(source, span.start)
  const text = lineOf(source, line)
  const number = String(line)
  const gutter = ' '.repeat(number.length)
  const { shown, marker } = window(text, column, Math.max(1, Math.min(span.end - span.start, text.length - column + 1)))
  return [
    `${severity} ${code}: ${printable(message)}`,
    `${gutter}--> ${source.path}:${line}:${column}`,
    `${number} | ${shown}`,
    `${gutter} | ${marker}`,
    ...(hint ? [`${gutter} = hint: ${printable(hint)}`] : []),
  ].join('\n')
}

const widest = 140

/** A long line is cut round the place, so that a frame always fits a terminal. */
function window(text: string, column: number, length: number): { shown: string; marker: string } {
  const from = text.length <= widest || column < widest - 40 ? 0 : column - 60
  const shown = text.slice(from, from + widest)
  const before = text.slice(from, column - 1)
  const marker = before.replaceAll(/[^\t]/g, ' ') + '^'.repeat(Math.max(1, Math.min(length, widest - before.length)))
  return { shown: printable(shown), marker }
}

/** What a file holds may not steer a terminal: control characters become their visible pictures. */
export function printable(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** In the order of the text, errors and warnings together; the same problem is told once. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>()
  return diagnostics
    .toSorted(
      (a, b) =>
        a.source.path.localeCompare(b.source.path) || a.span.start - b.span.start || a.code.localeCompare(b.code),
    )
    .filter(({ code, source, span, message }) => {
      const key = `${code} ${source.path} ${span.start} ${message}`
      return !seen.has(key) && seen.add(key)
    })
}

/** The nearest of some names to what was typed, if one is near enough to be meant. */
export function closest(typed: string, names: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase())
    if (
      distance <= Math.max(1, Math.floor(Math.max(typed.length, name.length) / 3)) &&
      distance < (best?.distance ?? Infinity)
    )
      best = { name, distance }
  }
  return best?.name
}

export function didYouMean(typed: string, names: Iterable<string>): string | undefined {
  const name = closest(typed, names)
  return name === undefined ? undefined : `did you mean \`${name}\`?`
}

/** Optimal string alignment: insert, delete, replace, and swap of neighbours. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Infinity
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), swap))
    }
  }
  return at(a.length, b.length)
}
