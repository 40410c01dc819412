import { type Evaluated, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, text, whole } from '../../engine/action/define.ts'
import { failedCondition } from './words.ts'

interface Condition {
  readonly that: Evaluated
  readonly message?: string
}

/** Conditions that must all hold; the first message names each that does not, with what its parts came to. */
export const that: WorkAction = {
  name: 'assert.that',
  summary: 'stop when something is not as it must be',
  effect: 'read',
  params: closedObject({
    conditions: listOf(
      closedObject(
        {
          that: text('What must be true: a CEL expression.', { 'x-runbook': 'condition' }),
          message: text('What to say when it is not.', { 'x-runbook-shown': true }),
        },
        ['message'],
      ),
      'Conditions that must all hold.',
      { minItems: 1 },
    ),
  }),
  result: closedObject({ held: whole('How many conditions held: all of them.') }),
  examples: [{ conditions: [{ that: '1 + 1 == 2', message: 'numbers are broken' }] }],
  async run(_ctx, params) {
    const conditions = params['conditions'] as unknown as readonly Condition[]
    const failed = conditions.flatMap(({ that: evaluated, message }) => {
      const why = failedCondition(evaluated)
      if (why === undefined) return []
      // one that never holds is there for its message alone
      if (message !== undefined && 'text' in evaluated && evaluated.text === 'false') return [message]
      return [message === undefined ? why : `${message} (${why})`]
    })
    if (failed.length > 0) throw new StepFailure('assertion_failed', failed.join('; '))
    return { held: conditions.length }
  },
}
