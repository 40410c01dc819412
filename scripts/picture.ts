/**
 * Draws `docs/run.svg`: a rehearsal, run on a terminal of its own (`script` of util-linux), and what the terminal shows
 * when it is over. What is drawn is what the program wrote; the lines of steps that went well are left out.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Cell {
  readonly text: string
  readonly style: string
}

const columns = 108
const rows = 44
const wanted = ['exec', 'daily-inspection', '--rehearse', 'compute-down']
const size = { letter: 7.23, line: 17, edge: 14 }
const colours: { readonly [code: number]: string } = {
  30: '#6e7681',
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#56d4dd',
  37: '#e6edf3',
  90: '#8b949e',
}

writeFileSync('docs/run.svg', drawing(shortened(screenAfter(recorded())).slice(-rows)))

/** Everything the program writes to a terminal of this size. */
function recorded(): string {
  const home = mkdtempSync(join(tmpdir(), 'runbook-picture-'))
  const command = `stty cols ${columns} rows ${rows}; ${process.execPath} ${resolve('dist/cli.js')} ${wanted.join(' ')}; true`
  const env = { PATH: process.env['PATH'], HOME: home, TERM: 'xterm-256color', LANG: 'C.UTF-8', USER: 'operator' }
  try {
    return execFileSync('script', ['-qec', command, '/dev/null'], { env, encoding: 'utf8', cwd: home })
      .replaceAll(home, '~')
      .replaceAll('\r\n', '\n')
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** All lines in the end: text, colours, cursor moves and erasing; that is all the live view uses. */
function screenAfter(text: string): readonly (readonly Cell[])[] {
  const lines: Cell[][] = [[]]
  let row = 0
  let column = 0
  let style = ''
  const line = () => {
    while (lines.length <= row) lines.push([])
    return lines[row] as Cell[]
  }
  for (const [token, private_, amount, letter] of text.matchAll(/\x1b\[(\?)?([\d;]*)([A-Za-z])|\x1b[=>78]|[\s\S]/gu)) {
    const count = Number(amount || 1)
    if (letter !== undefined && private_ === undefined) {
      if (letter === 'm') style = restyled(style, amount ?? '')
      else if (letter === 'A') row = Math.max(0, row - count)
      else if (letter === 'B') row += count
      else if (letter === 'C') column += count
      else if (letter === 'D') column = Math.max(0, column - count)
      else if (letter === 'G') column = count - 1
      else if (letter === 'K') line().length = amount === '2' ? 0 : Math.min(column, line().length)
      else if (letter === 'J') {
        line().length = Math.min(column, line().length)
        lines.length = row + 1
      }
    } else if (token === '\n') [row, column] = [row + 1, 0]
    else if (token === '\r') column = 0
    else if (token >= ' ' && !token.startsWith('\x1b')) {
      if (column >= columns) [row, column] = [row + 1, 0]
      const cells = line()
      while (cells.length < column) cells.push({ text: ' ', style: '' })
      cells[column++] = { text: token, style }
    }
  }
  while (lines.at(-1)?.every(({ text: each }) => each.trim() === '')) lines.pop()
  return lines
}

/** Without the lines of steps that went well, and what of them stands on a second line. */
function shortened(lines: readonly (readonly Cell[])[]): (readonly Cell[])[] {
  let dull = false
  return lines.filter((cells) => {
    const text = cells.map((cell) => cell.text).join('')
    // the end of a line that was too long, `  128ms)`, is not new
    const isNew = /^(\d\d:\d\d:\d\d | {2}|\W|$)/.test(text) && !/^ *\S+\)$/.test(text)
    dull = isNew ? /^\d\d:\d\d:\d\d +(ok|begins|skipped) |^ {10}`/.test(text) : dull
    return !dull
  })
}

function restyled(style: string, codes: string): string {
  const parts = new Set(style.split(' ').filter((part) => part !== ''))
  for (const code of codes.split(';').map(Number)) {
    const colour = colours[code] ?? colours[code - 60]
    if (code === 0) parts.clear()
    else if (code === 1) parts.add('b')
    else if (code === 2) parts.add('d')
    else if (code === 22) for (const part of ['b', 'd']) parts.delete(part)
    if (colour !== undefined || code === 39) for (const part of parts) if (part.startsWith('#')) parts.delete(part)
    if (colour !== undefined) parts.add(colour)
  }
  return [...parts].join(' ')
}

function drawing(lines: readonly (readonly Cell[])[]): string {
  const prompt = `$ runbook ${wanted.join(' ')}`
  const all = [[...prompt].map((text) => ({ text, style: 'b' })), ...lines]
  const width = Math.round(columns * size.letter + 2 * size.edge)
  const height = all.length * size.line + 2 * size.edge
  const texts = all.map((cells, index) => {
    const y = size.edge + (index + 0.75) * size.line
    return cells.length === 0 ? '' : `<text x="${size.edge}" y="${y}">${spans(cells)}</text>\n`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(prompt)}</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<style>text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}.b{font-weight:bold}.d{opacity:.65}</style>
${texts.join('')}</svg>
`
}

/** Neighbours of one style in one piece. */
function spans(cells: readonly Cell[]): string {
  const pieces: { style: string; text: string }[] = []
  for (const { text, style } of cells) {
    const last = pieces.at(-1)
    if (last && last.style === style) last.text += text
    else pieces.push({ style, text })
  }
  return pieces
    .map(({ style, text }) => (style === '' ? escaped(text) : `<tspan${attributes(style)}>${escaped(text)}</tspan>`))
    .join('')
}

function attributes(style: string): string {
  const parts = style.split(' ')
  const names = parts.filter((part) => !part.startsWith('#')).join(' ')
  const colour = parts.find((part) => part.startsWith('#'))
  return `${names === '' ? '' : ` class="${names}"`}${colour === undefined ? '' : ` fill="${colour}"`}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
