import type { Fault } from '../../fault.ts'
import { takes } from '../../parameters.ts'
import { projectIdOf } from '../keystone/state.ts'
import { day, minute } from '../time.ts'
import { strayAgent } from './agents.ts'
import { availabilityOf } from './availability.ts'
import { addFloatingIp } from './build.ts'
import { addPort } from './ports.ts'
import type { Agent, Network, NeutronState } from './state.ts'

const network = { type: 'string', description: 'The name of the network; the first with DHCP unless told' } as const

export const neutronFaults: readonly Fault[] = [
  {
    name: 'neutron.agent_dead',
    summary: 'An agent runs but reports no more; Neutron shows it as not alive',
    params: ofAgent(['Open vSwitch agent', 'DHCP agent', 'L3 agent', 'Metadata agent'], {
      minutes: { type: 'integer', description: 'How long ago it was last heard of', minimum: 2, default: 30 },
      from_boot: { type: 'boolean', description: 'Only from the next boot of its host on', default: false },
    }),
    apply({ cloud, clock, estate }, { host, agent_type, minutes, from_boot }) {
      const agent = agentOn(cloud.neutron, host, agent_type)
      if (from_boot === true) {
        estate.machines.get(agent.host)?.power.onBoot(() => {
          // its unit starts in this time, and is not to be heard of
          agent.silent = { from: clock.now(), noticed: clock.now() + minute }
        })
        return
      }
      agent.silent = { from: clock.now() - Number(minutes) * minute, noticed: clock.now() }
    },
  },
  {
    name: 'neutron.agent_set',
    summary: 'An agent is switched off, or in another availability zone',
    params: ofAgent(['DHCP agent', 'L3 agent'], {
      admin_state_up: { type: 'boolean', description: 'Whether it is switched on', default: true },
      zone: { type: 'string', description: 'Its availability zone', default: 'nova' },
    }),
    apply({ cloud }, { host, agent_type, admin_state_up, zone }) {
      const agent = agentOn(cloud.neutron, host, agent_type)
      Object.assign(agent, { admin_state_up, zone })
    },
  },
  {
    name: 'neutron.agent_added',
    summary: 'A host also does the work of a network host',
    params: ofAgent(['L3 agent', 'DHCP agent', 'Metadata agent', 'OVN Controller Gateway agent']),
    apply({ cloud: { neutron }, clock, estate }, { host, agent_type }) {
      const agent = strayAgent(String(host), String(agent_type), neutron.agents.length, clock.now())
      const machine = estate.machines.get(agent.host)
      if (!machine) throw new Error(`no simulated host is called \`${agent.host}\``)
      const name = `${agent.binary}.service`
      machine.units.add({ name, description: `OpenStack Neutron ${agent_type}`, command: `/usr/bin/${agent.binary}` })
      neutron.agents.push(agent)
    },
  },
  {
    name: 'neutron.dhcp_missing',
    summary: 'A network has fewer DHCP agents than it should',
    params: takes(
      {
        network,
        left: { type: 'integer', description: 'How many agents still serve it', minimum: 0, maximum: 1, default: 0 },
      },
      ['network'],
    ),
    apply({ cloud: { neutron } }, { network, left }) {
      const { id } = networkNamed(neutron, network)
      neutron.dhcp.set(id, (neutron.dhcp.get(id) ?? []).slice(0, Number(left)))
    },
  },
  {
    name: 'neutron.l3_two_active',
    summary: 'Two agents believe that they are the active one of a router',
    params: takes({ router: { type: 'string', description: 'The name of the router; the first unless told' } }, [
      'router',
    ]),
    apply({ cloud: { neutron } }, { router }) {
      const found = neutron.routers.find(({ name }) => router === undefined || name === router)
      if (!found) throw new Error(`there is no router \`${router}\``)
      const standby = neutron.l3.get(found.id)?.find(({ state }) => state === 'standby')
      if (!standby) throw new Error(`\`${found.name}\` has only one agent`)
      standby.state = 'active'
    },
  },
  {
    name: 'neutron.port_binding_failed',
    summary: 'Ports of servers could not be bound on their host',
    params: takes({ count: { type: 'integer', description: 'How many ports', minimum: 1, default: 1 } }),
    apply({ cloud: { neutron } }, { count }) {
      const ports = neutron.ports.filter((port) => port.device_owner === 'compute:nova' && port.status === 'ACTIVE')
      for (const port of ports.slice(0, Number(count))) {
        Object.assign(port, { status: 'DOWN', 'binding:vif_type': 'binding_failed', 'binding:vif_details': {} })
      }
    },
  },
  {
    name: 'neutron.ip_pool_nearly_used',
    summary: 'Forgotten ports and floating IPs hold most addresses of a network',
    params: takes({
      network: { ...network, description: 'The name of the network', default: 'public' },
      percent: { type: 'integer', description: 'How much of it is used', minimum: 1, maximum: 100, default: 96 },
    }),
    apply({ cloud: { neutron }, clock }, { network, percent }) {
      const found = networkNamed(neutron, network)
      const subnet = neutron.subnets.find(({ network_id }) => network_id === found.id)
      const { total_ips, used_ips } = availabilityOf(neutron, found)
      const missing = Math.ceil((total_ips * Number(percent)) / 100) - used_ips
      for (let index = 0; subnet && index < missing; index += 1) {
        const name = `leftover/${found.name}/${index}`
        const at = clock.now() - 40 * day + index * minute
        if (found['router:external']) addFloatingIp(neutron, subnet, { at, name })
        else
          addPort(neutron, {
            name,
            subnet,
            owner: '',
            device: '',
            host: '',
            project: projectIdOf('admin'),
            at,
            status: 'DOWN',
          })
      }
    },
  },
]

/** The parameters of a fault of one agent; the first kind is the usual one. */
function ofAgent(kinds: readonly [string, ...string[]], more: Fault['params']['properties'] = {}): Fault['params'] {
  return takes(
    {
      host: { type: 'string', description: 'The host of the agent' },
      agent_type: { type: 'string', description: 'Which agent', enum: kinds, default: kinds[0] },
      ...more,
    },
    Object.keys(more),
  )
}

function agentOn({ agents }: NeutronState, host: unknown, kind: unknown): Agent {
  const agent = agents.find((one) => one.host === host && one.agent_type === kind)
  if (!agent) throw new Error(`there is no ${kind} on \`${host}\``)
  return agent
}

function networkNamed(neutron: NeutronState, name: unknown): Network {
  const found = neutron.networks.find((one) => (name === undefined ? neutron.dhcp.has(one.id) : one.name === name))
  if (found) return found
  throw new Error(`there is no network \`${name}\`; there are ${neutron.networks.map((one) => one.name).join(', ')}`)
}
