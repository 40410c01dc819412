/**
 * What other programs and plugins import, as `runbook`: the contract of actions with what writes their schemas
 * (`docs/reference/plugins.md`), the program itself as `main`, and transcripts (`docs/reference/transcript.md`).
 */
export type {
  Action,
  ActionContext,
  Answer,
  AskAction,
  Become,
  Clock,
  Clouds,
  Command,
  CommandResult,
  Effect,
  Evaluated,
  EvaluatedRows,
  Hosts,
  Http,
  HttpRequest,
  HttpResponse,
  Local,
  LocalFiles,
  Preview,
  Question,
  Settled,
  Ssh,
  WorkAction,
} from './action/contract.ts'
export { StepFailure } from './action/contract.ts'
export { anything, closedObject, duration, flag, listOf, number, text, textMap, whole } from './action/define.ts'
export type { Io } from './cli/io.ts'
export { main } from './cli/main.ts'
export type { Diagnostic } from './diagnostic.ts'
export { parseDuration } from './duration.ts'
export { readTranscript } from './journal/chain.ts'
export type { Json, JsonObject, Schema } from './json.ts'
export type { Entry, RunEvent } from './run/event.ts'
