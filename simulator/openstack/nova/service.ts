import type { CloudWorld } from '../cloud.ts'
import { type ApiFailure, json, type Reply, type Service } from '../http/api.ts'
import { healthy } from '../http/health.ts'
import { barePage, middlewareUnauthorized } from '../http/webob.ts'
import { attachmentRoutes } from './attachments.ts'
import { flavorRoutes } from './flavors.ts'
import { hypervisorRoutes } from './hypervisors.ts'
import { instanceActionRoutes } from './instanceActions.ts'
import { migrationRoutes } from './migrations.ts'
import { placeAndLimitRoutes } from './placesAndLimits.ts'
import { serverRoutes } from './servers.ts'
import { serviceRoutes } from './services.ts'

const max = 95

/** Nova 2.1 to 2.95. */
export function novaService(world: CloudWorld): Service {
  const api = [
    ...serviceRoutes(world),
    ...hypervisorRoutes(world),
    ...flavorRoutes(world),
    ...serverRoutes(world),
    ...attachmentRoutes(world),
    ...instanceActionRoutes(world),
    ...migrationRoutes(world),
    ...placeAndLimitRoutes(world),
  ]
  return {
    name: 'nova',
    microversions: { service: 'compute', legacyHeader: 'X-OpenStack-Nova-API-Version', major: 2, min: 1, max },
    projectInPath: /^(\/v2\.1)\/([0-9a-f]{32})(?=\/)/,
    routes: [
      {
        method: 'GET',
        path: '/',
        open: true,
        handle: ({ origin }) => json(200, { versions: [v20(origin), v21(origin)] }),
      },
      {
        method: 'GET',
        path: '/v2.1',
        open: true,
        handle: ({ origin }) => {
          const [self] = v21(origin).links
          const described = { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }
          return json(200, { version: { ...v21(origin), links: [self, described], 'media-types': mediaTypes } })
        },
      },
      { method: 'GET', path: '/healthcheck', open: true, handle: () => healthy },
      ...api.map((route) => ({ ...route, path: `/v2.1${route.path}` })),
    ],
    failure,
    unknownPath: (accept) => barePage(404, 'The resource could not be found.', accept),
    unauthorized: middlewareUnauthorized,
  }
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

const v21 = (origin: string) => ({
  id: 'v2.1',
  status: 'CURRENT',
  version: `2.${max}`,
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
export function failure({ status, message }: ApiFailure): Reply {
  const told = status === 403 ? `Policy doesn't allow ${message} to be performed.` : message
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: { [kinds[status] ?? 'computeFault']: { code: status, message: told } },
  }
}
