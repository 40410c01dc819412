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
  const done = clock.busy?.()
  const sleep = clock.sleep(ms, AbortSignal.any([signal, over.signal])).then(() => false)
  // the loser of the race is nobody's business any more
  sleep.catch(() => {})
  try {
    return await Promise.race([thing.then(() => true), sleep])
  } finally {
    over.abort()
    done?.()
  }
}
