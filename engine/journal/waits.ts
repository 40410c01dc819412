import type { Limit } from '../run/durable.ts'

/** When people were waited for: their time is nobody's time limit. Moments are milliseconds since 1970. */
export class Waits {
  readonly #all: { readonly from: number; readonly to: number }[] = []

  add(asked: string, answered: string): void {
    this.#all.push({ from: Date.parse(asked), to: Date.parse(answered) })
  }

  /** Until the first of the limits is over; infinite without one. Questions that were open at the same time are one wait. */
  left(limits: readonly Limit[], now: number): number {
    return Math.min(...limits.map(({ since, ms }) => since + ms + this.#since(since) - now))
  }

  #since(moment: number): number {
    let waited = 0
    let end = moment
    for (const { from, to } of this.#all.toSorted((a, b) => a.from - b.from)) {
      waited += Math.max(0, to - Math.max(from, end))
      end = Math.max(end, to)
    }
    return waited
  }
}
