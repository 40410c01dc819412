import { idHeader, type Reply, type Route } from './api.ts'

/** What the health middleware says, and in which headers it tells the id of the call. */
export interface Health {
  readonly reasons: readonly string[]
  readonly idHeaders: readonly string[]
}

/** In front of a service's own code, where calls have no id yet. */
export const healthyUnnamed: Health = { reasons: ['OK'], idHeaders: [] }
export const healthy: Health = { reasons: ['OK'], idHeaders: [idHeader] }

/** `/healthcheck` while nothing keeps the service out of its balancer: text, or JSON for those who want nothing else. */
export function healthRoute({ reasons, idHeaders }: Health): Route {
  return {
    method: 'GET',
    path: '/healthcheck',
    open: true,
    outside: true,
    handle: ({ headers }): Reply => ({ status: 200, idHeaders, ...told(String(headers['accept'] ?? ''), reasons) }),
  }
}

function told(accept: string, reasons: readonly string[]): Pick<Reply, 'headers' | 'body'> {
  if (accept.includes('application/json') && !/text\/|\*\/\*/.test(accept)) {
    const body = JSON.stringify({ detailed: false, reasons }, null, 4)
    return { headers: { 'Content-Type': 'application/json' }, body }
  }
  return { headers: { 'Content-Type': 'text/plain; charset=UTF-8' }, body: reasons.join('\n') }
}
