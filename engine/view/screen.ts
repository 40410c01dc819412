import { widthOf } from './terminal-text.ts'
import type { Sink } from './view.ts'

/** A terminal that is written to; `process.stdout` is one. The size is asked each time, since it changes. */
export interface Terminal extends Sink {
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** Lines that stay, and below them an area that is painted over and over. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  /** Paints the area, and above it lines that stay. Rows are painted text; `plain` is what they take without colours. */
  paint(rows: readonly Row[], lines?: readonly string[]): void
  /** Takes the area away and gives the cursor back. */
  clear(): void
}

export interface Row {
  readonly text: string
  readonly width: number
}

const cursor = { hide: '\u001b[?25l', show: '\u001b[?25h', below: '\u001b[0J' }

export function screenOn(out: Terminal): Screen {
  let painted: readonly Row[] = []
  let shown = ''
  let hidden = false

  const erase = () => {
    // a terminal that became narrower has wrapped what was painted
    const height = painted.reduce((sum, { width }) => sum + Math.max(1, Math.ceil(width / columns())), 0)
    return height === 0 ? '' : `\r\u001b[${height}A${cursor.below}`
  }
  const columns = () => Math.max(20, out.columns ?? 80)

  return {
    get columns() {
      return columns()
    },
    get rows() {
      return Math.max(4, out.rows ?? 24)
    },
    paint(rows, lines = []) {
      const area = rows.map(({ text }) => `${text}\n`).join('')
      if (area === shown && lines.length === 0) return
      const start = hidden ? '' : cursor.hide
      out.write(start + erase() + lines.map((line) => `${line}\n`).join('') + area)
      hidden = true
      painted = rows
      shown = area
    },
    clear() {
      if (!hidden) return
      out.write(erase() + cursor.show)
      painted = []
      shown = ''
      hidden = false
    },
  }
}

/** A row of one piece of painted text, of which only the width without colours matters. */
export function row(text: string, plain: string): Row {
  return { text, width: widthOf(plain) }
}
