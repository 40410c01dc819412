import type { JsonObject } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { uuid } from './find-server.ts'
import { segment } from './list.ts'
import { onlyNamed } from './only-named.ts'
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
  return onlyNamed(found, 'network', wanted)
}
