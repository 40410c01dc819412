import type { Json, JsonObject } from '../json.ts'
import type { Span } from '../source.ts'

/** A YAML document as plain data in which every value knows where it was written. */
export type Located = LocatedMap | LocatedList | LocatedScalar

export interface LocatedMap {
  readonly kind: 'map'
  readonly span: Span
  readonly entries: readonly LocatedEntry[]
}

export interface LocatedEntry {
  readonly key: string
  readonly keySpan: Span
  readonly value: Located
}

export interface LocatedList {
  readonly kind: 'list'
  readonly span: Span
  readonly items: readonly Located[]
}

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly span: Span
  readonly value: null | boolean | number | string
}

export type Path = readonly (string | number)[]

export function toJson(node: Located): Json {
  switch (node.kind) {
    case 'map':
      return mapToJson(node)
    case 'list':
      return node.items.map(toJson)
    case 'scalar':
      return node.value
  }
}

export function mapToJson(node: LocatedMap): JsonObject {
  const object: { [key: string]: Json } = {}
  for (const { key, value } of node.entries) {
    // an ordinary key like any other, not the prototype
    if (key === '__proto__') Object.defineProperty(object, key, { value: toJson(value), enumerable: true })
    else object[key] = toJson(value)
  }
  return object
}

export function entryOf(node: Located | undefined, key: string): LocatedEntry | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key) : undefined
}

export function childOf(node: Located | undefined, key: string): Located | undefined {
  return entryOf(node, key)?.value
}

export function itemsOf(node: Located | undefined): readonly Located[] {
  return node?.kind === 'list' ? node.items : []
}

export function entriesOf(node: Located | undefined): readonly LocatedEntry[] {
  return node?.kind === 'map' ? node.entries : []
}

/** The node at a path, or the nearest one above it that is there. */
export function nodeAt(root: Located, path: Path): Located {
  let node = root
  for (const part of path) {
    const next: Located | undefined = typeof part === 'number' ? itemsOf(node)[part] : childOf(node, part)
    if (!next) return node
    node = next
  }
  return node
}

/** Where to point at a value: at the scalar itself, at the key that leads to a map or list, else at its first character. */
export function spanAt(root: Located, path: Path): Span {
  const node = nodeAt(root, path)
  if (node.kind === 'scalar') return node.span
  const last = path.at(-1)
  const entry = typeof last === 'string' ? entryOf(nodeAt(root, path.slice(0, -1)), last) : undefined
  return entry?.keySpan ?? firstOf(node)
}

/** A short span that stands for a whole map or list. */
export function firstOf(node: Located): Span {
  if (node.kind === 'map') return node.entries[0]?.keySpan ?? node.span
  if (node.kind === 'list') return node.items[0] ? firstOf(node.items[0]) : node.span
  return node.span
}
