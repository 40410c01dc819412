import { type Cursor, expect, look, passNewline, skipBlanks, startsWith, take, unexpected } from './cursor.ts'
import type { Assignment, Command, Pipeline, Redirect, Script, Statement, Word } from './syntax.ts'
import { quotedWord, readWord } from './words.ts'

/** Reads a whole script. @throws SyntaxProblem */
export function parseScript(text: string): Script {
  const cursor: Cursor = { text, at: 0, owed: [], script: readScript }
  const script = readScript(cursor, [])
  if (cursor.at < text.length) throw unexpected(cursor)
  return script
}

/** Statements, until the end or one of `until` stands where a command would begin. */
function readScript(cursor: Cursor, until: readonly string[]): Script {
  const statements: Statement[] = []
  for (;;) {
    skipSeparators(cursor)
    if (cursor.at >= cursor.text.length || until.some((end) => endsHere(cursor, end))) return statements
    const statement = readStatement(cursor)
    statements.push(statement)
    skipBlanks(cursor)
    if (statement.background) continue
    if (!/^[;&\n)}]?$/.test(look(cursor)) && !until.some((end) => endsHere(cursor, end))) throw unexpected(cursor)
    if (look(cursor) === ')' && !until.includes(')')) throw unexpected(cursor)
  }
}

function readStatement(cursor: Cursor): Statement {
  const first = readPipeline(cursor)
  const rest: { when: '&&' | '||'; pipeline: Pipeline }[] = []
  for (;;) {
    skipBlanks(cursor)
    const when = startsWith(cursor, '&&') ? '&&' : startsWith(cursor, '||') ? '||' : undefined
    if (!when) break
    cursor.at += 2
    skipNewlines(cursor)
    rest.push({ when, pipeline: readPipeline(cursor) })
  }
  const background = look(cursor) === '&'
  if (background) cursor.at += 1
  return { first, rest, background }
}

function readPipeline(cursor: Cursor): Pipeline {
  skipBlanks(cursor)
  const negated = take(cursor, /!(?=\s)/) !== ''
  const commands = [readCommand(cursor)]
  for (;;) {
    skipBlanks(cursor)
    if (look(cursor) !== '|' || look(cursor, 1) === '|') return { negated, commands }
    cursor.at += 1
    const both = look(cursor) === '&'
    if (both) {
      cursor.at += 1
      const left = commands.at(-1)
      if (left) commands[commands.length - 1] = { ...left, redirects: [...left.redirects, errorsToOutput] }
    }
    skipNewlines(cursor)
    commands.push(readCommand(cursor))
  }
}

const errorsToOutput: Redirect = { fd: 2, op: '>&', target: [{ kind: 'text', text: '1', quoted: false }] }

function readCommand(cursor: Cursor): Command {
  skipBlanks(cursor)
  const compound = readCompound(cursor)
  if (!compound) return readSimple(cursor)
  const redirects: Redirect[] = []
  for (let next = readRedirect(cursor); next; next = readRedirect(cursor)) redirects.push(next)
  return { ...compound, redirects }
}

function readCompound(cursor: Cursor): Command | undefined {
  const redirects: Redirect[] = []
  if (look(cursor) === '(') {
    cursor.at += 1
    const body = block(cursor, ')')
    return { kind: 'subshell', body, redirects }
  }
  const named = /^([A-Za-z_][\w-]*)[ \t]*\(\)\s*|^function[ \t]+([A-Za-z_][\w-]*)[ \t]*(?:\(\))?\s*/.exec(
    cursor.text.slice(cursor.at, cursor.at + 200),
  )
  if (named) {
    cursor.at += named[0].length
    return { kind: 'function', name: named[1] ?? named[2] ?? '', body: readCommand(cursor), redirects }
  }
  switch (keyword(cursor)) {
    case '{':
      return { kind: 'group', body: block(cursor, '}'), redirects }
    case 'if':
      return readIf(cursor)
    case 'while':
    case 'until': {
      const until = cursor.text.slice(cursor.at - 5, cursor.at) === 'until'
      const test = block(cursor, 'do')
      return { kind: 'loop', until, test, body: block(cursor, 'done'), redirects }
    }
    case 'for':
      return readFor(cursor)
    case 'case':
      return readCase(cursor)
    case '[[': {
      const words: Word[] = []
      for (skipBlanks(cursor); !endsHere(cursor, ']]'); skipBlanks(cursor)) {
        const sign = take(cursor, /&&|\|\||[()<>]|\n/)
        const word = sign ? [{ kind: 'text' as const, text: sign, quoted: false }] : readWord(cursor)
        if (!word) throw unexpected(cursor)
        words.push(word)
      }
      expect(cursor, ']]')
      return { kind: 'test', words, redirects }
    }
    default:
      return undefined
  }
}

function readIf(cursor: Cursor): Command {
  const branches: { test: Script; body: Script }[] = []
  for (;;) {
    const test = block(cursor, 'then')
    const body = readScript(cursor, ['elif', 'else', 'fi'])
    branches.push({ test, body })
    const next = keyword(cursor)
    if (next === 'fi') return { kind: 'if', branches, redirects: [] }
    if (next === 'else') return { kind: 'if', branches, otherwise: block(cursor, 'fi'), redirects: [] }
    if (next !== 'elif') throw unexpected(cursor)
  }
}

function readFor(cursor: Cursor): Command {
  skipBlanks(cursor)
  const name = take(cursor, /[A-Za-z_]\w*/)
  skipNewlines(cursor)
  let words: Word[] | undefined
  if (keyword(cursor) === 'in') {
    words = []
    for (skipBlanks(cursor); ; skipBlanks(cursor)) {
      const word = readWord(cursor)
      if (!word) break
      words.push(word)
    }
  }
  skipSeparators(cursor)
  if (keyword(cursor) !== 'do') throw unexpected(cursor)
  return { kind: 'for', name, ...(words && { words }), body: block(cursor, 'done'), redirects: [] }
}

function readCase(cursor: Cursor): Command {
  skipBlanks(cursor)
  const word = readWord(cursor)
  skipNewlines(cursor)
  if (!word || keyword(cursor) !== 'in') throw unexpected(cursor)
  const arms: { patterns: Word[]; body: Script }[] = []
  for (;;) {
    skipSeparators(cursor)
    if (endsHere(cursor, 'esac')) {
      cursor.at += 4
      return { kind: 'case', word, arms, redirects: [] }
    }
    take(cursor, /\(/)
    const patterns: Word[] = []
    do {
      skipBlanks(cursor)
      const pattern = readWord(cursor)
      if (!pattern) throw unexpected(cursor)
      patterns.push(pattern)
      skipBlanks(cursor)
    } while (take(cursor, /\|/) !== '')
    expect(cursor, ')')
    arms.push({ patterns, body: readScript(cursor, [';;', 'esac']) })
    take(cursor, /\s*;;/)
  }
}

function readSimple(cursor: Cursor): Command {
  const assignments: Assignment[] = []
  const redirects: Redirect[] = []
  const words: Word[] = []
  for (;;) {
    skipBlanks(cursor)
    const redirect = readRedirect(cursor)
    if (redirect) {
      redirects.push(redirect)
      continue
    }
    const name = words.length === 0 ? take(cursor, /[A-Za-z_]\w*\+?=(?!\()/) : ''
    const word = readWord(cursor)
    if (name !== '') assignments.push({ name: name.slice(0, -1), value: word ?? [] })
    else if (word) words.push(word)
    else break
  }
  if (assignments.length + redirects.length + words.length === 0) throw unexpected(cursor)
  return { kind: 'simple', assignments, words, redirects }
}

function readRedirect(cursor: Cursor): Redirect | undefined {
  skipBlanks(cursor)
  const sign = take(cursor, /\d*(?:<<-|<<<|<<|>>|>&|<&|>\||<>|<|>)|&>>?/)
  if (sign === '') return undefined
  const [, digits = '', op = ''] = /^(\d*)(.*)$/.exec(sign) ?? []
  const fd = digits === '' ? (op.startsWith('<') ? 0 : 1) : Number(digits)
  skipBlanks(cursor)
  if (op === '<<' || op === '<<-') return hereDocument(cursor, fd, op === '<<-')
  const target = readWord(cursor)
  if (!target) throw unexpected(cursor)
  const plain = op === '>|' ? '>' : op === '<>' ? '<' : op === '&>>' ? '&>' : op
  return { fd, op: plain as Redirect['op'], target }
}

function hereDocument(cursor: Cursor, fd: number, tabs: boolean): Redirect {
  const raw = take(cursor, /[^\s;&|<>()]+/)
  const literal = /['"\\]/.test(raw)
  const target: Word[number][] = []
  const fill = (text: string) =>
    target.push(...(literal ? [{ kind: 'text' as const, text, quoted: true }] : quotedWord(text, cursor)))
  cursor.owed.push({ end: raw.replace(/['"\\]/g, ''), tabs, fill })
  return { fd, op: '<<', target }
}

/** Statements up to a closing word, which is passed too. */
function block(cursor: Cursor, end: string): Script {
  const body = readScript(cursor, [end])
  skipSeparators(cursor)
  if (!endsHere(cursor, end)) throw unexpected(cursor)
  cursor.at += end.length
  return body
}

/** Passes a reserved word, when one stands here. */
function keyword(cursor: Cursor): string {
  skipBlanks(cursor)
  return take(cursor, /(?:\{|\[\[|if|then|elif|else|fi|while|until|for|case|in|do|done|esac)(?=[\s;&|()<>]|$)/)
}

function endsHere(cursor: Cursor, end: string): boolean {
  if (!startsWith(cursor, end)) return false
  return /^\W+$/.test(end) ? true : !/[^\s;&|()<>]/.test(look(cursor, end.length))
}

function skipNewlines(cursor: Cursor): void {
  skipBlanks(cursor)
  while (look(cursor) === '\n') {
    passNewline(cursor)
    skipBlanks(cursor)
  }
}

function skipSeparators(cursor: Cursor): void {
  skipNewlines(cursor)
  while (look(cursor) === ';' && look(cursor, 1) !== ';') {
    cursor.at += 1
    skipNewlines(cursor)
  }
}
