import type { Evaluated, EvaluatedRows, WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, text } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import { failedCondition } from './words.ts'

type Verdict = 'pass' | 'warn' | 'fail' | 'unknown' | 'skipped'

interface Finding {
  readonly key: string
  readonly check: string
  readonly verdict: Verdict
  readonly message: string
  readonly runbook?: string
}

const shown = { 'x-runbook-shown': true }

const rows = (what: string): Schema =>
  listOf(
    {
      ...closedObject(
        {
          each: text('The offending things: a CEL expression that gives a list. An empty list is good.'),
          as: text('The name of each in the texts below; `item` unless told.'),
          key: text(
            'What names the finding for good, so that the next run knows it again: a template. The key of the check stands before it.',
          ),
          message: text('What is wrong, for people: a template.'),
          runbook: text('The runbook to use next.'),
        },
        ['as', 'key', 'runbook'],
      ),
      description: 'One kind of finding.',
      'x-runbook': 'rows',
    },
    what,
  )

const conditions = (what: string): Schema =>
  listOf(
    closedObject({
      that: text('When this is so: a CEL expression.', { 'x-runbook': 'condition' }),
      message: text('What to say then.', shown),
    }),
    what,
  )

const finding = closedObject(
  {
    key: text('Stable from run to run.'),
    check: text('The key of the check.'),
    verdict: text('What it means.', { enum: ['warn', 'fail', 'unknown'] }),
    message: text('What is wrong.'),
    runbook: text('The runbook to use next.'),
  },
  ['runbook'],
)

/**
 * A check of an inspection. It never fails its step: its verdict is its result. What cannot be evaluated because a step
 * before it gave nothing is `unknown`, with the reason; `unknown` is never taken for `pass`.
 */
export const check: WorkAction = {
  name: 'assert.check',
  summary: 'look at something and say pass, warn, fail, unknown or skipped',
  description:
    'Each entry of `fail`, `warn` and `unknown` makes one finding per item of its list. The verdict is the worst of them: fail, then unknown, then warn; `pass` when there is none. An expression that cannot be evaluated, because what it reads is not there, makes the check `unknown`. A failing check does not stop the run.',
  effect: 'read',
  params: closedObject(
    {
      check: text('The stable key of the check.', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', ...shown }),
      title: text('What must be so, in a few words.', shown),
      skip: conditions('When the check does not apply here; the first that holds is told.'),
      fail: rows('What is broken.'),
      warn: rows('What will be broken, or is not as it should be.'),
      unknown: rows('What could not be looked at.'),
      summary: text('What was seen when all is well: a template.', shown),
      runbook: text('The runbook to use next, for what is broken or will be and names none itself.'),
    },
    ['skip', 'fail', 'warn', 'unknown', 'summary', 'runbook'],
  ),
  result: closedObject({
    check: text('The key of the check.'),
    title: text('Its title.'),
    verdict: text('The worst of its findings.', { enum: ['pass', 'warn', 'fail', 'unknown', 'skipped'] }),
    findings: listOf(finding, 'What was found, worst first.'),
    summary: text('One line.'),
  }),
  examples: [
    {
      check: 'A0',
      title: 'Nothing is wrong',
      fail: [{ each: '[1, 2].filter(n, n > 2)', message: '{{item}} is too large' }],
    },
  ],
  async run(_ctx, params) {
    const skipped = listed(params['skip']).find(({ that }) => (that as Evaluated & { value?: Json }).value === true)
    if (skipped) return result(params, 'skipped', [], String(skipped['message']))
    const found = (['fail', 'unknown', 'warn'] as const).flatMap((verdict) =>
      listed(params[verdict]).flatMap((each) => findings(params, verdict, each as unknown as EvaluatedRows)),
    )
    const broken = listed(params['skip']).flatMap(({ that }) =>
      'error' in (that as Evaluated) ? [blocked(params, failedCondition(that as Evaluated) ?? '')] : [],
    )
    const all = once([...found, ...broken])
    const worst =
      (['fail', 'unknown', 'warn'] as const).find((verdict) => all.some((each) => each.verdict === verdict)) ?? 'pass'
    return result(params, worst, all, worst === 'pass' ? String(params['summary'] ?? '') : told(all))
  },
}

function listed(value: unknown): readonly { readonly [name: string]: unknown }[] {
  return Array.isArray(value) ? value : []
}

function findings(params: JsonObject, verdict: 'fail' | 'warn' | 'unknown', evaluated: EvaluatedRows): Finding[] {
  if ('error' in evaluated) return [blocked(params, evaluated.error)]
  return evaluated.rows.map(({ key, message, runbook }) => {
    // what could not be looked at names no way out: nobody knows yet that anything is wrong
    const next = runbook ?? (verdict === 'unknown' ? undefined : params['runbook'])
    const check = String(params['check'])
    return {
      key: key === undefined ? check : `${check}/${String(key)}`,
      check,
      verdict,
      message: String(message),
      ...(next !== undefined && { runbook: String(next) }),
    }
  })
}

function blocked(params: JsonObject, why: string): Finding {
  const check = String(params['check'])
  return { key: `${check}/unknown`, check, verdict: 'unknown', message: why }
}

/** Several rules may be blocked by the same thing: it is told once. */
function once(all: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>()
  return all.filter(({ key, verdict, message }) => {
    const name = `${key} ${verdict} ${verdict === 'unknown' ? '' : message}`
    return !seen.has(name) && seen.add(name)
  })
}

function told(all: readonly Finding[]): string {
  const [first] = all
  return all.length === 1 ? (first?.message ?? '') : `${all.length} findings; the worst: ${first?.message ?? ''}`
}

function result(params: JsonObject, verdict: Verdict, found: readonly Finding[], summary: string): Json {
  return {
    check: String(params['check']),
    title: String(params['title']),
    verdict,
    findings: found as unknown as Json,
    summary,
  }
}
