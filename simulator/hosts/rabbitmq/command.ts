import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import type { Queue, Rabbit } from './model.ts'

/** `rabbitmqctl` and `rabbitmq-diagnostics` of a controller, as 3.10 answers. */
export function rabbitPrograms(machine: Machine, rabbit: Rabbit): [string, Program][] {
  const program: Program = async (me, args) => {
    const { flags, rest } = readOptions(args, ['n', 'node', 'p', 'vhost', 'formatter', 't', 'timeout'])
    const [verb = '', ...words] = rest
    if (me.user !== 'root' && me.user !== 'rabbitmq') {
      me.err('Only root or rabbitmq can run rabbitmqctl\n')
      return 1
    }
    const node = `rabbit@${machine.name}`
    if (!rabbit.up(machine.name)) {
      me.err(
        `Error: unable to perform an operation on node '${node}'. Please see diagnostics information and suggestions below.\n\nMost common reasons for this are:\n\n * Target node is unreachable (e.g. due to hostname resolution, TCP connection or firewall issues)\n * CLI tool fails to authenticate with the server (e.g. due to CLI tool's Erlang cookie not matching that of the server)\n * Target node is not running\n\nIn addition to the diagnostics info below:\n\n * See the CLI, clustering and networking guides on https://rabbitmq.com/documentation.html to learn more\n * Consult server logs on node ${node}\n\nDIAGNOSTICS\n===========\n\nattempted to contact: [${node}]\n\n${node}:\n  * connected to epmd (port 4369) on ${machine.name}\n  * epmd reports: node 'rabbit' not running at all\n                  no other nodes on ${machine.name}\n  * suggestion: start the node\n\n`,
      )
      return 69
    }
    const json = flags.get('formatter') === 'json'
    const silent = flags.has('s') || flags.has('silent')
    const say = (text: string) => {
      if (!silent) me.out(`${text}\n`)
    }
    const banner = !json && !silent && !flags.has('q') && !flags.has('quiet')
    switch (verb) {
      case 'cluster_status':
        if (banner) say(`Cluster status of node ${node} ...`)
        me.out(json ? `${JSON.stringify(clusterStatus(machine, rabbit))}\n` : plainStatus(machine, rabbit))
        return 0
      case 'list_queues':
        return listQueues(me, rabbit, words, String(flags.get('p') ?? flags.get('vhost') ?? '/'), { json, banner })
      case 'check_running':
        say(`RabbitMQ on node ${node} is fully booted and running`)
        return 0
      case 'ping':
        say(`Ping succeeded`)
        return 0
      case 'await_startup':
        return 0
      case 'check_local_alarms':
      case 'check_alarms': {
        const found =
          verb === 'check_alarms' ? [...rabbit.alarms] : [...rabbit.alarms].filter(([host]) => host === machine.name)
        if (found.length === 0) {
          say(
            verb === 'check_alarms'
              ? `Node ${node} reported no alarms, local or clusterwide`
              : `Node ${node} reported no local alarms`,
          )
          return 0
        }
        me.err(
          `Error:\nNode ${node} reported the following ${verb === 'check_alarms' ? '' : 'local '}alarms:\n${found.map(([host, what]) => `\t${what === 'memory' ? 'Memory' : 'Free disk space'} alarm on node rabbit@${host}\n`).join('')}`,
        )
        return 69
      }
      case 'check_port_connectivity':
      case 'check_virtual_hosts':
        return 0
      default:
        me.err(`\nCommand '${verb}' not found. \n`)
        return 64
    }
  }
  return [
    ['rabbitmqctl', program],
    ['rabbitmq-diagnostics', program],
  ]
}

const named = (host: string) => `rabbit@${host}`

/** The nodes this one still speaks with. */
const seenBy = (machine: Machine, rabbit: Rabbit): string[] =>
  rabbit.hosts.filter((host) => rabbit.up(host) && !rabbit.partitions.get(machine.name)?.has(host))

function clusterStatus(machine: Machine, rabbit: Rabbit): object {
  const running = seenBy(machine, rabbit)
  const byNode = <T>(value: (host: string) => T) =>
    Object.fromEntries(running.map((host) => [named(host), value(host)]))
  return {
    alarms: [...rabbit.alarms].map(([host, resource]) => ({ node: named(host), resource, type: 'resource_limit' })),
    cluster_name: named(rabbit.hosts[0] ?? ''),
    disk_nodes: rabbit.hosts.map(named),
    feature_flags: [
      'classic_mirrored_queue_version',
      'implicit_default_bindings',
      'maintenance_mode_status',
      'quorum_queue',
      'stream_queue',
      'user_limits',
      'virtual_host_metadata',
    ].map((name) => ({
      desc: name.replaceAll('_', ' '),
      doc_url: '',
      name,
      provided_by: 'rabbit',
      stability: 'stable',
      state: 'enabled',
    })),
    listeners: byNode((host) => [
      {
        interface: '[::]',
        node: named(host),
        port: 25_672,
        protocol: 'clustering',
        purpose: 'inter-node and CLI tool communication',
      },
      { interface: '[::]', node: named(host), port: 5672, protocol: 'amqp', purpose: 'AMQP 0-9-1 and AMQP 1.0' },
    ]),
    maintenance_status: byNode(() => 'not under maintenance'),
    partitions: Object.fromEntries(
      [...rabbit.partitions]
        .filter(([host, others]) => others.size > 0 && running.includes(host))
        .map(([host, others]) => [named(host), [...others].map(named)]),
    ),
    ram_nodes: [],
    running_nodes: running.map(named),
    versions: byNode(() => ({ erlang_version: '25.2.3', rabbitmq_name: 'RabbitMQ', rabbitmq_version: '3.10.8' })),
  }
}

function plainStatus(machine: Machine, rabbit: Rabbit): string {
  const running = seenBy(machine, rabbit)
  const list = (title: string, lines: readonly string[]) =>
    `${title}\n\n${lines.length > 0 ? lines.join('\n') : '(none)'}\n\n`
  return [
    list('Basics', [`Cluster name: ${named(rabbit.hosts[0] ?? '')}`]),
    list('Disk Nodes', rabbit.hosts.map(named)),
    list('Running Nodes', running.map(named)),
    list(
      'Versions',
      running.map((host) => `${named(host)}: RabbitMQ 3.10.8 on Erlang 25.2.3`),
    ),
    list(
      'Maintenance status',
      running.map((host) => `Node: ${named(host)}, status: not under maintenance`),
    ),
    list(
      'Alarms',
      [...rabbit.alarms].map(
        ([host, what]) => `${what === 'memory' ? 'Memory' : 'Free disk space'} alarm on node ${named(host)}`,
      ),
    ),
    list(
      'Network Partitions',
      [...rabbit.partitions]
        .filter(([, others]) => others.size > 0)
        .map(([host, others]) => `Node ${named(host)} cannot communicate with ${[...others].map(named).join(', ')}`),
    ),
  ].join('')
}

function listQueues(
  me: Process,
  rabbit: Rabbit,
  words: readonly string[],
  vhost: string,
  { json, banner }: { readonly json: boolean; readonly banner: boolean },
): number {
  const columns = words.length > 0 ? words : ['name', 'messages']
  const cell = (queue: Queue, column: string): string | number => {
    switch (column) {
      case 'name':
        return queue.name
      case 'messages':
      case 'messages_ready':
        return queue.backlog
      case 'messages_unacknowledged':
        return 0
      case 'consumers':
        return rabbit.consumers(queue)
      case 'state':
        return 'running'
      case 'durable':
        return 'false'
      case 'type':
        return 'classic'
      default:
        return ''
    }
  }
  const queues = rabbit.queues.filter((queue) => queue.vhost === vhost)
  if (json) {
    const sorted = [...columns].sort()
    const lines = queues.map((queue) =>
      JSON.stringify(Object.fromEntries(sorted.map((column) => [column, cell(queue, column)]))),
    )
    me.out(`[\n${lines.join('\n,')}\n]\n`)
    return 0
  }
  if (banner) me.out(`Timeout: 60.0 seconds ...\nListing queues for vhost ${vhost} ...\n`)
  if (banner) me.out(`${columns.join('\t')}\n`)
  for (const queue of queues) me.out(`${columns.map((column) => cell(queue, column)).join('\t')}\n`)
  return 0
}
