import { onAbort } from '../deadline.ts'

/** A bounded number of things at a time; who comes later waits in line. */
export interface Slots {
  /** Waits for a place; returns the function that frees it. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>
}

export function slots(count: number): Slots {
  let free = count
  const line: (() => void)[] = []

  function place(): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = line.shift()
      if (next) next()
      else free++
    }
  }

  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (free > 0) {
        free--
        return Promise.resolve(place())
      }
      return new Promise((resolve, reject) => {
        const come = () => {
          forget()
          resolve(place())
        }
        const forget = onAbort(signal, () => {
          line.splice(line.indexOf(come), 1)
          reject(signal.reason)
        })
        line.push(come)
      })
    },
  }
}
