/** Everything outside that a command may touch: handed in, so that commands can be called in a test. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env: { readonly [name: string]: string | undefined }
  readonly cwd: string
  readonly home: string
  readonly user: string
  readonly hostname: string
  readonly pid: number
  /** The file of the program. */
  readonly program?: string
  /** Aborted when the program is about to end in the middle of everything: who listens may still write, and not wait. */
  readonly leave?: AbortSignal
  readonly seat?: Seat
}

/** Where a person sits: the terminal may be closed, or its line break. */
export interface Seat {
  readonly gone: AbortSignal
  /** Whoever sat there has left. */
  leave(): void
  /** How many questions are open there. */
  asking: number
}

/** Whether a person can be asked something now. */
export function hasTerminal({ stdin, stderr, env, seat }: Io): boolean {
  if (seat?.gone.aborted) return false
  return stdin.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb'
}
