import { shownDuration } from '../duration.ts'
import type { Paint, Style } from './colour.ts'
import { parentOf } from './execution-key.ts'
import { namedOn } from './fact-text.ts'
import { fewOf } from './header-lines.ts'
import { statusLabels } from './label.ts'
import type { OpenExecution, OpenLoop, Progress } from './progress.ts'
import { badCounts, foldedInto } from './progress.ts'
import type { Row } from './screen.ts'
import { row } from './screen.ts'
import { cut, safeLine, widthOf } from './terminal-text.ts'

export interface RowOptions {
  readonly paint: Paint
  readonly columns: number
  /** How many rows there may be. */
  readonly most: number
  /** Milliseconds since 1970, by the clock of the events. */
  readonly now: number
  /** The picture that says something moves. */
  readonly spin: string
  /** Steps that were begun, of those the outline has. */
  readonly reached: ReadonlySet<string>
}

/** What goes on now: a line about the run, what is open, what comes next. Never more rows than fit, whatever is open. */
export function liveRows(progress: Progress, options: RowOptions): readonly Row[] {
  const open = openRows(progress, options)
  const fit = Math.max(1, options.most - 2)
  const shown = open.length > fit ? open.slice(0, fit - 1) : open
  const more = open.slice(shown.length).filter(({ opens }) => opens).length
  const next = nextText(progress, options)
  return [
    drawn(options, options.spin, 'strong', runText(progress, options)),
    ...shown.map(({ row }) => row),
    ...(more > 0 ? [drawn(options, ' ', 'dim', `  … and ${more} more are open`)] : []),
    ...(next === '' ? [] : [drawn(options, '·', 'dim', next)]),
  ]
}

function drawn({ paint, columns }: RowOptions, sign: string, style: Style, text: string): Row {
  const fitting = cut(text, columns - 3)
  return row(`${sign} ${paint(style, fitting)}`, `${sign} ${fitting}`)
}

function runText({ began, counts, since }: Progress, { now, reached }: RowOptions): string {
  const steps = topLevel(began?.outline ?? [])
  const place = steps.length === 0 ? '' : `step ${Math.min(reached.size, steps.length)} of ${steps.length}`
  const done = [...counts].map(([status, count]) => `${count} ${statusLabels[status].word.toLowerCase()}`).join(', ')
  const took = since === 0 ? '' : lasting(now - since)
  const mode = began?.mode === 'dry-run' ? 'dry run' : ''
  return safeLine([began?.runbook.name ?? 'run', mode, place, done, took].filter(Boolean).join('  '))
}

/** `opens`: an execution begins in this row; else it is what the one above it said last. */
interface OpenRow {
  readonly row: Row
  readonly opens: boolean
}

function openRows(progress: Progress, options: RowOptions): readonly OpenRow[] {
  const rows: OpenRow[] = []
  for (const execution of progress.open.values()) {
    // the items of a long loop stand in its own row
    if (foldedInto(progress, execution.key)) continue
    const loop = progress.loops.get(execution.key)
    const text = '  '.repeat(depthOf(execution.key)) + execution.key
    const name = safeLine(namedOn(execution.name, execution.target))
    const { sign, style, state } = stateOf(execution, loop, options)
    rows.push({ row: drawn(options, sign, style, fitted(safeText(text), name, safeLine(state), options)), opens: true })
    if (execution.latest !== '' && !loop)
      rows.push({ row: drawn(options, ' ', 'dim', `${indentOf(text)}│ ${safeLine(execution.latest)}`), opens: false })
  }
  return rows
}

/** Where there is little room, it is the name that is cut: how far a step is changes, and is what is looked for. */
function fitted(key: string, name: string, state: string, { columns }: RowOptions): string {
  const room = columns - 3 - widthOf(`${key}    ${state}`)
  return [key, cut(name, Math.max(room, 12)), state].join('  ')
}

function stateOf(
  execution: OpenExecution,
  loop: OpenLoop | undefined,
  { now, spin }: RowOptions,
): { readonly sign: string; readonly style: Style; readonly state: string } {
  const took = lasting(now - execution.since)
  if (execution.question !== undefined)
    return { sign: '?', style: 'warn', state: `waits for an answer: ${execution.question}` }
  if (loop) return { sign: spin, style: 'plain', state: `${loopText(loop)}  ${took}` }
  const facts = [
    took,
    execution.waitsFor === undefined ? '' : `waits ${execution.waitsFor}`,
    execution.tries > 1 ? `try ${execution.tries}` : '',
    execution.polls > 0 ? `poll ${execution.polls}` : '',
  ]
  return { sign: spin, style: 'plain', state: facts.filter(Boolean).join(', ') }
}

/** Whole seconds: parts of them would only flicker. */
function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return seconds < 60 ? `${seconds}s` : shownDuration(seconds * 1_000)
}

/** `12/40, 1 failed, running: cmp3, cmp4`. */
function loopText(loop: OpenLoop): string {
  const running = loop.running.size === 0 ? '' : `, running: ${fewOf([...loop.running.values()], 6)}`
  return `${loop.done}/${loop.count ?? '?'}${badCounts(loop)}${running}`
}

function nextText({ began, cancelled }: Progress, { reached }: RowOptions): string {
  if (cancelled) return 'cleaning up; Ctrl-C once more leaves at once, and the run can be resumed'
  const waiting = topLevel(began?.outline ?? []).filter(({ step }) => !reached.has(step))
  const [next] = waiting
  if (next === undefined) return ''
  const more = waiting.length > 1 ? `, then ${waiting.length - 1} more` : ''
  return safeLine(`waiting: ${next.step}  ${next.name}${more}`)
}

/** A loop and its body stand in the outline as two entries of the same step. */
function topLevel<T extends { readonly step: string; readonly depth: number }>(outline: readonly T[]): readonly T[] {
  return outline.filter(({ depth }) => depth === 0)
}

function depthOf(key: string): number {
  let depth = 0
  for (let at = parentOf(key); at !== ''; at = parentOf(at)) depth++
  return depth
}

function safeText(text: string): string {
  return indentOf(text) + safeLine(text)
}

function indentOf(text: string): string {
  return text.slice(0, text.length - text.trimStart().length)
}
