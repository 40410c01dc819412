import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../clock.ts'
import { uuidOf } from '../../random.ts'
import type { Conditions } from '../conditions.ts'
import { noToken, type Token } from '../keystone/state.ts'
import { ApiFailure, idHeader, type Reply, type Service, type Stranger, type Uploaded } from './api.ts'
import { refuseUnknown, refuseUnrehearsed } from './known-query.ts'
import { negotiate } from './microversion.ts'
import { type Match, routesOf } from './router.ts'

/** What a service needs of the rest of the cloud to be served. */
export interface Surroundings {
  readonly clock: Clock
  readonly conditions: Conditions
  /** The token of that name, if there is one and it has not expired. */
  tokenOf(id: string): Token | undefined
  /** Where Keystone is, for the answer to those who have no token. */
  keystoneUrl(): string
}

export interface Served {
  /** `http://127.0.0.1:43210`. */
  readonly origin: string
  close(): Promise<void>
}

/** Serves one service on a loopback port of its own. */
export async function serve(service: Service, around: Surroundings): Promise<Served> {
  const closing = new AbortController()
  let calls = 0
  const server = createServer((message, response) => {
    calls += 1
    const id = `req-${uuidOf(`${service.name}/request/${calls}`)}`
    answer(service, around, { message, id }, closing.signal)
      .catch((error: unknown) => service.failure(new ApiFailure(500, String(error)), { id, version: 0, accept: '' }))
      .then((reply) => send(reply, service, response, { id, now: around.clock.now(), bare: message.method === 'HEAD' }))
      .catch(() => response.destroy())
  })
  await listen(server)
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      closing.abort(new Error('the rehearsal is over'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
}

interface Call {
  readonly message: IncomingMessage
  readonly id: string
}

type Headers = { readonly [name: string]: string }

async function answer(service: Service, around: Surroundings, call: Call, closing: AbortSignal): Promise<Reply> {
  const { message, id } = call
  const upload = headerOf(message, 'content-type') === 'application/octet-stream'
  const body = upload ? await countedBody(message) : await bodyOf(message)
  const weather = around.conditions.of(service.name)
  if (weather.seconds > 0) await around.clock.sleep(weather.seconds * 1000, closing)
  if (weather.refusal) return weather.refusal

  const url = new URL(message.url ?? '/', 'http://cloud')
  const found = routesOf(service, message.method ?? 'GET', url.pathname)
  const token = around.tokenOf(headerOf(message, 'x-auth-token') ?? '')
  const accept = headerOf(message, 'accept') ?? ''
  const origin = `http://${message.headers.host ?? '127.0.0.1'}`
  const stranger: Stranger = { accept, origin, path: url.pathname }
  const hidden = found.length > 0 || (service.guarded?.test(url.pathname) ?? true)
  if (!token && hidden && !found.some(({ route }) => route.open)) {
    return service.unauthorized(around.keystoneUrl(), stranger)
  }
  if (found.length === 0 && service.unknownPath) return service.unknownPath(stranger)

  let version = 0
  let headers: Headers = {}
  try {
    if (service.microversions && !found.some(({ route }) => route.outside)) {
      const negotiated = negotiate(service.microversions, (name) => headerOf(message, name.toLowerCase()))
      version = negotiated.version
      headers = negotiated.headers
    }
    const match = matchOf(found, version)
    const { route, params } = match
    if (token) permit(service, match, token)
    if (route.query) refuseUnknown(url.searchParams, version, route.query)
    if (route.unrehearsed) refuseUnrehearsed(url.searchParams, route.unrehearsed)
    const reply = await route.handle({
      method: route.method,
      params,
      query: url.searchParams,
      headers: message.headers,
      body: typeof body === 'string' ? parsed(body) : body,
      version,
      token: token ?? noToken,
      origin,
      path: url.pathname,
      id,
    })
    return { ...reply, headers: { ...headers, ...reply.headers } }
  } catch (failure) {
    if (!(failure instanceof ApiFailure)) throw failure
    const reply = service.failure(failure, { id, version, accept })
    return { ...reply, headers: { ...headers, ...failure.headers, ...reply.headers } }
  }
}

function matchOf(found: readonly Match[], version: number): Match {
  const match = found.find(({ route: { since = 0, until = 1000 } }) => version >= since && version <= until)
  if (!match) throw new ApiFailure(404, 'The resource could not be found.')
  return match
}

function permit(service: Service, { route, project }: Match, token: Token): void {
  if (project !== undefined) service.checkProject?.(project, token)
  if (!route.admin || token.roles.includes('admin')) return
  throw new ApiFailure(403, route.admin, { kind: 'PolicyNotAuthorized' })
}

const headerOf = (message: IncomingMessage, name: string): string | undefined => [message.headers[name]].flat()[0]

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** What was uploaded is not kept: how much it was, and its digests, are. */
async function countedBody(message: IncomingMessage): Promise<Uploaded> {
  const digests = { md5: createHash('md5'), sha512: createHash('sha512') }
  let size = 0
  for await (const chunk of message) {
    size += (chunk as Buffer).length
    for (const digest of Object.values(digests)) digest.update(chunk as Buffer)
  }
  return { size, md5: digests.md5.digest('hex'), sha512: digests.sha512.digest('hex') }
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    const message = 'The server could not comply with the request since it is either malformed or otherwise incorrect.'
    throw new ApiFailure(400, message)
  }
}

interface Manner {
  readonly id: string
  /** World milliseconds since 1970: callers measure clock differences against the `Date` header. */
  readonly now: number
  /** Without the body, for HEAD. */
  readonly bare: boolean
}

function send(
  { status, headers, body, idHeaders }: Reply,
  service: Service,
  response: ServerResponse,
  { id, now, bare }: Manner,
): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  response.sendDate = false
  response.writeHead(status, {
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    'Content-Length': String(Buffer.byteLength(text)),
    ...Object.fromEntries((idHeaders ?? service.idHeaders ?? [idHeader]).map((name) => [name, id])),
    ...headers,
    ...(service.dated !== false && { Date: new Date(now).toUTCString() }),
  })
  response.end(bare ? undefined : text)
}
