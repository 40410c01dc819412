/** Offsets into the text of a template; `end` is exclusive. */
interface Placed {
  readonly start: number
  readonly end: number
}

export type Path = readonly (string | number)[]

/** A path into a value: the scope, what `#each` stands at, or a name that `#each` gave. */
export interface PathOperand extends Placed {
  readonly is: 'path'
  /** How many `#each` further out it starts: `../`. */
  readonly up: number
  /** Where it starts: at the item, at a name of `#each`, at the scope (`@root`), or at what is known of the item's place. */
  readonly from: 'item' | 'name' | 'root' | 'index' | 'key' | 'first' | 'last'
  readonly name?: string
  readonly path: Path
  /** As it was typed. */
  readonly written: string
}

export interface HelperOperand extends Placed {
  readonly is: 'helper'
  readonly helper: string
  readonly args: readonly Operand[]
}

/** What stands inside braces. */
export type Operand =
  | { readonly is: 'literal'; readonly value: null | boolean | number | string }
  | PathOperand
  | HelperOperand

/** A piece of a template, in the order of the text. */
export type Part =
  | { readonly is: 'text'; readonly text: string }
  | (Placed & { readonly is: 'value'; readonly of: Operand })
  | (Placed & {
      readonly is: 'if'
      readonly test: Operand
      readonly yes: readonly Part[]
      readonly no: readonly Part[]
    })
  | EachPart

export interface EachPart extends Placed {
  readonly is: 'each'
  readonly over: Operand
  /** `as |item key|`. */
  readonly names: readonly string[]
  readonly body: readonly Part[]
  readonly otherwise: readonly Part[]
}
