import type { Answer, Effect, Evaluated, Preview, Question } from '../action/contract.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Call, CheckResult, Operator, RunBegan, RunEnded, RunError, Verdict } from '../run/event.ts'
import type { OutcomeError, Status } from '../run/outcome.ts'
import type { FindingsDiff } from './findings.ts'

/** A transcript as a document: what the text, Markdown, HTML and JSON forms are made of. Times are ISO 8601, spans milliseconds. */
export interface Report {
  readonly run: string
  readonly mode: RunBegan['mode']
  readonly status: RunEnded['status'] | 'waiting' | 'unfinished'
  readonly exit?: number
  readonly began: string
  /** Of the last entry. */
  readonly until: string
  readonly took: number
  readonly engine: string
  readonly runbook: RunBegan['runbook']
  readonly by: Operator
  readonly inputs: JsonObject
  readonly hosts: readonly string[]
  readonly cloud?: string
  readonly rehearsal?: string
  readonly error?: RunError
  readonly outputs?: JsonObject
  readonly counts: { readonly [status: string]: number }
  /** The worst of the checks, one that did not run being `unknown`; none where the runbook has no check. */
  readonly verdict?: Verdict
  readonly checks: readonly ReportedCheck[]
  readonly unchecked: readonly UncheckedCheck[]
  readonly findings: FindingsDiff
  readonly previous?: { readonly run: string; readonly at: string }
  /** Depth first, in the order they began. */
  readonly steps: readonly ReportedStep[]
  /** Conditions of the whole run. */
  readonly conditions: readonly ReportedCondition[]
  /** Questions that belong to no step. */
  readonly questions: readonly ReportedQuestion[]
  readonly doubts: readonly Doubt[]
  readonly resumes: readonly { readonly at: string; readonly by: Operator }[]
  readonly cancelled: readonly { readonly at: string; readonly by: Operator }[]
  readonly locks: readonly string[]
  /** How many entries it was made from, and the chain's hash as the last of them holds it. */
  readonly transcript: { readonly entries: number; readonly chain: string }
}

export interface ReportedCheck extends CheckResult {
  readonly key: string
  readonly at: string
}

/** A check of the runbook that came to no verdict. */
export interface UncheckedCheck {
  readonly key: string
  readonly name: string
  readonly why: string
  readonly verdict: 'unknown' | 'skipped'
}

export interface ReportedStep {
  readonly key: string
  readonly step: string
  readonly name: string
  readonly kind: string
  readonly depth: number
  readonly action?: string
  readonly effect?: Effect
  readonly target?: string
  readonly count?: number
  readonly began?: string
  readonly ended?: string
  readonly took?: number
  readonly status: Status | 'running' | 'previewed'
  readonly params?: Json
  readonly result?: Json
  readonly why?: string
  readonly error?: OutcomeError
  /** The tries before the last one. */
  readonly tries: readonly {
    readonly attempt: number
    readonly at: string
    readonly message: string
    readonly delay: number
  }[]
  /** What polls saw; the same seen again and again stands once. */
  readonly polls: readonly {
    readonly seen: string
    readonly from: string
    readonly to: string
    readonly times: number
  }[]
  readonly calls: readonly (Call & { readonly at: string })[]
  readonly conditions: readonly ReportedCondition[]
  readonly questions: readonly ReportedQuestion[]
  readonly preview?: Preview
  readonly maybe?: string
  readonly reopened: readonly { readonly at: string; readonly why: string }[]
}

export interface ReportedCondition {
  readonly key: string
  readonly at: string
  readonly word: 'precondition' | 'guard' | 'verify'
  readonly held: boolean
  readonly evaluated: Evaluated
  readonly message?: string
}

export interface ReportedQuestion {
  readonly key: string
  readonly asked: string
  readonly question: Question
  readonly answer?: Answer
}

/** A change of which it was not known whether it happened. */
export interface Doubt {
  readonly key: string
  readonly name: string
  readonly since: string
  readonly why: string
  /** How it became known; without it, it is still in doubt. */
  readonly settled?: { readonly at: string; readonly how: string }
}
