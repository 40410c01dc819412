import { shownDuration } from '../duration.ts'
import type { Paint } from './colour.ts'
import { isUnknown, shownCounts, shownValue } from './fact-text.ts'
import { fewOf } from './header-lines.ts'
import type { Label } from './label.ts'
import { runLabels, statusLabels, verdictLabels } from './label.ts'
import type { Progress } from './progress.ts'
import { safeLine } from './terminal-text.ts'
import { countVerdicts, worstVerdict } from './verdict.ts'

/** The end of a run, or where it went to sleep: how it came out, what it leaves and the next command. */
export function summaryLines(
  progress: Progress,
  paint: Paint,
  { transcript, changed = false }: { readonly transcript?: string; readonly changed?: boolean },
): readonly string[] {
  const { began, now, since } = progress
  const label = endLabel(progress)
  const counts = shownCounts(
    [...progress.counts].map(([status, count]) => [statusLabels[status].word.toLowerCase(), count] as const),
  )
  const took = since > 0 ? ` after ${shownDuration(Math.max(0, now - since))}` : ''
  const what = began?.mode === 'dry-run' ? 'dry run of ' : ''
  const rows: readonly (readonly [string, string])[] = [
    ['steps', counts],
    ['checks', verdictCounts(progress, paint)],
    ...outputRows(progress),
    ['changes', !changed && unchanged(progress) ? 'none was begun' : ''],
    ['in doubt', progress.inDoubt.size === 0 ? '' : paint('doubt', safeLine(fewOf([...progress.inDoubt])))],
    ...questionRows(progress),
    ['transcript', transcript === undefined ? '' : safeLine(transcript)],
    ['next', paint('strong', nextCommand(progress))],
  ]
  return [
    '',
    paint(label.style, `${label.sign} ${what}${safeLine(began?.runbook.name ?? 'the run')} ${label.word}${took}`),
    ...errorLines(progress),
    ...findingLines(progress, paint),
    ...(began?.mode === 'dry-run' ? [paint('strong', dryRunLine(progress))] : []),
    ...rows.flatMap(([name, value]) => (value === '' ? [] : [`  ${paint('dim', name.padEnd(10))} ${value}`])),
  ]
}

/** A run that came to its end is no plain success when what it found is bad, or when a part of it went wrong. */
function endLabel({ ended, parked, checks, bad }: Progress): Label {
  if (!ended) return runLabels[parked.length > 0 ? 'waiting' : 'unfinished']
  if (ended.status !== 'succeeded') return runLabels[ended.status]
  if (checks.size === 0) {
    const label = runLabels.succeeded
    return bad.size === 0
      ? label
      : { ...label, style: 'warn', word: `${label.word}, though ${bad.size} of its parts did not` }
  }
  const verdict = verdictLabels[worstVerdict(checks.values())]
  return { ...verdict, word: `finished, worst verdict ${verdict.word}` }
}

/** Whoever sees a run end early wants to know first whether it has touched anything. */
function unchanged({ began, ended, parked, changes }: Progress): boolean {
  const early = ended ? ended.status !== 'succeeded' : parked.length > 0
  return early && !changes && began?.mode !== 'dry-run'
}

const longestOutput = 200

/** What the run gives, a line for each: the start of it where it is long, for the transcript has all. */
function outputRows({ ended }: Progress): readonly (readonly [string, string])[] {
  const outputs = Object.entries(ended?.outputs ?? {})
  const width = Math.max(...outputs.map(([name]) => name.length))
  return outputs.map(([name, value], index) => {
    const shown = isUnknown(value) ? 'not known yet' : shownValue(value, longestOutput)
    return [index === 0 ? 'outputs' : '', safeLine(`${name.padEnd(width)}  ${shown}`)]
  })
}

const mostQuestions = 8

/** What is asked, also when it was asked in an earlier run of the program and stands nowhere above. */
function questionRows({ parked }: Progress): readonly (readonly [string, string])[] {
  const shown = parked.slice(0, mostQuestions).map(({ key, question }) => safeLine(`${key}: ${question.message}`))
  const more = parked.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((text, index) => [
    index === 0 ? 'questions' : '',
    text,
  ])
}

const mostFindings = 20

/** What an inspection found, worst first, once more: the lines above may be many. */
function findingLines({ checks }: Progress, paint: Paint): readonly string[] {
  const all = (['fail', 'unknown', 'warn'] as const).flatMap((verdict) =>
    [...checks.values()].flatMap(({ findings }) => findings.filter((finding) => finding.verdict === verdict)),
  )
  const shown = all.slice(0, mostFindings).map(({ check, verdict, message }) => {
    const { style, sign } = verdictLabels[verdict]
    return `  ${paint(style, sign)} ${safeLine(`${check}  ${message}`)}`
  })
  return all.length <= mostFindings ? shown : [...shown, `  … and ${all.length - mostFindings} more, in the report`]
}

function verdictCounts({ checks }: Progress, paint: Paint): string {
  return [...countVerdicts(checks.values())]
    .map(([verdict, count]) =>
      paint(verdictLabels[verdict].style, `${count} ${verdictLabels[verdict].word.toLowerCase()}`),
    )
    .join(', ')
}

function errorLines({ ended }: Progress): readonly string[] {
  if (ended?.error === undefined) return []
  const { key, code, message, hint } = ended.error
  return [
    `  ${safeLine(`${key === undefined ? '' : `${key}: `}${code}: ${message}`)}`,
    ...(hint === undefined ? [] : [`  hint: ${safeLine(hint)}`]),
  ]
}

function dryRunLine({ previews }: Progress): string {
  const kinds = [...previews.values()]
  const would = kinds.filter((kind) => kind === 'would').length
  const might = kinds.filter((kind) => kind === 'might').length
  if (would + might === 0) return '  nothing was changed: no step would change anything'
  return `  nothing was changed: ${would} step${would === 1 ? '' : 's'} would act${might > 0 ? `, ${might} more might` : ''}`
}

/** The words that answer what is asked, ready to be typed; what is not known stands in capitals. */
function answersTo(parked: Progress['parked']): string {
  return parked
    .map(({ key, question }) => {
      const pair = safeLine(`${key}=${answerTo(question)}`)
      return ` --answer ${/^[\w=./@:-]+$/.test(pair) ? pair : `'${pair.replaceAll("'", String.raw`'\''`)}'`}`
    })
    .join('')
}

function answerTo({ kind, phrase, options }: Progress['parked'][number]['question']): string {
  // a phrase is for a person to type, not to paste
  if (kind === 'confirm') return phrase === undefined ? 'yes' : 'PHRASE'
  return kind === 'choose' ? (options ?? []).map(({ value }) => value).join('|') : 'VALUE'
}

function nextCommand({ began, ended, parked, checks, bad, cancelled, inDoubt }: Progress): string {
  const run = safeLine(began?.run ?? 'RUN')
  if (parked.length > 0) return `runbook resume ${run} at a terminal, or runbook resume ${run}${answersTo(parked)}`
  if (began?.mode === 'dry-run')
    return ended?.status === 'succeeded' ? `the same command without --dry-run` : `runbook show ${run}`
  if (ended?.status === 'succeeded')
    return checks.size > 0 ? `runbook show ${run} --format html` : `runbook show ${run}`
  // only what failed and was not undone is gone on with, and what could not be undone
  const undoing = [...bad.keys()].some((key) => key.endsWith('!undo'))
  if (ended && ended.status !== 'failed' && !undoing) return `runbook show ${run}`
  // a step had failed when it was cancelled: nobody wants the rest of it
  if (ended && cancelled && !undoing && inDoubt.size === 0) return `runbook show ${run}`
  return `runbook resume ${run}`
}
