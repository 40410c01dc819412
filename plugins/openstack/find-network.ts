import { StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { uuid } from './find-server.ts'
import { segment } from './list.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'

/** The network with this id, or with exactly this name where only one has it. Throws `not_found`, `ambiguous`. */
export async function networkCalled(session: Session, wanted: string, signal: AbortSignal): Promise<JsonObject> {
  if (uuid.test(wanted))
    return partOf(await call(session, { service: 'network', path: `/networks/${segment(wanted)}` }, signal), 'network')
  const query = { name: wanted, limit: pageSize }
  const asked = { service: 'network', path: '/networks', query, collection: 'networks' }
  const { items } = await listAll(session, asked, signal)
  const found = items.filter(({ name }) => name === wanted)
  const [network] = found
  if (!network)
    throw new StepFailure('not_found', `no network has the name \`${wanted}\``, { hint: 'names are compared exactly' })
  if (found.length > 1)
    throw new StepFailure('ambiguous', `${found.length} networks have the name \`${wanted}\``, {
      hint: 'give the id',
      detail: { ids: found.map(({ id }) => id ?? null) },
    })
  return network
}
