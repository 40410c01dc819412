import { StepFailure } from '../../engine/action/contract.ts'
import { text, whole } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { attemptMark } from './attempt.ts'
import { apiObject, orNull } from './fields.ts'
import { imageById, imageCalled, imagesNamed } from './find-image.ts'
import { detailOf, type Look, type Verdict } from './follow.ts'
import { objectsIn, textAt } from './json-body.ts'
import { arrives, notYet, recorded, restsIn } from './judges.ts'
import { nameOf, type Operation } from './operation.ts'
import { vmStateOf } from './server-state.ts'
import { computeVersions, type Microversions } from './versions.ts'

const minute = 60_000

/** A server that boots from a volume shows no image. */
const bootsFromVolume = (server: JsonObject): boolean => textAt(server['image'], 'id') === undefined

/** For a server that boots from a volume more is needed. */
function unlessVolume(server: JsonObject, min: string, what: string): Microversions & { readonly what?: string } {
  if (!bootsFromVolume(server)) return computeVersions
  return { min, max: computeVersions.max, what: `${what} of a server that boots from a volume` }
}

const snapshot: Operation = {
  name: 'openstack.server.snapshot',
  summary: 'makes an image of a server, and waits until the image is active',
  description:
    'Of a server that boots from a volume the volumes are snapshotted, and the image that names them is empty. The image carries the property `runbook_attempt`, by which it is found again after a crash.',
  effect: 'change',
  params: { name: text('What the image is called', { minLength: 1, maxLength: 255 }) },
  required: ['name'],
  example: { name: 'vm1 before the upgrade' },
  result: {
    image: orNull(
      apiObject('The image', {
        id: text('UUID'),
        name: text('Its name'),
        status: text('`active`'),
        size: whole('Bytes; 0 where volumes were snapshotted'),
        disk_format: text('`qcow2`, `raw`, …'),
        created_at: text('When it was made'),
      }),
    ),
  },
  action: 'createImage',
  from: ['active', 'stopped', 'paused', 'suspended'],
  request: ({ params, session }) => ({
    versions: computeVersions,
    body: () => ({ createImage: { name: params['name'] ?? '', metadata: attemptMark(session.ctx) } }),
  }),
  answered: ({ body }) => ({ image: textAt(body, 'image_id') ?? null }),
  async look(session, { attempt }, signal) {
    const id = textAt(attempt.facts, 'image')
    try {
      const image = id
        ? await imageById(session, id, signal)
        : (await imagesNamed(session, String(attempt.params['name']), signal)).find(
            ({ runbook_attempt }) => runbook_attempt === session.ctx.step.attempt,
          )
      return { image: image ?? null }
    } catch (error) {
      // a snapshot that fails takes its image with it
      if (error instanceof StepFailure && error.code === 'not_found') return { image: null, lost: true }
      throw error
    }
  },
  judge: judgeImage,
  limit: () => 120 * minute,
  failure: 'snapshot_failed',
  preview: ({ server, params }) => ({
    summary: `would make an image of \`${nameOf(server)}\``,
    changes: [{ path: `image ${String(params['name'])}`, after: { of: nameOf(server) } }],
  }),
}

function judgeImage(look: Look): Verdict {
  const { seen, attempt } = look
  const status = textAt(seen.more['image'], 'status')
  if (seen.more['lost'] === true || ['killed', 'deleted', 'pending_delete'].includes(status ?? ''))
    return new StepFailure('snapshot_failed', `the image ${status === undefined ? 'is gone' : `is \`${status}\``}`, {
      detail: { ...detailOf(attempt, seen), image: attempt.facts['image'] ?? null },
    })
  const verdict = notYet(look)
  return status === 'active' && verdict === 'idle' ? 'done' : verdict
}

const rescue: Operation = {
  name: 'openstack.server.rescue',
  summary: 'boots a server from a rescue image with its own disk beside, and waits until it is in RESCUE',
  description: 'Of a server that boots from a volume only from version 2.87 on, and with an image made for that.',
  effect: 'change',
  idempotent: true,
  params: { image: text('The image to boot from, by id or exact name; its own unless told', { minLength: 1 }) },
  example: { image: 'rescue' },
  action: 'rescue',
  from: ['active', 'stopped', 'error'],
  underWay: ['rescuing'],
  holds: (server) => restsIn(server, 'rescued'),
  async prepare({ session, params }, signal) {
    const { image } = params
    return image === undefined ? {} : { image: (await imageCalled(session, String(image), signal))['id'] ?? null }
  },
  request: ({ server, found: { image } }) => ({
    versions: unlessVolume(server, '2.87', 'the rescue'),
    body: () => ({ rescue: image === undefined ? {} : { rescue_image_ref: image } }),
  }),
  judge: arrives('rescued'),
  preview: ({ server }) => ({
    summary: `would boot \`${nameOf(server)}\` from a rescue image`,
    changes: [{ path: `${nameOf(server)}.status`, before: server['status'] ?? null, after: 'RESCUE' }],
  }),
}

const unrescue: Operation = {
  name: 'openstack.server.unrescue',
  summary: 'boots a rescued server from its own disk again, and waits until it is ACTIVE',
  effect: 'change',
  idempotent: true,
  action: 'unrescue',
  from: ['rescued'],
  runs: true,
  underWay: ['unrescuing'],
  holds: (server) => restsIn(server, 'active'),
  request: () => ({ versions: computeVersions, body: () => ({ unrescue: null }) }),
  judge: arrives('active'),
  preview: ({ server }) => ({
    summary: `would boot \`${nameOf(server)}\` from its own disk again`,
    changes: [{ path: `${nameOf(server)}.status`, before: server['status'] ?? null, after: 'ACTIVE' }],
  }),
}

const rebuild: Operation = {
  name: 'openstack.server.rebuild',
  summary: 'writes a server anew from an image, and waits until it is as it was: its root disk is overwritten',
  description:
    'Name, addresses, ports and other volumes stay. A root volume is overwritten too, which takes version 2.93.',
  effect: 'destructive',
  params: { image: text('The image, by id or exact name', { minLength: 1 }) },
  required: ['image'],
  example: { image: 'debian-12' },
  action: 'rebuild',
  from: ['active', 'stopped', 'error'],
  async prepare({ session, params }, signal) {
    const image = await imageCalled(session, String(params['image']), signal)
    if (image['status'] !== 'active')
      throw new StepFailure('wrong_state', `the image \`${String(params['image'])}\` is ${String(image['status'])}`)
    return { image: image['id'] ?? null }
  },
  request: ({ server, found: { image = null } }) => ({
    versions: unlessVolume(server, '2.93', 'the rebuild'),
    body: () => ({ rebuild: { imageRef: image } }),
  }),
  proof: true,
  judge: recorded(({ seen, attempt }) => {
    const state = vmStateOf(seen.server)
    const { image } = attempt.facts
    const asWanted = image === undefined || bootsFromVolume(seen.server) || textAt(seen.server['image'], 'id') === image
    const before = attempt.before && vmStateOf(attempt.before)
    return asWanted && (before === 'stopped' ? state === 'stopped' : ['active', 'stopped'].includes(state))
  }),
  limit: () => 60 * minute,
  preview: ({ server, found }) => ({
    summary: `would overwrite the root disk of \`${nameOf(server)}\``,
    changes: [
      {
        path: `${nameOf(server)}.root disk`,
        before: bootsFromVolume(server)
          ? `volume ${textAt(objectsIn(server['os-extended-volumes:volumes_attached'])[0], 'id')}`
          : { image: textAt(server['image'], 'id') ?? null, and: 'what was written since' },
        after: { image: found['image'] ?? null },
      },
    ],
  }),
}

export const imageOperations: readonly Operation[] = [snapshot, rescue, unrescue, rebuild]
