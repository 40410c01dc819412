import type { Clock } from '../../clock.ts'
import { ApiFailure, type ApiRequest, idHeader, json, type Reply, type Route, type Service } from '../http/api.ts'
import { healthRoute } from '../http/health.ts'
import { titleOf } from '../http/webob.ts'
import { authenticate } from './authenticate.ts'
import { type Addresses, catalogueFor } from './catalogue.ts'
import { listRoutes } from './lists.ts'
import { type KeystoneState, projectOf, type Token } from './state.ts'
import { tokenView } from './token-view.ts'

/** Keystone v3: tokens on the world's clock, the catalogue, and the lists an inspection reads. */
export function keystoneService(
  keystone: KeystoneState,
  { clock, region, addresses }: { clock: Clock; region: string; addresses: Addresses },
): Service {
  const show = (token: Token, request: ApiRequest) =>
    tokenView(keystone, token, { region, addresses, withCatalogue: !request.query.has('nocatalog') })
  const subject = (request: ApiRequest): Token => {
    const id = String(request.headers['x-subject-token'] ?? '')
    const token = keystone.tokens.get(id)
    if (!token || token.expiresAt <= clock.now()) throw new ApiFailure(404, `Could not find token: ${id}.`)
    return token
  }
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/',
      open: true,
      handle: ({ origin }) => json(300, { versions: { values: [v3(origin)] } }, { ...vary, Location: `${origin}/v3/` }),
    },
    { method: 'GET', path: '/v3', open: true, handle: ({ origin }) => json(200, { version: v3(origin) }) },
    healthRoute({ reasons: [], idHeaders: [idHeader] }),
    {
      method: 'POST',
      path: '/v3/auth/tokens',
      open: true,
      handle: (request) => {
        const token = authenticate(keystone, request.body, clock.now())
        return json(201, show(token, request), { 'X-Subject-Token': token.id, Vary: 'X-Auth-Token' })
      },
    },
    {
      method: 'GET',
      path: '/v3/auth/tokens',
      handle: (request) => {
        const token = subject(request)
        return json(200, show(token, request), { 'X-Subject-Token': token.id, Vary: 'X-Auth-Token' })
      },
    },
    {
      method: 'DELETE',
      path: '/v3/auth/tokens',
      handle: (request) => {
        keystone.tokens.delete(subject(request).id)
        return { status: 204 }
      },
    },
    {
      method: 'GET',
      path: '/v3/auth/catalog',
      handle: (request) =>
        json(200, { catalog: catalogueFor(request.token, region, addresses), links: links(request) }),
    },
    {
      method: 'GET',
      path: '/v3/auth/projects',
      handle: (request) => json(200, { projects: projectsOf(keystone, request.token), links: links(request) }),
    },
    ...listRoutes(keystone, region, addresses),
  ]
  // looks for the path first, so that anybody learns what there is not
  return { name: 'keystone', dated: false, guarded: /^$/, routes, failure, unknownPath, unauthorized }
}

const vary = { Vary: 'X-Auth-Token' }

const v3 = (origin: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${origin}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

const links = ({ origin, path }: ApiRequest) => ({ next: null, self: `${origin}${path}`, previous: null })

function projectsOf({ projects, assignments }: KeystoneState, token: Token): object[] {
  const mine = assignments.flatMap(({ user, scope }) =>
    user === token.user && 'project' in scope ? [scope.project] : [],
  )
  return projects.filter(({ id }) => mine.includes(id) || id === projectOf(token))
}

function failure({ status, message }: ApiFailure): Reply {
  const told = status === 403 ? `You are not authorized to perform the requested action: ${message}.` : message
  return json(status, { error: { code: status, message: told, title: titleOf(status) } }, vary)
}

function unknownPath(): Reply {
  const told =
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.'
  return {
    status: 404,
    headers: { 'Content-Type': 'text/html; charset=utf-8', ...vary },
    body: `<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>${told}</p>\n`,
  }
}

function unauthorized(keystone: string): Reply {
  const answer = failure(new ApiFailure(401, 'The request you have made requires authentication.'))
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': `Keystone uri="${keystone}/v3"` } }
}
