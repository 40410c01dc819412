import type { Preview } from '../action/contract.ts'
import type { Json } from '../json.ts'
import { isObject } from '../json.ts'
import type { RunEvent } from '../run/event.ts'
import type { Paint } from './colour.ts'
import { factLine, indent } from './fact-line.ts'
import { shownValue } from './fact-text.ts'
import { effectNote, previewLabels } from './label.ts'
import { previewed } from './progress.ts'
import { padded, safe, safeLine } from './terminal-text.ts'

/** What a step of a dry run would do: its parameters as they would be sent, and what would change. */
export function previewLines(event: Extract<RunEvent, { type: 'step.previewed' }>, paint: Paint): readonly string[] {
  const { key, name, action, effect, params, preview, maybe } = event
  const kind = previewed(event)
  const style = kind === 'look' ? 'plain' : effect === 'destructive' ? 'bad' : 'warn'
  const { word } = previewLabels[kind]
  return [
    factLine(event.at, paint(style, padded(word, 12)), safeLine(`${key}  ${name}`)),
    `${indent}${paint(style, safeLine(`${action}${effectNote(effect) && ` (${effect})`}`))}`,
    ...(maybe === undefined ? [] : [`${indent}not certain: ${safeLine(maybe)}`]),
    ...paramLines(params).map((line) => `${indent}  ${line}`),
    ...(preview === undefined ? [] : changeLines(preview, paint)),
  ]
}

function paramLines(params: Json): readonly string[] {
  if (!isObject(params)) return [safeLine(shownValue(params))]
  return Object.entries(params).flatMap(([name, value]) => {
    if (typeof value !== 'string' || !value.trim().includes('\n')) return [safeLine(`${name}: ${shownValue(value)}`)]
    return [
      `${safeLine(name)}: |`,
      ...safe(value.trimEnd())
        .split('\n')
        .map((line) => `  ${line}`),
    ]
  })
}

function changeLines({ summary, changes }: Preview, paint: Paint): readonly string[] {
  return [
    `${indent}→ ${safeLine(summary)}`,
    ...changes.flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [`${indent}  ${paint('bad', safeLine(`- ${path}: ${shownValue(before)}`))}`]),
      ...(after === undefined ? [] : [`${indent}  ${paint('good', safeLine(`+ ${path}: ${shownValue(after)}`))}`]),
    ]),
  ]
}
