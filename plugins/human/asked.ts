import type { Answer, Question } from '../../engine/action/contract.ts'
import { anything, text } from '../../engine/action/define.ts'
import { durationPattern, parseDuration } from '../../engine/duration.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'

/** What every question has. */
export const questionParams: { readonly [name: string]: Schema } = {
  message: text('What is asked.'),
  table: anything('Live data to decide on: a list of mappings, shown as a table. Usually `{{ steps.ID.result.… }}`.'),
  timeout: text('How long to wait for an answer before the default holds: a duration.', {
    pattern: `${durationPattern}|\\{\\{`,
  }),
}

export function shared(params: JsonObject): Pick<Question, 'message' | 'table' | 'timeout'> {
  const { message, table, timeout } = params
  const ms = typeof timeout === 'string' ? parseDuration(timeout) : undefined
  return {
    message: String(message),
    ...(Array.isArray(table) && { table: table.map(rowOf) }),
    ...(ms !== undefined && { timeout: ms }),
  }
}

function rowOf(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value }
}

export const whoAndWhen: { readonly [name: string]: Schema } = {
  by: text('Who answered.'),
  at: text('When, ISO 8601.'),
}

export function saidBy(answer: Answer): { by: string; at: string } {
  return 'by' in answer ? { by: answer.by, at: answer.at } : { by: 'nobody: time ran out', at: answer.at }
}
