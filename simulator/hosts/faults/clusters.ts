import type { Fault } from '../../fault.ts'
import { defaultMaxConnections } from '../galera/model.ts'
import { fault, host, machineOf, type Param, percentage } from './fault.ts'

const node: Param = { type: 'string', description: 'The database host' }

/** What can be wrong with RabbitMQ, Galera and haproxy. */
export const clusterFaults: Fault[] = [
  fault(
    'rabbitmq.partition',
    'Nodes of RabbitMQ no longer speak with the others',
    {
      nodes: {
        type: 'array',
        items: { type: 'string' },
        description: 'The controllers on the smaller side',
      },
    },
    (world, { nodes }) => {
      const { rabbit } = world.estate
      const apart = (nodes as readonly string[]).map((name) => machineOf(world, name).name)
      const rest = rabbit.hosts.filter((name) => !apart.includes(name))
      for (const name of apart) rabbit.partitions.set(name, new Set(rest))
      for (const name of rest) rabbit.partitions.set(name, new Set(apart))
    },
  ),
  fault('rabbitmq.node_down', 'A node of RabbitMQ does not run', { host }, (world, { host }) => {
    machineOf(world, host).units.fail('rabbitmq-server')
  }),
  fault(
    'rabbitmq.alarm',
    'A node of RabbitMQ has run into a limit and takes no messages',
    { host, resource: { type: 'string', enum: ['memory', 'disk'], default: 'memory', description: 'What is used up' } },
    (world, { host, resource }) => {
      world.estate.rabbit.alarms.set(machineOf(world, host).name, String(resource))
    },
  ),
  fault(
    'rabbitmq.queue_backlog',
    'Messages pile up in a queue',
    {
      queue: { type: 'string', default: 'conductor', description: 'The queue' },
      messages: { type: 'integer', default: 25_000, minimum: 0, description: 'How many wait' },
    },
    ({ estate }, { queue, messages }) => {
      const found = estate.rabbit.queues.find(({ name }) => name === queue)
      if (!found) throw new Error(`no simulated queue is called \`${String(queue)}\``)
      found.backlog = Number(messages)
    },
  ),
  fault(
    'galera.split',
    'A database node has a cluster of its own: it says it is Primary and alone, while the others go on without it',
    { node },
    (world, { node }) => {
      dbNode(world, node).split = true
      world.estate.galera.look()
    },
  ),
  fault('galera.not_synced', 'A database node runs and answers, and is not Synced', { node }, (world, { node }) => {
    dbNode(world, node).desynced = true
  }),
  fault(
    'galera.connections_high',
    'The databases are almost out of connections',
    {
      percent: percentage('Connections in use, of the limit', 96),
      node: { type: 'string', default: '', description: 'One database host only; all of them, when it is empty' },
    },
    ({ estate }, { percent, node }) => {
      for (const each of estate.galera.nodes.values()) {
        if (node !== '' && each.name !== node) continue
        each.connected = Math.round((each.maxConnections * Number(percent)) / 100)
        each.maxUsed = Math.min(each.maxConnections, Math.max(each.maxUsed, Math.round(each.connected * 1.02)))
        each.refusedConnections = Number(percent) >= 95 ? Math.round(defaultMaxConnections / 7) : 0
      }
    },
  ),
  fault(
    'haproxy.backend_down',
    'haproxy takes a server for dead: its checks fail, though the service runs',
    {
      proxy: { type: 'string', default: 'nova_api', description: 'The proxy: `nova_api`, `galera`' },
      server: { type: 'string', description: 'The server behind it, by its host' },
    },
    ({ estate }, { proxy, server }) => {
      for (const haproxy of estate.haproxies.values()) haproxy.forcedDown.add(`${String(proxy)}/${String(server)}`)
    },
  ),
]

function dbNode(world: Parameters<typeof machineOf>[0], name: unknown) {
  const found = world.estate.galera.nodes.get(String(name))
  if (found) return found
  throw new Error(
    `no simulated database runs on \`${String(name)}\`; there are ${[...world.estate.galera.nodes.keys()].join(', ')}`,
  )
}
