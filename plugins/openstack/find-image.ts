import { StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { call, objectIn } from './call.ts'
import { uuid } from './find-server.ts'
import { segment } from './list.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'

/** The image with this id, or with exactly this name where only one has it. Throws `not_found`, `ambiguous`. */
export async function imageCalled(session: Session, wanted: string, signal: AbortSignal): Promise<JsonObject> {
  if (uuid.test(wanted)) return await imageById(session, wanted, signal)
  const found = await imagesNamed(session, wanted, signal)
  const [image] = found
  if (!image)
    throw new StepFailure('not_found', `no image has the name \`${wanted}\``, { hint: 'names are compared exactly' })
  if (found.length > 1)
    throw new StepFailure('ambiguous', `${found.length} images have the name \`${wanted}\``, {
      hint: 'give the id',
      detail: { ids: found.map(({ id }) => id ?? null) },
    })
  return image
}

export async function imageById(session: Session, id: string, signal: AbortSignal): Promise<JsonObject> {
  return objectIn(await call(session, { service: 'image', path: `/images/${segment(id)}` }, signal))
}

export async function imagesNamed(session: Session, name: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
  const query = { name, limit: pageSize }
  const { items } = await listAll(session, { service: 'image', path: '/images', query, collection: 'images' }, signal)
  return items.filter((image) => image['name'] === name)
}
