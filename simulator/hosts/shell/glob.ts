import { absolute, type Files } from '../machine/files.ts'

interface Piece {
  readonly text: string
  readonly quoted: boolean
}

/** A shell pattern as a regular expression for the whole text. */
export function patternOf(pieces: readonly Piece[]): RegExp {
  const source = pieces.map(({ text, quoted }) => (quoted ? literally(text) : translate(text))).join('')
  return new RegExp(`^${source}$`, 's')
}

/** The paths a pattern names, sorted, in the form it was typed; empty when there is none. */
export function glob(files: Files, cwd: string, field: readonly Piece[]): string[] {
  const typed = field.map(({ text }) => text).join('')
  const segments: Piece[][] = [[]]
  for (const { text, quoted } of field) {
    for (const [index, part] of text.split('/').entries()) {
      if (index > 0) segments.push([])
      if (part !== '') segments.at(-1)?.push({ text: part, quoted })
    }
  }
  let found: string[] = [typed.startsWith('/') ? '/' : '']
  for (const segment of typed.startsWith('/') ? segments.slice(1) : segments) {
    const name = segment.map(({ text }) => text).join('')
    const wild = segment.some(({ text, quoted }) => !quoted && /[*?[]/.test(text))
    found = found.flatMap((base) => {
      const join = (entry: string) => (base === '' || base.endsWith('/') ? `${base}${entry}` : `${base}/${entry}`)
      if (!wild) return name === '' || files.find(absolute(cwd, join(name))) ? [join(name)] : []
      const folder = absolute(cwd, base === '' ? '.' : base)
      const node = files.find(folder)
      if (node?.kind !== 'folder') return []
      const pattern = patternOf(segment)
      return files
        .list(folder)
        .filter((entry) => pattern.test(entry) && (!entry.startsWith('.') || name.startsWith('.')))
        .map(join)
    })
  }
  return found.sort()
}

const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

function translate(text: string): string {
  return text.replace(
    /\[(!|\^)?(\]?[^\]]*)\]|\*|\?|[\s\S]/g,
    (sign, not: string | undefined, set: string | undefined) => {
      if (sign === '*') return '.*'
      if (sign === '?') return '.'
      if (set === undefined || set === '') return literally(sign)
      const named = set.replace(/\[:(\w+):/g, (_, name: string) => classes[name] ?? '')
      return `[${not ? '^' : ''}${named.replace(/[\\\]]/g, '\\$&')}]`
    },
  )
}

const classes: Readonly<Record<string, string>> = {
  digit: '0-9',
  alpha: 'A-Za-z',
  alnum: 'A-Za-z0-9',
  space: ' \\t\\n',
  upper: 'A-Z',
  lower: 'a-z',
}
