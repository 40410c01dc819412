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
}

/** Whether a person can be asked something now. */
export function hasTerminal({ stdin, stderr, env }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb'
}
