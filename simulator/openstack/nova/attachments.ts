import type { CloudWorld } from '../cloud.ts'
import { json, type Route } from '../http/api.ts'
import { serverOf } from './find.ts'
import { portsOf } from './server-view.ts'

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
        const volumeAttachments = server.volumes.map(({ id, device, deleteOnTermination }) => ({
          ...(request.version < 89 && { id }),
          serverId: server.id,
          volumeId: id,
          device,
          ...(request.version >= 70 && { tag: null }),
          ...(request.version >= 79 && { delete_on_termination: deleteOnTermination }),
          ...(request.version >= 89 && { attachment_id: id, bdm_uuid: id }),
        }))
        return json(200, { volumeAttachments })
      },
    },
  ]
}
