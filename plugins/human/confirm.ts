import { type AskAction, StepFailure } from '../../engine/action/contract.ts'
import { closedObject, flag, text } from '../../engine/action/define.ts'
import { questionParams, saidBy, shared, whoAndWhen } from './asked.ts'

/** Yes or no. No, and no answer in time, end the run unless the step says `on_failure: continue`. */
export const confirm: AskAction = {
  name: 'human.confirm',
  summary: 'go on only when a person says yes',
  description:
    'Without a `phrase` the answer is yes or no, and no is the default. With a `phrase` the person types it, or `no`: put the name of what will be changed into it. What is neither is asked again. Without a terminal the run is parked (exit code 6) and `runbook resume RUN --answer STEP=yes` answers.',
  effect: 'read',
  params: closedObject(
    { ...questionParams, phrase: text('What must be typed instead of a plain yes: the name of the thing at stake.') },
    ['table', 'timeout', 'phrase'],
  ),
  result: closedObject({ confirmed: flag('Always true: a no fails the step with the code `refused`.'), ...whoAndWhen }),
  examples: [{ message: 'Reboot cmp1?', phrase: 'cmp1' }],
  question: (params) => ({
    kind: 'confirm',
    ...shared(params),
    ...(typeof params['phrase'] === 'string' && { phrase: params['phrase'] }),
    default: false,
  }),
  answered(params, answer) {
    const value = 'value' in answer ? answer.value : false
    const wanted = params['phrase']
    if (typeof wanted === 'string' ? value === wanted : value === true) return { confirmed: true, ...saidBy(answer) }
    const why =
      'timedOut' in answer
        ? 'nobody answered in time'
        : typeof wanted === 'string' && value !== false
          ? `${answer.by} typed something else than \`${wanted}\``
          : `${answer.by} said no`
    throw new StepFailure('refused', why)
  },
}
