import { shownDuration } from '../duration.ts'
import type { Entry } from '../run/event.ts'
import { callEnd, howToAnswer, operandLines, shownAnswer, shownFields, shownTime, shownValue } from './fact-text.ts'
import { verdictLabels } from './label.ts'
import { codeBlock, codeSpan, plainMarkdown, table } from './markdown-text.ts'
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
import { countVerdicts } from './verdict.ts'

/** The report for a ticket, a wiki or a pull request. */
export function renderMarkdown(entries: Iterable<Entry>): string {
  const report = reportOf(entries)
  const parts = [
    ...head(report),
    ...inDoubt(report),
    ...inspection(report),
    ...titled('Conditions', report.conditions.map(conditionItem)),
    ...titled('Questions', report.questions.map(questionItem)),
    ...steps(report),
    ...titled(
      'Outputs',
      report.outputs === undefined ? [] : [codeBlock(JSON.stringify(report.outputs, undefined, 2), 'json')],
    ),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function titled(title: string, parts: readonly string[]): readonly string[] {
  return parts.length === 0 ? [] : [`## ${title}`, ...parts]
}

function head(report: Report): readonly string[] {
  const { name, title } = report.runbook
  const { sign, word } = headline(report)
  const { error } = report
  return [
    `# ${plainMarkdown(title === '' ? name : title)}`,
    `**${sign} ${word}**${report.steps.length > 0 ? `: ${countsText(report)}` : ''}`,
    error === undefined ? '' : errorQuote(error),
    table(
      ['', ''],
      headFacts(report).map(([fact, value]) => [fact, codeSpan(value)]),
    ),
  ]
}

function errorQuote({ key, code, message, hint }: NonNullable<Report['error']>): string {
  const head = `> ${plainMarkdown(`${key === undefined ? '' : `${key}: `}${code}: ${message}`)}`
  return hint === undefined ? head : `${head}\n>\n> hint: ${plainMarkdown(hint)}`
}

function inDoubt({ doubts }: Report): readonly string[] {
  const items = doubts.map((doubt) => `- ${codeSpan(doubt.key)} ${plainMarkdown(`${doubt.name}: ${doubtText(doubt)}`)}`)
  return titled('In doubt', items.length === 0 ? [] : [items.join('\n')])
}

function inspection(report: Report): readonly string[] {
  const all = [...report.checks, ...report.unchecked]
  if (all.length === 0) return []
  const groups = findingGroups(report).flatMap((group) => [
    `### ${group.title} (${group.findings.length})`,
    group.findings
      .map(({ finding, note, label }) => {
        const remedy = finding.runbook === undefined ? '' : ` → ${codeSpan(`runbook exec ${finding.runbook}`)}`
        const more = note === '' ? '' : ` (${plainMarkdown(note)})`
        return `- ${label.sign} ${label.word} ${plainMarkdown(`${finding.check} ${finding.message}`)}${more}${remedy}`
      })
      .join('\n'),
  ])
  return [
    `## Inspection`,
    [...countVerdicts(all)].map(([verdict, count]) => `${verdictLabels[verdict].sign} ${count} ${verdict}`).join(' · '),
    ...groups,
    '### Checks',
    table(
      ['Verdict', 'Check', 'Summary'],
      [
        ...report.checks.map(({ verdict, check, title, summary }) => [
          verdictWord(verdict),
          plainMarkdown(`${check} ${title}`),
          plainMarkdown(summary),
        ]),
        ...report.unchecked.map(({ verdict, name, why }) => [
          verdictWord(verdict),
          plainMarkdown(name),
          plainMarkdown(`no verdict: ${why}`),
        ]),
      ],
    ),
  ]
}

function verdictWord(verdict: keyof typeof verdictLabels): string {
  return `${verdictLabels[verdict].sign} ${verdictLabels[verdict].word}`
}

function steps(report: Report): readonly string[] {
  if (report.steps.length === 0) return []
  const rows = report.steps.map((step) => {
    const { sign, word } = stepLabel(step)
    return [
      step.began?.slice(11, 19) ?? '',
      `${sign} ${word}`,
      codeSpan(step.key),
      plainMarkdown(step.name),
      plainMarkdown(stepFacts(step)),
    ]
  })
  return ['## Steps', table(['UTC', 'Outcome', 'Step', 'Name', 'Facts'], rows), ...report.steps.flatMap(stepDetail)]
}

function stepDetail(step: ReportedStep): readonly string[] {
  const parts = [
    step.why === undefined ? '' : `- ${plainMarkdown(step.why)}`,
    ...step.tries.map(
      ({ attempt, message, delay }) =>
        `- try ${attempt}: ${plainMarkdown(message)}, again after ${shownDuration(delay)}`,
    ),
    ...step.polls.map(({ seen, times }) => `- polled${times > 1 ? ` ${times} times` : ''}: ${plainMarkdown(seen)}`),
    ...step.calls.map(callItem),
    ...step.conditions.map(conditionItem),
    ...step.questions.map(questionItem),
    ...previewParts(step),
    ...step.reopened.map(({ at, why }) => `- opened again ${shownTime(at)} UTC: ${plainMarkdown(why)}`),
    step.error === undefined ? '' : `- **${plainMarkdown(errorText(step) ?? '')}**`,
    step.error?.hint === undefined ? '' : `- hint: ${plainMarkdown(step.error.hint)}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? [] : [`### ${codeSpan(step.key)} ${plainMarkdown(step.name)}`, ...parts]
}

function callItem(call: ReportedStep['calls'][number]): string {
  const took = shownDuration(call.took)
  if (call.kind === 'http') {
    const answer = call.error ?? String(call.status ?? 'no answer')
    const id = call.requestId === undefined ? '' : `, ${codeSpan(call.requestId)}`
    return `- ${codeSpan(`${call.method} ${call.url}`)} ${plainMarkdown(answer)}${id}, ${took}`
  }
  const where = call.kind === 'ssh' ? `on ${codeSpan(call.host)}` : 'here'
  return [
    `- ${codeSpan(call.command)} ${where}: ${plainMarkdown(call.error ?? callEnd(call.exitCode))}, ${took}`,
    ...[call.stdout, call.stderr].flatMap((text) =>
      text === undefined || text.trim() === '' ? [] : [codeBlock(text)],
    ),
  ].join('\n\n')
}

function conditionItem({ word, held, evaluated, message }: ReportedCondition): string {
  const why = message === undefined || held ? '' : ` ${plainMarkdown(message)}`
  const operands = operandLines(evaluated).map((line) => `  - ${plainMarkdown(line)}`)
  return [`- ${word} ${held ? 'holds' : '**does not hold**'}: ${codeSpan(evaluated.text)}${why}`, ...operands].join(
    '\n',
  )
}

function questionItem({ asked, question, answer }: ReportedQuestion): string {
  const given = answer === undefined ? 'not answered' : `${shownTime(answer.at)} UTC: ${shownAnswer(answer)}`
  return [
    `- asked ${shownTime(asked)} UTC: **${plainMarkdown(question.message)}** (${plainMarkdown(howToAnswer(question))})`,
    ...(question.table ?? []).map((row) => `  - ${plainMarkdown(shownFields(row))}`),
    `- answer: ${plainMarkdown(given)}`,
  ].join('\n')
}

function previewParts({ status, params, preview, maybe }: ReportedStep): readonly string[] {
  if (status !== 'previewed') return []
  const changes = (preview?.changes ?? []).flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [`- ${path}: ${shownValue(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${shownValue(after)}`]),
  ])
  return [
    maybe === undefined ? '' : `- not certain: ${plainMarkdown(maybe)}`,
    params === undefined ? '' : codeBlock(JSON.stringify(params, undefined, 2), 'json'),
    preview === undefined ? '' : `- → ${plainMarkdown(preview.summary)}`,
    changes.length === 0 ? '' : codeBlock(changes.map((line) => line.replaceAll('\n', ' ')).join('\n'), 'diff'),
  ]
}
