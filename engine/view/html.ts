import type { Entry, Verdict } from '../run/event.ts'
import { shownTime } from './fact-text.ts'
import { badge, conditionHtml, questionHtml, stepHtml } from './html-steps.ts'
import { style } from './html-style.ts'
import type { Html } from './html-text.ts'
import { html } from './html-text.ts'
import { verdictLabels } from './label.ts'
import type { Report } from './report.ts'
import { countsText, doubtText, findingGroups, headFacts, headline } from './report-facts.ts'
import { reportOf } from './report-of.ts'
import { countVerdicts } from './verdict.ts'

/** The report as one file that needs nothing else: no script, no font, no picture; for a screen, a mail and A4. */
export function renderHtml(entries: Iterable<Entry>): string {
  const report = reportOf(entries)
  const { name, title } = report.runbook
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${headline(report).word}: ${title === '' ? name : title}, ${shownTime(report.began)} UTC</title>
<style>${{ html: style }}</style>
</head>
<body>
<main>
${head(report)}
${alarms(report)}
${inspection(report)}
${section('Conditions of the run', report.conditions.map(conditionHtml))}
${section('Questions', report.questions.map(questionHtml))}
${steps(report)}
${outputs(report)}
<footer>Made from the transcript of run ${report.run}: ${report.transcript.entries} entries, chain <code>${report.transcript.chain}</code>. <code>runbook verify ${report.run}</code> checks the chain. All times are UTC.</footer>
</main>
</body>
</html>
`
  return page.html
}

function head(report: Report): Html {
  const { name, title } = report.runbook
  const facts = headFacts(report).filter(([fact]) => fact !== 'transcript')
  return html`<header class="head">
<h1>${title === '' ? name : title}</h1>
<p>${badge(headline(report))} <span>${countsText(report)}</span></p>
<dl class="card">${facts.map(([fact, value]) => html`<dt>${fact}</dt><dd>${isCode(fact) ? html`<code>${value}</code>` : value}</dd>`)}</dl>
</header>`
}

function isCode(fact: string): boolean {
  return ['run', 'digest', 'commit', 'inputs', 'runbook', 'locks'].includes(fact)
}

/** What must not be overlooked: why it failed, and what nobody knows. */
function alarms({ error, doubts }: Report): readonly Html[] {
  const where = error?.key === undefined ? undefined : html` at <code>${error.key}</code>`
  const hint = error?.hint === undefined ? undefined : html`<p>Hint: ${error.hint}</p>`
  return [
    ...(error
      ? [
          html`<section class="card alarm"><p><b>Why it ended${where}</b></p><p>${error.message} <code class="dim">${error.code}</code></p>${hint}</section>`,
        ]
      : []),
    ...doubts.map(
      (doubt) =>
        html`<section class="card alarm doubtful"><p>${badge({ style: 'doubt', sign: '?', word: doubt.settled ? 'was in doubt' : 'IN DOUBT' })} <b>${doubt.name}</b> <code class="dim">${doubt.key}</code></p><p>${doubtText(doubt)}</p></section>`,
    ),
  ]
}

function inspection(report: Report): Html | undefined {
  const all = [...report.checks, ...report.unchecked]
  if (all.length === 0) return undefined
  const since =
    report.previous === undefined
      ? 'nothing to compare with'
      : `compared with ${report.previous.run}, ${shownTime(report.previous.at)} UTC`
  const rows = [
    ...report.checks.map(({ verdict, title, check, summary }) => ({ verdict, title, key: check, text: summary })),
    ...report.unchecked.map(({ verdict, name, key, why }) => ({
      verdict,
      title: name,
      key,
      text: `no verdict: ${why}`,
    })),
  ]
  return html`<section><h2>Inspection</h2>
<ul class="tiles">${[...countVerdicts(all)].map(([verdict, count]) => tile(verdict, count))}</ul>
${findingGroups(report).map(
  (group) => html`<h3>${group.title} <span class="badge ${group.style}">${group.findings.length}</span></h3>
<ul class="findings card">${group.findings.map(
    ({ finding, note, label }) =>
      html`<li>${badge(label)}<div><span class="dim">${finding.check}</span> ${finding.message}${note === '' ? undefined : html` <span class="dim">(${note})</span>`}${
        finding.runbook === undefined ? undefined : html`<br><code class="dim">runbook exec ${finding.runbook}</code>`
      }</div></li>`,
  )}</ul>`,
)}
<h3>All checks <span class="dim">${since}</span></h3>
<div class="card"><table><thead><tr><th scope="col">Verdict</th><th scope="col">Check</th><th scope="col">Summary</th></tr></thead><tbody>${rows.map(
    ({ verdict, title, key, text }) =>
      html`<tr><td>${badge(verdictLabels[verdict])}</td><td>${title} <code class="dim">${key}</code></td><td>${text}</td></tr>`,
  )}</tbody></table></div></section>`
}

function tile(verdict: Verdict, count: number): Html {
  const { style: tone, sign } = verdictLabels[verdict]
  return html`<li class="${tone === 'dim' ? 'plain' : tone}"><b>${count}</b><span aria-hidden="true">${sign}</span> ${verdict}</li>`
}

function section(title: string, parts: readonly Html[]): Html | undefined {
  return parts.length === 0 ? undefined : html`<section><h2>${title}</h2><div class="card">${parts}</div></section>`
}

function steps(report: Report): Html | undefined {
  if (report.steps.length === 0) return undefined
  return html`<section><h2>Steps</h2><ol class="steps">${report.steps.map(stepHtml)}</ol></section>`
}

function outputs({ outputs: values }: Report): Html | undefined {
  if (values === undefined || Object.keys(values).length === 0) return undefined
  return html`<section><h2>Outputs</h2><pre>${JSON.stringify(values, undefined, 2)}</pre></section>`
}
