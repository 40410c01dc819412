import { type HttpPayload, type HttpResponse, StepFailure } from '../../engine/action/contract.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { addressOf } from './address.ts'
import type { Token } from './auth.ts'
import { endpointOf } from './catalog.ts'
import { failureFrom } from './failure.ts'
import { bodyOf } from './json-body.ts'
import { patiently } from './retry.ts'
import { dropToken, type Session, tokenOf } from './session.ts'
import { agreeOn, type Microversions, versionHeaders } from './versions.ts'

/** One request to a service. */
export type ServiceCall = ServiceRequest & HttpPayload

interface ServiceRequest {
  /** By any of its names in a catalog: `compute`, `volumev3`. */
  readonly service: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the service's version, and below the project where its addresses have one: `/servers/detail`. */
  readonly path: string
  readonly query?: Query
  readonly microversion?: Microversions
  /** By default `read` for GET, `change` for the rest. A change is repeated only where it was surely not carried out. */
  readonly effect?: 'read' | 'change'
  /** Milliseconds. */
  readonly timeout?: number
  readonly headers?: { readonly [name: string]: string }
}

/** A list gives its name once per value; what is undefined is left out. */
export type Query = { readonly [name: string]: string | number | boolean | readonly string[] | undefined }

export interface ServiceAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string }
  /** Undefined where the body is empty or no JSON. */
  readonly body: Json | undefined
  readonly url: string
  /** When the service answered by its own clock, ISO 8601; null where it does not say. */
  readonly date: string | null
  /** What was agreed on. */
  readonly microversion: string | undefined
  /** Milliseconds. */
  readonly took: number
}

/**
 * Sends a request with the session's token and gives the answer, which is below 300; anything else is thrown as
 * `StepFailure` (see `failureFrom`). A token that is refused is replaced once: a request that was not let in has not
 * happened, so this holds for changes as well. A read is repeated when the answer says that its trouble may pass, a
 * change only when it was refused for coming too often, which is before anything is done.
 */
export async function call(session: Session, call: ServiceCall, signal: AbortSignal): Promise<ServiceAnswer> {
  const method = call.method ?? 'GET'
  const effect = call.effect ?? (method === 'GET' ? 'read' : 'change')
  const send = () => sendLetIn(session, { ...call, method, effect }, signal)
  const { response, url, microversion } = await patiently(session.ctx, send, signal, effect)
  if (response.status < 300) return answerFrom(response, url, microversion)
  throw failureFrom(response, { service: call.service, method, url, effect })
}

/**
 * The microversion that both sides know best, for a body that depends on it. `what` is said when the cloud is too old for
 * it. Throws `cloud_too_old`, `cloud_too_new`.
 */
export async function versionFor(
  session: Session,
  service: string,
  { what, ...wanted }: Microversions & { readonly what?: string },
  signal: AbortSignal,
): Promise<string> {
  const token = await tokenOf(session, signal)
  const address = addressOf(endpointOf(token.catalog, session.shared.cloud, service), service, token.projectId)
  try {
    return (await agreeOn(wanted, { service, address, token: token.value }, session, signal)) ?? wanted.min
  } catch (error) {
    if (what === undefined || !(error instanceof StepFailure) || error.code !== 'cloud_too_old') throw error
    throw new StepFailure(error.code, `${what} needs version ${wanted.min} of \`${service}\`: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.detail !== undefined && { detail: error.detail }),
      cause: error,
    })
  }
}

/** The body as an object. Throws `bad_answer` for a page of HTML, an empty body, a list. */
export function objectIn({ body, status, url }: ServiceAnswer): JsonObject {
  if (isObject(body)) return body
  throw badAnswer(url, status, 'without a JSON object')
}

/** The object under a name of the body. Throws `bad_answer`. */
export function partOf(answer: ServiceAnswer, name: string): JsonObject {
  const part = objectIn(answer)[name]
  if (isObject(part)) return part
  throw badAnswer(answer.url, answer.status, `without \`${name}\``)
}

export function badAnswer(url: string, status: number, what: string): StepFailure {
  return new StepFailure('bad_answer', `\`${new URL(url).pathname}\` answered ${status}, but ${what}`, {
    hint: 'does the catalog, or a balancer before the service, lead to something else?',
    detail: { url, status },
  })
}

type ReadyCall = ServiceCall & { readonly method: string; readonly effect: 'read' | 'change' }

interface Sent {
  readonly response: HttpResponse
  readonly url: string
  readonly microversion: string | undefined
}

async function sendLetIn(session: Session, call: ReadyCall, signal: AbortSignal): Promise<Sent> {
  const token = await tokenOf(session, signal)
  const sent = await send(session, call, token, signal)
  if (sent.response.status !== 401) return sent
  dropToken(session, token)
  return await send(session, call, await tokenOf(session, signal), signal)
}

async function send(session: Session, call: ReadyCall, token: Token, signal: AbortSignal): Promise<Sent> {
  const { ctx, shared } = session
  const { service, method, effect, timeout } = call
  const address = addressOf(endpointOf(token.catalog, shared.cloud, service), service, token.projectId)
  const microversion = await agreeOn(call.microversion, { service, address, token: token.value }, session, signal)
  const url = `${address.base}${call.path}${queryText(call.query)}`
  const headers = { ...call.headers, 'X-Auth-Token': token.value, ...versionHeaders(service, microversion) }
  const response = await ctx.http(
    {
      method,
      url,
      headers,
      effect,
      tls: shared.cloud.tls,
      ...payloadOf(call),
      ...(timeout !== undefined && { timeout }),
    },
    signal,
  )
  return { response, url, microversion }
}

const payloadOf = ({ body, file }: HttpPayload): HttpPayload =>
  file !== undefined ? { file } : body !== undefined ? { body } : {}

function queryText(query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one))
  }
  return search.size === 0 ? '' : `?${search}`
}

function answerFrom(
  { status, headers, text, took }: HttpResponse,
  url: string,
  microversion: string | undefined,
): ServiceAnswer {
  const date = Date.parse(headers['date'] ?? '')
  return {
    status,
    headers,
    body: bodyOf(text),
    url,
    microversion,
    took,
    date: Number.isNaN(date) ? null : new Date(date).toISOString(),
  }
}
