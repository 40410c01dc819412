import type { RunEvent } from '../run/event.ts'
import { painter } from './colour.ts'
import { factLines } from './fact-lines.ts'
import { headerLines } from './header-lines.ts'
import { advance, isEnd, newProgress } from './progress.ts'
import { summaryLines } from './summary-lines.ts'
import type { Sink, View, ViewOptions } from './view.ts'

/**
 * The run as lines, one per fact, for a pipe, a file or a CI log. Nothing is ever taken back, so it can be followed with
 * `tail -f`.
 */
export function plainView(out: Sink, options: ViewOptions = {}): View {
  const paint = painter(options.colour ?? false)
  const progress = newProgress()
  const held: string[] = []
  let paused = false

  const write = (lines: readonly string[]) => {
    if (lines.length === 0) return
    const text = `${lines.join('\n')}\n`
    if (paused) held.push(text)
    else out.write(text)
  }
  const release = () => {
    paused = false
    for (const text of held.splice(0)) out.write(text)
  }

  return {
    on(event: RunEvent) {
      if (event.type === 'run.began') write(headerLines(event, paint))
      else write(factLines(progress, event, { paint, verbose: options.verbose ?? false, folds: false }))
      advance(progress, event)
      if (isEnd(event)) write(summaryLines(progress, paint, options))
    },
    async pause() {
      paused = true
    },
    resume: release,
    async end() {
      release()
    },
    leave: release,
  }
}
