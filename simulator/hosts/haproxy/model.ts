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
  /** By `proxy/server`: when it was made ready again, world milliseconds since 1970. */
  readonly readyAt: Map<string, number>
  /** By `proxy/server`: the most sessions there ever were. */
  readonly most: Map<string, number>
  /** By `proxy/server`: the check fails, whatever the server does. */
  readonly forcedDown: Set<string>
  status(proxy: Frontend, server: Backend): BackendStatus
  /** The server that a proxy with one server and backups sends people to. */
  sendsTo(proxy: string): string | undefined
  /** How many a server takes. */
  limitOf(proxy: Frontend, server: Backend): number
}

export interface BackendStatus {
  readonly status: 'UP' | 'UP 1/2' | 'DOWN' | 'MAINT' | 'DRAIN'
  readonly check: string
  readonly sessions: number
  /** How many wait, for there are as many sessions as it takes. */
  readonly waiting: number
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
  readonly now: () => number
}

/** Milliseconds between two checks. */
const riseTime = 1_000

export function createHaproxy({ controllers, databases, galera, machine, now }: HaproxyOptions): Haproxy {
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
  const takesPeople = ({ status }: Pick<BackendStatus, 'status'>) => status.startsWith('UP')
  const stateOf = (proxy: Frontend, one: Backend): Pick<BackendStatus, 'status' | 'check'> => {
    const path = `${proxy.name}/${one.name}`
    const { up, check } = health(proxy, one)
    const by = admin.get(path)
    if (by === 'maint') return { status: 'MAINT', check }
    if (!up) return { status: 'DOWN', check }
    if (by === 'drain') return { status: 'DRAIN', check }
    // the first check after maintenance has still to come
    const rising = now() - (haproxy.readyAt.get(path) ?? 0) < riseTime
    return { status: rising ? 'UP 1/2' : 'UP', check }
  }
  const chosen = (proxy: Frontend) => {
    const up = proxy.servers.filter((server) => takesPeople(stateOf(proxy, server)))
    return up.find(({ backup }) => !backup) ?? up[0]
  }
  const haproxy: Haproxy = {
    proxies,
    admin,
    limits: new Map(),
    readyAt: new Map(),
    most: new Map(),
    forcedDown,
    status(proxy, one) {
      const state = stateOf(proxy, one)
      const sent = proxy.name === 'galera' ? galera.route() === one.name && chosen(proxy) === one : takesPeople(state)
      const wanted = !sent
        ? 0
        : proxy.name === 'galera'
          ? galera.proxied.reduce((sum, { wants }) => sum + wants, 0)
          : 24
      const sessions = Math.min(wanted, haproxy.limitOf(proxy, one))
      const path = `${proxy.name}/${one.name}`
      haproxy.most.set(path, Math.max(haproxy.most.get(path) ?? 0, sessions))
      return { ...state, sessions, waiting: wanted - sessions }
    },
    sendsTo(name) {
      const proxy = proxies.find((each) => each.name === name)
      return proxy && chosen(proxy)?.name
    },
    limitOf: (proxy, server) => haproxy.limits.get(`${proxy.name}/${server.name}`) ?? server.slim,
  }
  return haproxy
}
