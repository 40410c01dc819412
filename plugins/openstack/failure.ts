import { type HttpResponse, StepFailure } from '../../engine/action/contract.ts'
import { shownDuration } from '../../engine/duration.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { bodyOf, textAt } from './json-body.ts'
import { longPause } from './retry.ts'

/** What was asked, for the message and for what a failure means. */
export interface Asked {
  readonly service: string
  readonly method: string
  readonly url: string
  readonly effect?: 'read' | 'change'
}

/**
 * What an answer of 300 and more means. Codes: `bad_request`, `unauthorized`, `forbidden`, `not_found`, `conflict`,
 * `quota`, `rate_limited`, `version_refused`, `server_error`, `redirected`, `refused`. A change that a service or a
 * balancer broke off (500, 502, 504) may have happened: its status is `unknown`.
 */
export function failureFrom(response: HttpResponse, asked: Asked): StepFailure {
  const { status } = response
  const said = wordsOf(response)
  const code = codeOf(response, said)
  const requestId = response.headers['x-openstack-request-id'] ?? response.headers['x-compute-request-id']
  const path = new URL(asked.url).pathname
  return new StepFailure(
    code,
    said ?? `${asked.service} answered ${status} to ${asked.method} ${path}, without a word`,
    {
      status: asked.effect === 'change' && [500, 502, 504].includes(status) ? 'unknown' : 'failed',
      hint: pauseHint(response) ?? hintFor(code),
      detail: {
        status,
        service: asked.service,
        method: asked.method,
        path,
        ...(requestId !== undefined && { request_id: requestId }),
      },
    },
  )
}

function codeOf({ status, text }: HttpResponse, said: string | undefined): string {
  if (status === 413 || (status === 403 && /quota|exceed/i.test(said ?? '')) || overQuota(bodyOf(text))) return 'quota'
  const codes: { readonly [status: number]: string } = {
    400: 'bad_request',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
    406: 'version_refused',
    409: 'conflict',
    410: 'not_found',
    429: 'rate_limited',
  }
  if (status >= 500) return 'server_error'
  return codes[status] ?? (status < 400 ? 'redirected' : 'refused')
}

/** Neutron answers 409 for a quota. */
const overQuota = (body: Json | undefined): boolean => textAt(body, 'NeutronError', 'type') === 'OverQuota'

function pauseHint(response: HttpResponse): string | undefined {
  const pause = longPause(response)
  return pause === undefined ? undefined : `it wants to be left alone for ${shownDuration(pause)}: try again after that`
}

function hintFor(code: string): string | undefined {
  const hints: { readonly [code: string]: string } = {
    conflict: 'its state has changed: look again before you go on',
    forbidden: 'the role of this user does not allow it: use an administrator',
    unauthorized: 'the token was refused: check the cloud entry',
    rate_limited:
      'it was asked three times, as far apart as it wanted: try again later, or with `retry` and fewer at once',
    redirected: 'the address in the catalog points elsewhere: correct it, or set an endpoint override',
    server_error: 'look for the request id in the log of the service',
  }
  return hints[code]
}

/** The service's own words, whatever the form they come in. */
function wordsOf({ text, headers }: HttpResponse): string | undefined {
  const body = bodyOf(text)
  if (body !== undefined) return oneLine(messageIn(body))
  if (/<[a-z!]/i.test(text) || headers['content-type']?.includes('html')) return oneLine(pageText(text))
  return oneLine(text)
}

function messageIn(body: Json): string | undefined {
  if (typeof body === 'string') return body
  if (!isObject(body)) return undefined
  const errors = body['errors']
  if (Array.isArray(errors)) {
    const words = errors.filter(isObject).map((error) => textAt(error, 'detail') ?? textAt(error, 'title') ?? '')
    return words.filter(Boolean).join('; ') || undefined
  }
  return textAt(body, 'message') ?? textAt(body, 'faultstring') ?? innerMessage(body) ?? loneText(body)
}

/** `{error: {message}}`, `{itemNotFound: {message}}`, `{NeutronError: {message}}`, `{error_message: {faultstring}}`. */
function innerMessage(body: JsonObject): string | undefined {
  const inner = Object.values(body).find(isObject)
  return inner && (textAt(inner, 'message') ?? textAt(inner, 'faultstring') ?? textAt(inner, 'debuginfo'))
}

/** `{NeutronError: "words"}`, `{error: "words"}`. */
function loneText(body: JsonObject): string | undefined {
  const texts = Object.values(body).filter((value) => typeof value === 'string' && value !== '')
  return texts.length === 1 ? String(texts[0]) : undefined
}

function pageText(html: string): string {
  return html
    .replaceAll(/<(script|style|title)\b[\s\S]*?<\/\1>/gi, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

const longest = 500

function oneLine(text: string | undefined): string | undefined {
  const line = (text ?? '').replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '')
  if (line === '') return undefined
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}
