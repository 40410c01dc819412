import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../action/contract.ts'

/** A Node timer holds no more than this many milliseconds; longer waits are made of several. */
const longestTimer = 2_147_483_647

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0; left -= longestTimer) await sleep(Math.min(left, longestTimer), undefined, { signal })
    signal.throwIfAborted()
  },
}
