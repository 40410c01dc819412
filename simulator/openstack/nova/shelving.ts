import type { CloudWorld } from '../cloud.ts'
import type { Image } from '../glance/state.ts'
import { second } from '../time.ts'
import { type Asker, beginEvent, change, onHost, recordAction, succeed } from './lifecycle.ts'
import { bindPorts, dropHolds } from './moves.ts'
import { hostsFor } from './schedule.ts'
import type { NovaServer } from './state.ts'

/** Switches a server off, keeps its disk as an image, and takes it off its host. */
export function shelve(world: CloudWorld, server: NovaServer, asker: Asker): void {
  const { clock } = world
  const record = recordAction(world, server, 'shelve', asker)
  change(server, clock.now(), { taskState: 'shelving' })
  onHost(world, server.host, () => {
    beginEvent(world, record, 'compute_shelve_instance', server.host)
    if (server.image !== '') {
      const image = addImage(world, server, `${server.name}-shelved`)
      clock.after(second, () => {
        if (server.taskState !== 'shelving') return
        image.status = 'saving'
        change(server, clock.now(), { taskState: 'shelving_image_uploading', powerState: 4 })
      })
      clock.after(4 * second, () => {
        image.status = 'active'
      })
    }
    clock.after(4 * second, () => {
      if (!server.taskState?.startsWith('shelving')) return
      change(server, clock.now(), { vmState: 'shelved', taskState: 'shelving_offloading', powerState: 4 })
      clock.after(second, () => {
        offload(world, server)
        succeed(world, record)
      })
    })
  })
}

export function shelveOffload(world: CloudWorld, server: NovaServer, asker: Asker): void {
  const { clock } = world
  const record = recordAction(world, server, 'shelveOffload', asker)
  change(server, clock.now(), { taskState: 'shelving_offloading' })
  onHost(world, server.host, () => {
    beginEvent(world, record, 'compute_shelve_offload_instance', server.host)
    clock.after(2 * second, () => {
      offload(world, server)
      succeed(world, record)
    })
  })
}

function offload(world: CloudWorld, server: NovaServer): void {
  if (server.taskState !== 'shelving_offloading') return
  const off = { vmState: 'shelved_offloaded', powerState: 4, taskState: null, host: null, guestOff: undefined } as const
  change(server, world.clock.now(), off)
}

/** Brings it back, on whichever host has room; without one it stays as it is. */
export function unshelve(world: CloudWorld, server: NovaServer, asker: Asker, host: string | null): void {
  const { clock } = world
  const record = recordAction(world, server, 'unshelve', asker)
  change(server, clock.now(), { taskState: 'unshelving' })
  beginEvent(world, record, 'unshelve_server')
  clock.after(second, () => {
    if (server.taskState !== 'unshelving') return
    const [found] = server.host === null ? hostsFor(world, { flavor: server.flavor, server, host }) : [server.host]
    if (found === undefined) {
      change(server, clock.now(), { taskState: null })
      succeed(world, record)
      return
    }
    change(server, clock.now(), { host: found, taskState: 'spawning' })
    bindPorts(world, server, found)
    beginEvent(world, record, 'compute_unshelve_instance', found)
    clock.after(4 * second, () => {
      if (server.taskState !== 'spawning') return
      const now = clock.now()
      change(server, now, { vmState: 'active', powerState: 1, taskState: null, launchedAt: now, guestOff: undefined })
      const { images } = world.cloud.glance
      dropHolds(images, ({ properties }) => properties['instance_uuid'] === server.id && isShelf(properties))
      succeed(world, record)
    })
  })
}

const isShelf = (properties: Image['properties']): boolean => properties['shelved'] === 'true'

/** `createImage`: the image is there at once, and has its bytes some seconds later. */
export function snapshot(
  world: CloudWorld,
  server: NovaServer,
  asker: Asker,
  { name, metadata = {} }: { readonly name: string; readonly metadata?: { readonly [key: string]: string } },
): Image {
  const { clock } = world
  const record = recordAction(world, server, 'createImage', asker)
  const image = addImage(world, server, name)
  // what is written on it stands among its properties
  Object.assign(image.properties, metadata)
  const tasks = ['image_snapshot', 'image_pending_upload', 'image_uploading'] as const
  let task: string = tasks[0]
  const underWay = () => server.taskState === task
  change(server, clock.now(), { taskState: task })
  onHost(world, server.host, () => {
    beginEvent(world, record, 'compute_snapshot_instance', server.host)
    for (const [index, next] of tasks.entries()) {
      if (index === 0) continue
      clock.after(index * second, () => {
        if (!underWay()) return
        task = next
        change(server, clock.now(), { taskState: next })
        if (next === 'image_uploading') image.status = 'saving'
      })
    }
    clock.after(4 * second, () => {
      if (!underWay()) return
      change(server, clock.now(), { taskState: null })
      image.status = 'active'
      succeed(world, record)
    })
  })
  return image
}

function addImage(world: CloudWorld, server: NovaServer, name: string): Image {
  const now = world.clock.now()
  const id = world.random.uuid()
  const image: Image = {
    id,
    name,
    owner: server.project,
    visibility: 'private',
    status: 'queued',
    size: server.image === '' ? 0 : server.flavor.disk * 1024 ** 3,
    createdAt: now,
    updatedAt: now,
    properties: {
      base_image_ref: server.image,
      image_type: 'snapshot',
      instance_uuid: server.id,
      owner_id: server.project,
      user_id: server.user,
      ...(name === `${server.name}-shelved` && { shelved: 'true' }),
    },
  }
  world.cloud.glance.images.push(image)
  return image
}
