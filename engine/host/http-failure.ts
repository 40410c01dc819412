import { type HttpRequest, StepFailure } from '../action/contract.ts'

/** How far an exchange had come: `sent` from the moment its first byte may have left. */
export interface Exchange {
  sent: boolean
  answered: boolean
}

/** Why there is no answer. `stale`: the connection was closed before a word came back, as a kept one may have been. */
export interface Trouble {
  readonly error: unknown
  readonly stale: boolean
}

/**
 * What a broken exchange means for the step. Nothing sent: `unreachable`. A change that was sent: `unknown`, for nobody
 * saw its end. A read that was sent: `unreachable`, as it changes nothing.
 */
export function brokenExchange(
  cause: unknown,
  { sent, answered }: Exchange,
  { request, effect }: { request: HttpRequest; effect: 'read' | 'change' },
): Trouble {
  const where = addressOf(request.url)
  const status = sent && effect === 'change' ? 'unknown' : 'unreachable'
  const fail = (code: string, message: string, hint?: string, stale = false): Trouble => ({
    error: new StepFailure(code, message, {
      status: code === 'response_too_large' && status !== 'unknown' ? 'failed' : status,
      hint,
      detail: { url: request.url, sent },
      cause,
    }),
    stale,
  })

  const code = codeOf(cause)
  const words = wordsOf(cause)
  if (cause instanceof DeadlinePassed) return fail('timeout', `\`${where}\`: ${words}`, timeoutHint(sent))
  if (cause instanceof BodyTooLarge)
    return fail('response_too_large', `\`${where}\`: ${words}`, 'ask for less: a filter, or smaller pages')
  if (!sent) {
    if (code === 'ECONNREFUSED')
      return fail('connection_refused', `\`${where}\` refused the connection`, 'is the service running, on this port?')
    if (dnsCodes.has(code))
      return fail(
        'dns_failed',
        `the name of \`${where}\` does not resolve (${code})`,
        'check the name, or the resolver of this machine',
      )
    if (connectTimeoutCodes.has(code))
      return fail(
        'timeout',
        `\`${where}\` did not take a connection in time`,
        'is there a route, and does a firewall let it pass?',
      )
    if (isTls(code, words)) return fail('tls_failed', `\`${where}\`: ${tlsReason(code, words)}`, tlsHint(code, words))
    return fail('connection_failed', `no connection to \`${where}\`: ${words}`)
  }
  return fail(
    'connection_lost',
    `the connection to \`${where}\` broke ${answered ? 'in the middle of the answer' : 'before an answer came'}: ${words}`,
    status === 'unknown' ? 'look whether it happened before you do it again' : undefined,
    !answered,
  )
}

const dnsCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'])
const connectTimeoutCodes = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'])

function isTls(code: string, words: string): boolean {
  return (
    code === 'EPROTO' ||
    /^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CRL_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/.test(
      code,
    ) ||
    words.includes('secure TLS connection')
  )
}

function tlsReason(code: string, words: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired'
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name (${words})`
  if (untrusted.has(code)) return `its certificate is not signed by an authority this machine trusts (${code})`
  if (speaksPlain(code, words)) return 'it does not speak TLS'
  return `no secure connection (${words})`
}

/** What OpenSSL makes of an answer in plain HTTP. */
function speaksPlain(code: string, words: string): boolean {
  return /wrong.version.number|packet.length.too.long/i.test(`${code} ${words}`)
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function tlsHint(code: string, words: string): string | undefined {
  if (untrusted.has(code)) return 'name the file of your authority with `cacert` in clouds.yaml, or `OS_CACERT`'
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED')
    return 'compare the clocks first, then renew the certificate'
  if (speaksPlain(code, words)) return 'is the address to begin with `http:` instead of `https:`?'
  return undefined
}

function timeoutHint(sent: boolean): string {
  return sent ? 'the service is slow or stuck: look at its log' : 'nothing was sent: the connection was never made'
}

/** Host and port, without what may stand before or behind: enough to know who was meant. */
function addressOf(url: string): string {
  return new URL(url).host
}

function codeOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || codeOf(cause) || cause.name
}

/** The request was still under way when its time, in milliseconds, was up. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'

  constructor(timeout: number) {
    super(`no answer within ${timeout / 1000} s`)
  }
}

/** The answer was longer than what is read. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}
