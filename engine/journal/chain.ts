/**
 * The transcript as text: one JSON object a line, each with its number (`seq`), the sum of the line before (`prev`) and
 * its own (`sum`): SHA-256 over the line's text up to the comma before `"sum"`. So a changed byte, a missing, doubled or
 * foreign line is found, and told from a last line that a crash tore.
 */
import { createHash } from 'node:crypto'
import type { Entry, Recorded } from '../run/event.ts'

const noLine = '0'.repeat(64)

/** What the next line hangs on: number and sum of the one before it. */
export interface Link {
  readonly seq: number
  readonly sum: string
}

/** Where the first line hangs. */
export const beforeAll: Link = { seq: 0, sum: noLine }

/** The next line of a transcript, with its line break, and the link to hang the one after on. */
export function lineAfter(
  { seq, sum }: Link,
  at: string,
  recorded: Recorded,
): { readonly text: string; readonly link: Link } {
  const { type, ...rest } = recorded
  const body = JSON.stringify({ seq: seq + 1, at, type, ...rest, prev: sum }).slice(0, -1)
  const own = sumOf(body)
  return { text: `${body},"sum":"${own}"}\n`, link: { seq: seq + 1, sum: own } }
}

/** The name of a file that keeps a value beside the transcript. */
export function keptName(text: string): string {
  return `sha256-${sumOf(text)}.json`
}

/** SHA-256 of a text as UTF-8, in hexadecimal. */
export function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A transcript as far as it can be trusted. */
export interface Transcript {
  /** The lines up to its end, or to the first that is torn or broken. */
  readonly entries: readonly Entry[]
  /** For the next line. */
  readonly link: Link
  /** Bytes of the lines that are whole; a torn tail begins here. */
  readonly wholeBytes: number
  /** The last line was not written to its end. */
  readonly torn: boolean
  /** The first line that is not what was written. */
  readonly broken?: { readonly line: number; readonly why: string }
}

const sumLength = ',"sum":""}'.length + 64

/** Reads the text of a `transcript.jsonl` up to its end, a torn tail, or the first line that does not belong. */
export function readTranscript(text: string): Transcript {
  const entries: Entry[] = []
  let link = beforeAll
  let from = 0
  let wholeBytes = 0
  const result = (more: { torn?: boolean; broken?: Transcript['broken'] } = {}): Transcript => ({
    entries,
    link,
    wholeBytes,
    torn: more.torn ?? false,
    ...(more.broken && { broken: more.broken }),
  })
  for (let line = 1; from < text.length; line++) {
    const end = text.indexOf('\n', from)
    if (end < 0) return result({ torn: true })
    const written = text.slice(from, end)
    const broken = (why: string) => result({ broken: { line, why } })
    const sum = /,"sum":"([0-9a-f]{64})"\}$/.exec(written)?.[1]
    if (sum === undefined) return broken('it carries no sum')
    if (sumOf(written.slice(0, -sumLength)) !== sum) return broken('its text does not match its sum')
    const entry = JSON.parse(written) as Entry & { readonly sum: string }
    if (entry.seq !== link.seq + 1) return broken(`it has the number ${entry.seq} where ${link.seq + 1} belongs`)
    if (entry.prev !== link.sum) return broken('it does not follow the line before it')
    entries.push(entry)
    link = { seq: entry.seq, sum }
    from = end + 1
    wholeBytes += Buffer.byteLength(written) + 1
  }
  return result()
}
