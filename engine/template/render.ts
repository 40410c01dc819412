import type { Scope } from '../expression/expression.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import type { Json } from '../json.ts'
import { Unusable } from './helper-set.ts'
import type { EachPart, Operand, Part, Path, PathOperand } from './part.ts'
import { TemplateError } from './problem.ts'
import type { Renderer } from './renderer.ts'
import { printAs } from './renderer.ts'
import type { Level } from './resolve.ts'
import { resolve, scopeLevel, unusable } from './resolve.ts'

const longest = 4_000_000
const mostItems = 200_000

/** One rendering: what has been written, and the first unknown value that it met. */
interface Writing {
  readonly renderer: Renderer
  text: string
  unknown: Unknown | undefined
  items: number
}

/** Renders the parts; unknown values stand as `‹why›` in the text, and the first of them is told. Throws `TemplateError`. */
export function render(
  parts: readonly Part[],
  scope: Scope,
  renderer: Renderer,
): { readonly text: string; readonly unknown: Unknown | undefined } {
  const writing: Writing = { renderer, text: '', unknown: undefined, items: 0 }
  write(parts, scopeLevel(scope), writing)
  return writing
}

function write(parts: readonly Part[], level: Level, writing: Writing): void {
  for (const part of parts) {
    switch (part.is) {
      case 'text':
        writing.text += part.text
        break
      case 'value':
        writeValue(part.of, part, level, writing)
        break
      case 'if': {
        const test = resolve(part.test, level)
        if (test instanceof Unknown) writeUnknown(test, writing)
        else write(isTruthy(test) ? part.yes : part.no, level, writing)
        break
      }
      case 'each':
        writeEach(part, level, writing)
    }
    if (writing.text.length > longest)
      throw new TemplateError(
        `the text grows beyond ${longest} characters`,
        { start: 0, end: 0 },
        { hint: 'print less of it' },
      )
  }
}

function writeValue(of: Operand, place: { start: number; end: number }, level: Level, writing: Writing): void {
  const value = resolve(of, level)
  const unknown = unknownIn(value)
  if (unknown) {
    writeUnknown(unknown, writing)
    return
  }
  try {
    writing.text += printAs(writing.renderer, value as Json)
  } catch (error) {
    if (error instanceof Unusable) throw unusable(error, of.is === 'path' ? of : place, of)
    throw error
  }
}

function writeUnknown(unknown: Unknown, writing: Writing): void {
  writing.unknown ??= unknown
  writing.text += `‹${unknown.why}›`
}

/** As Handlebars has it: nothing, false, 0, an empty text and an empty list are not. */
function isTruthy(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

function writeEach(part: EachPart, level: Level, writing: Writing): void {
  const over = resolve(part.over, level)
  if (over instanceof Unknown) {
    writeUnknown(over, writing)
    return
  }
  if (typeof over !== 'object' || over === null) {
    const written = part.over.is === 'path' ? `\`${part.over.written}\`` : 'the value'
    const place = part.over.is === 'literal' ? part : part.over
    throw new TemplateError(
      `${written} is ${over === null ? 'empty (`null`)' : 'no list'}, and \`#each\` goes over lists and mappings`,
      place,
    )
  }
  const base = part.over.is === 'path' ? pathFrom(part.over, level) : undefined
  const items: readonly (readonly [string | number, unknown])[] = Array.isArray(over)
    ? [...over.entries()]
    : Object.entries(over)
  writing.items += items.length
  if (writing.items > mostItems)
    throw new TemplateError(`\`#each\` goes over more than ${mostItems} items`, part, {
      hint: 'choose fewer in a `let` step',
    })
  if (items.length === 0) write(part.otherwise, level, writing)
  for (const [index, [key, item]] of items.entries()) {
    const [itemName, keyName] = part.names
    const names = { ...(itemName && { [itemName]: item }), ...(keyName && { [keyName]: key }) }
    write(
      part.body,
      { item, path: base && [...base, key], names, index, key, last: index === items.length - 1, outer: level },
      writing,
    )
  }
}

/** The path of a list from the scope on, so that a message can name what is missing in an item of it. */
function pathFrom({ from, up, name, path }: PathOperand, level: Level): Path | undefined {
  if (from === 'root') return path
  let at: Level | undefined = level
  for (let left = up; left > 0 && at; left--) at = at.outer
  const atItem = from === 'item' || (from === 'name' && at !== undefined && Object.keys(at.names)[0] === name)
  return atItem && at?.path ? [...at.path, ...path] : undefined
}
