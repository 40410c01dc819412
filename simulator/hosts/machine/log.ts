/** One line of a journal or of the kernel's log. */
export interface LogLine {
  /** World milliseconds since 1970. */
  readonly at: number
  /** 0 (emergency) to 7 (debug). */
  readonly priority: number
  readonly message: string
  /** `mariadb.service`; the kernel has none. */
  readonly unit?: string
  readonly identifier: string
  readonly pid?: number
  readonly bootId: string
}

export interface Log {
  add(line: LogLine): void
  lines(): readonly LogLine[]
}

/** The newest lines are kept; the oldest go. */
const kept = 2_000

export function createLog(): Log {
  const lines: LogLine[] = []
  return {
    add(line) {
      const later = lines.findLastIndex(({ at }) => at <= line.at)
      lines.splice(later + 1, 0, line)
      if (lines.length > kept) lines.shift()
    },
    lines: () => lines,
  }
}
