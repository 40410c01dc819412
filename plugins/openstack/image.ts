import type { WorkAction } from '../../engine/action/contract.ts'
import { flag, listOf, text, whole } from '../../engine/action/define.ts'
import { apiObject, oneOrMore } from './fields.ts'
import { exactly, listAction } from './list.ts'

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
  item: apiObject(
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
  ),
  examples: [{}, { status: ['queued', 'saving', 'importing'] }],
})

export const imageActions: readonly WorkAction[] = [imageList]
