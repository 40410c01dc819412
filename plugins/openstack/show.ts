import type { WorkAction } from '../../engine/action/contract.ts'
import { closedObject, text } from '../../engine/action/define.ts'
import type { Json, Schema } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { dateOfAnswer, paramsOf } from './fields.ts'
import { withoutSecrets } from './json-body.ts'
import { segment } from './list.ts'
import { sessionOf } from './session.ts'

interface ShowSpec {
  /** What it is, in the name of the action, of its parameter, of the answer and of the result: `port`. */
  readonly noun: string
  readonly service: string
  /** Where the list of them is. */
  readonly path: string
  readonly item: Schema
}

/** An action that looks at one thing, by its id. */
export function showAction({ noun, service, path, item }: ShowSpec): WorkAction {
  return {
    name: `openstack.${noun}.show`,
    summary: `one ${noun}, by id`,
    effect: 'read',
    params: paramsOf({ [noun]: text('Its id', { minLength: 1 }) }, [noun]),
    result: closedObject({ [noun]: item, date: dateOfAnswer }),
    examples: [{ [noun]: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7' }],
    async run(ctx, params, signal): Promise<Json> {
      const session = await sessionOf(ctx, params)
      const answer = await call(session, { service, path: `${path}/${segment(params[noun])}` }, signal)
      return { [noun]: withoutSecrets(partOf(answer, noun)), date: answer.date }
    },
  }
}
