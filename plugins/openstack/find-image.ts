import type { JsonObject } from '../../engine/json.ts'
import { call, objectIn } from './call.ts'
import { uuid } from './find-server.ts'
import { segment } from './list.ts'
import { onlyNamed } from './only-named.ts'
import { listAll, pageSize } from './paging.ts'
import type { Session } from './session.ts'

/** The image with this id, or with exactly this name where only one has it. Throws `not_found`, `ambiguous`. */
export async function imageCalled(session: Session, wanted: string, signal: AbortSignal): Promise<JsonObject> {
  if (uuid.test(wanted)) return await imageById(session, wanted, signal)
  return onlyNamed(await imagesNamed(session, wanted, signal), 'image', wanted)
}

export async function imageById(session: Session, id: string, signal: AbortSignal): Promise<JsonObject> {
  return objectIn(await call(session, { service: 'image', path: `/images/${segment(id)}` }, signal))
}

export async function imagesNamed(session: Session, name: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
  const query = { name, limit: pageSize }
  const { items } = await listAll(session, { service: 'image', path: '/images', query, collection: 'images' }, signal)
  return items.filter((image) => image['name'] === name)
}
