import type { CloudWorld } from '../cloud.ts'
import { type ApiFailure, idHeaders, json, type Reply, type Service, type Stranger } from '../http/api.ts'
import { barePage, middlewareUnauthorized } from '../http/webob.ts'
import { attachmentRoutes } from './attachments.ts'
import { flavorRoutes } from './flavors.ts'
import { hypervisorRoutes } from './hypervisors.ts'
import { instanceActionRoutes } from './instance-actions.ts'
import { limitRoute } from './limits.ts'
import { migrationRoutes } from './migrations.ts'
import { placeAndLimitRoutes } from './places-and-limits.ts'
import { serverGroupRoutes } from './server-groups.ts'
import { serverRoutes } from './servers.ts'
import { serviceRoutes } from './services.ts'

const max = 95
/** That of an old release, where the world says so. */
const newest = ({ cloud }: CloudWorld) => cloud.nova.newest ?? max

/** Nova 2.1 to 2.95. */
export function novaService(world: CloudWorld): Service {
  const api = [
    ...serviceRoutes(world),
    ...hypervisorRoutes(world),
    ...flavorRoutes(world),
    ...serverRoutes(world),
    ...attachmentRoutes(world),
    ...serverGroupRoutes(world),
    ...instanceActionRoutes(world),
    ...migrationRoutes(world),
    ...placeAndLimitRoutes(world),
    limitRoute(world),
  ]
  return {
    name: 'nova',
    microversions: {
      service: 'compute',
      legacyHeader: 'X-OpenStack-Nova-API-Version',
      major: 2,
      min: 1,
      get max() {
        return newest(world)
      },
    },
    projectInPath: /^(\/v2\.1)\/([0-9a-f]{32})(?=\/)/,
    routes: [
      {
        method: 'GET',
        path: '/',
        open: true,
        outside: true,
        handle: ({ origin }) => ({
          ...json(200, { versions: [v20(origin), v21(origin, newest(world))] }),
          idHeaders: [],
        }),
      },
      {
        method: 'GET',
        path: '/v2.1',
        open: true,
        handle: ({ origin }) => {
          const current = v21(origin, newest(world))
          const [self] = current.links
          const described = { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }
          return json(200, { version: { ...current, links: [self, described], 'media-types': mediaTypes } })
        },
      },
      ...api.map((route) => ({ ...route, path: `/v2.1${route.path}` })),
    ],
    idHeaders,
    guarded: below,
    failure,
    unknownPath: (stranger) =>
      below.test(stranger.path)
        ? barePage(404, 'The resource could not be found.', stranger.accept)
        : choices(stranger),
    unauthorized: middlewareUnauthorized,
  }
}

const below = /^\/v2(\.1)?(\/|$)/

/** Outside of its versions Nova knows no path, not even `/healthcheck`: it offers the versions to choose from. */
function choices({ origin, path }: Stranger): Reply {
  const choice = (id: string, status: string, number: string, folder: string) => ({
    id,
    status,
    links: [{ rel: 'self', href: `${origin}/${folder}${path}` }],
    'media-types': [{ base: 'application/json', type: `application/vnd.openstack.compute+json;version=${number}` }],
  })
  const offered = [choice('v2.0', 'SUPPORTED', '2', 'v2'), choice('v2.1', 'CURRENT', '2.1', 'v2.1')]
  return { ...json(300, { choices: offered }), idHeaders: [] }
}

const mediaTypes = [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }]

const v20 = (origin: string) => ({
  id: 'v2.0',
  status: 'SUPPORTED',
  version: '',
  min_version: '',
  updated: '2011-01-21T11:33:21Z',
  links: [{ rel: 'self', href: `${origin}/v2/` }],
})

const v21 = (origin: string, minor: number) => ({
  id: 'v2.1',
  status: 'CURRENT',
  version: `2.${minor}`,
  min_version: '2.1',
  updated: '2013-07-23T11:33:21Z',
  links: [{ rel: 'self', href: `${origin}/v2.1/` }],
})

const kinds: { readonly [status: number]: string } = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

/** Nova's and Cinder's errors: an object named after the kind. */
export function failure({ status, message, kind }: ApiFailure): Reply {
  const told = status === 403 && kind !== 'Forbidden' ? `Policy doesn't allow ${message} to be performed.` : message
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: { [kinds[status] ?? 'computeFault']: { code: status, message: told } },
  }
}
