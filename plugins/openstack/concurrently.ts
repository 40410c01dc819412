/**
 * Does the work for every item, at most `limit` at a time; the results are in the order of the items. The first failure
 * stops the others, and all that was begun has ended when this rejects.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const stop = new AbortController()
  const passOn = () => stop.abort(signal.reason)
  if (signal.aborted) passOn()
  signal.addEventListener('abort', passOn, { once: true })
  const results: R[] = []
  const queue = items.entries() // shared: each worker takes the next

  const worker = async () => {
    try {
      for (const [index, item] of queue) {
        stop.signal.throwIfAborted()
        results[index] = await work(item, stop.signal)
      }
    } catch (error) {
      stop.abort(error)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
    stop.signal.throwIfAborted()
    return results
  } finally {
    signal.removeEventListener('abort', passOn)
  }
}
