import type { Machine } from '../machine/machine.ts'

/** One queue; who consumes it is a matter of the units that run. */
export interface Queue {
  readonly name: string
  readonly vhost: string
  /** The unit that consumes it, and where. */
  readonly consumer: { readonly unit: string; readonly hosts: readonly string[] }
  /** Waiting, beyond what its consumers would take. */
  backlog: number
}

/** A RabbitMQ cluster on the controllers. */
export interface Rabbit {
  readonly hosts: readonly string[]
  readonly queues: Queue[]
  /** Each node, and the nodes it no longer speaks with. */
  readonly partitions: Map<string, Set<string>>
  /** Queues that nobody takes from, whoever runs. */
  readonly deaf: Set<string>
  /** By host: `memory` or `disk`. */
  readonly alarms: Map<string, string>
  machine(name: string): Machine | undefined
  up(host: string): boolean
  consumers(queue: Queue): number
}

interface RabbitOptions {
  readonly controllers: readonly string[]
  readonly computes: readonly string[]
  readonly machine: (name: string) => Machine | undefined
}

export function createRabbit({ controllers, computes, machine }: RabbitOptions): Rabbit {
  const runs = (host: string, unit: string) => {
    const found = machine(host)
    return found !== undefined && found.power.state() !== 'off' && found.units.find(unit)?.active === 'active'
  }
  const queue = (name: string, unit: string, hosts: readonly string[]): Queue => ({
    name,
    vhost: '/',
    consumer: { unit, hosts },
    backlog: 0,
  })
  const each = (topic: string, unit: string, hosts: readonly string[]) =>
    hosts.map((host) => queue(`${topic}.${host}`, unit, [host]))
  const deaf = new Set<string>()
  return {
    hosts: controllers,
    queues: [
      queue('conductor', 'nova-conductor', controllers),
      queue('scheduler', 'nova-scheduler', controllers),
      queue('cinder-scheduler', 'cinder-scheduler', controllers),
      queue('cinder-volume', 'cinder-volume', controllers),
      queue('q-plugin', 'neutron-server', controllers),
      queue('q-reports-plugin', 'neutron-server', controllers),
      ...each('compute', 'nova-compute', computes),
      ...each('dhcp_agent', 'neutron-dhcp-agent', controllers),
      ...each('l3_agent', 'neutron-l3-agent', controllers),
      ...each('q-agent-notifier-port-update', 'neutron-openvswitch-agent', [...controllers, ...computes]),
    ],
    partitions: new Map(),
    deaf,
    alarms: new Map(),
    machine,
    up: (host) => runs(host, 'rabbitmq-server'),
    consumers: ({ name, consumer }) =>
      deaf.has(name) ? 0 : consumer.hosts.filter((host) => runs(host, consumer.unit)).length,
  }
}
