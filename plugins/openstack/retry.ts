import type { ActionContext, HttpResponse } from '../../engine/action/contract.ts'

/** What may be tried again is tried this often. */
const tries = 3
const firstDelay = 1_000
const longestDelay = 30_000
const passing = {
  read: new Set([429, 500, 502, 503, 504]),
  // too many requests: whoever says so has not begun with this one
  change: new Set([429]),
}

/** Sends a request, and again while its answer says that the trouble may pass. */
export async function patiently<T extends { readonly response: HttpResponse }>(
  { clock }: Pick<ActionContext, 'clock'>,
  send: () => Promise<T>,
  signal: AbortSignal,
  effect: 'read' | 'change' = 'read',
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const sent = await send()
    if (!passing[effect].has(sent.response.status) || attempt === tries || longPause(sent.response) !== undefined)
      return sent
    await clock.sleep(delayAfter(attempt, sent.response, clock.now()), signal)
  }
}

/** Who has been asked too often, and wants to be left alone for longer than is waited here: for how long, in milliseconds. */
export function longPause({ status, headers }: HttpResponse): number | undefined {
  const wait = status === 429 ? wantedWait(headers, Date.parse(headers['date'] ?? '')) : undefined
  return wait !== undefined && wait > longestDelay ? wait : undefined
}

/** What the service asks for; else twice as long each time. Milliseconds. */
function delayAfter(attempt: number, { headers }: HttpResponse, now: number): number {
  const served = Date.parse(headers['date'] ?? '')
  const wait = wantedWait(headers, Number.isNaN(served) ? now : served)
  return wait === undefined ? firstDelay * 2 ** (attempt - 1) : Math.min(longestDelay, Math.max(0, wait))
}

/** In seconds, or as a date by the clock of the service. */
function wantedWait(headers: HttpResponse['headers'], now: number): number | undefined {
  const asked = headers['retry-after']
  if (asked === undefined) return undefined
  const seconds = Number(asked)
  const wait = Number.isNaN(seconds) ? Date.parse(asked) - now : seconds * 1_000
  return Number.isNaN(wait) ? undefined : wait
}
