/** Thrown to a writer whose reader is gone; the process ends as by SIGPIPE. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe'
}

/**
 * An open file, as a descriptor sees it. Counted: each descriptor that shares it keeps it once and drops it once,
 * and the last drop closes it.
 */
export interface OpenFile {
  /** The next bytes, or nothing at the end. */
  read(signal: AbortSignal): Promise<Buffer | undefined>
  /** Puts bytes back, to be read next. */
  unread(bytes: Buffer): void
  write(bytes: Buffer): void
  keep(): OpenFile
  drop(): void
}

/** Bytes from writers to a reader: what is written waits until it is read; the reader's end comes with the last writer's drop. */
export function createPipe(): { reader: OpenFile; writer: OpenFile } {
  const waiting: Buffer[] = []
  let wake: (() => void) | undefined
  let ended = false
  let broken = false

  async function read(signal: AbortSignal): Promise<Buffer | undefined> {
    for (;;) {
      signal.throwIfAborted()
      const next = waiting.shift()
      if (next) return next
      if (ended) return undefined
      await new Promise<void>((resolve, reject) => {
        const stop = () => reject(signal.reason)
        signal.addEventListener('abort', stop, { once: true })
        wake = () => {
          signal.removeEventListener('abort', stop)
          resolve()
        }
      })
    }
  }

  return {
    reader: counted({
      read,
      unread: (bytes) => void waiting.unshift(bytes),
      write: refuse,
      close() {
        broken = true
        waiting.length = 0
      },
    }),
    writer: counted({
      read: refuseAsync,
      unread: refuse,
      write(bytes) {
        if (broken) throw new BrokenPipe('nobody reads this pipe')
        if (bytes.length === 0) return
        waiting.push(bytes)
        wake?.()
      },
      close() {
        ended = true
        wake?.()
      },
    }),
  }
}

/** Reads bytes that are there already: a file's content, a here-document. */
export function readingFrom(content: Buffer): OpenFile {
  const parts = content.length === 0 ? [] : [content]
  return counted({
    read: async () => parts.shift(),
    unread: (bytes) => void parts.unshift(bytes),
    write: refuse,
    close() {},
  })
}

/** Hands each write to `write`, and says when the last holder has let go. */
export const writingTo = (write: (bytes: Buffer) => void, done: () => void = () => {}): OpenFile =>
  counted({ read: refuseAsync, unread: refuse, write, close: done })

/** `/dev/null`: always at its end, and takes everything. */
export const nothing = (): OpenFile => counted({ read: async () => undefined, unread() {}, write() {}, close() {} })

interface Ends {
  read(signal: AbortSignal): Promise<Buffer | undefined>
  unread(bytes: Buffer): void
  write(bytes: Buffer): void
  close(): void
}

function counted({ read, unread, write, close }: Ends): OpenFile {
  let kept = 1
  const file: OpenFile = {
    read,
    unread,
    write,
    keep() {
      kept += 1
      return file
    },
    drop() {
      kept -= 1
      if (kept === 0) close()
    },
  }
  return file
}

function refuse(): never {
  throw new Error('Bad file descriptor')
}

async function refuseAsync(): Promise<never> {
  return refuse()
}
