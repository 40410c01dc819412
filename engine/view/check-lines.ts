import type { CheckResult } from '../run/event.ts'
import type { Paint } from './colour.ts'
import { factLine, indent } from './fact-line.ts'
import { verdictLabels } from './label.ts'
import { padded, safeLine } from './terminal-text.ts'

const shownFindings = 50

/** A verdict and what it rests on. */
export function checkLines(check: CheckResult, paint: Paint, at: string): readonly string[] {
  const { style, word } = verdictLabels[check.verdict]
  // findings speak for themselves, below
  const summary = check.summary === '' || check.findings.length > 0 ? '' : `: ${check.summary}`
  return [
    factLine(at, paint(style, padded(word, 12)), safeLine(`${check.check}  ${check.title}${summary}`)),
    ...findingLines(check, paint),
  ]
}

function findingLines({ findings }: CheckResult, paint: Paint): readonly string[] {
  const told = findings.slice(0, shownFindings).map(({ verdict, message, runbook }) => {
    const label = verdictLabels[verdict]
    const remedy = runbook === undefined ? '' : `  → runbook exec ${runbook}`
    return `${indent}${paint(label.style, label.sign)} ${safeLine(`${message}${remedy}`)}`
  })
  const more = findings.length - told.length
  return more > 0 ? [...told, `${indent}… and ${more} more, in the report`] : told
}
