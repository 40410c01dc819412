import { shownDuration } from '../duration.ts'
import type { Json } from '../json.ts'
import type { RunEvent } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import type { Paint } from './colour.ts'
import { executionOf } from './execution-key.ts'
import { factLine, indent } from './fact-line.ts'
import { namedOn, shownCall, shownValue } from './fact-text.ts'
import { statusLabels } from './label.ts'
import type { OpenExecution, Progress } from './progress.ts'
import { badCounts, itemsText } from './progress.ts'
import { padded, safe, safeLine } from './terminal-text.ts'

/**
 * How an execution ended: its line, and where it went wrong why, what it touched last and what to try. A loop says how many
 * items it had where those were not told one by one.
 */
export function endLines(
  progress: Progress,
  event: Extract<RunEvent, { type: 'step.ended' }>,
  paint: Paint,
  folds = false,
): readonly string[] {
  const { outcome } = event
  const key = executionOf(event.key)
  const open = progress.open.get(key) ?? progress.bad.get(key)?.execution
  const loop = progress.loops.get(key)
  const label = statusLabels[outcome.status]
  const took = Date.parse(event.at) - (open?.since ?? progress.now)
  const facts = [
    ...(folds && loop && loop.done > 0 ? [itemsText(loop.done)] : []),
    ...(open === undefined ? [] : [shownDuration(Math.max(0, took))]),
    ...(open && open.tries > 1 ? [`${open.tries} tries`] : []),
    ...(open && open.polls > 1 ? [`${open.polls} polls`] : []),
  ].join(', ')
  const head = `${key}  ${namedOn(shownValue(event.name), open?.target)}${facts && ` (${facts}${loop ? badCounts(loop) : ''})`}`
  return [
    factLine(event.at, paint(label.style, padded(label.word, 12)), safeLine(head)),
    ...whyLines(outcome, key, open, paint),
  ]
}

function whyLines(outcome: Outcome, key: string, open: OpenExecution | undefined, paint: Paint): readonly string[] {
  if (outcome.status === 'skipped') return [`${indent}${paint('dim', safeLine(outcome.why))}`]
  if (!('error' in outcome)) return []
  const { error } = outcome
  // a group only passes on what its line above has said already
  if (error.key !== undefined && executionOf(error.key) !== key) return [`${indent}because of ${safeLine(error.key)}`]
  return [
    ...safe(`${error.code}: ${error.message}`)
      .split('\n')
      .map((text) => `${indent}${text}`),
    ...lastCallLines(open, paint),
    ...(error.hint === undefined ? [] : [`${indent}hint: ${safeLine(error.hint)}`]),
    ...(outcome.status === 'unknown' ? [`${indent}${adviceFor(outcome)}`] : []),
  ]
}

function adviceFor({ result }: { readonly result?: Json }): string {
  return result === undefined
    ? 'it may have happened or not; find out before you do it again'
    : 'it was done; look at what it left before you go on, or do it again'
}

const tail = 8

function lastCallLines(open: OpenExecution | undefined, paint: Paint): readonly string[] {
  const call = open?.lastCall
  if (call === undefined) return []
  const output = call.kind === 'http' ? '' : `${call.stdout ?? ''}\n${call.stderr ?? ''}`
  const lines = safe(output)
    .split('\n')
    .filter((line) => line.trim() !== '')
  return [
    `${indent}${paint('dim', safeLine(shownCall(call)))}`,
    ...(lines.length > tail ? [`${indent}${paint('dim', `| … ${lines.length - tail} lines more`)}`] : []),
    ...lines.slice(-tail).map((line) => `${indent}${paint('dim', `| ${line}`)}`),
  ]
}
