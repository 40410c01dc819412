import { type AskAction, StepFailure } from '../../engine/action/contract.ts'
import { anything, closedObject } from '../../engine/action/define.ts'
import { questionParams, saidBy, shared, whoAndWhen } from './asked.ts'

/** Something that only a person knows, checked against a JSON Schema before it is taken. */
export const input: AskAction = {
  name: 'human.input',
  summary: 'ask a person for a value',
  effect: 'read',
  params: closedObject(
    {
      ...questionParams,
      schema: { type: 'object', description: 'What the answer must look like: a JSON Schema; a text unless told.' },
      default: anything('What holds when nobody answers in time; without it the step fails then.'),
    },
    ['table', 'timeout', 'schema', 'default'],
  ),
  result: closedObject({ value: anything('The answer.'), ...whoAndWhen }),
  examples: [{ message: 'Serial number of the new disk', schema: { type: 'string', minLength: 4 } }],
  question: (params) => ({
    kind: 'input',
    ...shared(params),
    schema: (params['schema'] as { readonly [key: string]: unknown } | undefined) ?? { type: 'string' },
    ...(params['default'] !== undefined && { default: params['default'] }),
  }),
  answered(params, answer) {
    const value = 'value' in answer ? answer.value : params['default']
    if (value === undefined) throw new StepFailure('refused', 'nobody answered in time')
    return { value, ...saidBy(answer) }
  },
}
