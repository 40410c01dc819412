/** Where a part of an expression stands in its text: UTF-16 offsets, `end` exclusive, brackets round it included. */
interface Placed {
  readonly start: number
  readonly end: number
}

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%'

/** What goes over the items of a list with a name for each. */
export type Macro = 'all' | 'exists' | 'exists_one' | 'filter' | 'map' | 'sort_by' | 'group_by'

export interface Select extends Placed {
  readonly kind: 'select'
  readonly of: Node
  readonly field: string
  /** Written `.?field`: missing is no error. */
  readonly optional: boolean
}

export interface Each extends Placed {
  readonly kind: 'each'
  readonly macro: Macro
  readonly over: Node
  readonly name: string
  /** The condition of `map(item, condition, body)`. */
  readonly test: Node | undefined
  readonly body: Node
}

/** An expression as the engine sees it: small, closed, and free of the library that read it. */
export type Node =
  | (Placed & { readonly kind: 'literal'; readonly value: null | boolean | number | string })
  | (Placed & { readonly kind: 'name'; readonly name: string })
  | Select
  | (Placed & { readonly kind: 'index'; readonly of: Node; readonly at: Node; readonly optional: boolean })
  | (Placed & { readonly kind: 'list'; readonly items: readonly Node[] })
  | (Placed & { readonly kind: 'map'; readonly entries: readonly (readonly [Node, Node])[] })
  | (Placed & { readonly kind: 'not' | 'negative'; readonly of: Node })
  | (Placed & { readonly kind: 'and' | 'or'; readonly left: Node; readonly right: Node })
  | (Placed & { readonly kind: 'choice'; readonly test: Node; readonly yes: Node; readonly no: Node })
  | (Placed & { readonly kind: 'operator'; readonly name: Operator; readonly left: Node; readonly right: Node })
  | (Placed & { readonly kind: 'has'; readonly of: Select })
  | (Placed & {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly Node[]
      readonly method: boolean
    })
  | Each
  | (Placed & { readonly kind: 'bind'; readonly name: string; readonly value: Node; readonly body: Node })

/** The parts directly below, in the order of the text. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'literal':
    case 'name':
      return []
    case 'select':
    case 'not':
    case 'negative':
    case 'has':
      return [node.of]
    case 'index':
      return [node.of, node.at]
    case 'list':
      return node.items
    case 'map':
      return node.entries.flat()
    case 'and':
    case 'or':
    case 'operator':
      return [node.left, node.right]
    case 'choice':
      return [node.test, node.yes, node.no]
    case 'call':
      return node.args
    case 'each':
      return node.test ? [node.over, node.test, node.body] : [node.over, node.body]
    case 'bind':
      return [node.value, node.body]
  }
}

/** The fixed path that a node spells from a name on, or undefined where something is computed. */
export function pathOf(node: Node): (string | number)[] | undefined {
  switch (node.kind) {
    case 'name':
      return [node.name]
    case 'select':
      return pathOf(node.of)?.concat(node.field)
    case 'index': {
      const { at } = node
      const key =
        at.kind === 'literal' && (typeof at.value === 'string' || typeof at.value === 'number') ? at.value : undefined
      return key === undefined ? undefined : pathOf(node.of)?.concat(key)
    }
    default:
      return undefined
  }
}
