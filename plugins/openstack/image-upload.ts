import {
  type ActionContext,
  type Digested,
  type DigestName,
  type Settled,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { closedObject, flag, text, textMap, whole } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { attemptMark, attemptName } from './attempt.ts'
import { call, objectIn } from './call.ts'
import { paramsOf } from './fields.ts'
import { imageById, imagesNamed } from './find-image.ts'
import { imageItem, shownImage } from './image.ts'
import { textAt, withoutSecrets } from './json-body.ts'
import { segment } from './list.ts'
import { orMissing } from './missing.ts'
import { type Session, sessionOf } from './session.ts'

const hour = 3_600_000
/** How long the bytes may take, and how long Glance may work on them once they are there; a step may say less. */
const sending = 24 * hour
const storing = 2 * hour
const between = 5_000

const algorithms: readonly DigestName[] = ['md5', 'sha256', 'sha512']

type File = Digested & { readonly path: string }

export const imageUpload: WorkAction = {
  name: 'openstack.image.upload',
  summary: 'makes an image of a file, and proves that every byte of it has come',
  description:
    'The file lies on the machine on which `runbook` runs. It is read first, and compared with `checksum` where that is given; at the end what Glance says of the image must be its size and its digest. An image of this name with these bytes is as wanted; one with other bytes is refused, never replaced. When it fails, what was made is deleted again. The image carries the property `runbook_attempt`, by which it is found again after a crash.',
  effect: 'change',
  idempotent: true,
  params: paramsOf(
    {
      name: text('What the image is called', { minLength: 1, maxLength: 255 }),
      path: text('The file, on this machine', { minLength: 1 }),
      disk_format: text('What the file is', { enum: ['raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx', 'iso', 'ploop'] }),
      visibility: text('Who may use it; what Glance takes unless told, which is `shared`', {
        enum: ['public', 'private', 'shared', 'community'],
      }),
      min_disk: whole('GiB a flavor must have', { minimum: 0 }),
      min_ram: whole('MiB a flavor must have', { minimum: 0 }),
      properties: textMap('Further properties, such as `os_distro`'),
      checksum: text('What the file must be, as its publisher says: `sha256:…`, `sha512:…` or `md5:…`', {
        pattern: '^(md5:[0-9a-fA-F]{32}|sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$|\\{\\{',
      }),
    },
    ['name', 'path', 'disk_format'],
  ),
  result: closedObject({ image: imageItem, changed: flag('False where it was there already') }),
  examples: [
    {
      name: 'debian-12',
      path: '/srv/images/debian-12.qcow2',
      disk_format: 'qcow2',
      properties: { os_distro: 'debian' },
    },
  ],

  async plan(ctx, params, signal) {
    const file = await fileOf(ctx, params, signal)
    const there = await sameImage(await sessionOf(ctx, params), params, file, signal)
    if (there) return { summary: `the image \`${shownImage(there)}\` is this file already`, changes: [] }
    const { size, digests, path } = file
    const after = { from: path, size, sha512: digests.sha512, disk_format: params['disk_format'] ?? null }
    return {
      summary: `would upload \`${path}\`, ${size} bytes, as the image \`${String(params['name'])}\``,
      changes: [{ path: `image ${String(params['name'])}`, after }],
    }
  },

  async run(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    const file = await fileOf(ctx, params, signal)
    const there = await sameImage(session, params, file, signal)
    if (there) return { image: withoutSecrets(there), changed: false }
    const record = { service: 'image', method: 'POST', path: '/images', body: recordOf(ctx, params) } as const
    const id = String(objectIn(await call(session, record, signal))['id'])
    const image = await filled(session, id, file, signal)
    return { image: withoutSecrets(image), changed: true }
  },

  async settled(ctx, params, signal): Promise<Settled> {
    const session = await sessionOf(ctx, params)
    const own = await arrived(ctx, signal, async () => {
      const found = await imagesNamed(session, String(params['name']), signal)
      return found.find((image) => image[attemptName] === ctx.step.attempt)
    })
    if (!own) return { happened: 'no' }
    const image = await stored(session, String(own['id']), signal)
    if (image && isWhole(image, await fileOf(ctx, params, signal)))
      return { happened: 'yes', result: { image: withoutSecrets(image), changed: true } }
    const state = image ? `is \`${String(image['status'])}\`` : 'is gone'
    return {
      happened: 'unknown',
      why: `it made the image \`${shownImage(own)}\`, which ${state}: delete it and try again`,
    }
  },
}

/** The file as it is now. Throws `no_file`, `checksum_mismatch`. */
async function fileOf(ctx: ActionContext, params: JsonObject, signal: AbortSignal): Promise<File> {
  const path = String(params['path'])
  const file = await ctx.files.digest(path, algorithms, signal)
  const [algorithm, wanted] = String(params['checksum'] ?? '')
    .toLowerCase()
    .split(':')
  const digest = algorithms.find((one) => one === algorithm)
  if (digest && file.digests[digest] !== wanted)
    throw new StepFailure('checksum_mismatch', `\`${path}\` has the ${digest} ${file.digests[digest]}, not ${wanted}`, {
      hint: 'it was not downloaded whole, or it is another file; nothing was sent',
      detail: { path, size: file.size, [digest]: file.digests[digest] },
    })
  return { ...file, path }
}

/** The image that is wanted, where it is there. Throws `name_taken` where another has its name. */
async function sameImage(
  session: Session,
  params: JsonObject,
  file: File,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const named = await imagesNamed(session, String(params['name']), signal)
  const same = named.find((image) => isWhole(image, file) && image['disk_format'] === params['disk_format'])
  const [other] = named
  if (same || !other) return same
  throw new StepFailure(
    'name_taken',
    `an image is called \`${shownImage(other)}\` already, is \`${String(other['status'])}\` and not \`${file.path}\` as ${String(params['disk_format'])}`,
    {
      hint: 'choose another name, or look at what uses it and delete it first',
      detail: { id: other['id'] ?? null, size: other['size'] ?? null, disk_format: other['disk_format'] ?? null },
    },
  )
}

/** Glance has all bytes of the file: it is asked for its own digest, not for what it was told. */
function isWhole(image: JsonObject, { size, digests }: File): boolean {
  if (image['status'] !== 'active' || image['size'] !== size) return false
  const algorithm = algorithms.find((one) => one === textAt(image, 'os_hash_algo'))
  return algorithm ? image['os_hash_value'] === digests[algorithm] : image['checksum'] === digests.md5
}

function recordOf(ctx: ActionContext, params: JsonObject): JsonObject {
  const { name = '', disk_format = '', properties = {} } = params
  const told = Object.fromEntries(
    ['visibility', 'min_disk', 'min_ram'].flatMap((field) => {
      const value = params[field]
      return value === undefined ? [] : [[field, value]]
    }),
  )
  return { ...(properties as JsonObject), ...told, name, disk_format, container_format: 'bare', ...attemptMark(ctx) }
}

/** Sends the bytes into the record. What does not become the whole image is deleted again. */
async function filled(session: Session, id: string, file: File, signal: AbortSignal): Promise<JsonObject> {
  const put = {
    service: 'image',
    method: 'PUT',
    path: `/images/${segment(id)}/file`,
    file: { path: file.path, sent: sayProgress(session.ctx, file) },
    timeout: sending,
  } as const
  const refused = await call(session, put, signal).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (signal.aborted) throw await brokenOff(session, id, refused ?? signal.reason)
  let image: JsonObject | undefined
  try {
    // a balancer may have lost patience while Glance goes on
    image = await stored(session, id, signal)
  } catch (error) {
    throw refused ?? error
  }
  if (image && isWhole(image, file)) return image
  const why = refused instanceof Error ? refused.message : `Glance has ${said(image)}, the file ${file.size} bytes`
  const rest = image && !(await takenBack(session, id, signal)) ? 'is still there: delete it' : 'is deleted again'
  const known = refused instanceof StepFailure ? refused : undefined
  throw new StepFailure(known?.code ?? 'upload_failed', `${why}; the image \`${id}\` ${rest}`, {
    ...(known?.hint !== undefined && { hint: known.hint }),
    detail: { id, size: file.size, sha512: file.digests.sha512, image: image ? withoutSecrets(image) : null },
    cause: refused,
  })
}

/** Nobody waits for it any more: what was made goes too, for as long as that takes; else it is named. */
async function brokenOff(session: Session, id: string, cause: unknown): Promise<StepFailure> {
  const left = !(await takenBack(session, id, new AbortController().signal))
  return new StepFailure(
    'interrupted',
    `it was broken off; the image \`${id}\` is ${left ? 'left' : 'deleted again'}`,
    {
      status: left ? 'unknown' : 'failed',
      hint: left
        ? `the image \`${id}\` is left without its bytes: \`openstack image delete ${id}\``
        : `the image \`${id}\` that it had begun is deleted again`,
      detail: { id, left },
      cause,
    },
  )
}

const said = (image: JsonObject | undefined): string =>
  image ? `an image that is \`${String(image['status'])}\` with ${String(image['size'])} bytes` : 'no such image'

/** The image once Glance has done with it; nothing when it is gone. */
async function stored(session: Session, id: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  const { clock } = session.ctx
  const end = clock.now() + storing
  for (;;) {
    const image = await orMissing(() => imageById(session, id, signal))
    const works = ['saving', 'uploading', 'importing'].includes(String(image?.['status']))
    if (!works || clock.now() >= end) return image
    await clock.sleep(between, signal)
  }
}

async function takenBack(session: Session, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    const remove = { service: 'image', method: 'DELETE', path: `/images/${segment(id)}`, timeout: 10_000 } as const
    await orMissing(() => call(session, remove, signal))
    return true
  } catch {
    return false
  }
}

function sayProgress({ progress }: ActionContext, { size }: File): (bytes: number) => void {
  let last = 0
  return (bytes) => {
    const percent = Math.floor((bytes / size) * 100)
    if (percent === last) return
    last = percent
    progress(`${percent} % of ${size} bytes sent`)
  }
}
