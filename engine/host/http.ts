import type { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import { type Clock, type Http, type HttpRequest, type HttpResponse, StepFailure } from '../action/contract.ts'
import type { Call } from '../run/event.ts'
import { BodyTooLarge, brokenExchange, DeadlinePassed, type Exchange, type Trouble } from './http-failure.ts'
import { fileBody } from './large-file.ts'

export interface HttpDoorOptions {
  /**
   * Measures `took` and ends a request that takes too long. A clock that can jump has `busy`: it is held while a request
   * is under way, so that time does not run to the request's own deadline.
   */
  readonly clock: Clock & { busy?(): () => void }
  /** One exchange of the transcript; what is secret in it is the redactor's business. */
  readonly onCall?: (call: Call) => void
  /** Bytes of a response body; 64 MiB unless told. */
  readonly maxBody?: number
}

export interface HttpDoor {
  readonly request: Http
  /** The same way out, with somebody else told of what passes. */
  watched(onCall: (call: Call) => void): Http
  /** Cuts what is still open. */
  close(): Promise<void>
}

const defaultTimeout = 30_000
const defaultMaxBody = 64 * 1024 * 1024
/** A host that has not taken a connection by then is not there; real milliseconds. */
const connectTimeout = 10_000

/**
 * The way out over HTTP. No proxies, no redirects, no cookies: one request, one answer, whatever its status.
 * A read uses kept connections, and is tried once more when a kept one turns out to be dead. A change always has a
 * connection of its own: a refused one then proves that nothing was sent.
 */
export function httpDoor({ clock, onCall, maxBody = defaultMaxBody }: HttpDoorOptions): HttpDoor {
  const agents = new Map<string, Agent>()

  function agentFor({ tls = {} }: HttpRequest, { fresh }: { fresh: boolean }): Agent {
    const key = JSON.stringify([fresh, tls.verify, tls.ca, tls.cert, tls.key])
    const kept = agents.get(key)
    if (kept) return kept
    const agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connections: 64,
      pipelining: fresh ? 0 : 1,
      connect: {
        timeout: connectTimeout,
        rejectUnauthorized: tls.verify !== false,
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
      },
    })
    agents.set(key, agent)
    return agent
  }

  const watched =
    (told: HttpDoorOptions['onCall']): Http =>
    async (request, signal) => {
      signal.throwIfAborted()
      // the types say so too, to those who have them
      if (request.file !== undefined && Reflect.get(request, 'body') !== undefined)
        throw new TypeError('a request brings a `body` or a `file`, not both')
      const target = targetOf(request)
      const read = effectOf(request) === 'read'
      const first = await exchange(agentFor(request, { fresh: !read }), request, target, told, signal)
      if ('response' in first) return first.response
      if (!read || !first.trouble.stale) throw first.trouble.error
      const second = await exchange(agentFor(request, { fresh: true }), request, target, told, signal)
      if ('response' in second) return second.response
      throw second.trouble.error
    }

  async function exchange(
    agent: Agent,
    request: HttpRequest,
    target: URL,
    told: HttpDoorOptions['onCall'],
    signal: AbortSignal,
  ): Promise<{ response: HttpResponse } | { trouble: Trouble }> {
    const began = clock.now()
    const state: Exchange = { sent: false, answered: false }
    const call = { kind: 'http' as const, method: request.method, url: request.url }
    // a file that is not there is no broken exchange
    const file = request.file && (await fileBody(request.file))
    try {
      const answer = await withDeadline(clock, request.timeout ?? defaultTimeout, signal, (linked) =>
        dispatch(agent, { ...request, body: bodyOf(request, file) }, target, { maxBody, state }, linked),
      )
      const response = { ...answer, took: clock.now() - began }
      told?.({ ...call, status: response.status, ...requestIdOf(response), took: response.took })
      return { response }
    } catch (cause) {
      file?.body.destroy()
      const took = clock.now() - began
      const trouble = signal.aborted
        ? { error: signal.reason, stale: false }
        : brokenExchange(cause, state, { request, effect: effectOf(request) })
      told?.({ ...call, took, error: errorWords(trouble.error) })
      return { trouble }
    }
  }

  return {
    request: watched(onCall),
    watched,
    async close() {
      const open = [...agents.values()]
      agents.clear()
      await Promise.all(open.map((agent) => agent.destroy()))
    },
  }
}

function errorWords(error: unknown): string {
  if (error instanceof StepFailure) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}

function effectOf({ effect, method }: HttpRequest): 'read' | 'change' {
  return effect ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'change')
}

function targetOf({ url }: HttpRequest): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target && (target.protocol === 'http:' || target.protocol === 'https:')) return target
  throw new StepFailure('bad_url', `\`${url}\` is not an http or https address`)
}

/** Runs the work; what comes first ends it: its own end, the caller's signal, or the deadline. */
async function withDeadline<T>(
  clock: HttpDoorOptions['clock'],
  timeout: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const over = new AbortController()
  const release = clock.busy?.()
  const passOn = () => stop.abort(signal.reason)
  signal.addEventListener('abort', passOn, { once: true })
  const deadline = clock.sleep(timeout, over.signal).then(
    () => stop.abort(new DeadlinePassed(timeout)),
    () => {}, // the work ended first
  )
  try {
    return await work(stop.signal)
  } finally {
    signal.removeEventListener('abort', passOn)
    over.abort()
    await deadline
    release?.()
  }
}

interface Body {
  readonly bytes: string | Readable | null
  readonly headers: Readonly<Record<string, string>>
}

function bodyOf({ body }: HttpRequest, file: Awaited<ReturnType<typeof fileBody>> | undefined): Body {
  if (file)
    return {
      bytes: file.body,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(file.size) },
    }
  if (body === undefined) return { bytes: null, headers: {} }
  if (typeof body === 'string') return { bytes: body, headers: { 'content-type': 'text/plain; charset=utf-8' } }
  return { bytes: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

function dispatch(
  agent: Agent,
  { method, headers = {}, body }: Pick<HttpRequest, 'method' | 'headers'> & { readonly body: Body },
  target: URL,
  { maxBody, state }: { maxBody: number; state: Exchange },
  signal: AbortSignal,
): Promise<Omit<HttpResponse, 'took'>> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    const stop = () => {
      controller?.abort(signal.reason)
      settle(() => reject(signal.reason))
    }
    const settle = (how: () => void) => {
      signal.removeEventListener('abort', stop)
      how()
    }
    signal.addEventListener('abort', stop, { once: true })

    const answer = { status: 0, headers: {} as Record<string, string> }
    const chunks: Buffer[] = []
    let size = 0
    agent.dispatch(
      {
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: method as Dispatcher.HttpMethod,
        headers: headersFor(headers, body),
        body: body.bytes,
      },
      {
        // the last moment at which nothing has been written yet
        onRequestStart(started) {
          if (signal.aborted) return started.abort(signal.reason)
          controller = started
          state.sent = true
        },
        onResponseStart(_, status, received) {
          state.answered = true
          answer.status = status
          for (const [name, value] of Object.entries(received)) {
            if (value !== undefined) answer.headers[name.toLowerCase()] = [value].flat().join(', ')
          }
        },
        onResponseData(started, chunk) {
          size += chunk.length
          if (size > maxBody) started.abort(new BodyTooLarge(`the answer is longer than ${maxBody} bytes`))
          else chunks.push(chunk)
        },
        onResponseEnd() {
          settle(() => resolve({ ...answer, text: Buffer.concat(chunks).toString('utf8') }))
        },
        onResponseError(_, error) {
          settle(() => reject(error))
        },
      },
    )
  })
}

function headersFor(given: { readonly [name: string]: string }, body: Body): Record<string, string> {
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  const usual = { accept: 'application/json', 'user-agent': 'runbook', ...body.headers }
  return { ...given, ...Object.fromEntries(Object.entries(usual).filter(([name]) => !names.has(name))) }
}

function requestIdOf({ headers }: Pick<HttpResponse, 'headers'>): { requestId?: string } {
  const requestId = headers['x-openstack-request-id'] ?? headers['x-compute-request-id']
  return requestId === undefined ? {} : { requestId }
}
