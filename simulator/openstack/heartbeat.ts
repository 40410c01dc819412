import type { Machines } from '../world.ts'

/** A process somewhere that reports in every few seconds. */
export interface Beating {
  readonly host: string
  /** The systemd unit that beats: `nova-compute`. */
  readonly unit: string
  /** Milliseconds between two beats, and where in that interval this one beats. */
  readonly every: number
  readonly phase: number
  /** When it was first started. */
  readonly started: number
  /**
   * It runs but reports no more: the last beat was before `from`. Ends when the unit is restarted after `noticed`,
   * as a process with a lost connection would.
   */
  silent?: { readonly from: number; readonly noticed: number }
}

/** A process needs a moment after its start before it first reports. */
const firstBeatAfter = 3_000

/** When it last reported, by the true time of the world. */
export function lastBeat(beating: Beating, now: number, machines: Machines): number {
  const { silent, started } = beating
  const unit = machines.unit(beating.host, beating.unit)
  if (unit && !unit.running) return onGrid(beating, Math.min(unit.since, silent?.from ?? now, now))
  if (silent && (!unit || unit.since <= silent.noticed)) return onGrid(beating, Math.min(silent.from, now))
  const regular = onGrid(beating, now)
  const first = unit && unit.since > started ? unit.since + firstBeatAfter : started
  if (regular >= first) return regular
  if (now >= first) return first
  // started again and not yet heard of: what is known is from before it stopped
  return onGrid(beating, unit?.stoppedAt ?? first - firstBeatAfter)
}

function onGrid({ every, phase }: Beating, at: number): number {
  return Math.floor((at - phase) / every) * every + phase
}

/** Since when the process that runs now runs. */
export function runningSince({ host, unit, started }: Beating, machines: Machines): number {
  const seen = machines.unit(host, unit)
  return seen?.running && seen.since > started ? seen.since : started
}
