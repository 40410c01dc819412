/** What a command writes, kept up to a limit and passed on as it comes. */
export interface Output {
  take(chunk: Buffer): void
  /** The text kept; a character cut by the limit is left out, and what is no UTF-8 becomes U+FFFD. */
  text(): string
  /** Bytes that were read and not kept. */
  dropped(): number
}

/** Keeps the first `limit` bytes; the rest is counted. `onText` gets whole characters, all of them. */
export function output(limit: number, onText?: (text: string) => void): Output {
  const kept: Buffer[] = []
  let size = 0
  let total = 0
  const live = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    take(chunk) {
      total += chunk.length
      if (size < limit) {
        // a copy: the chunk may be a view of a much larger buffer
        const part = Buffer.from(chunk.subarray(0, limit - size))
        kept.push(part)
        size += part.length
      }
      const text = onText && live.decode(chunk, { stream: true })
      if (text) onText?.(text)
    },
    text: () => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(kept), { stream: total > size }),
    dropped: () => total - size,
  }
}
