import { isObject, type Json, type JsonObject } from '../json.ts'
import { cut, padded, safeLine, widthOf } from './terminal-text.ts'

const widest = 200

/**
 * Rows of data as columns, with their names above; where they find no room, each row with the names in it. What comes from
 * outside cannot steer the terminal.
 */
export function tableLines(rows: readonly JsonObject[], columns = Number.POSITIVE_INFINITY): readonly string[] {
  if (rows.length === 0) return []
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) => fields.map((field) => cut(cellOf(row[field]), widest)))
  const widths = fields.map((field, index) =>
    Math.max(widthOf(field), ...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  if (widths.reduce((sum, width) => sum + width + 2, -2) > columns)
    return rows.flatMap((row) => wrapped(namedCells(fields, row), columns))
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => padded(text, widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(fields.map(safeLine)), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)]
}

function namedCells(fields: readonly string[], row: JsonObject): string {
  const cells = fields.map((field) => ({ field: safeLine(field), cell: cellOf(row[field]) }))
  return cells
    .filter(({ cell }) => cell !== '')
    .map(({ field, cell }) => `${field}: ${cell}`)
    .join('; ')
}

/** One point of a list, broken between words. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = '-'
  for (const word of text.split(' ')) {
    if (line.trim() !== '-' && line.trim() !== '' && widthOf(`${line} ${word}`) > columns) {
      lines.push(line)
      line = ' '
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

function cellOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return safeLine(isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value))
}
