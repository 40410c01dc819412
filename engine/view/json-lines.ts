import type { RunEvent } from '../run/event.ts'
import type { Sink, View } from './view.ts'

/** One event per line, as JSON, for programs. `pause` holds nothing back: what reads it is no person. */
export function jsonLinesView(out: Sink): View {
  return {
    on: (event: RunEvent) => void out.write(`${lineOf(event)}\n`),
    pause: async () => {},
    resume() {},
    end: async () => {},
    leave() {},
  }
}

/** The separators U+2028 and U+2029 are legal in JSON, but line readers of some languages stop at them. */
function lineOf(event: RunEvent): string {
  return JSON.stringify(event).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
