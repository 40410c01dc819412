/**
 * Why an expression has no value:
 * `missing` something it names is not there · `type` the wrong kind of value · `value` a value that cannot be used ·
 * `work` it would take too much work. The message never holds a value from the scope: it might be a secret.
 */
export type FailureCode = 'missing' | 'type' | 'value' | 'work'

/** An expression failed; the offsets say which part of its text. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
  readonly code: FailureCode
  readonly start: number
  readonly end: number
  readonly hint: string | undefined
  /** The path that was not there, up to the part that is missing: `['steps', 'x', 'result']`. */
  readonly path: readonly (string | number)[] | undefined

  constructor(
    code: FailureCode,
    message: string,
    place: { readonly start: number; readonly end: number },
    options: { hint?: string | undefined; path?: readonly (string | number)[] | undefined } = {},
  ) {
    super(message)
    this.code = code
    this.start = place.start
    this.end = place.end
    this.hint = options.hint
    this.path = options.path
  }
}

/** What a function says of its arguments; the interpreter adds the place. */
export class BadValue extends Error {
  readonly code: FailureCode
  readonly hint: string | undefined

  constructor(code: FailureCode, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
