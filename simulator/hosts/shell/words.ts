import { type Cursor, expect, look, startsWith, take, unexpected } from './cursor.ts'
import { type Part, SyntaxProblem, type Word } from './syntax.ts'

const metacharacters = new Set([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')', ''])

/** A word as it stands in a command; nothing, when none begins here. */
export function readWord(cursor: Cursor): Word | undefined {
  const parts: Part[] = []
  while (!metacharacters.has(look(cursor))) readPart(cursor, parts)
  return parts.length > 0 ? parts : undefined
}

/** The inside of double quotes or of a here-document: only `$`, backticks and some backslashes mean something. */
function readQuotedText(cursor: Cursor, end: '"' | ''): Part[] {
  const parts: Part[] = []
  for (;;) {
    const next = look(cursor)
    if (next === end && (end !== '' || cursor.at >= cursor.text.length)) return parts
    if (next === '') throw new SyntaxProblem(`unexpected EOF while looking for matching \`${end}'`)
    if (next === '\\') {
      const escaped = look(cursor, 1)
      cursor.at += 2
      if (escaped === '\n') continue
      const special = '$`\\'.includes(escaped) || (end === '"' && escaped === '"')
      addText(parts, special && escaped !== '' ? escaped : `\\${escaped}`, true)
    } else if (next === '$' || next === '`') {
      readDollar(cursor, parts, true)
    } else {
      addText(parts, take(cursor, /[^"\\$`]+|"/), true)
    }
  }
}

/** A word for text that was read elsewhere: the body of a here-document. */
export function quotedWord(text: string, cursor: Cursor): Word {
  return readQuotedText({ text, at: 0, owed: [], script: cursor.script }, '')
}

function readPart(cursor: Cursor, parts: Part[]): void {
  const next = look(cursor)
  if (next === "'") {
    const end = cursor.text.indexOf("'", cursor.at + 1)
    if (end === -1) throw new SyntaxProblem("unexpected EOF while looking for matching `''")
    addText(parts, cursor.text.slice(cursor.at + 1, end), true)
    cursor.at = end + 1
  } else if (next === '"') {
    cursor.at += 1
    const inside = readQuotedText(cursor, '"')
    expect(cursor, '"')
    parts.push({ kind: 'text', text: '', quoted: true }, ...inside)
  } else if (next === '\\') {
    const escaped = look(cursor, 1)
    cursor.at += 2
    if (escaped !== '\n') addText(parts, escaped, true)
  } else if (next === '$' && look(cursor, 1) === "'") {
    cursor.at += 2
    const raw = take(cursor, /(?:[^'\\]|\\[\s\S])*/)
    expect(cursor, "'")
    addText(parts, unescapeC(raw), true)
  } else if (next === '$' || next === '`') {
    readDollar(cursor, parts, false)
  } else {
    addText(parts, take(cursor, /[^\s;&|<>()'"\\$`]+/), false)
  }
}

function readDollar(cursor: Cursor, parts: Part[], quoted: boolean): void {
  if (look(cursor) === '`') {
    cursor.at += 1
    const raw = take(cursor, /(?:[^`\\]|\\[\s\S])*/)
    expect(cursor, '`')
    const inner = { text: raw.replace(/\\([$`\\])/g, '$1'), at: 0, owed: [], script: cursor.script }
    parts.push({ kind: 'command', body: cursor.script(inner, []), quoted })
  } else if (startsWith(cursor, '$((')) {
    cursor.at += 3
    parts.push({ kind: 'arithmetic', text: arithmeticText(cursor), quoted })
  } else if (startsWith(cursor, '$(')) {
    cursor.at += 2
    const body = cursor.script(cursor, [')'])
    expect(cursor, ')')
    parts.push({ kind: 'command', body, quoted })
  } else if (startsWith(cursor, '${')) {
    cursor.at += 2
    parts.push({ ...readBraces(cursor), quoted })
  } else {
    cursor.at += 1
    const name = take(cursor, /[A-Za-z_]\w*|[0-9@*#?$!-]/)
    if (name === '') addText(parts, '$', quoted)
    else parts.push({ kind: 'variable', name, quoted })
  }
}

function arithmeticText(cursor: Cursor): Word {
  let depth = 0
  let end = cursor.at
  for (; end < cursor.text.length; end += 1) {
    const sign = cursor.text[end]
    if (sign === '(') depth += 1
    if (sign === ')' && depth === 0) break
    if (sign === ')') depth -= 1
  }
  const text = cursor.text.slice(cursor.at, end)
  cursor.at = end
  expect(cursor, '))')
  return quotedWord(text, cursor)
}

function readBraces(cursor: Cursor): { kind: 'variable'; name: string; op?: string; word?: Word } {
  if (look(cursor) === '#' && look(cursor, 1) !== '}') {
    cursor.at += 1
    const name = take(cursor, /[A-Za-z_]\w*(\[[@*]\])?|[0-9@*]+/)
    expect(cursor, '}')
    return { kind: 'variable', name, op: 'length' }
  }
  const name = take(cursor, /[A-Za-z_]\w*(\[[@*0-9]+\])?|[0-9]+|[@*#?$!-]/)
  if (name === '') throw new SyntaxProblem('bad substitution')
  const op = take(cursor, /:[-=+?]|[-=+?]|%%?|##?|\/\/?|:|\^\^?|,,?/)
  const parts: Part[] = []
  while (look(cursor) !== '}') {
    if (look(cursor) === '') throw unexpected(cursor)
    if (metacharacters.has(look(cursor))) addText(parts, take(cursor, /[\s;&|<>()]/), false)
    else if (/[^}'"\\$`]/.test(look(cursor))) addText(parts, take(cursor, /[^}'"\\$`\s;&|<>()]+/), false)
    else readPart(cursor, parts)
  }
  expect(cursor, '}')
  return { kind: 'variable', name, ...(op !== '' && { op, word: parts }) }
}

function addText(parts: Part[], text: string, quoted: boolean): void {
  parts.push({ kind: 'text', text, quoted })
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
}

/** `\n`, `\t`, `\x41`, `\101`: the escapes of `$'…'`, `printf` and `echo -e`. */
export const unescapeC = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])/g, (whole, code: string) => {
    if (code.startsWith('x') && code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]+$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    return escapes[code] ?? (/["'\\?]/.test(code) ? code : whole)
  })
