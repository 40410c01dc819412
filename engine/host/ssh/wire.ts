/** How SSH writes things down (RFC 4251): numbers of four bytes, and strings with their length before them. */
import type { Readable } from 'node:stream'

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([number(bytes.length), bytes])
}

/** What comes next in a message, each time it is asked. */
export interface Fields {
  skip(count: number): void
  number(): number
  flag(): boolean
  bytes(): Buffer
  text(): string
}

export function fieldsOf(message: Buffer): Fields {
  let at = 0
  const next = (count: number) => {
    at += count
    return message.subarray(at - count, at)
  }
  const number = () => next(4).readUInt32BE()
  const bytes = () => next(number())
  return {
    skip: (count) => void next(count),
    number,
    flag: () => next(1)[0] !== 0,
    bytes,
    text: () => bytes().toString('utf8'),
  }
}

/** Calls with each string that comes, in whatever pieces it does. */
export function onStrings(stream: Readable, take: (bytes: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE()) {
      const end = 4 + held.readUInt32BE()
      const bytes = held.subarray(4, end)
      held = held.subarray(end)
      take(bytes)
    }
  })
}
