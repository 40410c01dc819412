import { type Script, SyntaxProblem } from './syntax.ts'

/** Where a reader stands in a script. */
export interface Cursor {
  readonly text: string
  at: number
  /** Here-documents whose text begins after the end of this line. */
  readonly owed: { readonly end: string; readonly tabs: boolean; readonly fill: (text: string) => void }[]
  /** Reads statements up to one of these words or signs; given by the parser, for `$(…)` inside a word. */
  readonly script: (cursor: Cursor, until: readonly string[]) => Script
}

export const look = ({ text, at }: Cursor, ahead = 0): string => text[at + ahead] ?? ''

export const startsWith = ({ text, at }: Cursor, sign: string): boolean => text.startsWith(sign, at)

export function take(cursor: Cursor, pattern: RegExp): string {
  const sticky = new RegExp(pattern, 'y')
  sticky.lastIndex = cursor.at
  const found = sticky.exec(cursor.text)?.[0] ?? ''
  cursor.at += found.length
  return found
}

export function expect(cursor: Cursor, sign: string): void {
  if (!startsWith(cursor, sign)) throw unexpected(cursor)
  cursor.at += sign.length
}

export function unexpected(cursor: Cursor): SyntaxProblem {
  if (cursor.at >= cursor.text.length) return new SyntaxProblem('syntax error: unexpected end of file')
  const near = look(cursor) === '\n' ? 'newline' : /\S\S?/y.exec(cursor.text.slice(cursor.at))?.[0]
  return new SyntaxProblem(`syntax error near unexpected token \`${near}'`)
}

/** Blanks, comments and escaped ends of lines; a real end of line stops it. */
export function skipBlanks(cursor: Cursor): void {
  for (;;) {
    if (take(cursor, /[ \t]+|\\\n/) !== '') continue
    if (look(cursor) === '#') take(cursor, /#[^\n]*/)
    else return
  }
}

/** Passes the end of a line, and the here-documents that stand after it. */
export function passNewline(cursor: Cursor): void {
  expect(cursor, '\n')
  for (const { end, tabs, fill } of cursor.owed.splice(0)) {
    const lines: string[] = []
    for (;;) {
      if (cursor.at >= cursor.text.length) break
      const raw = take(cursor, /[^\n]*\n?/).replace(/\n$/, '')
      const line = tabs ? raw.replace(/^\t+/, '') : raw
      if (line === end) break
      lines.push(`${line}\n`)
    }
    fill(lines.join(''))
  }
}
