import { type Settled, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, text, whole } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { call } from './call.ts'
import { apiObject, oneOrMore, paramsOf } from './fields.ts'
import { imageCalled } from './find-image.ts'
import { uuid } from './find-server.ts'
import { textAt, withoutSecrets } from './json-body.ts'
import { exactly, listAction, segment } from './list.ts'
import { orMissing } from './missing.ts'
import { type Session, sessionOf } from './session.ts'

const statuses = [
  'queued',
  'saving',
  'uploading',
  'importing',
  'active',
  'killed',
  'deleted',
  'pending_delete',
  'deactivated',
]

export const imageItem = apiObject(
  'An image',
  {
    id: text('UUID'),
    name: text('Its name'),
    status: text('`active`, `queued`, `saving`, …'),
    visibility: text('`public`, `private`, `shared`, `community`'),
    owner: text('Project'),
    size: whole('Bytes; null until they have come'),
    virtual_size: whole('Bytes of the disk inside'),
    disk_format: text('`raw`, `qcow2`, …'),
    container_format: text('`bare`, …'),
    min_disk: whole('GiB a flavor must have'),
    min_ram: whole('MiB a flavor must have'),
    checksum: text('MD5'),
    os_hash_algo: text('The name of the better checksum'),
    os_hash_value: text('The better checksum'),
    os_hidden: flag('Whether it is left out of lists'),
    protected: flag('Whether it cannot be deleted'),
    tags: listOf(text('A tag'), 'Tags'),
    stores: text('Where it is kept, with commas'),
    image_type: text('`snapshot` for one made from a server'),
    instance_uuid: text('The server it was made from'),
    base_image_ref: text('The image that server was made from'),
    user_id: text('Who made the snapshot'),
    os_type: text('`linux`, `windows`'),
    os_distro: text('Distribution'),
    os_version: text('Version'),
    architecture: text('`x86_64`, …'),
    os_glance_failed_import: text('Stores whose import failed, with commas'),
    os_glance_importing_to_stores: text('Stores being imported to, with commas'),
    created_at: text('When it was made'),
    updated_at: text('When it last changed'),
    self: text('Its path'),
    file: text('The path of its bytes'),
    schema: text('The path of its schema'),
  },
  ['id', 'status'],
)

const imageList = listAction({
  name: 'openstack.image.list',
  summary: 'the images this user can see',
  description: 'Further properties of an image stand beside its fields; where its bytes are is left out.',
  service: 'image',
  path: '/images',
  collection: 'images',
  filters: {
    status: {
      schema: oneOrMore('Only those in one of these statuses', statuses),
      query: (values) => ({ status: values.length === 1 ? values : `in:${values.join(',')}` }),
      field: 'status',
    },
    name: exactly(text('Only those with exactly this name', { minLength: 1 }), 'name'),
    visibility: exactly(text('Only these', { enum: ['public', 'private', 'shared', 'community'] }), 'visibility'),
    project: exactly(text('Only those of this project, by id', { minLength: 1 }), 'owner'),
  },
  item: imageItem,
  examples: [{}, { status: ['queued', 'saving', 'importing'] }],
})

const wantedImage = text('The image, by id or exact name', { minLength: 1 })
export const shownImage = (image: JsonObject): string =>
  `${textAt(image, 'name') ?? 'without a name'} (${String(image['id'])})`

const imageShow: WorkAction = {
  name: 'openstack.image.show',
  summary: 'one image',
  description: 'Further properties of the image stand beside its fields; where its bytes are is left out.',
  effect: 'read',
  params: paramsOf({ image: wantedImage }, ['image']),
  result: closedObject({ image: imageItem }),
  examples: [{ image: 'debian-12' }],
  async run(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    return { image: withoutSecrets(await imageCalled(session, String(params['image']), signal)) }
  },
}

/** Glance has forgotten it, or keeps it for a while where nobody can use it any more. */
const isGone = (image: JsonObject | undefined): boolean =>
  image === undefined || ['deleted', 'pending_delete'].includes(String(image['status']))

const imageDelete: WorkAction = {
  name: 'openstack.image.delete',
  summary: 'deletes an image, and looks that it is gone',
  description:
    'Servers that were made from it go on; they can be rebuilt from it no more. One that is protected is refused. An id that does not exist is as wanted; a name that does not exist fails.',
  effect: 'destructive',
  idempotent: true,
  params: paramsOf({ image: wantedImage }, ['image']),
  result: closedObject({ changed: flag('False where it was gone already') }),
  examples: [{ image: '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11' }],
  async plan(ctx, params, signal) {
    const image = await orGone(await sessionOf(ctx, params), params, signal)
    if (image === undefined || isGone(image)) return { summary: 'there is no such image', changes: [] }
    refuseProtected(image)
    const changes = [{ path: `image ${shownImage(image)}`, before: image['status'] ?? null, after: null }]
    return { summary: `would delete the image \`${shownImage(image)}\``, changes }
  },
  async run(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    const image = await orGone(session, params, signal)
    if (image === undefined || isGone(image)) return { changed: false }
    refuseProtected(image)
    const id = String(image['id'])
    await call(session, { service: 'image', method: 'DELETE', path: `/images/${segment(id)}` }, signal)
    const after = await orMissing(() => imageCalled(session, id, signal))
    if (isGone(after)) return { changed: true }
    throw new StepFailure(
      'image_not_gone',
      `the image \`${shownImage(image)}\` was deleted and is still \`${after?.['status']}\``,
      {
        hint: 'the log of Glance tells more: is it still used as the parent of volumes?',
        detail: { id, status: after?.['status'] ?? null },
      },
    )
  },
  // who deletes once more does no harm: what is gone already is as wanted
  async settled(ctx, params, signal): Promise<Settled> {
    const session = await sessionOf(ctx, params)
    const seen = await arrived(ctx, signal, async () => {
      const image = await orMissing(() => imageCalled(session, String(params['image']), signal))
      return isGone(image) ? 'gone' : undefined
    })
    return seen ? { happened: 'yes', result: { changed: true } } : { happened: 'no' }
  },
}

async function orGone(session: Session, params: JsonObject, signal: AbortSignal): Promise<JsonObject | undefined> {
  const wanted = String(params['image'])
  const look = () => imageCalled(session, wanted, signal)
  // an id names one image for ever; a name may just be written wrong
  return uuid.test(wanted) ? await orMissing(look) : await look()
}

function refuseProtected(image: JsonObject): void {
  if (image['protected'] !== true) return
  throw new StepFailure('protected', `the image \`${shownImage(image)}\` is protected: it cannot be deleted`, {
    hint: 'ask its owner; they take the protection away before they delete it',
    detail: { id: image['id'] ?? null },
  })
}

export const imageActions: readonly WorkAction[] = [imageList, imageShow, imageDelete]
