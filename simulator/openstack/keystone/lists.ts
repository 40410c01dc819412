import { ApiFailure, type ApiRequest, json, type Reply, type Route, type ServiceName } from '../http/api.ts'
import { refuseUnrehearsed } from '../http/known-query.ts'
import { type Addresses, catalogued, endpointsOf, serviceIdOf } from './catalogue.ts'
import type { Assignment, KeystoneState, Named } from './state.ts'

/** The read side of the identity API: services, endpoints, projects, domains, users, roles, assignments. */
export function listRoutes(keystone: KeystoneState, region: string, addresses: Addresses): Route[] {
  const services = (Object.keys(catalogued) as ServiceName[]).map((name) => ({
    name,
    id: serviceIdOf(name),
    type: catalogued[name].type,
    enabled: true,
  }))
  const projects = () => keystone.projects.map((project) => ({ ...project, ...projectRest(project.domain_id) }))
  const domains = () =>
    keystone.domains.map((domain) => ({
      ...domain,
      description: 'The default domain',
      enabled: true,
      tags: [],
      options: {},
    }))
  const users = () =>
    keystone.users.map(({ password: _, ...user }) => ({ ...user, options: {}, password_expires_at: null }))
  const roles = () => keystone.roles.map((role) => ({ ...role, domain_id: null, description: null, options: {} }))
  return [
    ...resource('service', 'services', () => services),
    ...resource('endpoint', 'endpoints', () => endpointsOf(region, addresses)),
    ...resource('project', 'projects', projects).map(unlessHidden(keystone)),
    ...resource('domain', 'domains', domains),
    ...resource('user', 'users', users),
    ...resource('role', 'roles', roles),
    {
      method: 'GET',
      path: '/v3/regions',
      handle: (request) => {
        const one = { id: region, description: '', parent_region_id: null }
        return collection(request, 'regions', [linked(request, 'regions')(one)])
      },
    },
    {
      method: 'GET',
      path: '/v3/role_assignments',
      admin: 'identity:list_role_assignments',
      unrehearsed: ['effective', 'include_subtree', 'group.id', 'scope.domain.id', 'scope.OS-INHERIT:inherited_to'],
      handle: (request) =>
        collection(
          request,
          'role_assignments',
          keystone.assignments.filter(wanted(request)).map(assignment(keystone, request)),
        ),
    },
  ]
}

const unlessHidden =
  (keystone: KeystoneState) =>
  (route: Route): Route => ({
    ...route,
    handle(request) {
      if (keystone.projectsHidden) throw new ApiFailure(403, route.admin ?? '', { kind: 'PolicyNotAuthorized' })
      return route.handle(request)
    },
  })

const projectRest = (domain: string) => ({ parent_id: domain, is_domain: false, tags: [], options: {} })

function resource(singular: string, plural: string, all: () => readonly object[]): Route[] {
  return [
    {
      method: 'GET',
      path: `/v3/${plural}`,
      admin: `identity:list_${plural}`,
      handle: (request) =>
        collection(request, plural, all().filter(matching(request, plural)).map(linked(request, plural))),
    },
    {
      method: 'GET',
      path: `/v3/${plural}/:id`,
      admin: `identity:get_${singular}`,
      handle: (request) => {
        const { id = '' } = request.params
        const found = all().find((one) => (one as Named).id === id)
        if (!found) throw new ApiFailure(404, `Could not find ${singular}: ${id}.`)
        return json(200, { [singular]: linked(request, plural)(found) }, vary)
      },
    },
  ]
}

const vary = { Vary: 'X-Auth-Token' }

/** What each resource may be filtered by; anything else in a query is ignored, as Keystone does. */
const filters: { readonly [plural: string]: readonly string[] } = {
  services: ['type', 'name'],
  endpoints: ['interface', 'service_id', 'region_id'],
  projects: ['domain_id', 'enabled', 'name', 'parent_id', 'is_domain'],
  domains: ['name', 'enabled'],
  users: ['domain_id', 'enabled', 'name'],
  roles: ['name', 'domain_id'],
}

function matching({ query }: ApiRequest, plural: string): (one: object) => boolean {
  // `name__contains` and the like
  const inexact = [...query.keys()].filter((name) => name.includes('__'))
  refuseUnrehearsed(query, [...inexact, 'tags', 'tags-any', 'not-tags', 'not-tags-any'])
  const known = [...query].filter(([name]) => filters[plural]?.includes(name))
  return (one) =>
    known.every(([name, value]) => {
      const has = (one as { [key: string]: unknown })[name]
      return typeof has === 'boolean' ? has === !/^(0|false)$/i.test(value) : String(has ?? '') === value
    })
}

const linked =
  ({ origin }: ApiRequest, plural: string) =>
  (one: object): object => ({ ...one, links: { self: `${origin}/v3/${plural}/${(one as Named).id}` } })

function collection({ origin, path }: ApiRequest, plural: string, items: readonly object[]): Reply {
  return json(200, { [plural]: items, links: { next: null, self: `${origin}${path}`, previous: null } }, vary)
}

const wanted =
  ({ query }: ApiRequest) =>
  ({ user, role, scope }: Assignment): boolean =>
    (query.get('user.id') ?? user) === user &&
    (query.get('role.id') ?? role) === role &&
    (!query.has('scope.project.id') || ('project' in scope && scope.project === query.get('scope.project.id'))) &&
    (!query.has('scope.system') || 'system' in scope)

const assignment =
  ({ users, roles, projects }: KeystoneState, { origin, query }: ApiRequest) =>
  ({ user, role, scope }: Assignment): object => {
    const named = query.has('include_names') && query.get('include_names') !== 'False'
    const domain = { domain: { id: 'default', name: 'Default' } }
    const show = (all: readonly Named[], id: string, more: object) =>
      named ? { id, name: all.find((one) => one.id === id)?.name, ...more } : { id }
    const where = 'project' in scope ? `projects/${scope.project}` : 'system'
    return {
      links: { assignment: `${origin}/v3/${where}/users/${user}/roles/${role}` },
      scope: 'project' in scope ? { project: show(projects, scope.project, domain) } : { system: { all: true } },
      user: show(users, user, domain),
      role: show(roles, role, {}),
    }
  }
