import { setMaxListeners } from 'node:events'
import type { Clock } from '../action/contract.ts'

/** A clock that can jump has `busy`: held while a real thing is waited for, so that time does not run to the deadline. */
export type HostClock = Clock & { busy?(): () => void }

/** Whether a thing came about within some milliseconds. Rejects with the signal's reason, and as the thing rejects. */
export async function cameWithin(
  clock: HostClock,
  ms: number,
  thing: Promise<unknown>,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  const over = new AbortController()
  // not `AbortSignal.any`: a signal that lives as long as the run would collect one of them for each call
  const forget = onAbort(signal, () => over.abort(signal.reason))
  const done = atRealPace(clock)
  const sleep = clock.sleep(ms, over.signal).then(() => false)
  // the loser of the race is nobody's business any more
  sleep.catch(() => {})
  try {
    return await Promise.race([thing.then(() => true), sleep])
  } finally {
    forget()
    over.abort()
    done()
  }
}

/**
 * Keeps time from jumping while something real is waited for with one sleeper on the clock; returns the function that
 * ends it. Twice busy: once for the work, once for the sleeper, which must not count as having nothing to do.
 */
export function atRealPace(clock: HostClock): () => void {
  const ends = [clock.busy?.(), clock.busy?.()]
  return () => {
    for (const end of ends) end?.()
  }
}

/** Resolves when a signal is aborted, until it is forgotten: no listener stays on the signal. */
export function whenAborted(signal: AbortSignal): { came: Promise<'aborted'>; forget: () => void } {
  let forget = () => {}
  const came = new Promise<'aborted'>((resolve) => {
    forget = onAbort(signal, () => resolve('aborted'))
  })
  return { came, forget }
}

/** Calls when a signal is aborted, at once if it is; returns the function that takes the listener off again. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  // a hundred hosts wait for one signal: that is no leak
  setMaxListeners(0, signal)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** For what must come to an end whoever has stopped waiting. */
export const neverAborted: AbortSignal = new AbortController().signal
