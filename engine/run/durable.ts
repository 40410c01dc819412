/**
 * What the interpreter needs of the world, and all it needs. The local journal is one implementation; an engine that
 * spreads runs over machines is another. So: keys are structural, never counters; bodies of locks and fan-outs are data,
 * because they may be walked in another process; nothing here throws for a step's failure, and nothing else is awaited.
 */
import type { Answer, Effect, Question } from '../action/contract.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Passing, Recorded } from './event.ts'
import type { Outcome } from './outcome.ts'

/** Structural and unique in the run: `hosts[c1]/drain[9f3c]`. */
export type Key = string

/** See the head of this file. Times are milliseconds, moments milliseconds since 1970. */
export interface Durable {
  readonly runId: string
  readonly dry: boolean
  /** Changes only between awaits of this interface. Nothing new begins once it is true, but for clean-up. */
  readonly cancelled: boolean
  /** Whether something is recorded under a key: what has begun is walked to its end. */
  has(key: Key): boolean
  /** Does something once. What has ended is not done again; a change that began and did not end comes back as `unknown`. */
  run(key: Key, about: About, body: (io: StepIo) => Promise<Outcome>): Promise<Ran>
  /** Computes something once: what is random, depends on the time or on files. */
  value(key: Key, make: () => Json): Promise<Json>
  /** The time, as it was when it was first asked for. */
  now(key: Key): Promise<number>
  /** Milliseconds until the first of some limits is over, at least one of them; the time that people took to answer is not counted. */
  left(key: Key, limits: readonly Limit[]): Promise<number>
  /** Waits until a moment that is recorded: a resumed run waits for what is left of it. */
  sleep(key: Key, ms: number, options: { readonly shield: boolean }): Promise<'done' | 'cancelled'>
  /** Throws `Parked` when nobody can answer now. Undefined once the run is cancelled: then only clean-up and doubts are asked about. */
  ask(
    key: Key,
    step: string,
    question: Question,
    options?: { readonly inDoubt?: boolean; readonly shield?: boolean },
  ): Promise<Answer | undefined>
  /** Takes the locks, all at once, walks the body, frees them. Refused locks come back as a failure. */
  locked(key: Key, locks: readonly string[], body: Body): Promise<SectionResult>
  /** Walks bodies, so many at a time; begins no more once `stopAfter` have failed. Bodies that were not begun come back as undefined. */
  all(
    key: Key,
    bodies: readonly Body[],
    options: { readonly concurrency: number; readonly stopAfter: number },
  ): Promise<readonly (SectionResult | undefined)[]>
  /** Tells a fact once per key and type; gives the time it was first told. */
  event(event: Recorded): Promise<string>
}

/** What an effect is, for the record and for resuming. */
export interface About {
  readonly step: string
  readonly name: string
  readonly action: string
  readonly effect: Effect
  /** May be done again after a crash: reads, and changes that say so. */
  readonly repeatable: boolean
  readonly params: Json
  readonly target?: string
  /** Milliseconds for this attempt. */
  readonly timeout?: number
  /** Of the groups around it, and its own over all its tries. A change is not begun when one is over. */
  readonly limits: readonly Limit[]
  /** Clean-up: not touched by cancelling. */
  readonly shield: boolean
  /** Part of another execution (a look whether it happened, a preview): told as a call of it, not as a step. */
  readonly quiet?: boolean
}

/** So many milliseconds from a moment on (since 1970), without the time in which a person was waited for. */
export interface Limit {
  readonly since: number
  readonly ms: number
}

/** What the body of `run` has of the world, for one attempt. */
export interface StepIo {
  /** Fires when the run is cancelled, time is up, or this attempt is over. */
  readonly signal: AbortSignal
  /** Milliseconds since 1970, when the first attempt began. */
  readonly since: number
  now(): number
  sleep(ms: number): Promise<void>
  /** `of`: the attempt it is about, when that is not this one. */
  perform(action: string, what: 'run' | 'plan' | 'settled', params: JsonObject, of?: Attempt): Promise<Outcome>
  tell(event: Passing | Recorded): void
}

/** One try at something; `began` in milliseconds since 1970. */
export interface Attempt {
  readonly id: string
  readonly began: number
}

/** How something ended, now or as it is recorded. */
export interface Ran {
  readonly outcome: Outcome
  /** ISO 8601. */
  readonly startedAt: string
  /** Of the last try; absent where nothing was tried. */
  readonly attempt?: Attempt
  /** One before it that a crash cut off: it may have been done. */
  readonly cut?: Attempt
  /** How it had ended, where that left it in doubt, and a person wants the run to go on from there. */
  readonly reopened?: Outcome
}

/** A part of the plan to be walked, with what it needs: serialisable, no closures. */
export interface Body {
  readonly path: string
  readonly part: 'step' | 'item' | 'runbook'
  readonly key: Key
  readonly vars: Vars
}

/** The scope of a body: inputs, the results it needs, names such as the item of its loop. */
export interface Vars {
  readonly inputs: JsonObject
  readonly steps: JsonObject
  readonly names: JsonObject
  readonly shield: boolean
  readonly limits?: readonly Limit[]
  /** The host that the work is for, when the loop goes over hosts. */
  readonly target?: string
  /** Dry run: why nothing here is sure to be done. */
  readonly maybe?: string
}

/** How a body ended. */
export interface SectionResult {
  readonly outcome: Outcome
  /** What later steps see of it: `status`, `result`, … */
  readonly view: JsonObject
  /** What was done inside of it and can be undone, oldest first. */
  readonly undo: readonly Undo[]
}

/** A step that was done and can be undone. */
export interface Undo {
  readonly key: Key
  readonly path: string
  readonly vars: Vars
  /** The attempt that was stopped midway: it may have been done. */
  readonly doubt?: Attempt
}

/** Stops the walk without an outcome: somebody has to answer before it goes on. */
export class Parked extends Error {
  override readonly name = 'Parked'
  readonly inDoubt: boolean
  constructor(key: Key, inDoubt: boolean) {
    super(`${key} waits for an answer`)
    this.inDoubt = inDoubt
  }
}

/** The journal tells of another runbook than the one that is walked. */
export class Diverged extends Error {
  override readonly name = 'Diverged'
  readonly key: Key
  constructor(key: Key, why: string) {
    super(why)
    this.key = key
  }
}
