import type { Part } from './part.ts'

/** In text, and between braces: nothing that the library reads in a way of its own. */
const special = /[\\\0]/
const longest = 2_000
const braces = /\{\{[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*\}\}(?!\})/y
const words: ReadonlySet<string> = new Set(['true', 'false', 'null', 'undefined', 'this', 'else', 'as'])

/**
 * A text in whose braces stand plain paths, which nearly all templates are, read without the library: a check reads
 * hundreds of them. Undefined for anything else, also for what is no template: the library says why.
 */
export function plainParts(text: string): readonly Part[] | undefined {
  if (text.length > longest || special.test(text)) return undefined
  const parts: Part[] = []
  let at = 0
  for (let open = text.indexOf('{{'); open >= 0; open = text.indexOf('{{', at)) {
    braces.lastIndex = open
    const [whole, written] = braces.exec(text) ?? []
    if (whole === undefined || written === undefined) return undefined
    const path = written.split('.')
    if (path.some((name) => words.has(name))) return undefined
    if (open > at) parts.push({ is: 'text', text: text.slice(at, open) })
    at = open + whole.length
    const start = open + whole.indexOf(written)
    const of = { is: 'path', written, start, end: start + written.length, up: 0, from: 'item', path } as const
    parts.push({ is: 'value', of, start: open, end: at })
  }
  if (at < text.length) parts.push({ is: 'text', text: text.slice(at) })
  return parts
}
