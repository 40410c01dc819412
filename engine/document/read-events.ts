import type { AliasEvent, Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml'
import { CHOMPING_MODE, COLLECTION_STYLE, EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE } from 'js-yaml'
import type { Span } from '../source.ts'
import type { Located, LocatedEntry, LocatedList, LocatedMap, LocatedScalar } from './tree.ts'

/** Values beyond which a document is read with care: it may be meant to exhaust us. */
const mostValues = 100_000

/**
 * The tree of a text that is plain YAML without faults, made of a parser's events: some five times faster than the
 * reader that can say what is wrong. Nothing for every other text: one with faults, tags, directives, several documents,
 * numbers that JSON does not know. It never tells anything but what `readCarefully` tells.
 */
export function readEvents(text: string): Located | undefined {
  // tabs, other ends of lines, marks of the encoding, and what begins or ends a document
  if (/[\t\r\ufeff]|^%|^ *(?:\.\.\.|---)/m.test(text)) return undefined
  let events: readonly Event[]
  try {
    events = parseEvents(text, { maxDepth: 100 })
  } catch {
    return undefined
  }
  const [document] = events
  if (document?.type !== EVENT_ID.DOCUMENT || events.length > mostValues) return undefined
  let at = 1
  /** Where what was read last ends. */
  let end = 0
  const anchored = new Map<string, Located>()
  let values = 0
  try {
    const tree = value(unusual)
    // the end of the document, and of the text
    return events[at]?.type === EVENT_ID.POP && at + 1 === events.length ? tree : undefined
  } catch (error) {
    if (error instanceof Unusual) return undefined
    throw error
  }

  /** `nowhere` says where a value is that is not written. */
  function value(nowhere: () => number): Located {
    const event = events[at++]
    if (event?.type === EVENT_ID.ALIAS) return alias(event)
    if (event?.type !== EVENT_ID.SCALAR && event?.type !== EVENT_ID.MAPPING && event?.type !== EVENT_ID.SEQUENCE)
      return unusual()
    if (event.tagStart >= 0) return unusual()
    const node = event.type === EVENT_ID.SCALAR ? scalar(event, nowhere) : collection(event)
    if (event.anchorStart >= 0) {
      const name = text.slice(event.anchorStart, event.anchorEnd)
      if (anchored.has(name) || !/^[\w-]+$/.test(name)) return unusual()
      anchored.set(name, node)
    }
    return node
  }

  /** What is read through an alias stands where the alias stands. */
  function alias({ anchorStart, anchorEnd }: AliasEvent): Located {
    const node = anchored.get(text.slice(anchorStart, anchorEnd))
    end = anchorEnd
    return node ? copy(node, { start: anchorStart - 1, end }) : unusual()
  }

  function copy(node: Located, span: Span): Located {
    if (++values > mostValues) return unusual()
    if (node.kind === 'list') return { kind: 'list', span, items: node.items.map((item) => copy(item, span)) }
    if (node.kind === 'scalar') return { ...node, span }
    return {
      kind: 'map',
      span,
      entries: node.entries.map(({ key, value: each }) => ({ key, keySpan: span, value: copy(each, span) })),
    }
  }

  function collection(event: MappingEvent | SequenceEvent): Located {
    const { start } = event
    end = start + (event.style === COLLECTION_STYLE.FLOW ? 1 : 0)
    const parts = event.type === EVENT_ID.MAPPING ? entries() : items()
    at++
    if (event.style === COLLECTION_STYLE.FLOW) end = behindClosing()
    return { ...parts, span: { start, end } }
  }

  function entries(): Omit<LocatedMap, 'span'> {
    const found: LocatedEntry[] = []
    const keys = new Set<string>()
    while (events[at]?.type !== EVENT_ID.POP) {
      const event = events[at++]
      if (event?.type !== EVENT_ID.SCALAR || event.valueStart < 0) return unusual()
      if (event.anchorStart >= 0 || event.tagStart >= 0 || isBlock(event)) return unusual()
      const key = getScalarValue(text, event)
      if (keys.has(key) || key === '<<') return unusual()
      keys.add(key)
      const keySpan = spanOf(event)
      end = keySpan.end
      found.push({ key, keySpan, value: value(behindColon) })
    }
    return { kind: 'map', entries: found }
  }

  function items(): Omit<LocatedList, 'span'> {
    const found: Located[] = []
    while (events[at]?.type !== EVENT_ID.POP) found.push(value(unusual))
    return { kind: 'list', items: found }
  }

  function scalar(event: ScalarEvent, nowhere: () => number): LocatedScalar {
    if (event.valueStart < 0) {
      if (event.anchorStart >= 0) return unusual()
      end = nowhere()
      return { kind: 'scalar', span: { start: end, end }, value: null }
    }
    const span = spanOf(event)
    end = span.end
    const written = getScalarValue(text, event)
    return { kind: 'scalar', span, value: event.style === SCALAR_STYLE.PLAIN ? meant(written) : written }
  }

  function spanOf(event: ScalarEvent): Span {
    const { valueStart: start, valueEnd } = event
    if (event.style === SCALAR_STYLE.PLAIN) return { start, end: valueEnd }
    if (!isBlock(event)) return { start: start - 1, end: valueEnd + 1 }
    // from its indicator, which stands in the line above, to its last line; empty lines behind that are its own only if kept
    const indicator = /[|>][-+\d]*[ \t]*(?:#[^\n]*)?\n$/.exec(text.slice(end, start))
    if (!indicator || text.slice(start, valueEnd).trim() === '') return unusual()
    const blank =
      event.chomping === CHOMPING_MODE.KEEP
        ? undefined
        : /(?<=\n)(?:[ \t]*\n)+[ \t]*$/.exec(text.slice(start, valueEnd))
    return { start: end + indicator.index, end: valueEnd - (blank?.[0].length ?? 0) }
  }

  function behindColon(): number {
    const colon = /^[ \t]*:[ \t]*/.exec(text.slice(end, end + 100))
    return colon ? end + colon[0].length : unusual()
  }

  /** Behind the bracket that closes what was read last: but for commas, space and notes, nothing else stands there. */
  function behindClosing(): number {
    let place = end
    while (/[\s,]/.test(text[place] ?? '')) place++
    return text[place] === ']' || text[place] === '}' ? place + 1 : unusual()
  }
}

/** Thrown where a text is not as plain as it has to be. */
class Unusual extends Error {}

function unusual(): never {
  throw new Unusual()
}

function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK
}

/** What a plain word means in the core schema of YAML 1.2. */
function meant(word: string): string | number | boolean | null {
  // nothing else begins a word that means more than itself
  if (!/^[-+.~\dFNTfnt]/.test(word)) return word
  if (/^[-+]?(?:\d+|(?:\.\d+|\d+\.\d*)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)$/.test(word)) return finite(Number(word))
  if (/^(?:~|null|Null|NULL)$/.test(word)) return null
  if (/^(?:true|True|TRUE)$/.test(word)) return true
  if (/^(?:false|False|FALSE)$/.test(word)) return false
  // numbers of other bases, and those that are none
  return /^(?:0[ox]|[-+]?\.(?:inf|nan)$)/i.test(word) ? unusual() : word
}

function finite(number: number): number {
  // what is no JSON number, or would not be kept to the digit
  return Number.isSafeInteger(number) || (Number.isFinite(number) && !Number.isInteger(number)) ? number : unusual()
}
