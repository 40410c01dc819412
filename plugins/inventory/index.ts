import type { Action, WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, listOf, text } from '../../engine/action/define.ts'
import type { Json } from '../../engine/json.ts'

/** Which hosts a pattern names here: for steps that must also work where some of them are not. */
const hosts: WorkAction = {
  name: 'inventory.hosts',
  summary: 'look up hosts of the inventory by a pattern',
  description:
    'A name that the inventory does not have names no host; the result is then shorter, or empty. Use it as `targets: steps.ID.result.names`.',
  effect: 'read',
  params: closedObject({ pattern: text('An inventory pattern such as `controllers` or `all:!db1`.') }),
  result: closedObject({
    names: listOf({ type: 'string' }, 'The names, sorted.'),
    hosts: listOf(
      closedObject({
        name: text('Its name.'),
        address: text('Its address.'),
        groups: listOf({ type: 'string' }, 'Its groups.'),
        vars: anything('Its variables.'),
      }),
      'The hosts.',
    ),
  }),
  examples: [{ pattern: 'all' }],
  async run({ hosts: inventory }, params) {
    const found = inventory.matching(String(params['pattern']))
    return { names: found.map(({ name }) => name), hosts: found as unknown as Json }
  },
}

export const actions: readonly Action[] = [hosts]
