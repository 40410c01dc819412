import type { Reference } from '../expression/expression.ts'
import type { Operand, Part, Path, PathOperand } from './part.ts'

/** What stands at a level: the path of the item in the scope, where it is known, and the names of `#each`. */
interface Level {
  readonly item: Path | undefined
  readonly names: readonly string[]
}

/** What a template takes from the scope, in the order of its text; an item of a list is its first: `['list', 0, 'name']`. */
export function referencesIn(parts: readonly Part[]): readonly Reference[] {
  const found: Reference[] = []
  inParts(parts, [{ item: [], names: [] }], found)
  return found.sort((a, b) => a.start - b.start)
}

function inParts(parts: readonly Part[], levels: readonly Level[], found: Reference[]): void {
  for (const part of parts) {
    switch (part.is) {
      case 'text':
        break
      case 'value':
        inOperand(part.of, levels, found, 'value')
        break
      case 'if':
        inOperand(part.test, levels, found, 'if')
        inParts(part.yes, levels, found)
        inParts(part.no, levels, found)
        break
      case 'each': {
        inOperand(part.over, levels, found, 'each')
        const list = part.over.is === 'path' ? absolute(part.over, levels) : undefined
        inParts(part.body, [...levels, { item: list && [...list, 0], names: part.names }], found)
        inParts(part.otherwise, levels, found)
      }
    }
  }
}

function inOperand(operand: Operand, levels: readonly Level[], found: Reference[], taken: string): void {
  if (operand.is === 'helper') {
    // what a helper takes first is what it is about; the rest is printed
    operand.args.forEach((arg, index) => {
      inOperand(arg, levels, found, index === 0 ? operand.helper : 'value')
    })
  }
  if (operand.is !== 'path') return
  const path = absolute(operand, levels)
  if (path && path.length > 0)
    found.push({ path, start: operand.start, end: operand.end, optional: taken === 'default', taken })
}

/** The path from the scope on, or undefined where it hangs on something computed. */
function absolute({ up, from, name, path }: PathOperand, levels: readonly Level[]): Path | undefined {
  if (from === 'root') return path
  const level = levels[levels.length - 1 - up]
  // the second name of `#each` is the key
  const startsAtItem = from === 'item' || (from === 'name' && level?.names[0] === name)
  return startsAtItem && level?.item ? [...level.item, ...path] : undefined
}
