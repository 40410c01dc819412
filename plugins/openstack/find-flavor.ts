import { StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'
import { computeVersions } from './versions.ts'

/** The flavor with this id or exactly this name; an id wins. Throws `not_found`. */
export async function flavorCalled(session: Session, wanted: string, signal: AbortSignal): Promise<JsonObject> {
  const { items } = await listAll(
    session,
    {
      service: 'compute',
      path: '/flavors/detail',
      query: { is_public: 'None', limit: pageSize },
      collection: 'flavors',
      microversion: computeVersions,
    },
    signal,
  )
  const found = items.find(({ id }) => id === wanted) ?? items.find(({ name }) => name === wanted)
  if (found) return found
  throw new StepFailure('not_found', `no flavor has the id or the name \`${wanted}\``, {
    hint: 'names are compared exactly',
  })
}
