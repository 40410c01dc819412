/** What is wrong with the text of a template; the offsets point into it. */
export interface TemplateProblem {
  readonly kind: 'syntax' | 'partial' | 'unknown_helper' | 'argument'
  readonly message: string
  readonly start: number
  readonly end: number
  readonly hint?: string
}

/** Carries a problem out of the reading. */
export class NoTemplate extends Error {
  readonly problem: TemplateProblem

  constructor(
    kind: TemplateProblem['kind'],
    place: { readonly start: number; readonly end: number },
    message: string,
    hint?: string,
  ) {
    super(message)
    this.problem = { kind, message, start: place.start, end: place.end, ...(hint !== undefined && { hint }) }
  }
}

/** A template could not be rendered. The message never holds a value from the scope: it might be a secret. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly start: number
  readonly end: number
  readonly hint: string | undefined
  /** The path that was not there, up to the part that is missing: `['steps', 'x', 'result']`. */
  readonly path: readonly (string | number)[] | undefined
  /** Where in a value the template stands, as a JSON Pointer; set by `renderDeep`. */
  readonly pointer: string | undefined

  constructor(
    message: string,
    place: { readonly start: number; readonly end: number },
    options: {
      hint?: string | undefined
      path?: readonly (string | number)[] | undefined
      pointer?: string
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.start = place.start
    this.end = place.end
    this.hint = options.hint
    this.path = options.path
    this.pointer = options.pointer
  }
}
