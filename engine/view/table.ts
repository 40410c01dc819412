import { isObject, type Json, type JsonObject } from '../json.ts'
import { cut, padded, safeLine, widthOf } from './terminal-text.ts'

const widest = 48

/** Rows of data as columns, with their names above; what comes from outside cannot steer the terminal. */
export function tableLines(rows: readonly JsonObject[]): readonly string[] {
  if (rows.length === 0) return []
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) => fields.map((field) => cut(cellOf(row[field]), widest)))
  const widths = fields.map((field, index) =>
    Math.max(widthOf(field), ...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => padded(text, widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(fields.map(safeLine)), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)]
}

function cellOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return safeLine(isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value))
}
