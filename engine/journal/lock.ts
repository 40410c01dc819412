/** Who holds a lock that was asked for. */
export interface Held {
  readonly lock: string
  readonly run: string
  readonly by: string
  readonly since: string
}

/** Named locks between runs. A lock belongs to a run, not to a process: a parked or crashed run keeps it until it is resumed and ends. */
export interface Locks {
  /** All or none; one that this run holds already is no obstacle. */
  take(names: readonly string[], run: string): Promise<Held | undefined>
  /** Frees all that a run holds. */
  free(run: string): Promise<void>
}
