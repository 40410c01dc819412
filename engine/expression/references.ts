import type { Node } from './node.ts'
import { partsOf } from './node.ts'

/** A name that a text takes from its scope, with as much of the path behind it as is fixed. */
export interface Reference {
  readonly path: readonly (string | number)[]
  /** Offsets of the path in the text. */
  readonly start: number
  readonly end: number
  /** Missing is no error here: it stands in `has()`, or is read with `.?`. */
  readonly optional: boolean
  /** In a template, what takes it: a helper, `each`, or `value` where it is printed. */
  readonly taken?: string
}

/** The references of an expression, in the order of its text; names that it brings itself are none. */
export function referencesOf(node: Node): readonly Reference[] {
  const found: Reference[] = []
  collect(node, new Set(), found)
  return found.sort((a, b) => a.start - b.start)
}

interface Chain {
  readonly root: Node & { readonly kind: 'name' }
  readonly path: (string | number)[]
  readonly end: number
  readonly optional: boolean
  /** Whether the whole node was fixed, so that more can follow. */
  readonly open: boolean
}

function collect(node: Node, bound: ReadonlySet<string>, found: Reference[]): void {
  const chain = chainOf(node.kind === 'has' ? node.of : node)
  if (chain) {
    if (!bound.has(chain.root.name)) {
      found.push({
        path: chain.path,
        start: chain.root.start,
        end: chain.end,
        optional: chain.optional || node.kind === 'has',
      })
    }
    for (const index of computedIndexes(node.kind === 'has' ? node.of : node)) collect(index, bound, found)
    return
  }
  if (node.kind === 'each' || node.kind === 'bind') {
    collect(node.kind === 'each' ? node.over : node.value, bound, found)
    const inner = new Set(bound).add(node.name)
    if (node.kind === 'each' && node.test) collect(node.test, inner, found)
    collect(node.body, inner, found)
    return
  }
  for (const part of partsOf(node)) collect(part, bound, found)
}

/** The path that selects and indexes spell from a name on; it ends where an index is computed. */
function chainOf(node: Node): Chain | undefined {
  if (node.kind === 'name') return { root: node, path: [node.name], end: node.end, optional: false, open: true }
  if (node.kind !== 'select' && node.kind !== 'index') return undefined
  const of = chainOf(node.of)
  if (!of?.open) return of
  const key = node.kind === 'select' ? node.field : node.at.kind === 'literal' ? node.at.value : undefined
  if (typeof key !== 'string' && typeof key !== 'number') return { ...of, open: false }
  return { root: of.root, path: [...of.path, key], end: node.end, optional: of.optional || node.optional, open: true }
}

function computedIndexes(node: Node): readonly Node[] {
  if (node.kind === 'select') return computedIndexes(node.of)
  if (node.kind !== 'index') return []
  return [...computedIndexes(node.of), ...(node.at.kind === 'literal' ? [] : [node.at])]
}
