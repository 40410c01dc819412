/**
 * Text from remote hosts, files and APIs, made fit for a terminal: it can be read, and it cannot steer.
 * An escape sequence disappears whole; any other control character stays visible as a picture of itself.
 */
export function safe(text: string): string {
  if (harmless.test(text)) return text
  return text
    .replaceAll(controlStrings, '')
    .replaceAll(escapes, '')
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replaceAll('\t', '    ')
    .replaceAll(/[\u0000-\u0009\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll(/[\u007f-\u009f]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/gu, '\ufffd')
}

/** As `safe`, on one line: line breaks become ` ⏎ `. */
export function safeLine(text: string): string {
  return safe(text).trim().replaceAll(/\n+/g, ' ⏎ ')
}

const harmless = /^[\n\u0020-\u007e\u00a0-\u00ff\u4e00-\u9fff]*$/

// OSC (titles, hyperlinks, the clipboard), DCS, SOS, PM and APC, in their 7- and 8-bit forms, up to their end. One that has
// no end loses only its first character below: nothing readable may be swallowed with it.
const controlStrings =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)/g
const escapes = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g

/** Terminal columns a text takes; it must be one line and `safe`. */
export function widthOf(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** At most so many columns, with `…` where something was left out. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += columnsOf(character)
    if (width > columns - 1) break
    kept += character
  }
  return columns < 1 ? '' : `${kept}…`
}

/** Filled with spaces up to so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

function columnsOf(character: string): number {
  if (/^(?:\p{Mn}|\p{Me}|[\u200b-\u200d]|[\ufe00-\ufe0f])$/u.test(character)) return 0
  const code = character.codePointAt(0) ?? 0
  return wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1
}

/** East Asian wide and full width, and emoji: the ranges terminals agree on. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]
