/**
 * The Durable on one machine: everything that happens is a line of the transcript, and a resumed run reads it again.
 *
 * J1  `began` of a change is on disk (fsync) before the change; its `ended` before anything else begins.
 * J2  Reads are written in order but not flushed one by one: the next change flushes all that stands before it.
 * J3  When a line cannot be written the run stops where it is: nothing is begun that could not be told.
 * J4  Values are masked before they are written; a masked result is read again on resuming, never used.
 */
import type { Answer, Clock, Question } from '../action/contract.ts'
import type { Json, JsonObject } from '../json.ts'
import type { About, Attempt, Body, Durable, Limit, Ran, SectionResult, StepIo } from '../run/durable.ts'
import { Diverged, Parked } from '../run/durable.ts'
import type { Operator, Passing, Recorded, RunEvent } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { expanded, keptBeside, loaded } from './beside.ts'
import { walkBodies } from './bodies.ts'
import { canonical } from './canonical.ts'
import type { Link } from './chain.ts'
import { lineAfter, sumOf } from './chain.ts'
import { groupOver, limited } from './limited.ts'
import type { Locks } from './lock.ts'
import { askedUnmasked, type Past } from './recorded.ts'
import type { Redactor } from './redact.ts'
import { Waits } from './waits.ts'

/** The file that lines go to. `append` resolves when the text is written, with `flush` when it is on disk. */
export interface JournalFile {
  append(text: string, flush: boolean): Promise<void>
  /** Keeps a large value beside the transcript, under its digest. */
  keep(name: string, text: string): Promise<void>
}

/** What the journal of one run stands on. */
export interface LocalOptions {
  readonly runId: string
  readonly dry: boolean
  readonly file: JournalFile
  /** What the transcript said when this process began, by keys as they stand there. */
  readonly past: Past
  /** Where the first line of this process hangs. */
  readonly link: Link
  readonly clock: Clock
  /** The id of an attempt: another each time. */
  readonly random: () => string
  readonly redactor: Redactor
  readonly locks: Locks
  readonly operator: Operator
  /** Told of everything, in order: what is kept once it is in the file, what is replayed with `replayed`. */
  readonly emit: (event: RunEvent) => void
  /** Does a call of an action, and makes an outcome of whatever it throws. */
  readonly perform: (
    key: string,
    about: About,
    attempt: Attempt,
    call: readonly [action: string, what: 'run' | 'plan' | 'settled', params: JsonObject],
    tell: StepIo['tell'],
    signal: AbortSignal,
  ) => Promise<Outcome>
  /** Undefined when nobody can answer now. */
  readonly answer: (
    key: string,
    question: Question,
    signal: AbortSignal,
    inDoubt: boolean,
  ) => Promise<Answer | undefined>
  /** The interpreter, for the bodies of locks and of fan-outs. */
  readonly walk: (body: Body) => Promise<SectionResult>
  /** Loads what `keep` kept. */
  readonly load: (name: string) => Json
  /** Fires when the run is cancelled. */
  readonly cancel: AbortSignal
  /** Begins and ends of work, for clocks that jump when everybody sleeps. */
  readonly busy: () => () => void
}

/**
 * One run in one process. Its methods throw `Parked` when nobody can answer, `Diverged` when the transcript tells of something
 * else under a key, and what the file throws when a line cannot be written (J3); how a step came out is a value.
 */
export class LocalDurable implements Durable {
  readonly runId: string
  readonly dry: boolean
  readonly #options: LocalOptions
  #link: Link
  #cancelTold = false
  readonly #waits = new Waits()
  readonly #counts: { [status: string]: number } = {}
  readonly #waiting: { readonly key: string; readonly question: Question }[] = []

  constructor(options: LocalOptions) {
    this.runId = options.runId
    this.dry = options.dry
    this.#options = { ...options, past: askedUnmasked(options.past, (text) => options.redactor.text(text)) }
    this.#link = options.link
  }

  get cancelled(): boolean {
    return this.#options.cancel.aborted || this.#options.past.cancelled
  }

  /** How many executions ended in each status, for the last line. */
  get counts(): { readonly [status: string]: number } {
    return this.#counts
  }

  /** The questions that nobody answered. */
  get waiting(): readonly { readonly key: string; readonly question: Question }[] {
    return this.#waiting
  }

  has(key: string): boolean {
    return this.#options.past.has(key)
  }

  async run(key: string, about: About, body: (io: StepIo) => Promise<Outcome>): Promise<Ran> {
    const { past } = this.#options
    const params = this.#options.redactor.json(about.params)
    const fingerprint = sumOf(`${about.action} ${canonical(params)}`)
    const began = past.began(key)
    const ended = past.ended(key)
    const before = past.reopenedInDoubt(key)
    const reopened = before && loaded(this.#options.load, before)
    if (began && began.fingerprint !== fingerprint) {
      throw new Diverged(
        key,
        `\`${key}\` was recorded with ${began.action === about.action ? 'other parameters' : `the action \`${began.action}\``}`,
      )
    }
    if (ended && !(ended.redacted && about.effect === 'read' && !this.cancelled)) {
      const outcome = loaded(this.#options.load, ended.outcome)
      this.#replay(began, ended)
      return {
        outcome,
        startedAt: began?.at ?? ended.at,
        ...attemptIn(began),
        ...cutIn(past.cut(key)),
        ...(reopened && { reopened }),
      }
    }
    if (began && !ended && !about.repeatable) {
      const outcome: Outcome = {
        status: 'unknown',
        error: { code: 'in_doubt', message: whyInDoubt(began.at, reopened) },
        ...madeIn(reopened),
      }
      await this.#append(
        { type: 'step.ended', key, step: about.step, kind: 'action', action: about.action, name: about.name, outcome },
        true,
      )
      return {
        outcome,
        startedAt: began.at,
        ...attemptIn(began),
        ...(reopened && { reopened }),
      }
    }
    // what a crash cut off may have been done
    const cut = past.cut(key) ?? (began && !ended ? began : undefined)
    if (this.cancelled && !about.shield) return this.#cancelled(about, key, cut)
    const left = this.#waits.left(about.limits, this.#options.clock.now())
    if (left <= 0 && about.effect !== 'read') return this.#tooLate(about, key, cut)
    const hidden = this.#options.past.masked ? this.#options.redactor.maskIn(about.params) : undefined
    if (hidden !== undefined) return this.#hiddenValue(about, key, hidden)
    const attempt = this.#options.random()
    const flush = about.effect !== 'read'
    const { step, name, action, effect, target } = about
    const at = await this.#append(
      {
        type: 'step.began',
        key,
        step,
        kind: 'action',
        name,
        action,
        effect,
        attempt,
        fingerprint,
        params,
        ...(target !== undefined && { target }),
      },
      flush,
    )
    const outcome = await limited(
      this.#options,
      { key, about, attempt: { id: attempt, began: Date.parse(at) }, since: Date.parse(began?.at ?? at), left, body },
      (event) => this.#tell(event),
    )
    await this.#append({ type: 'step.ended', key, step, kind: 'action', action, name, outcome }, flush)
    return { outcome, startedAt: began?.at ?? at, attempt: { id: attempt, began: Date.parse(at) }, ...cutIn(cut) }
  }

  /** J4: a secret is not in the transcript, so what was read from there cannot stand for it. */
  async #hiddenValue({ step, action, name }: About, key: string, secret: string): Promise<Ran> {
    const message = `its parameters hold \`«${secret}»\`: a result that was recorded with the secret left out, and that cannot be used after a resume`
    const hint = 'give the secret to the step as the input itself, or make the step that gives it a read'
    const outcome: Outcome = { status: 'failed', error: { code: 'masked_value', message, hint } }
    const at = await this.#append({ type: 'step.ended', key, step, kind: 'action', action, name, outcome }, true)
    return { outcome, startedAt: at }
  }

  /** What is begun and stopped at once is half done. */
  async #tooLate(about: About, key: string, cut: Began | undefined): Promise<Ran> {
    const message = `${groupOver}: it was not begun${cut ? ' again' : ''}`
    return this.#notBegun(about, key, cut, { status: 'timed_out', error: { code: 'timed_out', message } })
  }

  async #cancelled(about: About, key: string, cut: Began | undefined): Promise<Ran> {
    const message = cut ? 'it was cut off, and then the run was cancelled' : 'the run was cancelled'
    const outcome: Outcome = { status: 'cancelled', error: { code: 'cancelled', message, key } }
    return cut ? this.#notBegun(about, key, cut, outcome) : { outcome, startedAt: this.#now() }
  }

  async #notBegun({ step, action, name }: About, key: string, cut: Began | undefined, outcome: Outcome): Promise<Ran> {
    const at = await this.#append({ type: 'step.ended', key, step, kind: 'action', action, name, outcome }, true)
    return { outcome, startedAt: cut?.at ?? at, ...attemptIn(cut) }
  }

  async value(key: string, make: () => Json): Promise<Json> {
    const recorded = this.#options.past.value(key)
    if (recorded) return expanded(this.#options.load, recorded.value)
    const value = make()
    await this.#append({ type: 'value', key, value }, false)
    return value
  }

  async now(key: string): Promise<number> {
    return Number(await this.value(key, () => this.#options.clock.now()))
  }

  async left(key: string, limits: readonly Limit[]): Promise<number> {
    return Number(await this.value(key, () => this.#waits.left(limits, this.#options.clock.now())))
  }

  async sleep(key: string, ms: number, { shield }: { readonly shield: boolean }): Promise<'done' | 'cancelled'> {
    const { past, clock, cancel } = this.#options
    const due = past.due(key) ?? clock.now() + ms
    if (past.due(key) === undefined) await this.#append({ type: 'timer', key, due: new Date(due).toISOString() }, false)
    const left = due - clock.now()
    if (left <= 0) return 'done'
    try {
      await clock.sleep(left, shield ? new AbortController().signal : cancel)
      return 'done'
    } catch (error) {
      if (cancel.aborted) return 'cancelled'
      throw error
    }
  }

  async ask(
    key: string,
    step: string,
    question: Question,
    { inDoubt = false, shield = false } = {},
  ): Promise<Answer | undefined> {
    const { past, clock, cancel, redactor } = this.#options
    const answered = past.answer(key)
    if (answered) {
      this.#waits.add(past.askedAt(key) ?? answered.at, answered.at)
      return answered
    }
    // a doubt stays open: what happened has to be known before it can be undone
    const stops = !shield && !inDoubt
    if (stops && this.cancelled) return undefined
    const shown = redactor.json(question)
    const before = past.askedAt(key)
    if (before !== undefined) this.#replay({ type: 'asked', key, step, question: shown, at: before })
    const askedAt = before ?? (await this.#append({ type: 'asked', key, step, question: shown }, true))
    const due = question.timeout === undefined ? undefined : Date.parse(askedAt) + question.timeout
    if (due !== undefined && clock.now() >= due)
      return this.#answered(key, askedAt, { timedOut: true, at: this.#now() })
    const stop = new AbortController()
    const timer =
      due === undefined
        ? undefined
        : clock.sleep(due - clock.now(), stop.signal).then(
            () => stop.abort(),
            () => undefined,
          )
    const onCancel = () => stop.abort()
    if (stops && cancel.aborted) stop.abort()
    else if (!shield) cancel.addEventListener('abort', onCancel, { once: true })
    // while a person thinks, time passes as it does for people
    const thinking = [this.#options.busy(), this.#options.busy()]
    try {
      const answer = await this.#options.answer(this.#options.redactor.text(key), shown, stop.signal, inDoubt)
      if (answer) return await this.#answered(key, askedAt, answer)
      if (due !== undefined && clock.now() >= due)
        return await this.#answered(key, askedAt, { timedOut: true, at: this.#now() })
      if (stops && cancel.aborted) return undefined
      this.#waiting.push({ key, question: shown })
      throw new Parked(key, inDoubt)
    } finally {
      cancel.removeEventListener('abort', onCancel)
      stop.abort()
      await timer
      for (const end of thinking) end()
    }
  }

  async #answered(key: string, askedAt: string, answer: Answer): Promise<Answer> {
    this.#waits.add(askedAt, answer.at)
    await this.#append({ type: 'answered', key, answer }, true)
    return answer
  }

  async locked(key: string, names: readonly string[], body: Body): Promise<SectionResult> {
    const refused = await this.#options.locks.take(names, this.runId)
    if (refused) {
      const error = {
        code: 'locked',
        message: `\`${refused.lock}\` is locked by the run ${refused.run} (${refused.by}, since ${refused.since})`,
        hint: `wait for it, or end it: \`runbook resume ${refused.run}\``,
      }
      return { outcome: { status: 'failed', error }, view: {}, undo: [] }
    }
    await this.event({ type: 'locks.taken', key, locks: names })
    // a parked run keeps its locks; one that ends frees them when its last line is written
    return this.#options.walk(body)
  }

  async all(
    _key: string,
    bodies: readonly Body[],
    limits: { readonly concurrency: number; readonly stopAfter: number },
  ): Promise<readonly (SectionResult | undefined)[]> {
    const { past, walk } = this.#options
    return walkBodies(bodies, {
      ...limits,
      walk,
      reached: (key) => (past.ended(key) ? 'ended' : past.has(key) ? 'begun' : 'nowhere'),
      cancelled: () => this.cancelled,
    })
  }

  async event(event: Recorded): Promise<string> {
    const { past } = this.#options
    // what became of it is known by now
    const known =
      event.type === 'step.ended' &&
      event.outcome.status !== 'unknown' &&
      past.ended(event.key)?.outcome.status === 'unknown'
    const told = known ? undefined : past.told(event)
    if (told !== undefined) {
      if (event.type === 'step.ended') this.#count(event.outcome)
      this.#options.emit({ ...this.#options.redactor.json(event), at: told, replayed: true })
      return told
    }
    return this.#append(event, event.type === 'run.ended' || event.type === 'run.began' || event.type === 'run.parked')
  }

  /** Told once: that the run was cancelled, so that resuming it finishes the clean-up and no more. */
  async tellCancelled(): Promise<void> {
    if (this.#cancelTold || this.#options.past.cancelled) return
    this.#cancelTold = true
    await this.#append({ type: 'run.cancelled', by: this.#options.operator }, true)
  }

  async #tell(event: Passing | Recorded): Promise<void> {
    if (isPassing(event)) this.#options.emit({ ...this.#options.redactor.json(event), at: this.#now() })
    else await this.#append(event, false)
  }

  async #append(event: Recorded, flush: boolean): Promise<string> {
    const at = this.#now()
    const masked = this.#options.redactor.json(event)
    const redacted = masked !== event && (event.type === 'step.ended' || event.type === 'answered')
    const kept = await keptBeside(masked, this.#options.file)
    const { text, link } = lineAfter(this.#link, at, redacted ? Object.assign({}, kept, { redacted: true }) : kept)
    this.#link = link
    if (event.type === 'step.ended') this.#count(event.outcome)
    await this.#options.file.append(text, flush)
    this.#options.emit({ ...masked, at, seq: link.seq })
    return at
  }

  #count({ status }: Outcome): void {
    this.#counts[status] = (this.#counts[status] ?? 0) + 1
  }

  #replay(...events: readonly ((Recorded & { readonly at: string }) | undefined)[]): void {
    for (const event of events) {
      if (!event) continue
      if (event.type === 'step.ended') this.#count(event.outcome)
      this.#options.emit({ ...event, replayed: true })
    }
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString()
  }
}

function whyInDoubt(began: string, reopened: Outcome | undefined): string {
  return reopened && 'error' in reopened
    ? `${reopened.result === undefined ? 'it' : 'it was done, and'} ended ${reopened.status}: ${reopened.error.message}`
    : `it began at ${began} and its end was not recorded`
}

/** What it gave, where it was made and its result did not pass. */
function madeIn(reopened: Outcome | undefined): { readonly result?: Json } {
  return reopened && 'error' in reopened && reopened.result !== undefined ? { result: reopened.result } : {}
}

/** The recorded attempt, where there is one. */
function attemptIn(began: Began | undefined): Pick<Ran, 'attempt'> {
  return began?.attempt === undefined ? {} : { attempt: { id: began.attempt, began: Date.parse(began.at) } }
}

function cutIn(began: Began | undefined): Pick<Ran, 'cut'> {
  const { attempt } = attemptIn(began)
  return attempt ? { cut: attempt } : {}
}

interface Began {
  readonly attempt?: string
  readonly at: string
}

function isPassing(event: Passing | Recorded): event is Passing {
  return event.type === 'step.output' || event.type === 'step.progress'
}
