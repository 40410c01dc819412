import { hexIdOf } from '../../random.ts'
import type { ServiceName } from '../http/api.ts'
import type { Token } from './state.ts'
import { projectOf } from './state.ts'

export const interfaces = ['public', 'internal', 'admin'] as const

/** What each service is called in the catalogue, and where below its address its API begins. */
export const catalogued: { readonly [name in ServiceName]: { readonly type: string; readonly path: string } } = {
  keystone: { type: 'identity', path: '/v3/' },
  nova: { type: 'compute', path: '/v2.1' },
  neutron: { type: 'network', path: '' },
  cinder: { type: 'volumev3', path: '/v3/%(project_id)s' },
  glance: { type: 'image', path: '' },
  placement: { type: 'placement', path: '' },
}

/** Where the services are served; known once they listen. */
export interface Addresses {
  /** `http://127.0.0.1:43210`, of an endpoint that may be a broken one. */
  of(service: ServiceName, side: (typeof interfaces)[number]): string
}

export interface Endpoint {
  readonly id: string
  readonly interface: string
  readonly region_id: string
  readonly service_id: string
  readonly url: string
  readonly enabled: boolean
  readonly region: string
}

export const serviceIdOf = (name: ServiceName): string => hexIdOf(`service/${name}`)

export function endpointsOf(region: string, addresses: Addresses): Endpoint[] {
  return (Object.keys(catalogued) as ServiceName[]).flatMap((name) =>
    interfaces.map((side) => ({
      id: hexIdOf(`endpoint/${name}/${side}`),
      interface: side,
      region_id: region,
      service_id: serviceIdOf(name),
      url: `${addresses.of(name, side)}${catalogued[name].path}`,
      enabled: true,
      region,
    })),
  )
}

/** The catalogue as a token carries it; endpoints that need a project are left out of one that has none. */
export function catalogueFor(token: Token, region: string, addresses: Addresses): unknown[] {
  const endpoints = endpointsOf(region, addresses)
  const project = projectOf(token)
  return (Object.keys(catalogued) as ServiceName[]).map((name) => ({
    endpoints: endpoints
      .filter(({ service_id, url }) => service_id === serviceIdOf(name) && (project !== '' || !url.includes('%(')))
      .map(({ id, interface: side, region_id, url }) => ({
        id,
        interface: side,
        region_id,
        url: url.replace('%(project_id)s', project),
        region,
      })),
    id: serviceIdOf(name),
    type: catalogued[name].type,
    name,
  }))
}
