import { shownDuration } from '../duration.ts'
import type { RunEvent } from '../run/event.ts'
import { isGood } from '../run/outcome.ts'
import { checkLines } from './check-lines.ts'
import type { Paint, Style } from './colour.ts'
import { endLines } from './end-lines.ts'
import { executionOf, isLookOnly, nearest, parentOf } from './execution-key.ts'
import { factLine, indent } from './fact-line.ts'
import { howToAnswer, namedOn, operandLines, shownAnswer, shownCall, shownValue } from './fact-text.ts'
import { effectNote } from './label.ts'
import { previewLines } from './preview-lines.ts'
import type { OpenLoop, Progress } from './progress.ts'
import { badCount, badCounts, foldedInto, isShownOnly, itemOf, itemsText, listed } from './progress.ts'
import { tableLines } from './table.ts'
import { padded, safe, safeLine } from './terminal-text.ts'
import { checkResultOf } from './verdict.ts'

export interface FactOptions {
  readonly paint: Paint
  readonly verbose: boolean
  /**
   * Whether a screen shows meanwhile how far each loop is: then its reads that go well are not told one by one. Else only the
   * items of a long loop are not, which says now and then how far it is.
   */
  readonly folds: boolean
  /** How wide a line may be, where that is known. */
  readonly columns?: number
}

/**
 * The lines an event is worth, given what was known before it; often none. What a resumed run only replays was told the
 * first time; a question that is still open is told again, for whoever answers may be somebody else at another terminal.
 */
export function factLines(progress: Progress, event: RunEvent, options: FactOptions): readonly string[] {
  if ('replayed' in event && event.replayed && event.type !== 'asked') return []
  const { paint, verbose } = options
  const line = (style: Style, word: string, text: string) => factLine(event.at, paint(style, padded(word, 12)), text)
  switch (event.type) {
    case 'run.resumed':
      return [line('strong', 'resumed', `by ${safeLine(`${event.by.user}@${event.by.host}`)}`)]
    case 'run.cancelled':
      return [line('warn', 'cancelled', `by ${safeLine(`${event.by.user}@${event.by.host}`)}`)]
    case 'step.began':
      return beginning(progress, event, line)
    case 'step.ended':
      return ending(progress, event, options)
    case 'step.previewed':
      return previewLines(event, paint)
    case 'step.retried':
      if (foldedInto(progress, event.key)) return []
      return [
        line(
          'warn',
          'try again',
          `${keyOf(event)}  after ${shownDuration(event.delay)}, this was try ${event.attempt}`,
        ),
      ]
    case 'step.polled': {
      const open = nearest(progress.open, event.key)
      if (!verbose && (open?.latest === event.seen || foldedInto(progress, event.key))) return []
      return [line('dim', 'waits', `${keyOf(event)}  ${safeLine(event.seen)}`)]
    }
    case 'step.reopened':
      return [line('warn', 'again', `${keyOf(event)}  ${safeLine(event.why)}`)]
    case 'condition':
      // what its author says of it ends the step or the run, and is told there
      if (event.held) return []
      return [
        line(
          'bad',
          `${event.word}`,
          `${keyOf(event)}  ${paint('bad', `does not hold: ${safeLine(event.evaluated.text)}`)}`,
        ),
        ...operandLines(event.evaluated).map((text) => `${indent}${safeLine(text)}`),
      ]
    case 'asked':
      return [
        line('warn', 'question', `${keyOf(event)}  ${paint('strong', safeLine(event.question.message))}`),
        ...tableLines(event.question.table ?? [], (options.columns ?? Number.POSITIVE_INFINITY) - indent.length).map(
          (line) => `${indent}${line}`,
        ),
        `${indent}${safeLine(howToAnswer(event.question))}`,
      ]
    case 'answered':
      return [line('plain', 'answer', `${keyOf(event)}  ${safeLine(shownAnswer(event.answer))}`)]
    case 'locks.taken':
      return [line('dim', 'locked', safeLine(event.locks.join(', ')))]
    case 'step.called':
      return verbose ? [line('dim', 'called', `${keyOf(event)}  ${safeLine(shownCall(event.call))}`)] : []
    case 'step.output':
      return verbose
        ? outputLines(event.text, event.host).map((text) => line('dim', 'output', `${keyOf(event)}  ${text}`))
        : []
    case 'step.progress':
      return verbose ? [line('dim', 'progress', `${keyOf(event)}  ${safeLine(event.text)}`)] : []
    case 'run.began':
    case 'run.parked':
    case 'run.ended':
    case 'value':
    case 'timer':
      return []
    default:
      // a kind of event this view does not know yet is no reason to end a run
      event satisfies never
      return []
  }
}

function keyOf({ key }: { readonly key: string }): string {
  return safeLine(executionOf(key))
}

type Line = (style: Style, word: string, text: string) => string

/** A read is told when it ends. What changes something, or holds other steps, is told when it begins as well. */
function beginning(
  progress: Progress,
  event: Extract<RunEvent, { type: 'step.began' }>,
  line: Line,
): readonly string[] {
  const key = executionOf(event.key)
  if (isLookOnly(event.key) || progress.open.has(key) || foldedInto(progress, key) || event.kind === 'let') return []
  const note = event.kind === 'loop' ? loopNote(event.count) : effectNote(event.effect)
  if (note === '' && event.kind === 'action') return []
  return [
    line(
      'plain',
      'begins',
      safeLine(`${key}  ${namedOn(shownValue(event.name), event.target)}${note && ` (${note})`}`),
    ),
  ]
}

function loopNote(count: number | undefined): string {
  return count === undefined ? 'a loop' : itemsText(count)
}

function ending(
  progress: Progress,
  event: Extract<RunEvent, { type: 'step.ended' }>,
  options: FactOptions,
): readonly string[] {
  if (isLookOnly(event.key)) return []
  const check = checkResultOf(event.action, event.outcome)
  if (check) return checkLines(check, options.paint, event.at)
  if (isShownOnly(progress, event)) return []
  const folded = foldedInto(progress, event.key)
  const lines = () => endLines(progress, event, options.paint, options.folds)
  if (options.folds && !options.verbose && isReadOfLoop(progress, event)) return []
  if (!folded) return lines()
  const told = isGood(event.outcome) || badCount(folded) >= listed ? [] : lines()
  if (options.folds || itemOf(progress, executionOf(event.key)) !== folded || !worthCounting(folded)) return told
  const counts = safeLine(`${folded.key}  ${folded.done + 1} of ${folded.count}${badCounts(folded)}`)
  return [...told, factLine(event.at, padded('so far', 12), counts)]
}

/** Whether this is an item of a loop, or a part of one, that has only read, and went well. */
function isReadOfLoop(progress: Progress, event: Extract<RunEvent, { type: 'step.ended' }>): boolean {
  const key = executionOf(event.key)
  const { kind, effect } = progress.open.get(key) ?? {}
  return event.outcome.status === 'succeeded' && (kind === 'let' || effect === 'read') && loopAround(progress, key)
}

function loopAround({ loops }: Progress, execution: string): boolean {
  for (let at = parentOf(execution); at !== ''; at = parentOf(at)) if (loops.has(at)) return true
  return false
}

/** A long loop tells its count about ten times. */
function worthCounting({ count = 0, done }: OpenLoop): boolean {
  return (done + 1) % Math.max(1, Math.ceil(count / 10)) === 0 && done + 1 < count
}

function outputLines(text: string, host: string | undefined): readonly string[] {
  return safe(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (host === undefined ? line : `${safeLine(host)}: ${line}`))
}
