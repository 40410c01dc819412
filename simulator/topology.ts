/** How large the world is; a scenario's `topology` replaces single values. */
export interface Topology {
  readonly region: string
  /** APIs, schedulers, agents of the network nodes, RabbitMQ, haproxy. */
  readonly controllers: readonly string[]
  readonly computes: readonly string[]
  /** Hosts of OSDs; the first three are monitors too. */
  readonly ceph: readonly string[]
  /** One Galera cluster. */
  readonly databases: readonly string[]
  readonly osds_per_host: number
  /** Ceph's daemons are containers that cephadm makes and removes; packages and `ceph-volume` otherwise. */
  readonly cephadm: boolean
  /** Servers of all projects together. */
  readonly servers: number
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)

/** Three controllers, six computes, four Ceph hosts, three databases and forty servers. */
const healthyTopology: Topology = {
  region: 'RegionOne',
  controllers: names('ctl', 3),
  computes: names('cmp', 6),
  ceph: names('ceph', 4),
  databases: names('db', 3),
  osds_per_host: 3,
  cephadm: false,
  servers: 40,
}

/** What a scenario may say: numbers of hosts instead of names, except where names matter. */
export interface TopologyOverrides {
  readonly region?: string
  readonly controllers?: number
  /** Names, where they matter: `[c1, c2, c10]`. */
  readonly computes?: number | readonly string[]
  readonly ceph?: number
  readonly databases?: number
  readonly osds_per_host?: number
  readonly cephadm?: boolean
  readonly servers?: number
}

export function topologyOf(overrides: TopologyOverrides = {}): Topology {
  const { controllers, computes, ceph, databases, ...plain } = overrides
  return {
    ...healthyTopology,
    ...plain,
    ...(controllers !== undefined && { controllers: names('ctl', controllers) }),
    ...(computes !== undefined && { computes: typeof computes === 'number' ? names('cmp', computes) : computes }),
    ...(ceph !== undefined && { ceph: names('ceph', ceph) }),
    ...(databases !== undefined && { databases: names('db', databases) }),
  }
}
