import { closeSync, constants, openSync, readSync } from 'node:fs'

/** How long a pipe may have no writer, and how long its writer may say nothing: milliseconds. */
const patience = { writer: 1_000, word: 60_000 }

/**
 * What comes out of a pipe or a device, such as `<(pass show token)`. Nobody may be waited for without end: neither a
 * writer that never comes, nor one that never stops. Undefined when nobody wrote.
 */
export function piped(path: string, most: number): Uint8Array | 'too large' | undefined {
  // without O_NONBLOCK, to open a pipe that nobody writes to lasts for ever, and no signal is heard meanwhile
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const chunks: Uint8Array[] = []
    let size = 0
    for (let waited = 0; ; ) {
      const chunk = new Uint8Array(64 * 1024)
      const read = readNow(file, chunk)
      if (read === 0 && (size > 0 || waited >= patience.writer)) break
      if (read === undefined && waited >= patience.word) return undefined
      if (read === undefined || read === 0) {
        waited += 10
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
        continue
      }
      waited = 0
      size += read
      if (size > most) return 'too large'
      chunks.push(chunk.subarray(0, read))
    }
    return size === 0 ? undefined : Buffer.concat(chunks)
  } finally {
    closeSync(file)
  }
}

/** How many bytes there were; none at the end, undefined when a writer is there and has said nothing yet. */
function readNow(file: number, into: Uint8Array): number | undefined {
  try {
    return readSync(file, into)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}
