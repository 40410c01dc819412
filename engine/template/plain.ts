import { helperNamed } from './helper-set.ts'
import type { Operand, Part, PathOperand } from './part.ts'

/** In text, and between braces: nothing that the library reads in a way of its own. */
const special = /[\\\0]/
const longest = 2_000
const name = '[A-Za-z_]\\w*'
const named = `${name}(?:\\.(?:${name}|\\[[\\w:-]+\\]))*`
const braces = new RegExp(
  `\\{\\{[ \\t]*(${named})((?:[ \\t]+(?:${named}|'[^'{}\\r\\n]*'|"[^"{}\\r\\n]*"))*)[ \\t]*\\}\\}(?!\\})`,
  'y',
)
const argument = /'[^']*'|"[^"]*"|[^ \t]+/g
const words: ReadonlySet<string> = new Set(['true', 'false', 'null', 'undefined', 'this', 'else', 'as'])

/**
 * A text in whose braces stand plain paths, or a helper with some, which nearly all templates are, read without the
 * library: a check reads hundreds of them. Undefined for anything else, also for what is no template: the library says why.
 */
export function plainParts(text: string): readonly Part[] | undefined {
  if (text.length > longest || special.test(text)) return undefined
  const parts: Part[] = []
  let at = 0
  for (let open = text.indexOf('{{'); open >= 0; open = text.indexOf('{{', at)) {
    braces.lastIndex = open
    const [whole, first, more = ''] = braces.exec(text) ?? []
    if (whole === undefined || first === undefined) return undefined
    const start = text.indexOf(first, open)
    const place = { start: open, end: open + whole.length }
    const of = more === '' ? path(first, start) : helper(first, more, start + first.length, place)
    if (of === undefined) return undefined
    if (open > at) parts.push({ is: 'text', text: text.slice(at, open) })
    parts.push({ is: 'value', of, ...place })
    at = place.end
  }
  if (at < text.length) parts.push({ is: 'text', text: text.slice(at) })
  return parts
}

function path(written: string, start: number): PathOperand | undefined {
  const names = written.split('.').map((each) => (each.startsWith('[') ? each.slice(1, -1) : each))
  if (names.some((each) => words.has(each))) return undefined
  const keys = names.map((each) => (/^(?:0|[1-9]\d{0,8})$/.test(each) ? Number(each) : each))
  return { is: 'path', written, start, end: start + written.length, up: 0, from: 'item', path: keys }
}

function helper(
  called: string,
  written: string,
  start: number,
  place: { readonly start: number; readonly end: number },
): Operand | undefined {
  const args: Operand[] = []
  for (const { 0: part, index } of written.matchAll(argument)) {
    const quoted = part.startsWith("'") || part.startsWith('"')
    const arg = quoted ? { is: 'literal' as const, value: part.slice(1, -1) } : path(part, start + index)
    if (arg === undefined) return undefined
    args.push(arg)
  }
  const known = helperNamed(called)
  if (!known || args.length < known.needs || args.length > known.most) return undefined
  return { is: 'helper', helper: called, args, ...place }
}
