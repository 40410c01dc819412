/**
 * What happened in a run, as facts. Journal entries are events that are kept; the rest is only shown.
 * The schema is `schemas/event.schema.json`; the format is described in `docs/reference/transcript.md`.
 */
import type { Answer, Effect, Evaluated, Preview, Question } from '../action/contract.ts'
import type { Json, JsonObject } from '../json.ts'
import type { StepKind } from '../plan/plan.ts'
import type { Outcome } from './outcome.ts'

/** A line of the transcript: an event with its number, its time and its place in the chain. */
export type Entry = Recorded & Chained

export interface Chained {
  readonly seq: number
  /** ISO 8601, UTC, milliseconds; the engine's clock (in rehearsal the world's). */
  readonly at: string
  /** SHA-256 of the line before; 64 zeros on the first. */
  readonly prev: string
  /** SHA-256 of this line up to here; on lines that were read. */
  readonly sum?: string
  /** A secret stood in the result and was masked. */
  readonly redacted?: boolean
}

/** `key` names one execution: `hosts[c1]/drain[9f3c]`; `step` the place in the runbook: `hosts/drain`. */
export type Recorded =
  | RunBegan
  | { readonly type: 'run.resumed'; readonly by: Operator; readonly pid: number; readonly digest: string }
  | {
      readonly type: 'run.parked'
      readonly questions: readonly { readonly key: string; readonly question: Question }[]
    }
  | RunEnded
  | StepBegan
  | { readonly type: 'step.called'; readonly key: string; readonly call: Call }
  | { readonly type: 'step.polled'; readonly key: string; readonly poll: number; readonly seen: string }
  | {
      readonly type: 'step.previewed'
      readonly key: string
      readonly step: string
      readonly name: string
      readonly action: string
      readonly effect: Effect
      readonly params: Json
      readonly preview?: Preview
      readonly maybe?: string
      /** A person would be asked. */
      readonly asks?: boolean
    }
  | {
      readonly type: 'step.retried'
      readonly key: string
      readonly attempt: number
      readonly outcome: Outcome
      /** Milliseconds until the next try. */
      readonly delay: number
    }
  | StepEnded
  | { readonly type: 'step.reopened'; readonly key: string; readonly why: string; readonly inDoubt?: boolean }
  | { readonly type: 'run.cancelled'; readonly by: Operator }
  | { readonly type: 'value'; readonly key: string; readonly value: Json }
  | { readonly type: 'timer'; readonly key: string; readonly due: string }
  | {
      readonly type: 'condition'
      readonly key: string
      readonly word: 'precondition' | 'guard' | 'verify'
      readonly held: boolean
      readonly evaluated: Evaluated
      readonly message?: string
    }
  | { readonly type: 'asked'; readonly key: string; readonly step: string; readonly question: Question }
  | { readonly type: 'answered'; readonly key: string; readonly answer: Answer }
  | { readonly type: 'locks.taken'; readonly key: string; readonly locks: readonly string[] }

/** The first line: all that says which run it is, and that a report needs. */
export interface RunBegan {
  readonly type: 'run.began'
  readonly format: 'runbook-transcript/1'
  readonly run: string
  readonly mode: 'run' | 'dry-run'
  readonly engine: string
  /** The rules the interpreter walked by; an engine that does not know the number refuses to resume. */
  readonly semantics: number
  readonly runbook: {
    readonly name: string
    readonly title: string
    readonly path: string
    readonly digest: string
    readonly commit?: string
    readonly clean?: boolean
  }
  readonly by: Operator
  readonly pid: number
  /** Secret inputs stand as their masked form. */
  readonly inputs: JsonObject
  /** Those that nobody gave, so that they have their defaults. */
  readonly defaults?: readonly string[]
  readonly hosts: readonly string[]
  readonly cloud?: string
  readonly rehearsal?: string
  /** The steps there are, in order, for views. */
  readonly outline: readonly OutlineStep[]
  /** The last run of the same runbook in the same place, for what is new and what persists. */
  readonly previous?: PreviousRun
  /** What `resume` needs to find everything again. */
  readonly from?: {
    readonly path: string
    /** The folder in which it was begun: commands of this machine run there. */
    readonly folder?: string
    readonly inventory?: string
    readonly limit?: string
    readonly speed?: number
    readonly step?: boolean
  }
}

export interface Operator {
  readonly user: string
  readonly host: string
}

export interface OutlineStep {
  readonly step: string
  readonly name: string
  readonly kind: StepKind
  readonly action?: string
  readonly effect?: Effect
  readonly depth: number
}

export interface PreviousRun {
  readonly run: string
  readonly at: string
  readonly findings: readonly Finding[]
}

/** One thing an inspection found; `key` is stable from run to run. */
export interface Finding {
  readonly key: string
  readonly check: string
  readonly verdict: Verdict
  readonly message: string
  readonly runbook?: string
  /** When a run first saw it, ISO 8601. */
  readonly since?: string
}

export type Verdict = 'pass' | 'warn' | 'fail' | 'unknown' | 'skipped'

/** The result of `assert.check`: what a report is made of. */
export interface CheckResult {
  readonly check: string
  readonly title: string
  readonly verdict: Verdict
  readonly findings: readonly Finding[]
  readonly summary: string
}

/** The last line. */
export interface RunEnded {
  readonly type: 'run.ended'
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'refused' | 'rolled_back'
  readonly exit: number
  readonly error?: RunError
  readonly outputs?: JsonObject
  /** How many executions ended in each status. */
  readonly counts: { readonly [status: string]: number }
}

export interface RunError {
  readonly key?: string
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** On disk before the effect. Of an action `action`, `effect`, `attempt`, `fingerprint` and `params` are there. */
export interface StepBegan {
  readonly type: 'step.began'
  readonly key: string
  readonly step: string
  readonly kind: StepKind
  readonly name: string
  readonly action?: string
  readonly effect?: Effect
  readonly attempt?: string
  /** SHA-256 over action and redacted parameters. */
  readonly fingerprint?: string
  readonly params?: Json
  readonly target?: string
  /** For loops and batches: how many there are. */
  readonly count?: number
}

/** How an execution came out; the last of one key counts. */
export interface StepEnded {
  readonly type: 'step.ended'
  readonly key: string
  readonly step: string
  readonly kind: StepKind
  readonly action?: string
  readonly name: string
  readonly outcome: Outcome
}

/** One touch of the world inside a step; `took` is in milliseconds. */
export type Call =
  | {
      readonly kind: 'http'
      readonly method: string
      readonly url: string
      readonly status?: number
      readonly requestId?: string
      readonly took: number
      readonly error?: string
    }
  | {
      readonly kind: 'ssh' | 'local'
      readonly host: string
      readonly command: string
      readonly exitCode?: number | null
      readonly stdout?: string
      readonly stderr?: string
      readonly took: number
      readonly error?: string
    }

/** Shown while it happens, never kept. */
export type Passing =
  | {
      readonly type: 'step.output'
      readonly key: string
      readonly host?: string
      readonly stream: 'stdout' | 'stderr'
      readonly text: string
    }
  | { readonly type: 'step.progress'; readonly key: string; readonly text: string }

/** What a run tells while it goes, as `--output json` writes it. `replayed`: it was told before, and stands in the transcript. */
export type RunEvent =
  | (Recorded & { readonly at: string; readonly seq?: number; readonly replayed?: boolean })
  | (Passing & { readonly at: string })
