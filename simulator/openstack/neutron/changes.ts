import { isIP } from 'node:net'
import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { python } from '../python.ts'
import { second, zulu } from '../time.ts'
import { bind, isBound } from './binding.ts'
import { dhcpDeviceOf } from './build.ts'
import { find } from './list.ts'
import { addPort, bindingOf } from './ports.ts'
import type { Agent, DhcpOption, Network, Port, Subnet } from './state.ts'

/** What can be changed of Neutron. */
export function changeRoutes(world: CloudWorld): Route[] {
  const { neutron } = world.cloud
  return [
    {
      method: 'PUT',
      path: '/ports/:id',
      handle: (request) => changePort(world, request, find(request, neutron.ports, { plural: 'ports' })),
    },
    {
      method: 'PUT',
      path: '/subnets/:id',
      handle: (request) => {
        const subnet = find(request, neutron.subnets, { plural: 'subnets' })
        const reply = changed(world, request, 'subnet', subnet, [
          'name',
          'description',
          'enable_dhcp',
          'dns_nameservers',
        ])
        serve(world, subnet.network_id)
        return reply
      },
    },
    {
      method: 'PUT',
      path: '/networks/:id',
      handle: (request) => {
        const network = find(request, neutron.networks, { plural: 'networks' })
        return changed(world, request, 'network', network, ['name', 'description', 'admin_state_up'])
      },
    },
    {
      method: 'GET',
      path: '/agents/:id/dhcp-networks',
      admin: 'get_dhcp-networks',
      handle: (request) => {
        const { id } = agentOf(world, request)
        const held = neutron.networks.filter((network) => neutron.dhcp.get(network.id)?.includes(id))
        return json(200, { networks: held })
      },
    },
    {
      method: 'POST',
      path: '/agents/:id/dhcp-networks',
      admin: 'create_dhcp-network',
      handle: (request) => hand(world, request),
    },
    {
      method: 'DELETE',
      path: '/agents/:id/dhcp-networks/:network',
      admin: 'delete_dhcp-network',
      handle: (request) => takeAway(world, request),
    },
  ]
}

/** The agent of the path, which need not be a DHCP agent. Throws `ApiFailure` 404. */
export function agentOf({ cloud: { neutron } }: CloudWorld, { params: { id = '' } }: ApiRequest): Agent {
  const agent = neutron.agents.find((one) => one.id === id)
  if (agent) return agent
  throw new ApiFailure(404, `Agent ${id} could not be found.`, { kind: 'AgentNotFound' })
}

/** The fields somebody wants to change. Throws `ApiFailure` 400 for one that is not there, or cannot be. */
export function wantedFields(
  { body }: ApiRequest,
  noun: string,
  known: readonly string[],
  shown: object,
): { [field: string]: unknown } {
  const wanted = (body as { [noun: string]: { [field: string]: unknown } } | undefined)?.[noun]
  if (typeof wanted !== 'object') {
    throw new ApiFailure(400, `Unable to find '${noun}' in request body`, { kind: 'HTTPBadRequest' })
  }
  const strange = Object.keys(wanted).filter((field) => !known.includes(field))
  if (strange.length > 0) {
    const unheard = strange.filter((field) => !(field in shown)).map((field) => `'${field}'`)
    const message =
      unheard.length > 0
        ? `Unrecognized attribute(s) ${unheard.join(', ')}`
        : `Cannot update read-only attribute ${strange[0]}`
    throw new ApiFailure(400, message, { kind: 'HTTPBadRequest' })
  }
  return Object.fromEntries(Object.entries(wanted).map(([field, value]) => [field, converted(field, value)]))
}

/** A value as Neutron keeps it. Throws `ApiFailure` 400. */
function converted(field: string, value: unknown): unknown {
  if (['admin_state_up', 'enable_dhcp'].includes(field)) {
    const word = String(value).toLowerCase()
    if (['true', '1'].includes(word)) return true
    if (['false', '0'].includes(word)) return false
    throw invalidInput(`'${String(value)}' cannot be converted to boolean.`)
  }
  if (field === 'dns_nameservers') {
    const wrong = (value as readonly unknown[]).find((one) => isIP(String(one)) === 0)
    if (wrong === undefined) return value
    const reason = `'${String(wrong)}' is not a valid nameserver. '${String(wrong)}' is not a valid IP address.`
    throw new ApiFailure(400, `Invalid input for ${field}. Reason: ${reason}`, { kind: 'HTTPBadRequest' })
  }
  if (field === 'extra_dhcp_opts') {
    const wrong = (value as readonly object[]).find((one) => !('opt_name' in one && 'opt_value' in one))
    if (wrong) throw invalidInput(`No valid key specs matched for: ${python(wrong)}.`)
  }
  return value
}

const invalidInput = (why: string) =>
  new ApiFailure(400, `Invalid input for operation: ${why}`, { kind: 'InvalidInput' })

const label = ({ name, id }: { readonly name: string; readonly id: string }) => (name === '' ? id : `${name} (${id})`)

function changed(
  world: CloudWorld,
  request: ApiRequest,
  noun: string,
  one: Network | Subnet | Port,
  known: readonly string[],
): Reply {
  const wanted = wantedFields(request, noun, known, one)
  Object.assign(one, wanted, {
    updated_at: zulu(world.clock.now()),
    revision_number: one.revision_number + 1,
  })
  world.effect(`openstack.${noun}.update`, label(one), wanted)
  return json(200, { [noun]: one })
}

function changePort(world: CloudWorld, request: ApiRequest, port: Port): Reply {
  const { extra_dhcp_opts: options, ...plain } = wantedFields(request, 'port', portFields, port)
  const { admin_state_up: before, 'binding:host_id': host } = port
  Object.assign(port, plain)
  if (Array.isArray(options)) port.extra_dhcp_opts = merged(port.extra_dhcp_opts, options)
  port.updated_at = zulu(world.clock.now())
  port.revision_number += 1
  // whatever is changed of a port: Neutron tries once more to bind it where it could not
  const on = port['binding:host_id']
  const binds = host !== on || (on !== '' && !isBound(port))
  if (binds) bind(world, port, on)
  world.effect('openstack.port.update', port.id, {
    ...plain,
    ...(binds && { 'binding:vif_type': port['binding:vif_type'] }),
    ...(options !== undefined && { extra_dhcp_opts: options }),
  })
  if (before && !port.admin_state_up) port.status = 'DOWN'
  if (!before && port.admin_state_up) comeUp(world, port)
  return json(200, { port })
}

const portFields = ['name', 'description', 'admin_state_up', 'extra_dhcp_opts', 'binding:host_id']

/** The layer-2 agent wires the port again, and the guest sees its link come back. */
function comeUp({ clock, cloud: { neutron } }: CloudWorld, port: Port): void {
  clock.after(2 * second, () => {
    if (!port.admin_state_up || !isBound(port)) return
    port.status = 'ACTIVE'
    neutron.path.plugged.push({ port: port.id, at: clock.now() })
  })
}

function merged(before: readonly DhcpOption[], options: readonly unknown[]): readonly DhcpOption[] {
  const wanted = options as readonly { opt_name: string; opt_value: string | null; ip_version?: number }[]
  const named = new Set(wanted.map(({ opt_name }) => opt_name))
  return [
    ...before.filter(({ opt_name }) => !named.has(opt_name)),
    ...wanted.flatMap(({ opt_name, opt_value, ip_version = 4 }) =>
      opt_value === null ? [] : [{ opt_name, opt_value, ip_version }],
    ),
  ]
}

function hand(world: CloudWorld, request: ApiRequest): Reply {
  const { neutron } = world.cloud
  const agent = dhcpAgentOf(world, request)
  const id = String((request.body as { network_id?: unknown } | undefined)?.network_id)
  const network = neutron.networks.find((one) => one.id === id)
  if (!network) throw new ApiFailure(404, `Network ${id} could not be found.`, { kind: 'NetworkNotFound' })
  if (!agent.admin_state_up) throw notValid(agent)
  const agents = neutron.dhcp.get(id) ?? []
  if (agents.includes(agent.id)) {
    const message = `The network ${id} has been already hosted by the DHCP Agent ${agent.id}.`
    throw new ApiFailure(409, message, { kind: 'NetworkHostedByDHCPAgent' })
  }
  neutron.dhcp.set(id, [...agents, agent.id])
  neutron.path.handed.set(`${agent.id}/${id}`, world.clock.now())
  servePort(world, agent, network)
  world.effect('openstack.dhcp_network.add', label(network), { host: agent.host, agent: agent.id })
  return json(201, null)
}

/** The agents of a network make their ports in it, where a subnet wants DHCP, and remove them where none does. */
function serve(world: CloudWorld, id: string): void {
  const { neutron } = world.cloud
  const network = neutron.networks.find((one) => one.id === id)
  const wanted = neutron.subnets.some((subnet) => subnet.network_id === id && subnet.enable_dhcp)
  for (const agent of neutron.agents.filter((one) => neutron.dhcp.get(id)?.includes(one.id))) {
    const at = neutron.ports.findIndex((port) => port.device_id === dhcpDeviceOf(agent.host, id))
    if (wanted && network) servePort(world, agent, network)
    else if (at !== -1) neutron.ports.splice(at, 1)
  }
}

/** The port of a network's DHCP server on a host: one that was left over from another agent, or a new one. */
function servePort(world: CloudWorld, { host }: Agent, network: Network): void {
  const { neutron } = world.cloud
  const device = dhcpDeviceOf(host, network.id)
  const ours = neutron.ports.find((port) => port.device_id === device)
  if (ours) return
  const left = neutron.ports.find((port) => port.network_id === network.id && port.device_id === reserved)
  if (left) {
    Object.assign(left, { device_id: device, status: 'ACTIVE', ...bindingOf(neutron, host) })
    return
  }
  const subnet = neutron.subnets.find((one) => one.network_id === network.id && one.enable_dhcp)
  if (!subnet) return
  const name = `dhcp/${network.id}/${host}/${world.clock.now()}`
  const { project_id: project } = network
  addPort(neutron, { name, subnet, owner: 'network:dhcp', device, host, project, at: world.clock.now() })
}

/** Neutron keeps the port, and so the address, for the agent that comes next. */
const reserved = 'reserved_dhcp_port'

function takeAway(world: CloudWorld, request: ApiRequest): Reply {
  const { neutron } = world.cloud
  const agent = dhcpAgentOf(world, request)
  const { network = '' } = request.params
  const agents = neutron.dhcp.get(network) ?? []
  if (!agents.includes(agent.id)) {
    const message = `The network ${network} is not hosted by the DHCP agent ${agent.id}.`
    throw new ApiFailure(409, message, { kind: 'NetworkNotHostedByDhcpAgent' })
  }
  neutron.dhcp.set(
    network,
    agents.filter((one) => one !== agent.id),
  )
  const port = neutron.ports.find((one) => one.device_id === dhcpDeviceOf(agent.host, network))
  if (port) Object.assign(port, { device_id: reserved, status: 'DOWN', ...bindingOf(neutron, '') })
  const name = neutron.networks.find((one) => one.id === network)?.name ?? ''
  world.effect('openstack.dhcp_network.remove', label({ name, id: network }), { host: agent.host, agent: agent.id })
  return { status: 204 }
}

function dhcpAgentOf(world: CloudWorld, request: ApiRequest): Agent {
  const agent = agentOf(world, request)
  if (agent.agent_type === 'DHCP agent') return agent
  throw notValid(agent)
}

/** What is no DHCP agent, or is switched off, is given nothing. */
const notValid = ({ id }: Agent) =>
  new ApiFailure(409, `Agent ${id} is not a valid DHCP Agent or has been disabled.`, { kind: 'InvalidDHCPAgent' })
