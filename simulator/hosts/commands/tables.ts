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
  return `{\n   "${name}": [\n${rows.length > 0 ? `      ${list(rows, 6)}` : ''}\n   ]\n}\n`
}

interface Layout {
  /** Without a line of headings. */
  readonly bare: boolean
  /** Without a tree and without columns, each value one word. */
  readonly raw: boolean
  /** The columns that stand to the right. */
  readonly right?: ReadonlySet<string>
}

const shown = (value: Cell | undefined): string => {
  if (Array.isArray(value)) return value.filter(Boolean).join(' ')
  return typeof value === 'boolean' ? String(Number(value)) : String(value ?? '')
}

/** A value without a blank in it, as a script would read it. */
const oneWord = (value: string): string =>
  value.replace(/[\s\\]/g, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** As lines, with a tree in the first column. */
export function text(rows: readonly Row[], columns: readonly string[], { bare, raw, right }: Layout): string {
  const lines: string[][] = bare ? [] : [columns.map((column) => column.toUpperCase())]
  const add = ({ cells, children }: Row, lead: string, childLead: string) => {
    lines.push(
      columns.map((column, index) => {
        const value = shown(cells[column])
        if (raw) return oneWord(value)
        return index === 0 ? lead + value : value
      }),
    )
    for (const [index, child] of children.entries()) {
      const last = index === children.length - 1
      add(child, `${childLead}${last ? '└─' : '├─'}`, `${childLead}${last ? '  ' : '│ '}`)
    }
  }
  for (const row of rows) add(row, '', '')
  const widths = columns.map((name, column) =>
    // a size has room for five from the beginning
    Math.max(name === 'size' ? 5 : 0, ...lines.map((line) => (line[column] ?? '').length)),
  )
  const placed = (cell: string, index: number, last: boolean) => {
    if (raw) return cell
    if (right?.has(columns[index] ?? '')) return cell.padStart(widths[index] ?? 0)
    return last ? cell : cell.padEnd(widths[index] ?? 0)
  }
  return lines.map((line) => `${line.map((cell, at) => placed(cell, at, at === line.length - 1)).join(' ')}\n`).join('')
}

/** As `--pairs`. */
export function pairs(rows: readonly Row[], columns: readonly string[]): string {
  const line = ({ cells }: Row) =>
    columns.map((column) => `${column.toUpperCase()}="${shown(cells[column])}"`).join(' ')
  return flat(rows)
    .map((row) => `${line(row)}\n`)
    .join('')
}

/** The rows of a tree one after the other. */
export const flat = (rows: readonly Row[]): Row[] =>
  rows.flatMap((row) => [{ ...row, children: [] }, ...flat(row.children)])
