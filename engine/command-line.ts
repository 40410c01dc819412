/**
 * A command line, split into words when a file is read and never again: each word is rendered on its own afterwards, so
 * that no value can become a second word or an operator. Quotes and the backslash mean what they mean to sh; whatever
 * only a shell could do is a problem here, told before anything runs.
 *
 * A template (`{{ … }}`) is one unit: blanks and quotes in it are its own. `\{{` is a literal `{{`, as in every template.
 */

/** A word without its quotes, templates as they stand; `start` and `end` are offsets into the text, quotes included. */
export interface CommandWord {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Why a text is no command line; the offsets say which part of it. */
export interface CommandProblem {
  readonly kind: 'operator' | 'quote' | 'glob' | 'block'
  readonly message: string
  readonly hint: string
  readonly start: number
  readonly end: number
}

/** The words of a command line, none for a blank text; or the first reason why it is not one. */
export function splitCommand(text: string): { words: CommandWord[] } | { problem: CommandProblem } {
  const words: CommandWord[] = []
  // a block of YAML text ends in a line break that means nothing
  const end = text.trimEnd().length
  let at = text.length - text.trimStart().length
  try {
    while (at < end) {
      const word = readWord(text, at, end)
      if (words.length === 0) refuseAssignment(text, word)
      words.push(word)
      at = skipBlanks(text, word.end)
    }
    return { words }
  } catch (caught) {
    if (caught instanceof NoCommandLine) return { problem: caught.problem }
    throw caught
  }
}

class NoCommandLine extends Error {
  readonly problem: CommandProblem

  constructor(kind: CommandProblem['kind'], start: number, end: number, message: string, hint: string) {
    super(message)
    this.problem = { kind, message, hint, start, end }
  }
}

function skipBlanks(text: string, from: number): number {
  return from + (/^(?:[ \t]|\\\r?\n)*/.exec(text.slice(from))?.[0].length ?? 0)
}

/** What a word is made of, in order. */
type Piece =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'template' | 'escape'; readonly text: string; readonly start: number; readonly end: number }

function readWord(text: string, start: number, end: number): CommandWord {
  const pieces: Piece[] = []
  let quote: { readonly char: string; readonly at: number } | undefined
  let at = start
  while (at < text.length && (quote || (at < end && !/[ \t]/.test(text[at] ?? '')))) {
    const char = text[at] ?? ''
    const piece = templateAt(text, at)
    if (piece) {
      pieces.push(piece)
      at = piece.end
    } else if (char === quote?.char) {
      quote = undefined
      at++
    } else if (!quote && (char === "'" || char === '"')) {
      quote = { char, at }
      pieces.push({ is: 'literal', text: '' })
      at++
    } else {
      const { literal, next } = characterAt(text, at, quote?.char)
      if (next === at + 1) refuseShellSyntax(text, at, { quote: quote?.char, start, end })
      pieces.push({ is: 'literal', text: literal })
      at = next
    }
  }
  if (quote) {
    const message = `the quote \`${quote.char}\` is not closed`
    throw new NoCommandLine(
      'quote',
      quote.at,
      quote.at + 1,
      message,
      'close it, or write `\\` before it to mean itself',
    )
  }
  refuseOpenBlocks(pieces)
  return { text: joinPieces(pieces, { start, end: at }), start, end: at }
}

/** The template, or the escape that prevents one, which begins at an offset. */
function templateAt(text: string, at: number): (Piece & { is: 'template' | 'escape' }) | undefined {
  if (text.startsWith('\\{{', at)) return { is: 'escape', text: '\\{{', start: at, end: at + 3 }
  if (!text.startsWith('{{', at)) return undefined
  const end = endOfTemplate(text, at)
  return { is: 'template', text: text.slice(at, end), start: at, end }
}

/** Behind the braces that close a template; strings, `[segments]` and comments in it may hold braces of their own. */
function endOfTemplate(text: string, start: number): number {
  const rest = text.slice(start)
  if (rest.startsWith('{{{{')) {
    throw new NoCommandLine('block', start, start + 4, 'a raw block cannot stand in a command', blockHint)
  }
  const comment = /^\{\{~?!--.*?--~?\}\}/s.exec(rest) ?? /^\{\{~?!.*?\}\}/s.exec(rest)
  const inside = String.raw`(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\[[^\]]*\]|[^"'\[}]|\}(?!\}))*?`
  const found =
    comment ??
    (rest.startsWith('{{{') ? new RegExp(`^\\{{3}${inside}\\}{3}`) : new RegExp(`^\\{{2}${inside}\\}{2}`)).exec(rest)
  if (found) return start + found[0].length
  throw new NoCommandLine(
    'quote',
    start,
    start + 2,
    'the template `{{` is not closed',
    'close it with `}}`, or write `\\{{` for two braces',
  )
}

/** A character with what quotes and backslashes make of it. */
function characterAt(text: string, at: number, quote: string | undefined): { literal: string; next: number } {
  const char = text[at] ?? ''
  if (char !== '\\' || quote === "'") return { literal: char, next: at + 1 }
  const escaped = text.startsWith('\r\n', at + 1) ? '\r\n' : text.slice(at + 1, at + 2)
  if (quote === '"' && !/^(?:[$`"\\]|\r?\n)$/.test(escaped)) return { literal: `\\${escaped}`, next: at + 2 }
  if (escaped === '') throw new NoCommandLine('quote', at, at + 1, 'the command ends in a backslash', quoteHint)
  // backslash and line break: the line goes on
  return { literal: escaped.endsWith('\n') ? '' : escaped, next: at + 1 + escaped.length }
}

const quoteHint = 'put it in single quotes if the character itself is meant'
const scriptHint = `${quoteHint}; for what a shell does with it use \`ssh.script\` or \`local.script\``
const blockHint = 'keep a block inside one quoted word, give the words as a list, or use `ssh.script` with `args`'

function refuseShellSyntax(
  text: string,
  at: number,
  word: { readonly quote: string | undefined; readonly start: number; readonly end: number },
): void {
  const char = text[at] ?? ''
  if (word.quote === "'") return
  if (char === '$' || char === '`') {
    throw new NoCommandLine(
      'operator',
      at,
      at + 1,
      `\`${char}\` is read by a shell, and this command runs without one`,
      scriptHint,
    )
  }
  if (word.quote) return
  const operator = /^(?:[|&;<>()]+|[\r\n]+)/.exec(text.slice(at, word.end))?.[0]
  if (operator) {
    const shown = /[\r\n]/.test(operator) ? 'a line break' : `\`${operator}\``
    const message = `${shown} needs a shell, and this command runs without one`
    throw new NoCommandLine('operator', at, at + operator.length, message, scriptHint)
  }
  if (char === '#' && at === word.start) {
    throw new NoCommandLine(
      'operator',
      at,
      at + 1,
      '`#` begins a comment in a shell, and this command runs without one',
      scriptHint,
    )
  }
  // `[` alone is a command
  const alone = /^[[\]](?![^ \t])/.test(text.slice(at, word.end)) && at === word.start
  if ((/[*?[\]]/.test(char) && !alone) || (char === '~' && at === word.start)) {
    const what = char === '~' ? 'a home folder' : 'file names'
    const message = `\`${char}\` would stand for ${what} in a shell, and this command runs without one`
    throw new NoCommandLine('glob', at, at + 1, message, scriptHint)
  }
}

/** `LANG=C sort`: to sh a setting, without one the name of a program that does not exist. */
function refuseAssignment(text: string, { start, end }: CommandWord): void {
  const name = /^[A-Za-z_]\w*(?==)/.exec(text.slice(start, end))?.[0]
  if (name === undefined) return
  const message = `\`${name}=\` before a command needs a shell, and this command runs without one`
  throw new NoCommandLine(
    'operator',
    start,
    start + name.length + 1,
    message,
    'name it under `env` of the step, or use `ssh.script`',
  )
}

function refuseOpenBlocks(pieces: readonly Piece[]): void {
  const open: Piece[] = []
  for (const piece of pieces) {
    if (piece.is !== 'template') continue
    const inside = piece.text.replace(/^\{{2,3}~?/, '')
    if (/^(?:#|\^\s*[^\s}~])/.test(inside)) open.push(piece)
    else if (inside.startsWith('/') && !open.pop()) refuseBlock(piece)
  }
  open.forEach(refuseBlock)
}

function refuseBlock(piece: Piece): void {
  if (piece.is === 'literal') return
  const message = `the block of \`${piece.text}\` goes beyond its word, and words are split before templates are rendered`
  throw new NoCommandLine('block', piece.start, piece.end, message, blockHint)
}

/** The word as a template in which everything literal stays literal. */
function joinPieces(pieces: readonly Piece[], { start, end }: { start: number; end: number }): string {
  let word = ''
  let literal = ''
  for (const piece of [...pieces, undefined]) {
    if (piece?.is === 'literal') {
      literal += piece.text
      continue
    }
    const merges =
      literal.includes('{{') ||
      (piece?.is === 'template' && literal.endsWith('{')) ||
      (piece?.is === 'escape' && literal.endsWith('\\'))
    if (merges) {
      const message = 'these braces and backslashes would be read as a template'
      throw new NoCommandLine(
        'quote',
        start,
        end,
        message,
        'write `\\{{` for two braces, or use `ssh.script` with `args`',
      )
    }
    // a backslash before a template would be its escape: two of them are one backslash and the template
    if (piece?.is === 'template' && literal.endsWith('\\')) literal += '\\'
    word += literal + (piece?.text ?? '')
    literal = ''
  }
  return word
}
