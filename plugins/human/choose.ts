import { type AskAction, StepFailure } from '../../engine/action/contract.ts'
import { closedObject, listOf, text } from '../../engine/action/define.ts'
import { questionParams, saidBy, shared, whoAndWhen } from './asked.ts'

/** One of several ways to go on. */
export const choose: AskAction = {
  name: 'human.choose',
  summary: 'let a person choose one of several options',
  effect: 'read',
  params: closedObject(
    {
      ...questionParams,
      options: listOf(
        closedObject({ value: text('What the step gives when it is chosen.'), label: text('What the person reads.') }),
        'The options, in the order they are shown.',
        { minItems: 2 },
      ),
      default: text('What holds when nobody answers in time; without it the step fails then.'),
    },
    ['table', 'timeout', 'default'],
  ),
  result: closedObject({ value: text('The value that was chosen.'), ...whoAndWhen }),
  examples: [
    {
      message: 'Migration stalls',
      options: [
        { value: 'wait', label: 'wait another ten minutes' },
        { value: 'abort', label: 'leave the server where it is' },
      ],
    },
  ],
  question: (params) => ({
    kind: 'choose',
    ...shared(params),
    options: params['options'] as unknown as readonly { value: string; label: string }[],
    ...(params['default'] !== undefined && { default: params['default'] }),
  }),
  answered(params, answer) {
    const value = 'value' in answer ? answer.value : params['default']
    const options = params['options'] as unknown as readonly { value: string }[]
    if (options.some((option) => option.value === value)) return { value: String(value), ...saidBy(answer) }
    throw new StepFailure(
      'refused',
      'timedOut' in answer ? 'nobody chose in time' : `\`${String(value)}\` is none of the options`,
    )
  },
}
