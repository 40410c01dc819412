import { createHash } from 'node:crypto'
import { projectIdOf } from '../keystone/state.ts'
import { imageIdOf } from '../nova/build.ts'
import { day, minute } from '../time.ts'

export interface Image {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly visibility: 'public' | 'private' | 'shared' | 'community'
  status: 'queued' | 'saving' | 'active' | 'killed' | 'deleted' | 'uploading' | 'importing' | 'deactivated'
  size: number | null
  readonly createdAt: number
  updatedAt: number
  /** What kind of bytes it holds; `raw` and `bare` unless told. */
  readonly formats?: { readonly disk: string | null; readonly container: string | null }
  /** What a flavor must have: GiB of disk, MiB of memory; nothing unless told. */
  readonly least?: { readonly disk: number; readonly ram: number }
  /** The digests of bytes that really came; those of the image's id otherwise. */
  digests?: { readonly md5: string; readonly sha512: string }
  /** Properties its owner gave it. */
  readonly properties: { readonly [name: string]: string }
}

export interface GlanceState {
  readonly images: Image[]
}

const gigabyte = 1024 ** 3

export function buildGlance(startAt: number): GlanceState {
  const rows = [
    { name: 'debian-12', size: 2 * gigabyte, visibility: 'public', project: 'admin', age: 200 },
    { name: 'ubuntu-24.04', size: 3 * gigabyte, visibility: 'public', project: 'admin', age: 150 },
    { name: 'rocky-9', size: 4 * gigabyte, visibility: 'public', project: 'admin', age: 140 },
    { name: 'ci-base', size: 6 * gigabyte, visibility: 'private', project: 'ci', age: 12 },
  ] as const
  return {
    images: rows.map(({ name, size, visibility, project, age }) => ({
      id: imageIdOf(name),
      name,
      owner: projectIdOf(project),
      visibility,
      status: 'active',
      size,
      createdAt: startAt - age * day,
      updatedAt: startAt - age * day + 2 * minute,
      properties: { os_distro: name.split('-')[0] as string },
    })),
  }
}

const digest = (kind: 'md5' | 'sha512', id: string) => createHash(kind).update(id).digest('hex')

/** What is known of the bytes of an image; nothing before it has any. */
export const contentOf = ({ id, size, status, formats, digests }: Image): object => {
  const arrived = status === 'active' || status === 'deactivated'
  return {
    disk_format: formats ? formats.disk : arrived ? 'raw' : null,
    container_format: formats ? formats.container : arrived ? 'bare' : null,
    size: arrived ? size : null,
    virtual_size: arrived && formats?.disk !== 'qcow2' ? size : null,
    checksum: arrived ? (digests?.md5 ?? digest('md5', id)) : null,
    os_hash_algo: arrived ? 'sha512' : null,
    os_hash_value: arrived ? (digests?.sha512 ?? digest('sha512', id)) : null,
    ...(arrived && { stores: 'ceph' }),
  }
}
