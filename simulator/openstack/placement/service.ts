import type { CloudWorld } from '../cloud.ts'
import {
  ApiFailure,
  type ApiRequest,
  type FailedRequest,
  json,
  type Reply,
  type Route,
  type Service,
} from '../http/api.ts'
import { middlewareUnauthorized, titleOf } from '../http/webob.ts'
import type { Hypervisor } from '../nova/state.ts'
import { candidates } from './candidates.ts'
import { checkNames, providersWanted, resourcesIn } from './query.ts'
import { allocationsOf, hasRoom, inventoriesOf, providersOf, resourceClasses, roomOf, sum, traitsOf } from './state.ts'

const max = 39
const admin = 'placement:resource_providers:list'

/** Placement 1.0 to 1.39. */
export function placementService(world: CloudWorld): Service {
  const { cloud } = world
  const generation = ({ host }: Hypervisor) => 2 + allocationsOf(cloud).filter((one) => one.host === host).length
  const provider = ({ params: { id = '' } }: ApiRequest): Hypervisor => {
    const found = providersOf(cloud).find(({ uuid }) => uuid === id)
    if (!found) throw new ApiFailure(404, `No resource provider with uuid ${id} found`)
    return found
  }
  const of = (path: string, view: (one: Hypervisor, request: ApiRequest) => object, since = 0): Route => ({
    method: 'GET',
    path: `/resource_providers/:id${path}`,
    admin,
    since,
    handle: (request) => {
      const found = provider(request)
      return json(200, { ...view(found, request), resource_provider_generation: generation(found) })
    },
  })
  const claimsOn = ({ host }: Hypervisor) => allocationsOf(cloud).filter((one) => one.host === host)
  return {
    name: 'placement',
    dated: false,
    microversions: { service: 'placement', major: 1, min: 0, max },
    routes: [
      { method: 'GET', path: '/', open: true, handle: () => json(200, { versions: [version] }) },
      {
        method: 'GET',
        path: '/resource_providers',
        admin,
        handle: (request) => {
          const found = providersOf(cloud).filter(wanted(cloud, request))
          return json(200, { resource_providers: found.map((one) => providerView(one, generation(one), request)) })
        },
      },
      {
        method: 'GET',
        path: '/resource_providers/:id',
        admin,
        handle: (request) => {
          const found = provider(request)
          return json(200, providerView(found, generation(found), request))
        },
      },
      of('/inventories', (one) => ({ inventories: inventoriesOf(one) })),
      of('/usages', (one) => ({ usages: sum(claimsOn(one), resourceClasses) })),
      {
        ...of('/aggregates', () => ({}), 1),
        handle: (request) => {
          const found = provider(request)
          const aggregates = cloud.nova.aggregates
            .filter(({ hosts }) => hosts.includes(found.host))
            .map(({ uuid }) => uuid)
          const more = request.version >= 19 ? { resource_provider_generation: generation(found) } : {}
          return json(200, { aggregates, ...more })
        },
      },
      of('/traits', (one) => ({ traits: traitsOf(cloud, one) }), 6),
      of('/allocations', (one) => ({
        allocations: Object.fromEntries(
          claimsOn(one).map(({ consumer, resources }) => [consumer, { resources, consumer_generation: 1 }]),
        ),
      })),
      { method: 'GET', path: '/allocations/:consumer', admin, handle: (request) => consumerView(world, request) },
      {
        method: 'GET',
        path: '/usages',
        admin,
        since: 9,
        handle: (request) => usagesOf(world, request),
      },
      {
        method: 'GET',
        path: '/allocation_candidates',
        admin,
        since: 10,
        handle: (request) => candidates(world, request),
      },
    ],
    failure,
    unauthorized: middlewareUnauthorized,
  }
}

const version = {
  id: 'v1.0',
  max_version: `1.${max}`,
  min_version: '1.0',
  status: 'CURRENT',
  links: [{ rel: 'self', href: '' }],
}

const filters = { name: 0, uuid: 0, member_of: 3, resources: 4, in_tree: 14, required: 18 }

function wanted(cloud: CloudWorld['cloud'], request: ApiRequest): (one: Hypervisor) => boolean {
  const { query } = request
  checkNames(request, filters)
  const asked = query.get('resources')
  const resources = asked === null ? {} : resourcesIn(asked)
  const fits = providersWanted(cloud, request)
  return (one) =>
    (query.get('name') ?? one.host) === one.host &&
    (query.get('uuid') ?? one.uuid) === one.uuid &&
    fits(one) &&
    hasRoom(roomOf(cloud, one), resources)
}

function providerView({ uuid, host }: Hypervisor, generation: number, { version }: ApiRequest): object {
  const rels = [
    { rel: 'inventories', since: 0 },
    { rel: 'usages', since: 0 },
    { rel: 'aggregates', since: 1 },
    { rel: 'traits', since: 6 },
    { rel: 'allocations', since: 11 },
  ]
  return {
    uuid,
    name: host,
    generation,
    links: [
      { rel: 'self', href: `/resource_providers/${uuid}` },
      ...rels
        .filter(({ since }) => version >= since)
        .map(({ rel }) => ({ rel, href: `/resource_providers/${uuid}/${rel}` })),
    ],
    ...(version >= 14 && { parent_provider_uuid: null, root_provider_uuid: uuid }),
  }
}

/** What a project has in use; since 1.38 by the kind of consumer. */
function usagesOf({ cloud }: CloudWorld, request: ApiRequest): Reply {
  const { query, version } = request
  const project = query.get('project_id')
  checkNames(request, { project_id: 9, user_id: 9, consumer_type: 38 })
  if (project === null)
    throw new ApiFailure(400, "Invalid query string parameters: 'project_id' is a required property")
  const mine = allocationsOf(cloud).filter(
    (one) => one.project === project && (query.get('user_id') ?? one.user) === one.user,
  )
  if (version < 38) return json(200, { usages: sum(mine) })
  const type = query.get('consumer_type') ?? 'INSTANCE'
  const found = type === 'all' || type === 'INSTANCE' ? mine : []
  const consumer_count = new Set(found.map(({ consumer }) => consumer)).size
  return json(200, { usages: consumer_count > 0 ? { [type]: { consumer_count, ...sum(found) } } : {} })
}

/** A consumer nobody knows has no allocations: that is an empty answer, not an error. */
function consumerView({ cloud }: CloudWorld, { params: { consumer = '' }, version }: ApiRequest): Reply {
  const mine = allocationsOf(cloud).filter((one) => one.consumer === consumer)
  const [first] = mine
  const idOf = (host: string) => cloud.nova.hypervisors.find((one) => one.host === host)?.uuid ?? ''
  const allocations = Object.fromEntries(mine.map(({ host, resources }) => [idOf(host), { resources, generation: 2 }]))
  if (!first) return json(200, { allocations })
  return json(200, {
    allocations,
    ...(version >= 12 && { project_id: first.project, user_id: first.user }),
    ...(version >= 28 && { consumer_generation: 1 }),
    ...(version >= 38 && { consumer_type: 'INSTANCE' }),
  })
}

const openings: { readonly [status: number]: string } = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
  406: 'The resource could not be generated that was acceptable to your browser (content of type application/json. ',
}

function failure({ status, message }: ApiFailure, { id, version }: FailedRequest): Reply {
  const told = status === 403 ? `${message} is disallowed by policy` : message.replace(openings[404] ?? '', '')
  const detail = openings[status] ? `${openings[status]}\n\n ${told}  ` : told
  const bounds = status === 406 ? { max_version: `1.${max}`, min_version: '1.0' } : {}
  const code = version >= 23 ? { code: 'placement.undefined_code' } : {}
  return json(status, { errors: [{ status, title: titleOf(status), detail, request_id: id, ...code, ...bounds }] })
}
