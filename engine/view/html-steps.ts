import { shownDuration } from '../duration.ts'
import type { Json } from '../json.ts'
import { callEnd, howToAnswer, operandLines, shownAnswer, shownTime, shownValue } from './fact-text.ts'
import type { Html } from './html-text.ts'
import { html } from './html-text.ts'
import type { Label } from './label.ts'
import type { ReportedCondition, ReportedQuestion, ReportedStep } from './report.ts'
import { errorText, isNotable, stepFacts, stepLabel } from './report-facts.ts'

/** One step: a line of key facts, and what happened in it below, open where somebody should look or decide. */
export function stepHtml(step: ReportedStep): Html {
  const details = detailsOf(step)
  const row = html`<time>${step.began?.slice(11, 19)}</time><span>${badge(stepLabel(step))}</span><span class="what${step.depth > 0 ? ' nested' : ''}" style="--depth:${step.depth}">${step.name} <code class="dim">${step.key}</code><span class="facts">${stepFacts(step)}</span>${brief(step)}</span>`
  if (details.length === 0) return html`<li><div class="row">${row}</div></li>`
  const open = { html: isNotable(step) || step.status === 'previewed' ? ' open' : '' }
  return html`<li><details${open}><summary class="row">${row}</summary><div class="inside">${details}</div></details></li>`
}

export function badge({ style, sign, word }: Label): Html {
  return html`<span class="badge ${style}"><span aria-hidden="true">${sign}</span> ${word}</span>`
}

/** Why, on the line itself: a print or a glance needs no more. */
function brief(step: ReportedStep): Html | undefined {
  const why = errorText(step) ?? step.why ?? step.maybe
  const tone = step.error === undefined ? 'dim' : 'bad'
  return why === undefined ? undefined : html`<span class="why ${tone}">${why}</span>`
}

function detailsOf(step: ReportedStep): readonly Html[] {
  const { error, params, preview, tries, polls, calls, conditions, questions, reopened, result } = step
  return [
    ...(error?.hint === undefined ? [] : [html`<p><b>Hint</b>: ${error.hint}</p>`]),
    ...listOf(
      'Tries before',
      tries.map(
        (each) =>
          html`<li>try ${each.attempt}, ${shownTime(each.at)}: ${each.message}; again after ${shownDuration(each.delay)}</li>`,
      ),
    ),
    ...listOf(
      'Waited',
      polls.map(
        ({ seen, times, from }) =>
          html`<li>${from.slice(11, 19)}${times > 1 ? `, ${times} times` : ''}: ${seen === '' ? 'not yet' : seen}</li>`,
      ),
    ),
    ...calls.map(callHtml),
    ...conditions.map(conditionHtml),
    ...questions.map(questionHtml),
    ...listOf(
      'Opened again',
      reopened.map(({ at, why }) => html`<li>${shownTime(at)}: ${why}</li>`),
    ),
    ...(preview ? [previewHtml(preview)] : []),
    ...valueHtml('Parameters', params),
    ...valueHtml('Result', isWorthShowing(step) ? result : undefined),
    ...valueHtml('Detail', error?.detail),
  ]
}

/** A check's result is the inspection above; a command's is its output. */
function isWorthShowing({ action, calls, result }: ReportedStep): boolean {
  if (result === null || action === 'assert.check') return false
  return !calls.some(({ kind }) => kind !== 'http')
}

function listOf(title: string, items: readonly Html[]): readonly Html[] {
  return items.length === 0 ? [] : [html`<div><p class="label">${title}</p><ul>${items}</ul></div>`]
}

const longestValue = 20_000

function valueHtml(title: string, value: Json | undefined): readonly Html[] {
  if (value === undefined) return []
  const short = typeof value === 'string' ? value : JSON.stringify(value)
  const text = typeof value === 'string' || short.length <= 100 ? short : JSON.stringify(value, undefined, 2)
  const shown =
    text.length > longestValue
      ? `${text.slice(0, longestValue)}\n… ${text.length - longestValue} characters more, in the transcript`
      : text
  return [html`<div><p class="label">${title}</p><pre>${shown}</pre></div>`]
}

function callHtml(call: ReportedStep['calls'][number]): Html {
  const took = shownDuration(call.took)
  if (call.kind === 'http') {
    const well = call.error === undefined && call.status !== undefined && call.status < 400
    const answer = badge({
      style: well ? 'good' : 'bad',
      sign: well ? '✓' : '✗',
      word: call.error ?? String(call.status ?? 'no answer'),
    })
    return html`<p class="call">${answer} <code>${call.method} ${call.url}</code> <span class="dim">${took}${call.requestId === undefined ? '' : `, ${call.requestId}`}</span></p>`
  }
  const well = call.error === undefined && call.exitCode === 0
  const end = badge({
    style: well ? 'good' : 'bad',
    sign: well ? '✓' : '✗',
    word: call.error ?? callEnd(call.exitCode),
  })
  const where = call.kind === 'ssh' ? `on ${call.host}` : 'here'
  return html`<div><p class="call">${end} <code>${call.command}</code> <span class="dim">${where}, ${took}</span></p>${output('stdout', call.stdout)}${output('stderr', call.stderr)}</div>`
}

function output(title: string, text: string | undefined): Html | undefined {
  if (text === undefined || text.trim() === '') return undefined
  return html`<p class="label">${title}</p><pre>${text.trimEnd()}</pre>`
}

export function conditionHtml({ word, held, evaluated, message }: ReportedCondition): Html {
  const label: Label = held
    ? { style: 'good', sign: '✓', word: 'holds' }
    : { style: 'bad', sign: '✗', word: 'does not hold' }
  const operands = operandLines(evaluated)
  const why = held || message === undefined ? undefined : html`<p>${message}</p>`
  const list = operands.length === 0 ? undefined : html`<ul>${operands.map((line) => html`<li>${line}</li>`)}</ul>`
  return html`<div><p class="call">${badge(label)} <span class="dim">${word}</span> <code>${evaluated.text}</code></p>${why}${list}</div>`
}

export function questionHtml({ asked, question, answer }: ReportedQuestion): Html {
  const given =
    answer === undefined
      ? html`<b>not answered</b>`
      : html`<b>${shownAnswer(answer)}</b> <span class="dim">${shownTime(answer.at)} UTC</span>`
  const rows = question.table ?? []
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const table =
    rows.length === 0
      ? undefined
      : html`<table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${heads.map((head) => html`<td>${row[head] === undefined ? '' : shownValue(row[head])}</td>`)}</tr>`)}</tbody></table>`
  return html`<div><p class="label">Question, ${shownTime(asked)} UTC</p><p>${question.message} <span class="dim">(${howToAnswer(question)})</span></p>${table}<p>Answer: ${given}</p></div>`
}

function previewHtml({ summary, changes }: NonNullable<ReportedStep['preview']>): Html {
  const lines = changes.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [html`<span class="del">- ${path}: ${shownValue(before)}</span>\n`]),
    ...(after === undefined ? [] : [html`<span class="ins">+ ${path}: ${shownValue(after)}</span>\n`]),
  ])
  return html`<div><p class="label">Would change</p><p>${summary}</p>${lines.length === 0 ? undefined : html`<pre>${lines}</pre>`}</div>`
}
