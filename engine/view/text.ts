import { shownDuration } from '../duration.ts'
import type { Json } from '../json.ts'
import type { Entry } from '../run/event.ts'
import type { Paint } from './colour.ts'
import { painter } from './colour.ts'
import { howToAnswer, operandLines, shownAnswer, shownCall, shownFields, shownTime, shownValue } from './fact-text.ts'
import { verdictLabels } from './label.ts'
import type { Report, ReportedCondition, ReportedQuestion, ReportedStep } from './report.ts'
import {
  countsText,
  doubtText,
  errorText,
  findingGroups,
  headFacts,
  headline,
  stepFacts,
  stepLabel,
} from './report-facts.ts'
import { reportOf } from './report-of.ts'
import { tableLines } from './table.ts'
import { padded, safe, safeLine } from './terminal-text.ts'
import { countVerdicts } from './verdict.ts'

/** The report for a terminal or a mail. */
export function renderText(entries: Iterable<Entry>, { colour = false }: { readonly colour?: boolean } = {}): string {
  const report = reportOf(entries)
  const paint = painter(colour)
  const parts = [
    head(report, paint),
    error(report),
    section('In doubt', doubts(report), paint),
    section('Findings', findings(report, paint), paint),
    section('Checks', checks(report, paint), paint),
    section('Conditions', report.conditions.flatMap(conditionLines), paint),
    section('Questions', report.questions.flatMap(questionLines), paint),
    section(
      'Steps',
      report.steps.flatMap((step) => stepLines(step, paint)),
      paint,
    ),
    section('Outputs', outputs(report), paint),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return lines.length === 0 ? '' : [paint('strong', title), ...lines.map((line) => `  ${line}`.trimEnd())].join('\n')
}

function head(report: Report, paint: Paint): string {
  const { name, title } = report.runbook
  const { sign, word, style } = headline(report)
  return [
    paint('strong', safeLine(title === '' ? name : `${name}: ${title}`)),
    paint(style, `${sign} ${word}`) + (report.steps.length > 0 ? ` (${countsText(report)})` : ''),
    '',
    ...headFacts(report).map(([fact, value]) => `${paint('dim', padded(fact, 11))} ${safeLine(value)}`),
  ].join('\n')
}

function error({ error: why }: Report): string {
  if (why === undefined) return ''
  const where = why.key === undefined ? '' : `${why.key}: `
  return (
    safeLine(`${where}${why.code}: ${why.message}`) + (why.hint === undefined ? '' : `\nhint: ${safeLine(why.hint)}`)
  )
}

function doubts(report: Report): readonly string[] {
  return report.doubts.map((doubt) => safeLine(`? ${doubt.key}  ${doubt.name}: ${doubtText(doubt)}`))
}

function findings(report: Report, paint: Paint): readonly string[] {
  return findingGroups(report).flatMap((group) => [
    paint(group.style, `${group.title} (${group.findings.length})`),
    ...group.findings.map(({ finding, note, label }) => {
      const remedy = finding.runbook === undefined ? '' : `  → runbook exec ${finding.runbook}`
      const more = note === '' ? '' : `  (${note})`
      return `  ${label.sign} ${safeLine(`${finding.check}  ${finding.message}${more}${remedy}`)}`
    }),
  ])
}

function checks({ checks: done, unchecked }: Report, paint: Paint): readonly string[] {
  const counts = [...countVerdicts([...done, ...unchecked])].map(([verdict, count]) => `${count} ${verdict}`).join(', ')
  const rows = [
    ...done.map(({ verdict, check, title, summary }) => ({
      verdict,
      text: `${check}  ${title}${summary && `: ${summary}`}`,
    })),
    ...unchecked.map(({ verdict, key, name, why }) => ({ verdict, text: `${key}  ${name}: no verdict, ${why}` })),
  ]
  if (rows.length === 0) return []
  return [
    counts,
    ...rows.map(({ verdict, text }) => {
      const { style, sign, word } = verdictLabels[verdict]
      return `${paint(style, padded(`${sign} ${word}`, 10))} ${safeLine(text)}`
    }),
  ]
}

function stepLines(step: ReportedStep, paint: Paint): readonly string[] {
  const { style, sign, word } = stepLabel(step)
  const facts = stepFacts(step)
  const detail = [
    ...(step.why === undefined ? [] : [safeLine(step.why)]),
    ...step.tries.map(({ attempt, message, delay }) =>
      safeLine(`try ${attempt}: ${message}, again after ${shownDuration(delay)}`),
    ),
    ...step.polls.map(({ seen, times }) => safeLine(`polled${times > 1 ? ` ${times} times` : ''}: ${seen}`)),
    ...step.calls.flatMap((call) => [safeLine(shownCall(call)), ...outputOf(call)]),
    ...step.conditions.flatMap(conditionLines),
    ...step.questions.flatMap(questionLines),
    ...previewOf(step),
    ...step.reopened.map(({ at, why }) => safeLine(`opened again ${shownTime(at)} UTC: ${why}`)),
    ...(step.error === undefined ? [] : [safeLine(errorText(step) ?? '')]),
    ...(step.error?.hint === undefined ? [] : [safeLine(`hint: ${step.error.hint}`)]),
  ]
  const inset = '  '.repeat(step.depth)
  return [
    `${paint('dim', step.began?.slice(11, 19) ?? '        ')} ${inset}${paint(style, `${sign} ${word}`)} ${safeLine(`${step.key}  ${step.name}`)}${facts && ` ${paint('dim', safeLine(`(${facts})`))}`}`,
    ...detail.map((line) => `${' '.repeat(11)}${inset}${line}`),
  ]
}

function outputOf(call: ReportedStep['calls'][number]): readonly string[] {
  if (call.kind === 'http') return []
  const lines = (name: string, text: string | undefined) =>
    text === undefined || text.trim() === ''
      ? []
      : safe(text.trimEnd())
          .split('\n')
          .map((line) => `${name} ${line}`)
  return [...lines('|', call.stdout), ...lines('!', call.stderr)]
}

function previewOf({ status, params, preview, maybe }: ReportedStep): readonly string[] {
  if (status !== 'previewed') return []
  const changes = preview?.changes ?? []
  return [
    ...(maybe === undefined ? [] : [safeLine(`not certain: ${maybe}`)]),
    ...(params === undefined ? [] : [safeLine(`with ${valueText(params)}`)]),
    ...(preview === undefined ? [] : [safeLine(`→ ${preview.summary}`)]),
    ...changes.flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [safeLine(`- ${path}: ${shownValue(before)}`)]),
      ...(after === undefined ? [] : [safeLine(`+ ${path}: ${shownValue(after)}`)]),
    ]),
  ]
}

function valueText(value: Json): string {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? shownFields(value as { readonly [name: string]: Json })
    : shownValue(value)
}

function conditionLines({ word, held, evaluated, message }: ReportedCondition): readonly string[] {
  const head = `${word} ${held ? 'holds' : 'DOES NOT HOLD'}: ${evaluated.text}`
  return [
    safeLine(message === undefined || held ? head : `${head} (${message})`),
    ...operandLines(evaluated).map((line) => `  ${safeLine(line)}`),
  ]
}

function questionLines({ asked, question, answer }: ReportedQuestion): readonly string[] {
  return [
    safeLine(`asked ${shownTime(asked)} UTC: ${question.message} (${howToAnswer(question)})`),
    ...tableLines(question.table ?? []).map((line) => `  ${line}`),
    answer === undefined ? 'not answered' : safeLine(`answered ${shownTime(answer.at)} UTC: ${shownAnswer(answer)}`),
  ]
}

function outputs({ outputs: values }: Report): readonly string[] {
  return Object.entries(values ?? {}).map(([name, value]) => safeLine(`${name}: ${shownValue(value, 4_000)}`))
}
