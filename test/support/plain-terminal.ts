/** A terminal that understands what the live view writes: line breaks, cursor up, erase below, show and hide the cursor. */
export interface PlainTerminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
  lines(): readonly string[]
  written(): number
  cursorShown(): boolean
}

export function plainTerminal(): PlainTerminal {
  const screen: string[] = ['']
  let line = 0
  let written = 0
  let shown = true

  const apply = (piece: string) => {
    const up = piece.match(/^\u001b\[(\d+)A$/)?.[1]
    if (up !== undefined) line = Math.max(0, line - Number(up))
    else if (piece === '\u001b[0J') screen.splice(line, screen.length, '')
    else if (piece === '\u001b[?25l') shown = false
    else if (piece === '\u001b[?25h') shown = true
    else if (piece === '\n') {
      line++
      screen[line] ??= ''
    } else if (piece !== '\r') screen[line] = (screen[line] ?? '') + piece
  }

  return {
    columns: 120,
    rows: 30,
    write(text) {
      written++
      for (const piece of text.match(/\u001b\[[?\d]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g) ?? []) apply(piece)
    },
    lines: () => screen.filter((text, index) => text !== '' || index < screen.length - 1),
    written: () => written,
    cursorShown: () => shown,
  }
}
