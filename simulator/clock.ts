import type { WorldClock } from './contract.ts'

/**
 * The world's clock, as the world itself sees it.
 *
 * 1. Time never goes back.
 * 2. Without a speed, time passes as outside until everybody who works is asleep; then it jumps to whatever comes next.
 * 3. Sleepers and planned events come due in the order of their moments, and in the order they were made within one.
 * 4. A sleeper is somebody's: an action that waits, or a simulated command that sleeps for a caller who waits for it.
 *    Whoever sleeps beside work of their own (a deadline) holds `busy` for that sleep, or time would run to the deadline.
 * 5. A planned event is nobody's: it never makes time jump, but it happens on the way when time does.
 */
export interface Clock extends WorldClock {
  /** Does something when the world has moved on by `ms`; returns the function that calls it off. */
  after(ms: number, happens: () => void): () => void
  /** Ends the world's time: sleepers are rejected, planned events never happen, no timer is left. */
  close(): void
}

export interface ClockOptions {
  /** Milliseconds since 1970. */
  readonly startAt: number
  /** World seconds per real second; without it time jumps. */
  readonly speed?: number | undefined
}

interface Waiting {
  readonly at: number
  readonly sleeper: boolean
  readonly wake: () => void
  readonly end: (reason: Error) => void
}

/** How many turns of the event loop a woken sleeper gets to start its next work before time may jump again. */
const settleTurns = 3
/** The longest wait a Node timer can hold. */
const longestTimer = 2_147_483_647

export function createClock({ startAt, speed }: ClockOptions): Clock {
  const waiting: Waiting[] = []
  const realStart = performance.now()
  let jumped = 0
  let busyCount = 0
  let timer: NodeJS.Timeout | undefined
  let settling = false
  let closed = false

  const exactNow = () => startAt + jumped + (performance.now() - realStart) * (speed ?? 1)
  const jumpTo = (at: number) => {
    jumped += Math.max(0, at - exactNow())
  }

  function add(entry: Waiting): () => void {
    const index = waiting.findIndex((other) => other.at > entry.at)
    waiting.splice(index === -1 ? waiting.length : index, 0, entry)
    look()
    return () => {
      const found = waiting.indexOf(entry)
      if (found !== -1) waiting.splice(found, 1)
    }
  }

  function wakeDue(until: number): void {
    while (waiting[0] && waiting[0].at <= until) waiting.shift()?.wake()
  }

  const everybodySleeps = () => {
    const sleepers = waiting.filter(({ sleeper }) => sleeper).length
    return sleepers > 0 && busyCount <= sleepers
  }

  /** Arms the one real timer, and begins to settle when time may jump. */
  function look(): void {
    if (closed) return
    clearTimeout(timer)
    const next = waiting[0]
    if (!next) return
    timer = setTimeout(come, Math.min(longestTimer, Math.max(0, next.at - exactNow()) / (speed ?? 1)))
    if (speed === undefined && !settling && everybodySleeps()) settle(settleTurns)
  }

  function settle(turns: number): void {
    settling = true
    setImmediate(() => {
      if (closed || !everybodySleeps()) {
        settling = false
        look()
      } else if (turns > 1) {
        settle(turns - 1)
      } else {
        settling = false
        if (waiting[0]) jumpTo(waiting[0].at)
        come()
      }
    })
  }

  function come(): void {
    wakeDue(exactNow())
    look()
  }

  return {
    now: () => Math.floor(exactNow()),

    sleep(ms, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (closed) return reject(new Error('the rehearsal is over'))
        const stop = () => {
          callOff()
          reject(signal.reason)
        }
        const settled = (then: () => void) => {
          signal.removeEventListener('abort', stop)
          then()
        }
        const callOff = add({
          at: exactNow() + Math.max(0, ms),
          sleeper: true,
          wake: () => settled(resolve),
          end: (reason) => settled(() => reject(reason)),
        })
        signal.addEventListener('abort', stop, { once: true })
      })
    },

    busy() {
      let held = true
      busyCount += 1
      return () => {
        if (!held) return
        held = false
        busyCount -= 1
        look()
      }
    },

    after(ms, happens) {
      if (closed) return () => {}
      return add({ at: exactNow() + Math.max(0, ms), sleeper: false, wake: happens, end: () => {} })
    },

    async advance(ms) {
      const target = exactNow() + Math.max(0, ms)
      for (let next = waiting[0]; next && next.at <= target && !closed; next = waiting[0]) {
        jumpTo(next.at)
        wakeDue(next.at)
        for (let turn = 0; turn < settleTurns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      }
      jumpTo(target)
      look()
    },

    close() {
      closed = true
      clearTimeout(timer)
      for (const { end } of waiting.splice(0)) end(new Error('the rehearsal is over'))
    },
  }
}
