import type { Fault } from '../../fault.ts'
import { fault, host, machineOf } from './fault.ts'

/** What can be wrong with RabbitMQ, haproxy and Alertmanager. */
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
    'rabbitmq.queue_deaf',
    'Nobody takes messages out of a queue any more, though the service that should runs and reports',
    { queue: { type: 'string', description: 'The queue: `compute.cmp2`' } },
    ({ estate: { rabbit } }, { queue }) => {
      if (!rabbit.queues.some(({ name }) => name === queue))
        throw new Error(`no simulated queue is called \`${String(queue)}\``)
      rabbit.deaf.add(String(queue))
    },
  ),
  fault(
    'rabbitmq.unconnected',
    'Services of a host have no connection to RabbitMQ, though they run',
    {
      host,
      service: { type: 'string', default: '', description: 'Only this one: `nova-compute`; all when it is empty' },
    },
    (world, { host, service }) => {
      machineOf(world, host).unconnected = (unit) => service === '' || unit === `${String(service)}.service`
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
  fault(
    'haproxy.low_limit',
    'haproxy lets so few through to a server that people wait although it has room',
    {
      proxy: { type: 'string', default: 'galera', description: 'The proxy' },
      server: { type: 'string', default: 'db1', description: 'The server behind it, by its host' },
      limit: { type: 'integer', default: 500, minimum: 1, description: 'How many it lets through' },
    },
    ({ estate }, { proxy, server, limit }) => {
      for (const haproxy of estate.haproxies.values())
        haproxy.limits.set(`${String(proxy)}/${String(server)}`, Number(limit))
    },
  ),
  fault(
    'haproxy.kept_away',
    'Somebody has taken a server out of haproxy by hand, and not put it back',
    {
      proxy: { type: 'string', default: 'galera', description: 'The proxy' },
      server: { type: 'string', description: 'The server behind it, by its host' },
      state: { type: 'string', enum: ['maint', 'drain'], default: 'maint', description: 'How' },
      on: { type: 'string', default: '', description: 'The host of one haproxy only; all of them, when it is empty' },
    },
    ({ estate }, { proxy, server, state, on }) => {
      const found = [...estate.haproxies].filter(([host]) => on === '' || host === on)
      if (found.length === 0) throw new Error(`no simulated haproxy runs on \`${String(on)}\``)
      for (const [, haproxy] of found)
        haproxy.admin.set(`${String(proxy)}/${String(server)}`, state === 'drain' ? 'drain' : 'maint')
    },
  ),
  fault('haproxy.quiet', 'Nobody is connected to the databases through haproxy', {}, ({ estate }) => {
    estate.galera.proxied.length = 0
  }),
  fault('alertmanager.down', 'Alertmanager takes no connections on any of the controllers', {}, (world) => {
    world.estate.alertmanager.answers = false
  }),
]
