import type { Fault } from '../../fault.ts'
import { type FieldSchema, takes } from '../../parameters.ts'
import { layer2Unit, networkOf, patchPort, serversOf } from '../model.ts'
import type { BreakKind, Message } from '../state.ts'
import { breakIt, fault, onCompute, silence } from './fault.ts'

const lasting: FieldSchema = {
  type: 'boolean',
  description: 'Whether it stays so though the agent is restarted',
  default: false,
}

/** A fault of the wiring of a port on its host, that the agent mends when it is restarted, or does not. */
const ofWiring = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(
    name,
    summary,
    (world, port, params) => {
      const about = { port: port.id, host: port['binding:host_id'] }
      breakIt(world, { kind, ...about, lasting: params['lasting'] === true })
    },
    { lasting },
  )

/** What can be wrong on the hosts between the port of a guest and the network. */
export const wiringFaults: readonly Fault[] = [
  {
    name: 'network.bridge_added',
    summary: 'A host has a further bridge of Open vSwitch, which a script may have made that nobody runs at boot',
    params: takes({
      host: { type: 'string', description: 'The host' },
      bridge: { type: 'string', description: 'What it is called', default: 'br-ex' },
      from_boot: {
        type: 'string',
        description: 'Whether it is there from the next boot of the host on',
        enum: ['there', 'gone'],
        default: 'there',
      },
    }),
    apply({ cloud, estate }, { host, bridge, from_boot }) {
      const machine = estate.machines.get(String(host))
      if (!machine) throw new Error(`no simulated host is called \`${String(host)}\``)
      const made = { host: machine.name, name: String(bridge) }
      const { bridges } = cloud.neutron.path
      bridges.push(made)
      machine.power.onBoot(() => {
        if (from_boot === 'gone') bridges.splice(bridges.indexOf(made), 1)
      })
    },
  },
  fault(
    'network.layer2_agent_down',
    'What wires ports on the host of a server reports no more',
    (world, port, { returns }) => {
      const { neutron } = world.cloud
      const unit = layer2Unit[neutron.path.backend]
      const agent = neutron.agents.find((one) => one.unit === unit && one.host === port['binding:host_id'])
      if (agent) silence(world, agent, returns !== false)
    },
    { returns: { type: 'boolean', description: 'Whether it reports again once it is restarted', default: true } },
  ),
  fault(
    'network.dead_vlan',
    'The port of a server, or those of its DHCP servers, are in the VLAN for ports that belong nowhere',
    (world, port, { whose, lasting: stays }) => {
      const ports = whose === 'dhcp' ? serversOf(world, networkOf(world, port)).map((served) => served.port) : [port]
      for (const { id, 'binding:host_id': host } of ports)
        breakIt(world, { kind: 'dead_vlan', port: id, host, lasting: stays === true })
    },
    {
      whose: { type: 'string', description: 'Whose', enum: ['guest', 'dhcp'], default: 'guest' },
      lasting,
    },
  ),
  ofWiring('network.port_untagged', 'The port of a server is in no VLAN: its agent has not wired it', 'untagged'),
  fault(
    'network.plugged_elsewhere',
    'libvirt has given a guest another device than that of its port, or none, though that one is there',
    (world, port, { device }) => {
      const about = { port: port.id, host: port['binding:host_id'] }
      breakIt(world, { kind: 'plugged_elsewhere', ...about, device: String(device) })
    },
    { device: { type: 'string', description: 'The device that it has; none when empty', default: '' } },
  ),
  onCompute('network.tap_missing', 'The device of a server on its host is gone', 'tap_missing'),
  ofWiring('network.not_in_bridge', 'The device of a server is in no bridge', 'not_in_bridge'),
  fault('network.tunnel_down', 'The host of a server has no tunnel to others', (world, port) => {
    breakIt(world, { kind: 'tunnel_down', host: port['binding:host_id'] })
  }),
  fault('network.wrong_nic', 'The address that tunnels of a host end at is on no interface', (world, port) => {
    const host = port['binding:host_id']
    breakIt(world, { kind: 'wrong_nic', host })
    const machine = world.estate.machines.get(host)
    const index = machine?.nics.findIndex(({ name }) => name === 'eno2') ?? -1
    const nic = machine?.nics[index]
    if (machine && nic) machine.nics[index] = { ...nic, address: nic.address.replace('10.78.', '10.79.') }
  }),
  fault('network.nic_down', 'The interface that carries the tunnels of a host has no link', (world, port) => {
    const nic = world.estate.machines.get(port['binding:host_id'])?.nics.find(({ name }) => name === 'eno2')
    if (nic) nic.up = false
  }),
  fault(
    'network.message_lost',
    'Something between the hosts, or on one of them, drops a message of DHCP, and no tool shows it',
    (world, port, { after, message }) => {
      breakIt(world, { kind: 'lost', port: port.id, after: String(after), message: message as Message })
    },
    {
      after: {
        type: 'string',
        description: 'Where it is seen last, on its way',
        enum: ['tap', 'qbr', 'qvb', 'qvo', 'compute_int', 'compute_nic', 'network_nic', 'network_int', 'dhcp'],
        default: 'compute_nic',
      },
      message: {
        type: 'string',
        description: 'Which',
        enum: ['DISCOVER', 'OFFER', 'REQUEST', 'ACK'],
        default: 'DISCOVER',
      },
    },
  ),
  fault(
    'network.mirrored',
    'Somebody watches the bridge of the host of a server with a mirror of their own',
    (world, port, { name }) => {
      const about = { host: port['binding:host_id'], bridge: 'br-int' }
      const { added, mirrors } = world.cloud.neutron.path
      added.push({ ...about, port: { name: String(name), ids: {}, up: true } })
      mirrors.push({ ...about, mirror: { name: String(name), ids: {}, from: [patchPort], to: String(name) } })
    },
    { name: { type: 'string', description: 'What it and its port are called', default: 'span0' } },
  ),
]
