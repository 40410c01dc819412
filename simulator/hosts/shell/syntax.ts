/** What a script is, once parsed. */
export type Script = readonly Statement[]

/** Pipelines joined by `&&` and `||`. */
export interface Statement {
  readonly first: Pipeline
  readonly rest: readonly { readonly when: '&&' | '||'; readonly pipeline: Pipeline }[]
  readonly background: boolean
}

export interface Pipeline {
  readonly negated: boolean
  readonly commands: readonly Command[]
}

export type Command = { readonly redirects: readonly Redirect[] } & (
  | { readonly kind: 'simple'; readonly assignments: readonly Assignment[]; readonly words: readonly Word[] }
  | { readonly kind: 'group'; readonly body: Script }
  | { readonly kind: 'subshell'; readonly body: Script }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly test: Script; readonly body: Script }[]
      readonly otherwise?: Script
    }
  | { readonly kind: 'loop'; readonly until: boolean; readonly test: Script; readonly body: Script }
  | { readonly kind: 'for'; readonly name: string; readonly words?: readonly Word[]; readonly body: Script }
  | {
      readonly kind: 'case'
      readonly word: Word
      readonly arms: readonly { readonly patterns: readonly Word[]; readonly body: Script }[]
    }
  | { readonly kind: 'function'; readonly name: string; readonly body: Command }
  | { readonly kind: 'test'; readonly words: readonly Word[] }
)

export interface Assignment {
  readonly name: string
  readonly value: Word
}

export interface Redirect {
  readonly fd: number
  readonly op: '<' | '>' | '>>' | '>&' | '<&' | '&>' | '<<' | '<<<'
  /** The file, the descriptor, or the text of a here-document. */
  readonly target: Word
}

/** Parts that stand next to each other; `quoted` parts are neither split nor globbed. */
export type Word = readonly Part[]

export type Part = { readonly quoted: boolean } & (
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'variable'
      readonly name: string
      /** As in `${name:-word}`; `#name` is `length`. */
      readonly op?: string
      readonly word?: Word
    }
  | { readonly kind: 'command'; readonly body: Script }
  | { readonly kind: 'arithmetic'; readonly text: Word }
)

/** A script that cannot be read; the message is what a shell would print after its own name. */
export class SyntaxProblem extends Error {
  override readonly name = 'SyntaxProblem'
}
