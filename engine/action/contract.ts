/**
 * The plugin contract. An action is data plus one function; it declares its effect, so that the plan, the dry run,
 * approval and resume can reason about it without running it.
 *
 * What the engine promises an action: parameters rendered and valid; a signal that means stop; a context that is its
 * whole world. What an action promises: `plan` and `settled` only read; `run` does one thing once, honours the signal,
 * throws `StepFailure` when it fails, and returns a result that fits its schema (the engine checks).
 * Retries, timeouts, conditions, loops, approval, redaction and the journal belong to the engine.
 */
import type { Json, JsonObject, Schema } from '../json.ts'

/** What an action does to the world: looks, changes it, or destroys what cannot be had again. */
export type Effect = 'read' | 'change' | 'destructive'

interface ActionDescription {
  /** `family.verb` or `family.noun.verb`. */
  readonly name: `${string}.${string}`
  /** One line for people: lower case, no full stop. */
  readonly summary: string
  /** Longer text for the reference, Markdown. */
  readonly description?: string
  /** JSON Schema of `with`: closed, every field described. May carry the `x-runbook` annotations below. */
  readonly params: Schema
  /** JSON Schema of the result; later steps are checked against it. */
  readonly result: Schema
  /** `with` values that work: shown in the reference, used by the contract tests. */
  readonly examples: readonly JsonObject[]
}

/** An action that does something, or looks at something. */
export interface WorkAction extends ActionDescription {
  readonly effect: Effect
  /** A second run after a first leaves the world as the first left it. */
  readonly idempotent?: boolean
  /** Whether a step may say `effect:` itself (`ssh.*`, `local.*`). */
  readonly effectFromStep?: boolean
  /** What would change, from the live world; reads only. */
  plan?(ctx: ActionContext, params: JsonObject, signal: AbortSignal): Promise<Preview>
  /**
   * Does it, once; gives what fits `result`. Throws `StepFailure` when it did not come to that. Anything else that it throws
   * is `action_broke`: of a change nobody knows then whether it happened. A result that does not fit is `bad_result`.
   */
  run(ctx: ActionContext, params: JsonObject, signal: AbortSignal): Promise<Json>
  /** After a crash: did it happen? Reads only. */
  settled?(ctx: ActionContext, params: JsonObject, signal: AbortSignal): Promise<Settled>
  /** Fields of the result of which only the beginning was kept. Where something reads one of them, the step fails. */
  cut?(result: Json, params: JsonObject): readonly string[]
}

/** An action that asks a person. The engine asks, parks, times out and records; the action only words it. */
export interface AskAction extends ActionDescription {
  readonly effect: 'read'
  question(params: JsonObject): Question
  /** The result of the step, from the answer; throws `StepFailure` with code `refused` when the answer ends the run. */
  answered(params: JsonObject, answer: Answer): Json
}

/** What `actions` of a plugin holds. */
export type Action = WorkAction | AskAction

/** Whether an action asks a person, and does nothing else. */
export function asks<A extends { readonly name: string }>(action: A): action is A & AskAction {
  return 'question' in action
}

/** What would change; no changes means that there is nothing to do. */
export interface Preview {
  /** One line, as `would set \`web1\``. */
  readonly summary: string
  /** Each with the name of what changes, as `web1.status`; without `before` it was not there, without `after` it goes. */
  readonly changes: readonly { readonly path: string; readonly before?: Json; readonly after?: Json }[]
}

/** Whether an attempt happened; with `yes` comes what `run` would have given. A person who has to say is shown `why`. */
export type Settled =
  | { readonly happened: 'yes'; readonly result: Json }
  | { readonly happened: 'no' }
  | { readonly happened: 'unknown'; readonly why: string }

/*
 * Annotations in a params schema, under the key `x-runbook`:
 *   "command"     a command line: split into words when the file is read, each word rendered on its own. The action gets string[].
 *   "verbatim"    a fixed text: no template may stand in it.
 *   "expression"  a CEL expression: the action gets an `Evaluated`.
 *   "condition"   the same, and the checker wants true or false of it.
 *   "rows"        an object with `each` (CEL, a list), `as` (the name of an item, default `item`) and further strings,
 *                 rendered as templates once per item. The action gets an `EvaluatedRows`.
 * Under the key `x-runbook-shown`, `true`: a text that people read, in which no secret may stand.
 * Under the key `x-runbook-target`, `true`, of a parameter called `host`: the host it is done on. In a loop over hosts
 * that of the loop, unless the step says which.
 */
export type ParamKind = 'command' | 'verbatim' | 'expression' | 'condition' | 'rows'

/** What became of an expression: its value, or why it has none. `blockedBy` names the step whose missing result is the reason. */
export type Evaluated =
  | { readonly text: string; readonly value: Json; readonly operands: readonly Operand[] }
  | { readonly text: string; readonly error: string; readonly blockedBy?: string }

/** A part of a condition with what it came to, for messages: `size(result.services)` was 2. */
export interface Operand {
  readonly text: string
  readonly value: Json
}

/** What became of `rows`: one for each item, or why there are none. */
export type EvaluatedRows =
  | { readonly rows: readonly { readonly [field: string]: Json }[] }
  | { readonly error: string; readonly blockedBy?: string }

/** Why a step did not succeed. `status` says what is known of the world afterwards. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  /** `failed`: it did not work · `unreachable`: it was never begun, nobody answered · `unknown`: begun, and the end not seen. */
  readonly status: 'failed' | 'unreachable' | 'unknown' | 'timed_out'
  /** For conditions on `failure.code`: snake_case, stable. */
  readonly code: string
  readonly hint: string | undefined
  /** Facts for the transcript and for `failure.detail`. */
  readonly detail: Json | undefined
  /** What a change gave that was made all the same: it is not tried again, and it is undone. */
  readonly result: Json | undefined

  constructor(
    code: string,
    message: string,
    options: {
      status?: StepFailure['status']
      hint?: string | undefined
      detail?: Json
      result?: Json | undefined
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.status = options.status ?? 'failed'
    this.hint = options.hint
    this.detail = options.detail
    this.result = options.result
  }
}

/** An action's whole world. Everything it does through the context is in the transcript, redacted. */
export interface ActionContext {
  readonly step: StepIdentity
  readonly effect: Effect
  readonly clock: Clock
  readonly http: Http
  readonly ssh: Ssh
  readonly local: Local
  readonly files: LocalFiles
  readonly clouds: Clouds
  readonly hosts: Hosts
  readonly secrets: Secrets
  /** One line about how far it is; shown live, not kept. */
  progress(text: string): void
  /** A value that lives as long as the run: a session, a connection. Opened once per key, closed by the engine. */
  keep<T>(key: string, open: () => Promise<T>, close?: (value: T) => Promise<void>): Promise<T>
}

/** Which execution of a step it is, and which try. */
export interface StepIdentity {
  readonly run: string
  /** The structural name of this execution: `drain[9f3c]`. */
  readonly key: string
  /** Random per attempt: for unit names and fencing. For `settled`, that of the attempt that is in doubt. */
  readonly attempt: string
  /** When that attempt began, milliseconds since 1970: what is older was not done by it. */
  readonly began: number
}

/** Time as the run has it: in a rehearsal that of the world, which jumps while everybody waits. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds; rejects when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** One request. It is sent as it is: no redirect is followed, no cookie kept, no proxy asked. */
export type HttpRequest = HttpExchange & HttpPayload

/** What a request brings: a body, the bytes of a file, or nothing. */
export type HttpPayload =
  | {
      /** JSON is sent as JSON; a string as it is. */
      readonly body?: Json
      readonly file?: never
    }
  | {
      readonly body?: never
      /** The bytes of a file of this machine, sent as they are read. */
      readonly file: { readonly path: string; sent?(bytes: number): void }
    }

interface HttpExchange {
  readonly method: string
  /** Whole, with `http:` or `https:`. */
  readonly url: string
  readonly headers?: { readonly [name: string]: string }
  /** Milliseconds for the whole exchange; 30,000 unless told. */
  readonly timeout?: number
  /** Contents in PEM, not paths; `verify: false` takes any certificate. */
  readonly tls?: { readonly ca?: string; readonly verify?: boolean; readonly cert?: string; readonly key?: string }
  /** What the call does; by default `read` for GET, HEAD and OPTIONS, `change` for the rest. A `change` inside a read is `write_refused`. */
  readonly effect?: 'read' | 'change'
}

/** An answer, whatever it says: a status of 400 or more is the action's business. */
export interface HttpResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string }
  /** The body, 64 MiB at the most: a longer one is `response_too_large`. */
  readonly text: string
  /** Milliseconds. */
  readonly took: number
}

/**
 * Every exchange is recorded: method, path, status, request id, time. Throws `StepFailure`: `unreachable` when no connection
 * was made or a read broke, `unknown` when it broke after a change was sent; codes such as `timeout`, `connection_refused`,
 * `dns_failed`, `tls_failed`, `connection_lost`. Rejects with the signal's reason when aborted.
 */
export type Http = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>

/** One command, as words or as a script; one of the two is there. */
export interface Command {
  /** Either words, run without a shell reading them … */
  readonly argv?: readonly string[]
  /** … or a text for an interpreter, with arguments. */
  readonly script?: { readonly text: string; readonly interpreter: readonly string[]; readonly args: readonly string[] }
  readonly stdin?: string
  /** On top of what it has there anyhow. */
  readonly env?: { readonly [name: string]: string }
  /** The folder it runs in. */
  readonly cwd?: string
  /** Bytes kept of each of stdout and stderr; the rest is read and counted. 1 MiB unless told. */
  readonly maxOutput?: number
  /** What it writes is secret: it is in the result, and is neither shown live nor recorded. */
  readonly secretOutput?: boolean
  /** As whom, on a host: `true` for the user and the way that its inventory names, `false` for whoever logs in; the inventory's word unless told. */
  readonly become?: boolean | Become
}

/** Another user than the one who logs in, and how to be it; what is left out is what the inventory says, else `root` and `sudo`. */
export interface Become {
  readonly user?: string
  readonly method?: 'sudo' | 'su'
}

/** How a command ended. A code other than 0 is no failure here: the action decides. */
export interface CommandResult {
  /** Null when a signal ended it. As in a shell, 127 when the program is not there, 126 when it cannot be run. */
  readonly exitCode: number | null
  /** The signal that ended it, as `SIGKILL`. */
  readonly signal?: string
  readonly stdout: string
  readonly stderr: string
  /** Bytes that did not fit `maxOutput`. */
  readonly dropped: number
  /** Milliseconds. */
  readonly took: number
}

/** Commands on the hosts of the inventory. */
export interface Ssh {
  /**
   * Runs a command in a process group of its own; one connection per host is kept for the run. Throws `StepFailure`:
   * `unreachable` when it never began (`host_unknown`, `auth_failed`, …), `unknown` when the connection was lost while it ran
   * (`connection_lost`) or it may not have ended (`not_stopped`), `bad_command`, `become_refused`. When aborted the whole
   * group is ended, then it rejects.
   */
  exec(host: string, command: Command, signal: AbortSignal): Promise<CommandResult>
}

/** Commands on this machine, as whoever runs the program. */
export interface Local {
  /** As `Ssh.exec` in all but the host: in a group of its own, which is ended when aborted. Throws `StepFailure` `bad_command`, `not_stopped`. */
  exec(command: Command, signal: AbortSignal): Promise<CommandResult>
}

/** Files of this machine; a path begins at the folder in which the program was started. */
export interface LocalFiles {
  /** Throws `StepFailure` `no_file` when it is not there or cannot be read, `too_large` beyond 32 MiB. */
  read(path: string): Promise<Uint8Array>
  /** Its bytes, and their digests in hexadecimal by the names of their algorithms. However large it is; throws `no_file`. */
  digest<A extends DigestName>(path: string, algorithms: readonly A[], signal: AbortSignal): Promise<Digested<A>>
  /** Whole or not at all: what stood there is there until the new is. Counts as a change; throws `not_written`, and `write_refused` inside a read. */
  write(path: string, bytes: Uint8Array): Promise<void>
}

/** The algorithms of `digest`. */
export type DigestName = 'md5' | 'sha256' | 'sha512'

/** A file as `digest` found it; its size in bytes. */
export interface Digested<A extends DigestName = DigestName> {
  readonly size: number
  readonly digests: { readonly [algorithm in A]: string }
}

/** One entry of `clouds.yaml`, merged with `secure.yaml`, its profile and `OS_*`. */
export interface CloudConfig {
  readonly name: string
  readonly authType: 'password' | 'v3applicationcredential' | 'token'
  readonly auth: { readonly [name: string]: string }
  readonly region?: string
  /** The regions it is known to have; empty when nobody says. */
  readonly regions?: readonly string[]
  readonly interface: 'public' | 'internal' | 'admin'
  /** `ca`, `cert` and `key` are contents; the `…File` names are paths, which whoever reads files turns into contents. */
  readonly tls: {
    readonly verify: boolean
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly caFile?: string
    readonly certFile?: string
    readonly keyFile?: string
  }
  /** Per-service settings such as `compute_endpoint_override`, `compute_api_version`, `compute_interface`. */
  readonly overrides: { readonly [name: string]: string }
}

/** The clouds that are configured. */
export interface Clouds {
  /** Without a name: `OS_CLOUD`, the inventory's default, the `OS_*` variables, or the only one. Where there is none, or it is not whole, what it throws fails the step. */
  get(name?: string): Promise<CloudConfig>
}

/** A host of the inventory, as `target` is in a runbook. */
export interface HostInfo {
  readonly name: string
  readonly address: string
  readonly groups: readonly string[]
  readonly vars: JsonObject
}

/** The hosts of the run. */
export interface Hosts {
  /** The hosts an inventory pattern names, sorted, after `--limit`; a name that is no host or group is no error here. */
  matching(pattern: string): readonly HostInfo[]
}

/** What must never be shown. */
export interface Secrets {
  /** The name stands where the value would. From here on the value, and its usual encodings, are masked in every sink. */
  add(name: string, value: string): void
}

/** What a person is asked. `schema`, `options` and `phrase` are of their kind alone. */
export interface Question {
  readonly kind: 'confirm' | 'input' | 'choose'
  readonly message: string
  /** Live data to decide on. */
  readonly table?: readonly JsonObject[]
  /** confirm: what must be typed, instead of a plain yes. */
  readonly phrase?: string
  /** input: JSON Schema of the answer. */
  readonly schema?: Schema
  /** choose: the options. */
  readonly options?: readonly { readonly value: string; readonly label: string }[]
  /** Milliseconds after which nobody has answered: `answered` is then given `timedOut`. */
  readonly timeout?: number
  /** What a person is offered, and what holds where nobody answers in time. */
  readonly default?: Json
}

/** What was answered, by whom (`user@host`) and when (ISO 8601); or that nobody did in time. */
export type Answer =
  | { readonly value: Json; readonly by: string; readonly at: string }
  | { readonly timedOut: true; readonly at: string }
