import type { Fault } from '../../fault.ts'
import { bindingOf } from '../../openstack/neutron/ports.ts'
import type { Agent, Port } from '../../openstack/neutron/state.ts'
import { takes } from '../../parameters.ts'
import { uuidOf } from '../../random.ts'
import type { World } from '../../world.ts'
import { putInContainers } from '../contained.ts'
import { layer2Unit } from '../model.ts'
import type { Backend } from '../state.ts'

/** What makes the virtual networks. */
export const backendFaults: readonly Fault[] = [
  {
    name: 'network.backend',
    summary: 'The virtual networks are made by Linux bridges or by OVN instead of the Open vSwitch agent',
    params: takes({
      backend: {
        type: 'string',
        description: 'What makes them',
        enum: ['openvswitch', 'linuxbridge', 'ovn'],
        default: 'linuxbridge',
      },
      hybrid: {
        type: 'boolean',
        description: 'With Open vSwitch: a Linux bridge for each port, with the security groups in iptables',
        default: false,
      },
    }),
    apply: (world, { backend, hybrid }) => rebuild(world, backend as Backend, hybrid === true),
  },
  {
    name: 'network.in_containers',
    summary:
      'Agents, Open vSwitch and libvirt run in containers, as Kolla makes them: their programs and files are inside',
    params: takes({
      engine: { type: 'string', enum: ['docker', 'podman'], default: 'docker', description: 'What runs containers' },
      only: {
        type: 'string',
        default: '',
        description: 'The one container that there is, unless all are: `nova_libvirt`',
      },
      files: {
        type: 'string',
        enum: ['shown', 'hidden'],
        default: 'shown',
        description: 'Whether the host shows the files of processes in containers, by `/proc/PID/root`',
      },
      units: {
        type: 'boolean',
        default: false,
        description: 'Whether systemd keeps each container by a unit of its own, as with newer Kolla',
      },
    }),
    apply(world, { engine, only, files, units }) {
      const { controllers, computes } = world.topology
      const how = { engine: String(engine), only: String(only), hidden: files === 'hidden', kept: units === true }
      for (const host of [...controllers, ...computes]) putInContainers(world, host, how)
    },
  },
]

const isDhcp = ({ device_owner }: Port): boolean => device_owner === 'network:dhcp'

const agentTypes: { readonly [backend in Backend]: string } = {
  openvswitch: 'Open vSwitch agent',
  linuxbridge: 'Linux bridge agent',
  ovn: 'OVN Controller agent',
}

/** Every port, agent and unit becomes what another backend would have made. */
function rebuild(world: World, backend: Backend, hybrid: boolean): void {
  const { neutron } = world.cloud
  const before = layer2Unit[neutron.path.backend]
  Object.assign(neutron.path, { backend, hybrid })
  for (const port of neutron.ports) Object.assign(port, bindingOf(neutron, port['binding:host_id']))
  const unit = layer2Unit[backend]
  if (unit === before) return
  const made = neutron.agents
    .filter((agent) => backend !== 'ovn' || agent.unit === before)
    .map((agent) =>
      agent.unit === before
        ? {
            ...agent,
            id: uuidOf(`agent/${unit}/${agent.host}`),
            agent_type: agentTypes[backend],
            binary: unit,
            unit,
            configurations: configurationOf(backend, agent),
          }
        : agent,
    )
  neutron.agents.splice(0, neutron.agents.length, ...made)
  // with OVN there is no DHCP agent, and the ports that it would have are not there; the metadata agents share one
  if (backend === 'ovn') {
    neutron.dhcp.clear()
    const shared = new Map(neutron.ports.filter(isDhcp).map((port) => [port.network_id, port]))
    const left = neutron.ports.filter((port) => !isDhcp(port) || shared.get(port.network_id) === port)
    neutron.ports.splice(0, neutron.ports.length, ...left)
    for (const [network, port] of shared) {
      const about = { device_owner: 'network:distributed', device_id: `ovnmeta-${network}` }
      Object.assign(port, about, bindingOf(neutron, ''))
    }
  }
  for (const machine of world.estate.machines.values()) {
    const [old, now] = [machine.units.find(before), machine.units.find(unit)]
    if (!old || !now) continue
    const { startedAt, since, mainPid } = old
    Object.assign(now, { enabled: true, active: 'active', sub: 'running', startedAt, since, mainPid })
    Object.assign(old, { enabled: false, active: 'inactive', sub: 'dead', startedAt: undefined, mainPid: 0 })
  }
}

function configurationOf(backend: Backend, { configurations }: Agent): Agent['configurations'] {
  const { tunneling_ip, bridge_mappings } = configurations
  if (backend === 'ovn') return { chassis_name: '', bridge_mappings: '' }
  return {
    bridge_mappings: {},
    devices: 0,
    extensions: [],
    interface_mappings: Object.keys(bridge_mappings as object).length > 0 ? { physnet1: 'eno1' } : {},
    l2_population: true,
    tunnel_types: ['vxlan'],
    tunneling_ip,
  }
}
