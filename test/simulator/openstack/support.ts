import { type Clock, createClock } from '../../../simulator/clock.ts'
import type { HostEstate } from '../../../simulator/hosts/estate.ts'
import { createEstate } from '../../../simulator/hosts/index.ts'
import { type CloudWorld, createCloud } from '../../../simulator/openstack/cloud.ts'
import { followHosts } from '../../../simulator/openstack/nova/follow-hosts.ts'
import { type ServedCloud, serveCloud } from '../../../simulator/openstack/serve-cloud.ts'
import { createRandom } from '../../../simulator/random.ts'
import { type TopologyOverrides, topologyOf } from '../../../simulator/topology.ts'
import type { Machines } from '../../../simulator/world.ts'
import type { Api } from './contract/api.ts'

export const startAt = Date.parse('2026-03-01T10:00:00Z')

export interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: unknown
}

/** A cloud on loopback, its world, and an administrator's door to it. */
export interface TestCloud {
  readonly world: CloudWorld
  readonly clock: Clock
  readonly effects: Effect[]
  readonly served: ServedCloud
  readonly admin: Client
  /** The hosts below it, where there are any. */
  readonly hosts: HostEstate | undefined
  /** Somebody else's door: `shop-owner` into `shop`. */
  enter(user: string, project: string): Promise<Client>
  close(): Promise<void>
}

export type Client = Api

export interface CloudOptions {
  readonly topology?: TopologyOverrides
  readonly machines?: Machines
  /** Simulated hosts below the cloud, as in a rehearsal; without SSH. */
  readonly hosts?: true
}

/** The cloud alone, without hosts below it unless a test brings some. */
export async function cloudOf({ topology: overrides, machines, hosts }: CloudOptions = {}): Promise<TestCloud> {
  const clock = createClock({ startAt })
  const topology = topologyOf(overrides)
  const effects: Effect[] = []
  const random = createRandom('test')
  const estate = hosts && createEstate(topology, clock, random)
  const world: CloudWorld = {
    topology,
    clock,
    random,
    cloud: createCloud(topology, startAt),
    estate: estate ?? machines ?? { unit: () => undefined },
    effect: (kind, what, detail) => void effects.push({ kind, what, ...(detail !== undefined && { detail }) }),
  }
  if (estate) followHosts({ ...world, estate })
  const served = await serveCloud(world)
  const enter = (user: string, project: string) => signIn(served, clock, { user, project })
  return {
    world,
    clock,
    effects,
    served,
    hosts: estate,
    admin: await enter('admin', 'admin'),
    enter,
    async close() {
      clock.close()
      await served.close()
    },
  }
}

async function signIn(
  { origins }: ServedCloud,
  clock: Clock,
  { user, project }: { user: string; project: string },
): Promise<Client> {
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name: user, domain, password: 'rehearsal' } } }
  const body = { auth: { identity, scope: { project: { name: project, domain } } } }
  const response = await fetch(`${origins.keystone}/v3/auth/tokens`, { method: 'POST', body: JSON.stringify(body) })
  const token = response.headers.get('x-subject-token') ?? ''
  const shown = (await response.json()) as { token: { project: { id: string } } }
  const call: Client['call'] = async (method, service, path, body, headers = {}) => {
    const origin = (origins as { [name: string]: string | undefined })[service]
    const sent = { 'X-Auth-Token': token, Accept: 'application/json', ...headers }
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: sent,
      redirect: 'manual',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json') && text !== ''
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: json ? JSON.parse(text) : text,
    }
  }
  return {
    token,
    project: shown.token.project.id,
    call,
    wait: (ms) => clock.advance(ms),
    get: (service, path, headers) => call('GET', service, path, undefined, headers),
    post: (service, path, body, headers) => call('POST', service, path, body, headers),
  }
}
