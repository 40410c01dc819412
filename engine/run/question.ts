import type { Answer, AskAction } from '../action/contract.ts'
import { StepFailure } from '../action/contract.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Outcome } from './outcome.ts'

/** What an answer makes of the step that asked. */
export function createAnswerOutcome(action: AskAction, params: JsonObject, answer: Answer): Outcome {
  try {
    return { status: 'succeeded', result: action.answered(params, answer) }
  } catch (error) {
    if (error instanceof StepFailure) return failureOutcome(error)
    throw error
  }
}

/** A thrown failure as an outcome. */
export function failureOutcome({ status, code, message, hint, detail, result }: StepFailure): Outcome {
  return {
    status,
    error: { code, message, ...(hint !== undefined && { hint }), ...(detail !== undefined && { detail }) },
    ...(result !== undefined && { result }),
  }
}

/** What `settled` of an action says, or why its look said nothing. */
export interface Look {
  readonly happened?: string
  readonly result?: Json
  readonly why?: string
}

/** A look whether a change happened, from how it ended. */
export function settledOf(outcome: Outcome): Look {
  if (outcome.status === 'succeeded') return outcome.result as Look
  return 'error' in outcome ? { why: `the look failed: ${outcome.error.message}` } : {}
}
