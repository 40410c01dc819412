import { createServer, type Server } from 'node:http'
import type { CloudConfig } from '../../engine/action/contract.ts'
import type { Json } from '../../engine/json.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly body: Json | undefined
}

export interface Reply {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly json?: Json
  readonly text?: string
}

/** By `METHOD /path`; a function sees what was asked, and how often this route was asked before. */
export type Routes = { readonly [route: string]: Reply | ((asked: Asked, before: number) => Reply) }

export interface FakeCloudOptions {
  /** The path of each service in the catalog, by type; with several regions, by `type@region`. */
  readonly catalog?: { readonly [type: string]: string }
  /** How Keystone answers instead of with a token. */
  readonly refuse?: Reply
  /** Seconds a token holds. */
  readonly life?: number
}

export interface FakeCloud {
  readonly url: string
  readonly cloud: CloudConfig
  /** Everything but what went to Keystone for tokens. */
  readonly asked: readonly Asked[]
  /** The bodies of the requests for tokens. */
  readonly logins: readonly (Json | undefined)[]
  /** From now on, tokens given out so far are refused. */
  revoke(): void
  [Symbol.asyncDispose](): Promise<void>
}

const catalogPaths = {
  identity: '/identity/v3',
  compute: '/compute/v2.1',
  network: '/network',
  image: '/image',
  volumev3: '/volume/v3/p1',
  placement: '/placement',
}

/** A cloud of a few routes, on loopback: Keystone gives tokens, the rest is what the test says. */
export async function fakeCloud(routes: Routes, options: FakeCloudOptions = {}): Promise<FakeCloud> {
  const asked: Asked[] = []
  const logins: (Json | undefined)[] = []
  const counts = new Map<string, number>()
  let valid = new Set<string>()

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://cloud')
      const text = Buffer.concat(chunks).toString()
      const one: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === '' ? undefined : /json/.test(request.headers['content-type'] ?? '') ? JSON.parse(text) : text,
      }
      const { status = 200, headers = {}, json, text: words } = replyTo(one)
      response.writeHead(status, { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers })
      response.end(json === undefined ? (words ?? '') : JSON.stringify(json))
    })
  })

  function replyTo(one: Asked): Reply {
    if (one.method === 'POST' && one.path === '/identity/v3/auth/tokens') {
      logins.push(one.body)
      return options.refuse ?? tokenReply()
    }
    asked.push(one)
    const route = `${one.method} ${one.path}`
    const reply = routes[route]
    const before = counts.get(route) ?? 0
    counts.set(route, before + 1)
    const token = String(one.headers['x-auth-token'] ?? '')
    if (token !== '' && !valid.has(token)) return { status: 401, json: { error: { code: 401, message: 'no longer' } } }
    if (reply === undefined) return { status: 404, json: { error: { code: 404, message: `no route ${route}` } } }
    return typeof reply === 'function' ? reply(one, before) : reply
  }

  function tokenReply(): Reply {
    const value = `token-${logins.length}`
    valid.add(value)
    const issued = Date.parse('2026-03-01T12:00:00Z')
    return {
      status: 201,
      headers: { 'x-subject-token': value },
      json: {
        token: {
          methods: ['password'],
          issued_at: new Date(issued).toISOString(),
          expires_at: new Date(issued + (options.life ?? 3_600) * 1_000).toISOString(),
          user: { id: 'u1', name: 'ops', domain: { id: 'default', name: 'Default' } },
          project: { id: 'p1', name: 'admin', domain: { id: 'default', name: 'Default' } },
          roles: [{ id: 'r1', name: 'admin' }],
          catalog: catalogOf(url, options.catalog ?? catalogPaths),
        },
      },
    }
  }

  const url = await listening(server)
  return {
    url,
    asked,
    logins,
    cloud: {
      name: 'lab',
      authType: 'password',
      auth: {
        auth_url: `${url}/identity`,
        username: 'ops',
        password: 'top-secret',
        user_domain_id: 'default',
        project_name: 'admin',
        project_domain_id: 'default',
      },
      interface: 'public',
      tls: { verify: true },
      overrides: {},
    },
    revoke() {
      valid = new Set()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function catalogOf(url: string, paths: { readonly [type: string]: string }): Json {
  return Object.entries(paths).map(([key, path]) => {
    const [type = '', region = 'RegionOne'] = key.split('@')
    const address = path.startsWith('http') ? path : `${url}${path}`
    return {
      type,
      name: type,
      endpoints: ['public', 'internal'].map((face) => ({ interface: face, region_id: region, region, url: address })),
    }
  })
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

/** A version document of a service with microversions. */
export function versions(id: string, min: string, max: string): Reply {
  return { json: { versions: [{ id, status: 'CURRENT', version: max, min_version: min, links: [] }] } }
}
