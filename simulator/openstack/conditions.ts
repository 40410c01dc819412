import type { Reply, ServiceName } from './http/api.ts'

export interface Flaky {
  readonly status: number
  /** Every which call is refused. */
  readonly every: number
  /** For `Retry-After`. */
  readonly seconds: number
}

/** What stands between the callers and the services: slowness, refusals, endpoints that lead nowhere. */
export interface Conditions {
  readonly slow: Map<ServiceName, number>
  readonly failing: Map<ServiceName, number>
  readonly flaky: Map<ServiceName, Flaky>
  /** `nova/internal`: endpoints whose address in the catalogue does not work. */
  readonly brokenEndpoints: Set<string>
  /** What the next call of a service meets; counts the calls. */
  of(service: ServiceName): { readonly seconds: number; readonly refusal: Reply | undefined }
}

export function createConditions(): Conditions {
  const calls = new Map<ServiceName, number>()
  const slow = new Map<ServiceName, number>()
  const failing = new Map<ServiceName, number>()
  const flaky = new Map<ServiceName, Flaky>()
  return {
    slow,
    failing,
    flaky,
    brokenEndpoints: new Set(),
    of(service) {
      const count = (calls.get(service) ?? 0) + 1
      calls.set(service, count)
      const seconds = slow.get(service) ?? 0
      const status = failing.get(service)
      const now = flaky.get(service)
      if (status !== undefined) return { seconds, refusal: unavailable(status) }
      if (now && count % now.every === 0) return { seconds, refusal: retryLater(now) }
      return { seconds, refusal: undefined }
    },
  }
}

/** The page of a proxy that has no server left behind it. */
export function unavailable(status: number): Reply {
  const text = status === 503 ? 'Service Unavailable' : 'Error'
  return {
    status,
    headers: { 'Content-Type': 'text/html', 'Cache-Control': 'no-cache' },
    body: `<html><body><h1>${status} ${text}</h1>\nNo server is available to handle this request.\n</body></html>\n`,
  }
}

const retryLater = ({ status, seconds }: Flaky): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Retry-After': String(seconds) },
  body: { overLimit: { code: status, message: 'This request was rate-limited.', retryAfter: String(seconds) } },
})
