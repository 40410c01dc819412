import { StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'

/** The only one of those that have a name. Throws `not_found`, and `ambiguous` with the ids of all. */
export function onlyNamed(found: readonly JsonObject[], noun: string, name: string): JsonObject {
  const [one] = found
  if (!one)
    throw new StepFailure('not_found', `no ${noun} has the name \`${name}\``, { hint: 'names are compared exactly' })
  if (found.length > 1)
    throw new StepFailure('ambiguous', `${found.length} ${noun}s have the name \`${name}\``, {
      hint: 'give the id',
      detail: { ids: found.map(({ id }) => id ?? null) },
    })
  return one
}
