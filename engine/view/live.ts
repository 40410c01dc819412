import type { ListrEventManager } from 'listr2'
import { Listr, ListrEventType, Spinner } from 'listr2'
import type { RunEvent } from '../run/event.ts'
import { painter } from './colour.ts'
import { factLines } from './fact-lines.ts'
import { headerLines } from './header-lines.ts'
import { liveRows } from './live-rows.ts'
import { advance, isEnd, newProgress } from './progress.ts'
import type { Terminal } from './screen.ts'
import { screenOn } from './screen.ts'
import { summaryLines } from './summary-lines.ts'
import type { View, ViewOptions } from './view.ts'

export interface LiveOptions extends ViewOptions {
  /** The clock of the events, milliseconds since 1970; without it, the time since the last event is real time. */
  readonly now?: () => number
}

/**
 * The run on a terminal: what is done stays as lines, what goes on now is painted below them.
 * The list has one row for the run, whose end is settled from here; listr2 turns its wheel and says when to paint. It
 * decides nothing and catches no signal. `end` must be called, also after an error: it gives the cursor back.
 */
export function liveView(out: Terminal, options: LiveOptions = {}): View {
  const paint = painter(options.colour ?? true)
  const screen = screenOn(out)
  const progress = newProgress()
  const reached = new Set<string>()
  const lines: string[] = []
  let list: { readonly settle: () => void; readonly ended: Promise<unknown> } | undefined
  let paused = false
  let over = false
  let heard = Date.now()

  const now = () => options.now?.() ?? progress.now + Math.max(0, Date.now() - heard)
  const flush = (spin: string) => {
    const most = Math.max(3, Math.min(14, screen.rows - 2))
    screen.paint(
      liveRows(progress, { paint, columns: screen.columns, most, now: now(), spin, reached }),
      lines.splice(0),
    )
  }
  const start = () => {
    if (list || paused || over) return
    let settle = () => {}
    const settled = new Promise<void>((resolve) => {
      settle = resolve
    })
    const listr = new Listr([{ task: () => settled }], {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: wheelFor({ paint: flush, clear: () => screen.clear() }),
    })
    list = { settle, ended: listr.run() }
  }
  const stop = async () => {
    const running = list
    list = undefined
    if (running) {
      running.settle()
      await running.ended
    }
    writeLines()
  }
  const writeLines = () => {
    for (const line of lines.splice(0)) out.write(`${line}\n`)
  }

  return {
    on(event: RunEvent) {
      if (event.type === 'run.began') lines.push(...headerLines(event, paint))
      else if (staysAsLine(event))
        lines.push(
          ...factLines(progress, event, {
            paint,
            verbose: options.verbose ?? false,
            folds: true,
            columns: screen.columns,
          }),
        )
      advance(progress, event)
      heard = Date.now()
      if (event.type === 'step.began' || event.type === 'step.ended' || event.type === 'step.previewed')
        reached.add(event.step.split('/')[0] ?? event.step)
      if (isEnd(event)) lines.push(...summaryLines(progress, paint, options))
      start()
    },
    async pause() {
      paused = true
      await stop()
    },
    resume() {
      paused = false
      start()
    },
    async end() {
      over = true
      await stop()
    },
    leave() {
      over = true
      screen.clear()
      writeLines()
    },
  }
}

/** What the area shows while it lasts need not stay when it is over. */
function staysAsLine({ type }: RunEvent): boolean {
  return !['step.began', 'step.polled', 'step.progress', 'locks.taken'].includes(type)
}

interface Painting {
  readonly paint: (spin: string) => void
  readonly clear: () => void
}

/** A renderer of listr2 that leaves the drawing to us: its own hides the cursor by way of signal handlers. */
function wheelFor({ paint, clear }: Painting) {
  return class Wheel {
    static nonTTY = true
    static rendererOptions: Record<PropertyKey, unknown> = {}
    static rendererTaskOptions: Record<PropertyKey, unknown> = {}
    readonly #events: ListrEventManager | undefined
    readonly #spinner = new Spinner()

    constructor(_tasks: readonly unknown[], _options: unknown, events?: ListrEventManager) {
      this.#events = events
    }

    render = (): void => {
      const turn = () => paint(this.#spinner.fetch())
      this.#events?.on(ListrEventType.SHOULD_REFRESH_RENDER, turn)
      this.#spinner.start(turn)
    }

    end = (): void => {
      this.#spinner.stop()
      clear()
    }
  }
}
