import type { WorkAction } from '../../engine/action/contract.ts'
import { flag, text } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import { apiObject, labels } from './fields.ts'
import { heartbeatFields, heartbeatOf } from './heartbeat.ts'
import { exactly, listAction, segment } from './list.ts'

const agentFields: { readonly [name: string]: Schema } = {
  id: text('UUID'),
  agent_type: text('`DHCP agent`, `L3 agent`, `Open vSwitch agent`, …'),
  binary: text('`neutron-dhcp-agent`, …'),
  topic: text('Where it listens'),
  host: text('The host, as Neutron names it'),
  alive: flag('Whether its last report is young enough'),
  admin_state_up: flag('Whether it is switched on'),
  availability_zone: text('Availability zone'),
  heartbeat_timestamp: text('Last report as the API writes it, without a zone'),
  started_at: text('When it started, without a zone'),
  created_at: text('When it was first seen, without a zone'),
  description: text('What somebody wrote about it'),
  configurations: labels('What it says of itself'),
  resources_synced: flag('Whether Placement knows its resources'),
  resource_versions: labels('What it understands'),
  ...heartbeatFields,
}

export const agentItem = apiObject('An agent', agentFields, ['id', 'agent_type', 'host', 'alive'])

const derive = (item: JsonObject, date: string | null): JsonObject => heartbeatOf(item['heartbeat_timestamp'], date)

const agentList = listAction({
  name: 'openstack.network_agent.list',
  summary: 'the agents of Neutron, with their last report',
  description:
    'With OVN a rebuilt host may stand here twice, once dead. Where every agent looks late, compare the clocks: `date` is that of the service.',
  service: 'network',
  path: '/agents',
  collection: 'agents',
  filters: {
    host: exactly(text('Only those on this host', { minLength: 1 }), 'host'),
    agent_type: exactly(text('Only those of this type: `DHCP agent`', { minLength: 1 }), 'agent_type'),
    binary: exactly(text('Only this program: `neutron-dhcp-agent`', { minLength: 1 }), 'binary'),
  },
  item: agentItem,
  derive,
  examples: [{}, { host: 'compute-1' }],
})

const dhcpAgents = listAction({
  name: 'openstack.network.dhcp_agents',
  summary: 'the DHCP agents that serve a network',
  service: 'network',
  path: ({ network }) => `/networks/${segment(network)}/dhcp-agents`,
  collection: 'agents',
  paged: false,
  switches: { network: text('The network, by id', { minLength: 1 }) },
  required: ['network'],
  item: apiObject('An agent', agentFields, ['id', 'host', 'alive']),
  derive,
  examples: [{ network: '9c11ba1a-fd23-4d15-81ce-f3fe4d8edce7' }],
})

const l3Agents = listAction({
  name: 'openstack.router.l3_agents',
  summary: 'the L3 agents that hold a router, and which of them is active',
  service: 'network',
  path: ({ router }) => `/routers/${segment(router)}/l3-agents`,
  collection: 'agents',
  paged: false,
  switches: { router: text('The router, by id', { minLength: 1 }) },
  required: ['router'],
  item: apiObject(
    'An agent',
    { ...agentFields, ha_state: text('`active` or `standby`; null where the router is not HA') },
    ['id', 'host', 'alive'],
  ),
  derive,
  examples: [{ router: '5e1a1c0e-5f1c-4a3d-8f34-6f0f2f2c9b11' }],
})

export const networkAgentActions: readonly WorkAction[] = [agentList, dhcpAgents, l3Agents]
