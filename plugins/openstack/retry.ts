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
    if (!passing[effect].has(sent.response.status) || attempt === tries) return sent
    await clock.sleep(delayAfter(attempt, sent.response, clock.now()), signal)
  }
}

/** What the service asks for, in seconds or as a date by its own clock; else twice as long each time. Milliseconds. */
function delayAfter(attempt: number, { headers }: HttpResponse, now: number): number {
  const asked = headers['retry-after']
  const own = firstDelay * 2 ** (attempt - 1)
  if (asked === undefined) return own
  const seconds = Number(asked)
  const served = Date.parse(headers['date'] ?? '')
  const wait = Number.isNaN(seconds) ? Date.parse(asked) - (Number.isNaN(served) ? now : served) : seconds * 1_000
  return Number.isNaN(wait) ? own : Math.min(longestDelay, Math.max(0, wait))
}
