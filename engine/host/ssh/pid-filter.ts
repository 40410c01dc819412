/** Takes the line `MARK PID`, which a command sends first, out of its stderr. */
export interface PidFilter {
  /** Resolves when the line has come; may never. */
  readonly pid: Promise<number>
  take(chunk: Buffer): void
  /** Passes on what was held back; there will be no more. */
  flush(): void
}

/** A shell's start-up files may write before the line; beyond this many bytes it is not looked for any more. */
const furthest = 64 * 1024

export interface Asking {
  /** What is asked before the line, a match of it is taken out. */
  readonly pattern: RegExp
  asked(): void
}

export function pidFilter(mark: string, pass: (chunk: Buffer) => void, asking?: Asking): PidFilter {
  const line = new RegExp(`${mark} (\\d+)\\r?\\n`)
  let held: Buffer | undefined = Buffer.alloc(0)
  let found: (pid: number) => void = () => {}
  const pid = new Promise<number>((resolve) => {
    found = resolve
  })

  function flush(): void {
    const rest = held
    held = undefined
    if (rest && rest.length > 0) pass(rest)
  }

  function listen({ pattern, asked }: Asking): void {
    const question = pattern.exec(held?.toString('latin1') ?? '')
    if (!held || !question) return
    held = Buffer.concat([held.subarray(0, question.index), held.subarray(question.index + question[0].length)])
    asked()
  }

  return {
    pid,
    flush,
    take(chunk) {
      if (!held) return pass(chunk)
      held = Buffer.concat([held, chunk])
      // bytes as characters, so that offsets are offsets of bytes
      const match = line.exec(held.toString('latin1'))
      if (match) {
        held = Buffer.concat([held.subarray(0, match.index), held.subarray(match.index + match[0].length)])
        found(Number(match[1]))
        flush()
      } else if (asking) listen(asking)
      else if (held.length > furthest) flush()
    },
  }
}
