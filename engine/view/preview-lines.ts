import type { Preview } from '../action/contract.ts'
import type { Json } from '../json.ts'
import { isObject } from '../json.ts'
import type { RunEvent } from '../run/event.ts'
import type { Paint } from './colour.ts'
import { factLine, indent } from './fact-line.ts'
import { isUnknown, shownValue } from './fact-text.ts'
import { effectNote, previewLabels } from './label.ts'
import { previewed } from './progress.ts'
import { tableLines } from './table.ts'
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
    // what cannot be looked at yet has nothing to show but why
    ...(kind === 'look' && maybe !== undefined ? [] : paramLines(params, event.asks === true)).map(
      (line) => `${indent}  ${line}`,
    ),
    ...(preview === undefined ? [] : changeLines(preview, paint)),
  ]
}

function paramLines(params: Json, asks: boolean): readonly string[] {
  if (!isObject(params)) return [safeLine(shownValue(params))]
  return Object.entries(params).flatMap(([name, value]) => {
    // what a person would be shown to decide on is shown as they would see it
    if (asks && name === 'table' && Array.isArray(value) && value.length > 0 && value.every(isObject))
      return ['table:', ...tableLines(value).map((line) => `  ${line}`)]
    if (isUnknown(value)) return [safeLine(`${name}: not known yet`)]
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
