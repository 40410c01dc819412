import type { Checked } from '../diagnostic.ts'
import type { Source } from '../source.ts'
import { problemAt } from './problem.ts'

/** A runbook of a megabyte is not read by anybody; a larger file is a mistake. */
const largestFile = 1024 * 1024

/** Bytes of a file as a text, or why they are none. A byte order mark is dropped; CRLF stays, so that offsets are the file's. */
export function decode(path: string, bytes: Uint8Array): Checked<Source> {
  const source: Source = { path, text: '' }
  const refuse = (code: 'RB1004' | 'RB1005' | 'RB1006', message: string, hint: string): Checked<Source> => ({
    value: undefined,
    diagnostics: [problemAt(source, { start: 0, end: 0 }, code, message, hint)],
  })
  if (bytes.length > largestFile)
    return refuse(
      'RB1004',
      `the file has ${bytes.length} bytes, more than ${largestFile}`,
      'a runbook is split with `runbook:` steps; data belongs into inputs',
    )
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return refuse('RB1005', 'the file is UTF-16', 'save it as UTF-8')
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return refuse('RB1005', 'the file is UTF-16', 'save it as UTF-8')
  const text = decodeUtf8(bytes)
  if (text === undefined || text.includes('\u0000'))
    return refuse('RB1005', 'the file is not UTF-8 text', 'save it as UTF-8')
  if (text.trim() === '') return refuse('RB1006', 'the file is empty', '`runbook init` writes a runbook to begin with')
  return { value: { path, text }, diagnostics: [] }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
