/**
 * The plan: a checked runbook with its sub-runbooks, its inputs and its hosts, as plain JSON.
 * The interpreter knows nothing else. Texts stay as written: a string that holds `{{` is a template, a field named
 * below as `Cel` is an expression.
 */
import type { Effect } from '../action/contract.ts'
import type { Json, JsonObject, Schema } from '../json.ts'

/** The text of an expression. */
export type Cel = string
/** A text in which `{{ … }}` may stand. */
export type Template = string

/** What a run walks; the same plan is kept beside its transcript. */
export interface Plan {
  /** The rules it is walked by (`semantics` in `build.ts`). */
  readonly semantics: number
  readonly runbook: PlannedRunbook
  /** The files it was made from, by path, with their SHA-256. */
  readonly files: { readonly [path: string]: string }
  /** SHA-256 over the rules and the runbook as planned: a run whose plan has another has changed. */
  readonly digest: string
}

/** A place in a file, drawn already, so that a message at run time can point at it: `reboot.yaml:12:5`. */
export type Place = string

/** A runbook with those that it calls in their places. */
export interface PlannedRunbook {
  readonly name: string
  readonly title: string
  readonly inputs: { readonly [name: string]: Schema }
  /** Inputs that are never shown. */
  readonly secrets: readonly string[]
  readonly locks: readonly Template[]
  readonly preconditions: readonly PlannedCondition[]
  readonly steps: readonly PlannedStep[]
  readonly outputs: { readonly [name: string]: Cel }
}

/** A precondition, a guard or a `verify`. */
export interface PlannedCondition {
  readonly that: Cel
  readonly message?: Template
  readonly place: Place
}

interface PlannedCommon {
  readonly id: string
  /** Path of ids from the outermost runbook: `enter/disable`. */
  readonly address: string
  readonly name: Template
  readonly place: Place
  readonly when?: Cel
  readonly loop?: PlannedLoop
  readonly retry?: {
    readonly attempts: number
    readonly delay: Duration
    readonly backoff: number
    readonly maxDelay: Duration
  }
  readonly timeout?: Duration
  readonly verify: readonly PlannedCondition[]
  readonly onFailure: 'abort' | 'continue' | 'pause'
  readonly rollback: readonly PlannedStep[]
}

interface LoopCommon {
  /** The name of the item, or of the host. */
  readonly as: string
  readonly maxParallel: Count
  readonly maxFailures?: Amount
  readonly batches: readonly Amount[]
  readonly guards: readonly PlannedCondition[]
  /** Reads to make after each batch, before the guards; one that fails stops the loop. */
  readonly guardSteps: readonly PlannedStep[]
}

export type PlannedLoop =
  | (LoopCommon & { readonly kind: 'items'; readonly list: Cel | JsonList; readonly key?: Cel })
  | (LoopCommon & { readonly kind: 'hosts'; readonly targets: Targets })

/** What an execution is of: a kind of step, or the loop around one. */
export type StepKind = 'action' | 'let' | 'block' | 'parallel' | 'runbook' | 'loop'

/** `3` or `10%`, or a template that gives one. */
export type Amount = number | Template
/** Milliseconds, or a template that gives a duration such as `5m`. */
export type Duration = number | Template
/** A whole number, or a template that gives one. */
export type Count = number | Template
/** A list that is written out; templates may stand in it. */
export type JsonList = readonly Json[]
/** The hosts of a loop: a pattern of the inventory, or an expression that gives one, or a list of names. */
export type Targets = { readonly pattern: Template } | { readonly expression: Cel }

export interface PlannedAction extends PlannedCommon {
  readonly kind: 'action'
  readonly action: string
  readonly effect: Effect
  readonly idempotent: boolean
  /** Command lines are split into words already. */
  readonly with: JsonObject
  readonly until?: PlannedUntil
  readonly inDoubt: 'ask' | 'rerun' | 'fail'
}

export interface PlannedUntil {
  readonly done: Cel
  readonly failed?: Cel
  readonly stalled?: Cel
  /** How long `stalled` has to hold; one look when it is not said. */
  readonly stalledFor?: Duration
  readonly unreachable: 'fail' | 'wait'
  readonly every: Duration
  readonly timeout: Duration
}

export interface PlannedLet extends PlannedCommon {
  readonly kind: 'let'
  readonly values: { readonly [name: string]: Cel }
}

export interface PlannedBlock extends PlannedCommon {
  readonly kind: 'block'
  readonly steps: readonly PlannedStep[]
  readonly rescue: readonly PlannedStep[]
  readonly always: readonly PlannedStep[]
}

export interface PlannedParallel extends PlannedCommon {
  readonly kind: 'parallel'
  readonly branches: readonly PlannedStep[]
  readonly maxParallel: Count
}

export interface PlannedCall extends PlannedCommon {
  readonly kind: 'runbook'
  readonly runbook: PlannedRunbook
  readonly with: JsonObject
}

export type PlannedStep = PlannedAction | PlannedLet | PlannedBlock | PlannedParallel | PlannedCall
