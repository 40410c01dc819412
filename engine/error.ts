/** How the program can end; the table is in `docs/reference/exit-codes.md`. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  diverged: 4,
  inDoubt: 5,
  waiting: 6,
  bug: 70,
  interrupted: 130,
} as const

/** What stops the engine itself, for a reason a person can act on; anything else that is thrown is our bug. */
export class RunbookError extends Error {
  override readonly name = 'RunbookError'
  readonly code: string
  readonly exitCode: number
  readonly hint: string | undefined

  constructor(
    code: string,
    message: string,
    options: { exitCode?: number; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.exitCode = options.exitCode ?? exitCode.usage
    this.hint = options.hint
  }
}
