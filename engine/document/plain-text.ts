/** Thrown where a text is not as plain as it has to be to be read by `plain.ts`. */
export class Unusual extends Error {}

export function unusual(): never {
  throw new Unusual()
}

/** A text between single quotes or between double ones. */
export function unquoted([, single, double = '']: RegExpExecArray): string {
  if (single !== undefined) return joined(single, '\n').replaceAll("''", "'")
  return double.includes('\\') ? (JSON.parse(`"${joined(double, '\\n')}"`) as string) : joined(double, '\n')
}

/** Lines become one, without the space round their ends; of those that are empty, breaks stay. */
function joined(written: string, lineBreak: string): string {
  if (!written.includes('\n')) return written
  const lines = written.split('\n')
  let text = lines[0]?.trimEnd() ?? ''
  let empty = 0
  for (const [index, line] of lines.entries()) {
    if (index === 0) continue
    const isLast = index === lines.length - 1
    const part = isLast ? line.trimStart() : line.trim()
    if (part === '' && !isLast) {
      empty++
      continue
    }
    text += (empty === 0 ? ' ' : lineBreak.repeat(empty)) + part
    empty = 0
  }
  return text
}

/** Lines become one, but for those that are indented further and those beside empty ones. */
export function folded(lines: readonly string[]): string {
  let text = ''
  let before: string | undefined
  let empty = 0
  for (const line of lines) {
    if (line === '') {
      empty++
      continue
    }
    if (before === undefined) text = '\n'.repeat(empty)
    else if (before.startsWith(' ') || line.startsWith(' ')) text += '\n'.repeat(empty + 1)
    else text += empty === 0 ? ' ' : '\n'.repeat(empty)
    text += line
    before = line
    empty = 0
  }
  return text
}

/** What a plain word means in the core schema of YAML 1.2. */
export function meant(word: string): string | number | boolean | null {
  // nothing else begins a word that means more than itself
  if (!/^[-+.~\dFNTfnt]/.test(word)) return word
  if (/^[-+]?(?:\d+|(?:\.\d+|\d+\.\d*)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)$/.test(word)) return finite(Number(word))
  if (/^(?:~|null|Null|NULL)$/.test(word)) return null
  if (/^(?:true|True|TRUE)$/.test(word)) return true
  if (/^(?:false|False|FALSE)$/.test(word)) return false
  // numbers of other bases, and those that are none
  return /^(?:0[ox]|[-+]?\.(?:inf|nan)$)/i.test(word) ? unusual() : word
}

function finite(number: number): number {
  return Number.isFinite(number) ? number : unusual()
}
