import type { Json } from '../json.ts'

/** How an execution can end; `docs/reference/language.md` says what is known then. */
export const statuses = [
  'succeeded',
  'failed',
  'skipped',
  'unreachable',
  'timed_out',
  'cancelled',
  'unknown',
  'rolled_back',
] as const
export type Status = (typeof statuses)[number]

/** How an execution of a step ended. Success and failure carry facts, not prose. */
export type Outcome =
  | { readonly status: 'succeeded'; readonly result: Json }
  | { readonly status: 'skipped'; readonly why: string }
  | {
      readonly status: 'failed' | 'unreachable' | 'timed_out' | 'cancelled' | 'unknown'
      readonly error: OutcomeError
      /** What the step gave that was done all the same: its result did not pass. */
      readonly result?: Json
    }
  | { readonly status: 'rolled_back'; readonly result: Json }

/** Why it did not end well: a stable code in snake_case, and words for people. */
export interface OutcomeError {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly detail?: Json
  /** The execution it came from, when a group passes it on. */
  readonly key?: string
}

/** The code of what was stopped when its beginning had been told, and nothing of it done. */
export const notBegun = 'not_begun'

/** Whether a run goes on after it. */
export function isGood({ status }: Outcome): boolean {
  return status === 'succeeded' || status === 'skipped' || status === 'rolled_back'
}

/** Of several that ended badly the one that speaks for all: no failure hides that the run was cancelled, or that a person refused. */
export function worstOf(outcomes: readonly Outcome[]): Outcome | undefined {
  return (
    outcomes.find(({ status }) => status === 'cancelled') ??
    outcomes.find((outcome) => 'error' in outcome && outcome.error.code === 'refused') ??
    outcomes.find((outcome) => !isGood(outcome))
  )
}
