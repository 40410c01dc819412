import type { Fault } from '../fault.ts'
import { takes } from '../parameters.ts'
import { uuidOf } from '../random.ts'
import type { Image } from './glance/state.ts'
import { projectIdOf } from './keystone/state.ts'
import { hour, minute } from './time.ts'

/** What can be wrong with volumes and images. */
export const storageFaults: readonly Fault[] = [
  {
    name: 'cinder.service_down',
    summary: 'A Cinder service runs but reports no more',
    params: takes({
      host: { type: 'string', description: 'The host of the service' },
      binary: {
        type: 'string',
        description: 'Which service',
        enum: ['cinder-volume', 'cinder-scheduler', 'cinder-backup'],
        default: 'cinder-volume',
      },
      minutes: { type: 'integer', description: 'How long ago it was last heard of', minimum: 2, default: 20 },
    }),
    apply({ cloud, clock }, { host, binary, minutes }) {
      const service = cloud.cinder.services.find((one) => one.host === host && one.binary === binary)
      if (!service) throw new Error(`there is no ${binary} on \`${host}\``)
      service.silent = { from: clock.now() - Number(minutes) * minute, noticed: clock.now() }
    },
  },
  {
    name: 'cinder.pool_full',
    summary: 'The storage behind the volumes is nearly full',
    params: takes({
      percent_free: { type: 'number', description: 'How much of it is free', minimum: 0, maximum: 100, default: 8 },
    }),
    apply({ cloud: { cinder } }, { percent_free }) {
      cinder.capacity.free = Math.round((cinder.capacity.total * Number(percent_free)) / 100)
    },
  },
  {
    name: 'cinder.volumes_stuck',
    summary: 'Volumes have been in the middle of something for hours',
    params: takes({
      count: { type: 'integer', description: 'How many volumes', minimum: 1, default: 1 },
      status: {
        type: 'string',
        description: 'What they are in the middle of',
        enum: ['creating', 'deleting', 'detaching', 'attaching', 'backing-up', 'error', 'error_deleting'],
        default: 'deleting',
      },
      hours: { type: 'integer', description: 'For how long', minimum: 1, default: 5 },
    }),
    apply({ cloud, clock }, { count, status, hours }) {
      const spare = cloud.cinder.volumes.filter((volume) => volume.attachments.length === 0)
      for (const volume of spare.slice(0, Number(count))) {
        Object.assign(volume, { status: String(status), updatedAt: clock.now() - Number(hours) * hour })
      }
    },
  },
  {
    name: 'cinder.volume_lost',
    summary: 'A volume of a server is attached to it no more',
    params: takes(
      {
        server: { type: 'string', description: 'The server, by name' },
        nova: {
          type: 'boolean',
          description: 'Whether Nova knows it too: somebody has detached it; otherwise only Cinder holds it for free',
          default: true,
        },
        to: { type: 'string', description: 'The server that it is attached to instead, by name; none unless told' },
      },
      ['to'],
    ),
    apply({ cloud: { nova, cinder }, clock }, { server: name, nova: known, to }) {
      const server = nova.servers.find((one) => one.name === name)
      const held = server?.volumes.at(-1)
      if (!server || !held) throw new Error(`there is no server \`${name}\` with a volume`)
      if (known === true) server.volumes.pop()
      const volume = cinder.volumes.find(({ id }) => id === held.id)
      if (!volume) return
      const other = nova.servers.find((one) => one.name === to)
      const attachments = other ? volume.attachments.map((one) => ({ ...one, server: other.id })) : []
      Object.assign(volume, { status: other ? 'in-use' : 'available', attachments, updatedAt: clock.now() })
    },
  },
  {
    name: 'glance.image_property',
    summary: 'An image says of its servers what a flavor can say as well: processors of their own, a security chip',
    params: takes({
      image: { type: 'string', description: 'The image, by name', default: 'debian-12' },
      name: { type: 'string', description: 'The property: `hw_cpu_policy`, `hw_tpm_version`' },
      value: { type: 'string', description: 'What it says' },
    }),
    apply({ cloud: { glance } }, { image, name, value }) {
      const at = glance.images.findIndex((one) => one.name === image)
      const found = glance.images[at]
      if (!found) throw new Error(`there is no image \`${image}\``)
      glance.images[at] = { ...found, properties: { ...found.properties, [String(name)]: String(value) } }
    },
  },
  {
    name: 'glance.image_stuck',
    summary: 'An image never got its bytes',
    params: takes({
      status: {
        type: 'string',
        description: 'Where it stands',
        enum: ['queued', 'saving', 'importing'],
        default: 'saving',
      },
      hours: { type: 'integer', description: 'For how long', minimum: 1, default: 30 },
    }),
    apply({ cloud, clock }, { status, hours }) {
      const at = clock.now() - Number(hours) * hour
      cloud.glance.images.push({
        id: uuidOf(`image/stuck/${status}`),
        name: 'runner-snapshot',
        owner: projectIdOf('ci'),
        visibility: 'private',
        status: status as Image['status'],
        size: null,
        createdAt: at,
        updatedAt: at,
        properties: { image_type: 'snapshot' },
      })
    },
  },
]
