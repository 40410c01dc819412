/**
 * What the rehearsal cloud is to those who start it. The simulator imports nothing from the engine or the plugins:
 * it is met through HTTP and SSH on loopback, and through the clock below.
 */
export interface Rehearsal {
  /** The content of a `clouds.yaml` that reaches it. */
  readonly clouds: { readonly clouds: { readonly [name: string]: unknown } }
  /** The content of an inventory (`apiVersion: runbook/v1`) with its hosts and groups. */
  readonly inventory: { readonly [key: string]: unknown }
  /** For a `known_hosts` file and a key file. */
  readonly ssh: { readonly knownHosts: string; readonly privateKey: string }
  readonly clock: WorldClock
  close(): Promise<void>
}

export interface WorldClock {
  /** Milliseconds since 1970, of the world. */
  now(): number
  /** Waits for world time to pass; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /**
   * Somebody outside begins to work (an action runs): while more work than sleeps, time does not jump.
   * Returns the function that ends it.
   */
  busy(): () => void
  /** Moves the world's time on at once, waking sleepers in order. */
  advance(ms: number): Promise<void>
}

export interface RehearsalOptions {
  /** A scenario, already read from YAML. */
  readonly scenario: unknown
  /** World seconds per real second; without it time jumps whenever everybody sleeps. */
  readonly speed?: number
  /** Called with each change made to the world from outside. */
  readonly onEffect?: (effect: {
    readonly at: string
    readonly kind: string
    readonly what: string
    readonly detail?: unknown
  }) => void
  /** Where the world's time begins, milliseconds since 1970; now, unless told. */
  readonly startAt?: number
}
