/** What other programs and plugins import. */
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
export { readTranscript } from './journal/chain.ts'
export type { Json, JsonObject, Schema } from './json.ts'
export type { Entry, RunEvent } from './run/event.ts'
