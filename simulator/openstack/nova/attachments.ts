import { become } from '../cinder/changes.ts'
import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { second } from '../time.ts'
import { checkObject, isYes } from './action-bodies.ts'
import { serverOf } from './find.ts'
import { beginEvent, onHost, recordAction, succeed } from './lifecycle.ts'
import { dropHolds } from './moves.ts'
import { nameOf } from './names.ts'
import { askerOf, conflict, refuseLocked } from './server-actions.ts'
import { portsOf } from './server-view.ts'
import type { NovaServer, VmState } from './state.ts'

/** What hangs on a server: its ports and its volumes. */
export function attachmentRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/servers/:id/os-interface',
      handle: (request) => {
        const ports = portsOf(world, serverOf(world, request))
        const interfaceAttachments = ports.map((port) => ({
          net_id: port.network_id,
          port_id: port.id,
          mac_addr: port.mac_address,
          port_state: port.status,
          fixed_ips: port.fixed_ips,
          ...(request.version >= 70 && { tag: null }),
        }))
        return json(200, { interfaceAttachments })
      },
    },
    {
      method: 'GET',
      path: '/servers/:id/os-volume_attachments',
      handle: (request) => {
        const server = serverOf(world, request)
        const volumeAttachments = server.volumes.map((one) => attachmentView(server, one, request))
        return json(200, { volumeAttachments })
      },
    },
    { method: 'POST', path: '/servers/:id/os-volume_attachments', handle: (request) => attach(world, request) },
    {
      method: 'GET',
      path: '/servers/:id/os-volume_attachments/:volume',
      handle: (request) => {
        const server = serverOf(world, request)
        return json(200, { volumeAttachment: attachmentView(server, attachedTo(server, request), request) })
      },
    },
    {
      method: 'DELETE',
      path: '/servers/:id/os-volume_attachments/:volume',
      handle: (request) => detach(world, request),
    },
  ]
}

type Attached = NovaServer['volumes'][number]

const attachmentView = (server: NovaServer, one: Attached, { version }: ApiRequest): object => ({
  ...(version < 89 && { id: one.id }),
  serverId: server.id,
  volumeId: one.id,
  device: one.device,
  ...(version >= 70 && { tag: null }),
  ...(version >= 79 && { delete_on_termination: one.deleteOnTermination }),
  ...(version >= 89 && { attachment_id: one.id, bdm_uuid: one.id }),
})

function attachedTo(server: NovaServer, { params: { volume = '' } }: ApiRequest): Attached {
  const found = server.volumes.find(({ id }) => id === volume)
  if (!found) throw new ApiFailure(404, `volume_id not found: ${volume}`)
  return found
}

/** States in which disks come and go. */
const pluggable: readonly VmState[] = ['active', 'paused', 'stopped', 'resized', 'shelved', 'shelved_offloaded']

function refuseState(server: NovaServer, request: ApiRequest, action: string): void {
  refuseLocked(server, request)
  if (!pluggable.includes(server.vmState)) throw conflict(server, action, 'vm_state', server.vmState)
  if (server.taskState !== null) throw conflict(server, action, 'task_state', server.taskState)
}

/** The volume is `reserved` at once, and `in-use` when the host has it. */
function attach(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  const { volumeAttachment: asked } = (request.body ?? {}) as { volumeAttachment?: unknown }
  const properties = {
    volumeId: { types: ['string'], required: true },
    device: { types: ['string', 'null'] },
    tag: { types: ['string'], since: 49 },
    delete_on_termination: { types: ['boolean', 'string'], since: 79 },
  } as const
  checkObject('volumeAttachment', asked, { properties }, request.version)
  const { volumeId, device, delete_on_termination } = asked as {
    volumeId: string
    device?: string | null
    delete_on_termination?: unknown
  }
  const volume = world.cloud.cinder.volumes.find(({ id }) => id === volumeId)
  if (!volume) throw new ApiFailure(404, `Volume ${volumeId} could not be found.`)
  refuseState(server, request, 'attach_volume')
  if (volume.status !== 'available') {
    throw new ApiFailure(
      400,
      `Invalid input received: Invalid volume: Volume ${volumeId} status must be available or downloading to reserve, but the current status is ${volume.status}. (HTTP 400)`,
    )
  }
  const letter = [...'bcdefghijklmnop'].find((one) => !server.volumes.some((held) => held.device === `/dev/vd${one}`))
  const entry: Attached = {
    id: volume.id,
    device: device ?? `/dev/vd${letter}`,
    deleteOnTermination: isYes(delete_on_termination),
  }
  const { clock } = world
  const record = recordAction(world, server, 'attach_volume', askerOf(request))
  world.effect('openstack.server.attach_volume', nameOf(server), { volume: volume.id, device: entry.device })
  become(world, volume, 'available', 'reserved')
  server.volumes.push(entry)
  onHost(world, server.host, () => {
    beginEvent(world, record, 'compute_attach_volume', server.host)
    clock.after(second / 2, () => become(world, volume, 'reserved', 'attaching'))
    clock.after(second, () => {
      const host = server.host ?? ''
      volume.attachments = [{ id: world.random.uuid(), server: server.id, device: entry.device, host, at: clock.now() }]
      become(world, volume, 'attaching', 'in-use')
      succeed(world, record)
    })
  })
  // the answer keeps the shape from before 2.89; only what is read later has the new one
  const version = Math.min(request.version, 88)
  return json(200, { volumeAttachment: attachmentView(server, entry, { ...request, version }) })
}

function detach(world: CloudWorld, request: ApiRequest): Reply {
  const server = serverOf(world, request)
  const entry = attachedTo(server, request)
  refuseState(server, request, 'detach_volume')
  if (entry.device === '/dev/vda' && server.image === '')
    throw new ApiFailure(403, 'Cannot detach a root device volume', { kind: 'Forbidden' })
  const volume = world.cloud.cinder.volumes.find(({ id }) => id === entry.id)
  if (volume && volume.status !== 'in-use') {
    throw new ApiFailure(
      400,
      "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.",
    )
  }
  const record = recordAction(world, server, 'detach_volume', askerOf(request))
  world.effect('openstack.server.detach_volume', nameOf(server), { volume: entry.id })
  if (volume) become(world, volume, 'in-use', 'detaching')
  onHost(world, server.host, () => {
    beginEvent(world, record, 'compute_detach_volume', server.host)
    world.clock.after(second, () => {
      dropHolds(server.volumes, (one) => one === entry)
      if (volume) {
        volume.attachments = volume.attachments.filter((one) => one.server !== server.id)
        become(world, volume, 'detaching', 'available')
      }
      succeed(world, record)
    })
  })
  return { status: 202 }
}
