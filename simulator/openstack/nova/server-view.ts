import { createHash } from 'node:crypto'
import type { CloudWorld } from '../cloud.ts'
import type { ApiRequest } from '../http/api.ts'
import type { Port } from '../neutron/state.ts'
import { micro, zulu } from '../time.ts'
import { health } from './alive.ts'
import type { NovaServer } from './state.ts'
import { statusOf } from './status.ts'

export const serverLinks = (id: string, origin: string) => [
  { rel: 'self', href: `${origin}/v2.1/servers/${id}` },
  { rel: 'bookmark', href: `${origin}/servers/${id}` },
]

export const shortServer = ({ id, name }: NovaServer, { origin }: ApiRequest): object => ({
  id,
  name,
  links: serverLinks(id, origin),
})

/** What libvirt calls it: `instance-0000002a`. */
export const instanceNameOf = ({ number }: NovaServer): string => `instance-${number.toString(16).padStart(8, '0')}`

/** Statuses that show how far they are. */
const progressing = ['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING']

/** What is known of a server whose cell does not answer. */
export function silentServer(server: NovaServer, extent: 'listed' | 'shown'): object {
  const { id, project, user, createdAt } = server
  const least = { id, tenant_id: project, created: zulu(createdAt), status: 'UNKNOWN', links: [] }
  if (extent === 'listed') return least
  return {
    ...least,
    user_id: user,
    flavor: { original_name: server.flavor.name, vcpus: server.flavor.vcpus, ram: server.flavor.ram },
    image: server.image === '' ? '' : { id: server.image },
    'OS-EXT-AZ:availability_zone': server.zone,
    'OS-EXT-STS:power_state': 0,
  }
}

/** A server as `GET /servers/detail` shows it at a microversion. */
export function serverView(world: CloudWorld, server: NovaServer, request: ApiRequest): object {
  const { version, origin, token } = request
  const status = statusOf(server)
  const admin = token.roles.includes('admin')
  return {
    id: server.id,
    name: server.name,
    status,
    tenant_id: server.project,
    user_id: server.user,
    metadata: server.metadata,
    hostId: hostIdOf(server),
    image:
      server.image === ''
        ? ''
        : { id: server.image, links: [{ rel: 'bookmark', href: `${origin}/images/${server.image}` }] },
    flavor: flavorIn(server, request),
    created: zulu(server.createdAt),
    updated: zulu(server.updatedAt),
    addresses: addressesOf(world, server),
    accessIPv4: '',
    accessIPv6: '',
    links: serverLinks(server.id, origin),
    'OS-DCF:diskConfig': 'MANUAL',
    ...(progressing.includes(status) && { progress: 0 }),
    ...(server.fault && ['ERROR', 'DELETED'].includes(status) && { fault: faultView(server.fault, admin) }),
    'OS-EXT-AZ:availability_zone': server.host === null ? '' : server.zone,
    config_drive: server.configDrive ? 'True' : '',
    key_name: server.keyName,
    'OS-SRV-USG:launched_at': server.launchedAt === null ? null : micro(server.launchedAt),
    'OS-SRV-USG:terminated_at': server.vmState === 'deleted' ? micro(server.updatedAt) : null,
    ...(admin && placeOf(server, version)),
    'OS-EXT-STS:task_state': server.taskState,
    'OS-EXT-STS:vm_state': server.vmState,
    'OS-EXT-STS:power_state': server.powerState,
    'os-extended-volumes:volumes_attached': server.volumes.map(({ id, deleteOnTermination }) => ({
      id,
      ...(version >= 3 && { delete_on_termination: deleteOnTermination }),
    })),
    ...(version >= 9 && { locked: server.locked }),
    ...(version >= 73 && { locked_reason: server.lockedReason }),
    ...(version >= 19 && { description: server.description }),
    ...(version >= 26 && { tags: server.tags }),
    ...(version >= 63 && { trusted_image_certificates: null }),
    ...(version >= 16 && admin && { host_status: hostStatus(world, server) }),
    security_groups: [{ name: 'default' }],
  }
}

function placeOf(server: NovaServer, version: number): object {
  return {
    'OS-EXT-SRV-ATTR:host': server.host,
    'OS-EXT-SRV-ATTR:instance_name': instanceNameOf(server),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': server.host,
    ...(version >= 3 && {
      'OS-EXT-SRV-ATTR:reservation_id': `r-${server.id.slice(0, 8)}`,
      'OS-EXT-SRV-ATTR:launch_index': 0,
      'OS-EXT-SRV-ATTR:hostname': server.name,
      'OS-EXT-SRV-ATTR:kernel_id': '',
      'OS-EXT-SRV-ATTR:ramdisk_id': '',
      'OS-EXT-SRV-ATTR:root_device_name': '/dev/vda',
      'OS-EXT-SRV-ATTR:user_data': server.userData ?? null,
    }),
  }
}

function flavorIn({ flavor }: NovaServer, { version, origin }: ApiRequest): object {
  if (version < 47) return { id: flavor.id, links: [{ rel: 'bookmark', href: `${origin}/flavors/${flavor.id}` }] }
  const { vcpus, ram, disk, name, extraSpecs = {} } = flavor
  return { vcpus, ram, disk, ephemeral: 0, swap: 0, original_name: name, extra_specs: extraSpecs }
}

function faultView(fault: NonNullable<NovaServer['fault']>, admin: boolean): object {
  const { code, message, created, details } = fault
  return { code, created: zulu(created), message, ...((admin || code !== 500) && { details }) }
}

/** Names a host to those who may not know it: the same for one project, different for each. */
const hostIdOf = ({ project, host }: NovaServer): string =>
  host === null ? '' : createHash('sha224').update(project).update(host).digest('hex')

function hostStatus(world: CloudWorld, { host }: NovaServer): string {
  const service = world.cloud.nova.services.find((one) => one.host === host && one.binary === 'nova-compute')
  if (!service) return ''
  if (service.forcedDown) return 'DOWN'
  if (service.disabled) return 'MAINTENANCE'
  return health(world, service).up ? 'UP' : 'UNKNOWN'
}

export const portsOf = ({ cloud: { neutron } }: CloudWorld, { id }: NovaServer): Port[] =>
  neutron.ports.filter(({ device_id }) => device_id === id)

function addressesOf(world: CloudWorld, server: NovaServer): { [network: string]: object[] } {
  const { networks, floatingips } = world.cloud.neutron
  const addresses: { [network: string]: object[] } = {}
  for (const port of portsOf(world, server)) {
    const floating = floatingips.filter(({ port_id }) => port_id === port.id)
    const show = (addr: string, type: string) => ({
      version: 4,
      addr,
      'OS-EXT-IPS:type': type,
      'OS-EXT-IPS-MAC:mac_addr': port.mac_address,
    })
    const name = networks.find(({ id }) => id === port.network_id)?.name ?? ''
    addresses[name] = [
      ...(addresses[name] ?? []),
      ...port.fixed_ips.map(({ ip_address }) => show(ip_address, 'fixed')),
      ...floating.map(({ floating_ip_address }) => show(floating_ip_address, 'floating')),
    ]
  }
  return addresses
}
