export type Cell = string | number | boolean | null | readonly (string | null)[]

/** What `lsblk` and `findmnt` show, laid out as libsmartcols of util-linux 2.38 does. */
export interface Row {
  readonly cells: Readonly<Record<string, Cell>>
  readonly children: readonly Row[]
}

/** A size with its unit. */
export function human(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let step = 0
  for (; value >= 1024 && step < units.length - 1; step += 1) value /= 1024
  const rounded = Math.round(value * 10) / 10
  return `${rounded}${units[step]}`
}

/** As `--json`. */
export function json(name: string, rows: readonly Row[], columns: readonly string[]): string {
  const list = (items: readonly Row[], depth: number): string => {
    const pad = ' '.repeat(depth)
    return items.map((row) => `{\n${fields(row, depth + 3)}${pad}}`).join(',')
  }
  const fields = ({ cells, children }: Row, depth: number): string => {
    const pad = ' '.repeat(depth)
    const own = columns.map((column) => {
      const value = cells[column] ?? null
      if (!Array.isArray(value)) return `${pad}"${column}": ${JSON.stringify(value)}`
      return `${pad}"${column}": [\n${pad}    ${value.map((each) => JSON.stringify(each)).join(', ')}\n${pad}]`
    })
    const nested = children.length > 0 ? [`${pad}"children": [\n${pad}   ${list(children, depth + 3)}\n${pad}]`] : []
    return `${[...own, ...nested].join(',\n')}\n`
  }
  return `{\n   "${name}": [\n      ${list(rows, 6)}\n   ]\n}\n`
}

/** As lines, with a tree in the first column. */
export function text(rows: readonly Row[], columns: readonly string[], bare: boolean, raw: boolean): string {
  const lines: string[][] = bare ? [] : [columns.map((column) => column.toUpperCase())]
  const add = ({ cells, children }: Row, lead: string, childLead: string) => {
    lines.push(
      columns.map((column, index) => {
        const value = cells[column]
        const shown = Array.isArray(value)
          ? value.filter(Boolean).join(' ')
          : value === true
            ? '1'
            : value === false
              ? '0'
              : String(value ?? '')
        return index === 0 && !raw ? lead + shown : shown
      }),
    )
    for (const [index, child] of children.entries()) {
      const last = index === children.length - 1
      add(child, `${childLead}${last ? '└─' : '├─'}`, `${childLead}${last ? '  ' : '│ '}`)
    }
  }
  for (const row of rows) add(row, '', '')
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map(
      (line) =>
        `${line.map((cell, index) => (raw || index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(' ')}\n`,
    )
    .join('')
}
