import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, type Reply, type Uploaded } from '../http/api.ts'
import { projectOf } from '../keystone/state.ts'
import { dropHolds } from '../nova/moves.ts'
import { nameOf } from '../nova/names.ts'
import type { Image } from './state.ts'

const diskFormats = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop']
const containerFormats = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed']
const visibilities = ['public', 'private', 'shared', 'community'] as const

/** What an image is told of itself by nobody. */
const readOnly = [
  'status',
  'size',
  'virtual_size',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'created_at',
  'updated_at',
]

/** `POST /v2/images`: a record without bytes. What Glance has no field for becomes a property of the image. */
export function createImage(world: CloudWorld, { body, token }: ApiRequest): Image {
  const { id, name, visibility, disk_format, container_format, min_disk, min_ram, ...more } = (body ?? {}) as {
    readonly [field: string]: unknown
  }
  const fixed = readOnly.find((field) => field in more)
  if (fixed !== undefined) throw new ApiFailure(403, `Attribute '${fixed}' is read-only.`)
  const disk = oneOf('disk_format', disk_format, diskFormats)
  const container = oneOf('container_format', container_format, containerFormats)
  const seen = oneOf('visibility', visibility, visibilities) as Image['visibility'] | null
  if (seen === 'public' && !token.roles.includes('admin')) {
    throw new ApiFailure(403, 'You are not authorized to complete publicize_image action.')
  }
  const now = world.clock.now()
  const image: Image = {
    id: typeof id === 'string' ? id : world.random.uuid(),
    name: typeof name === 'string' ? name : '',
    owner: projectOf(token),
    visibility: seen ?? 'shared',
    status: 'queued',
    size: null,
    createdAt: now,
    updatedAt: now,
    formats: { disk, container },
    least: { disk: Number(min_disk ?? 0), ram: Number(min_ram ?? 0) },
    properties: Object.fromEntries(
      Object.entries(more).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
  }
  world.cloud.glance.images.push(image)
  world.effect('openstack.image.create', nameOf(image))
  return image
}

function oneOf(field: string, value: unknown, known: readonly string[]): string | null {
  if (value === undefined || value === null) return null
  if (known.includes(String(value))) return String(value)
  throw new ApiFailure(
    400,
    `Invalid value '${value}' for parameter '${field}': Provided object does not match schema 'image': '${value}' is not one of [${['None', ...known.map((one) => `'${one}'`)].join(', ')}]`,
  )
}

/** `PUT /v2/images/{id}/file`: its bytes, once. */
export function upload(world: CloudWorld, request: ApiRequest): Reply {
  const image = imageOf(world, request)
  const bytes = request.body as Uploaded | undefined
  if (bytes === undefined || typeof bytes.size !== 'number') {
    throw new ApiFailure(415, 'The request media type is not supported by this resource.')
  }
  if (image.status !== 'queued') {
    throw new ApiFailure(409, `Image status transition from ${image.status} to saving is not allowed`)
  }
  const { size, md5, sha512 } = bytes
  Object.assign(image, { status: 'active', size, digests: { md5, sha512 }, updatedAt: world.clock.now() })
  world.effect('openstack.image.upload', nameOf(image), { size })
  return { status: 204 }
}

export function removeImage(world: CloudWorld, request: ApiRequest): Reply {
  const image = imageOf(world, request)
  dropHolds(world.cloud.glance.images, (one) => one === image)
  world.effect('openstack.image.delete', nameOf(image))
  return { status: 204 }
}

/** The image of the path, where the caller may change it. */
function imageOf({ cloud: { glance } }: CloudWorld, { params: { id = '' }, token }: ApiRequest): Image {
  const admin = token.roles.includes('admin')
  const found = glance.images.find((one) => one.id === id)
  if (!found || (found.visibility !== 'public' && found.owner !== projectOf(token) && !admin)) {
    throw new ApiFailure(404, `No image found with ID ${id}`)
  }
  if (found.owner !== projectOf(token) && !admin) {
    throw new ApiFailure(403, 'You are not authorized to complete this action.')
  }
  return found
}
