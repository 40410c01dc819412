import { whenAborted } from '../deadline.ts'

/** One thing being opened, that several wait for, each with a signal of its own. */
export interface Shared<T> {
  /** Rejects with the signal's reason; opening stops when nobody waits for it any more. */
  get(signal: AbortSignal): Promise<T>
  /** Stops opening, or closes what was opened. */
  close(end: (value: T) => Promise<void>): Promise<void>
}

export function shared<T>(open: (signal: AbortSignal) => Promise<T>): Shared<T> {
  const stop = new AbortController()
  let opening: Promise<T> | undefined
  let waiting = 0
  let settled = false

  function begin(): Promise<T> {
    const began = open(stop.signal)
    const done = () => {
      settled = true
    }
    began.then(done, done)
    return began
  }

  return {
    async get(signal) {
      signal.throwIfAborted()
      opening ??= begin()
      waiting++
      const aborted = whenAborted(signal)
      const left = aborted.came.then((): never => {
        throw signal.reason
      })
      try {
        return await Promise.race([opening, left])
      } finally {
        aborted.forget()
        waiting--
        if (waiting === 0 && !settled) stop.abort(signal.reason ?? new Error('nobody waits for it any more'))
      }
    },
    async close(end) {
      if (!settled) stop.abort(new Error('the run has ended'))
      const value = await opening?.catch(() => undefined)
      if (value !== undefined) await end(value)
    },
  }
}
