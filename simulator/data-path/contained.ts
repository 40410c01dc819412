import { dockerProgram } from '../hosts/commands/docker.ts'
import type { Machine } from '../hosts/machine/machine.ts'
import type { Program } from '../hosts/machine/process.ts'
import type { World } from '../world.ts'

/** What Kolla puts into containers: the container, the unit that it is elsewhere, and the programs that are in it alone. */
const containers: readonly { readonly name: string; readonly unit: string; readonly programs?: readonly string[] }[] = [
  { name: 'neutron_server', unit: 'neutron-server' },
  { name: 'neutron_dhcp_agent', unit: 'neutron-dhcp-agent' },
  { name: 'neutron_l3_agent', unit: 'neutron-l3-agent' },
  { name: 'neutron_metadata_agent', unit: 'neutron-metadata-agent' },
  { name: 'neutron_openvswitch_agent', unit: 'neutron-openvswitch-agent' },
  { name: 'neutron_linuxbridge_agent', unit: 'neutron-linuxbridge-agent' },
  { name: 'openvswitch_vswitchd', unit: 'openvswitch-switch', programs: ['ovs-vsctl'] },
  { name: 'nova_compute', unit: 'nova-compute' },
  { name: 'nova_libvirt', unit: 'libvirtd', programs: ['virsh'] },
]

/** Where docker keeps what the container of the DHCP agent sees as its root folder. */
const agentRoot = '/var/lib/docker/overlay2/5f1c9bd0a7e4/merged'

interface How {
  readonly engine: string
  /** The one container that there is; all, when it is empty. */
  readonly only: string
  readonly hidden: boolean
  /** Whether systemd keeps each by a unit of its own. */
  readonly kept: boolean
}

const state = '/var/lib/neutron/dhcp'

/** From now on the services of a host's networks and guests run in containers, as Kolla makes them. */
export function putInContainers({ cloud, estate }: World, host: string, { engine, only, hidden, kept }: How): void {
  const machine = estate.machines.get(host)
  if (!machine) return
  machine.programs.set(engine, dockerProgram(machine, engine))
  for (const { name, unit: unitName, programs = [] } of containers) {
    if (only !== '' && only !== name) continue
    const unit = machine.units.find(unitName)
    if (!unit?.enabled) continue
    unit.keptBy = 'container'
    machine.containers.set(name, { health: 'healthy', unit: unitName, programs: taken(machine, programs) })
    if (kept)
      machine.units.add({
        name: `kolla-${name}-container.service`,
        description: `${engine} ${name} container`,
        command: `/usr/bin/${engine} start -a ${name}`,
        starting: () => void machine.units.restart(unitName),
      })
  }
  if (only !== '' && only !== 'neutron_dhcp_agent') return
  const { files } = machine
  if (files.find(state)) {
    files.folder(`${agentRoot}/var/lib/neutron`, { parents: true })
    files.move(state, `${agentRoot}${state}`)
  }
  files.folder('/var/log/kolla/neutron', { parents: true })
  if (files.find('/var/log/neutron')) files.remove('/var/log/neutron', { recursive: true })
  cloud.neutron.path.contained.set(host, hidden ? '/' : agentRoot)
}

/** The log of the DHCP agent, as its host has it. */
export const agentLogOf = ({ cloud }: World, host: string): string =>
  cloud.neutron.path.contained.has(host)
    ? '/var/log/kolla/neutron/neutron-dhcp-agent.log'
    : '/var/log/neutron/dhcp-agent.log'

/** Programs that are no longer on the host. */
function taken(machine: Machine, names: readonly string[]): Map<string, Program> {
  const inside = new Map<string, Program>()
  for (const name of names) {
    const program = machine.programs.get(name)
    if (program) inside.set(name, program)
    machine.programs.delete(name)
  }
  return inside
}
