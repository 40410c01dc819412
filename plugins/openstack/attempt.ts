import type { ActionContext } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'

/** What is written on a thing that an attempt makes, so that it is found again after a crash. */
export const attemptName = 'runbook_attempt'
export const attemptMark = ({ step }: ActionContext): JsonObject => ({ [attemptName]: step.attempt })
