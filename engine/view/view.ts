import type { RunEvent } from '../run/event.ts'

/**
 * What shows a run while it happens: a fold over its events. It draws and never decides, so a run goes the same way with
 * any of them, or none.
 */
export interface View {
  on(event: RunEvent): void
  /** Leaves the terminal to somebody else, such as a question; what comes meanwhile is shown after `resume`. */
  pause(): Promise<void>
  resume(): void
  /** Writes what is still to be said and gives the terminal back; settles when nothing more will be written. */
  end(): Promise<void>
  /** Gives the terminal back at once: the program ends with this turn, in the middle of the run. */
  leave(): void
}

/** Where a view writes. */
export interface Sink {
  write(text: string): unknown
}

export interface ViewOptions {
  /** See `colourWanted`. */
  readonly colour?: boolean
  /** Shows remote output and calls line by line as well. */
  readonly verbose?: boolean
  /** The file of the transcript, named at the end. */
  readonly transcript?: string
  /** Whether the run had begun a change before this view saw anything of it. */
  readonly changed?: boolean
}
