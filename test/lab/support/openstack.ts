import { parse } from 'yaml'
import { lab, readLab } from './lab.ts'

export interface Answer {
  readonly status: number
  readonly headers: { readonly [lowerCaseName: string]: string }
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown
}

interface Endpoint {
  readonly interface: string
  readonly url: string
}

export interface Cloud {
  /** Public address of each service by its type, as the catalog gives it: `compute`, `network`, `volumev3`, … */
  readonly endpoints: ReadonlyMap<string, string>
  readonly token: string
  /** The id of the project the token is for. */
  readonly project: string
  /** One request to a service of the catalog; `path` is appended to its public address. Never throws for a status. */
  ask(service: string, method: string, path: string, signal: AbortSignal, more?: Asked): Promise<Answer>
}

interface Issued {
  readonly project: { readonly id: string }
  readonly catalog: readonly { readonly type: string; readonly endpoints: readonly Endpoint[] }[]
}

interface Asked {
  readonly headers?: { readonly [name: string]: string }
  readonly body?: unknown
}

/** A session on the lab's OpenStack, with a token of its own. */
export async function openCloud(name: 'lab-admin' | 'lab-demo', signal: AbortSignal): Promise<Cloud> {
  return openSession(parse(await readLab(lab.clouds)).clouds[name], signal)
}

/** What a `clouds.yaml` says of one cloud, as far as it is needed here. */
export interface CloudEntry {
  readonly auth: {
    readonly auth_url: string
    readonly username: string
    readonly password: string
    readonly user_domain_name: string
    readonly project_name: string
    readonly project_domain_name: string
  }
}

export async function openSession({ auth }: CloudEntry, signal: AbortSignal): Promise<Cloud> {
  const user = { name: auth.username, password: auth.password, domain: { name: auth.user_domain_name } }
  const project = { name: auth.project_name, domain: { name: auth.project_domain_name } }
  const issued = await request('POST', `${auth.auth_url}/auth/tokens`, signal, {
    body: { auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } },
  })
  const token = issued.headers['x-subject-token']
  if (issued.status !== 201 || !token) throw new Error(`Keystone gave no token: ${JSON.stringify(issued)}`)

  const { catalog, project: scope } = (issued.body as { token: Issued }).token
  const endpoints = new Map<string, string>()
  for (const service of catalog) {
    const open = service.endpoints.find((endpoint) => endpoint.interface === 'public')
    if (open) endpoints.set(service.type, open.url.replace(/\/$/, ''))
  }
  return {
    endpoints,
    token,
    project: scope.id,
    ask(service, method, path, signal, { headers = {}, body } = {}) {
      const url = endpoints.get(service)
      if (!url) throw new Error(`the catalog has no \`${service}\``)
      return request(method, `${url}${path}`, signal, { headers: { 'x-auth-token': token, ...headers }, body })
    },
  }
}

/** One request to any address of the lab, without a token. */
export async function request(method: string, url: string, signal: AbortSignal, asked: Asked = {}): Promise<Answer> {
  const { headers = {}, body } = asked
  const answer = await fetch(url, {
    method,
    signal,
    redirect: 'manual',
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: fromJson(text) }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
