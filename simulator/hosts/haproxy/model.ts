import type { Galera } from '../galera/model.ts'
import type { Machine } from '../machine/machine.ts'

/** A server behind a proxy. */
export interface Backend {
  readonly name: string
  readonly unit: string
  readonly port: number
  readonly slim: number
  /** Takes over when all others are down. */
  readonly backup: boolean
}

export interface Frontend {
  readonly name: string
  readonly slim: number
  readonly servers: readonly Backend[]
}

/** The haproxy of one controller; each has switches of its own. */
export interface Haproxy {
  readonly proxies: readonly Frontend[]
  /** By `proxy/server`: put into maintenance or drained by hand. */
  readonly admin: Map<string, 'maint' | 'drain'>
  readonly limits: Map<string, number>
  /** By `proxy/server`: the check fails, whatever the server does. */
  readonly forcedDown: Set<string>
  status(proxy: Frontend, server: Backend): BackendStatus
}

export interface BackendStatus {
  readonly status: 'UP' | 'DOWN' | 'MAINT' | 'DRAIN'
  readonly check: string
  readonly sessions: number
}

const services: readonly [string, string, number][] = [
  ['keystone_public', 'keystone', 5000],
  ['glance_api', 'glance-api', 9292],
  ['placement_api', 'placement-api', 8778],
  ['nova_api', 'nova-api', 8774],
  ['nova_novncproxy', 'nova-novncproxy', 6080],
  ['neutron_server', 'neutron-server', 9696],
  ['cinder_api', 'cinder-api', 8776],
  ['horizon', 'apache2', 80],
]

interface HaproxyOptions {
  readonly controllers: readonly string[]
  readonly databases: readonly string[]
  readonly galera: Galera
  readonly machine: (name: string) => Machine | undefined
}

export function createHaproxy({ controllers, databases, galera, machine }: HaproxyOptions): Haproxy {
  const server = (name: string, unit: string, port: number, more: Partial<Backend> = {}): Backend => ({
    name,
    unit,
    port,
    slim: 2_000,
    backup: false,
    ...more,
  })
  const proxies: Frontend[] = [
    ...services.map(([name, unit, port]) => ({
      name,
      slim: 4_096,
      servers: controllers.map((host) => server(host, unit, port)),
    })),
    {
      name: 'galera',
      slim: 8_192,
      servers: databases.map((host, index) => server(host, 'mariadb', 3306, { slim: 2_500, backup: index > 0 })),
    },
  ]
  const admin: Haproxy['admin'] = new Map()
  const forcedDown: Haproxy['forcedDown'] = new Set()
  const health = (proxy: Frontend, { name, unit }: Backend): { up: boolean; check: string } => {
    const host = machine(name)
    if (forcedDown.has(`${proxy.name}/${name}`)) return { up: false, check: 'L4CON' }
    if (!host || host.power.state() === 'off') return { up: false, check: 'L4TOUT' }
    if (host.units.find(unit)?.active !== 'active') return { up: false, check: 'L4CON' }
    if (proxy.name === 'galera') {
      const { state, status } = galera.view(name)
      return state === 4 && status === 'Primary' ? { up: true, check: 'L7OK' } : { up: false, check: 'L7STS' }
    }
    return { up: true, check: 'L7OK' }
  }
  const haproxy: Haproxy = {
    proxies,
    admin,
    limits: new Map(),
    forcedDown,
    status(proxy, one) {
      const { up, check } = health(proxy, one)
      const by = admin.get(`${proxy.name}/${one.name}`)
      const status = by === 'maint' ? 'MAINT' : !up ? 'DOWN' : by === 'drain' ? 'DRAIN' : 'UP'
      const earlier = proxy.servers.slice(0, proxy.servers.indexOf(one))
      const takes =
        status === 'UP' && (!one.backup || earlier.every((other) => haproxy.status(proxy, other).status !== 'UP'))
      const sessions = !takes ? 0 : proxy.name === 'galera' ? (galera.nodes.get(one.name)?.connected ?? 0) : 24
      return { status, check, sessions }
    },
  }
  return haproxy
}
