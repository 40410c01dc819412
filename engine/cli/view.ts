import { colourWanted } from '../view/colour.ts'
import type { View } from '../view/view.ts'
import type { Io } from './io.ts'

interface ViewSettings {
  readonly run: string
  readonly transcript: string
  readonly verbose: boolean
  /** Whether the run has begun a change before. */
  readonly changed: boolean
}

/** The view that was asked for; live on a terminal, plain lines elsewhere. */
export async function viewFor(
  form: 'live' | 'plain' | 'json' | undefined,
  io: Io,
  options: ViewSettings,
): Promise<View> {
  const view = await newView(form, io, options)
  io.leave?.addEventListener('abort', () => {
    view.leave()
    io.stderr.write(`left in the middle of the run\n  next       runbook resume ${options.run}\n`)
  })
  return view
}

async function newView(
  form: 'live' | 'plain' | 'json' | undefined,
  io: Io,
  { transcript, verbose, changed }: ViewSettings,
): Promise<View> {
  const terminal = io.stdout.isTTY === true && io.env['TERM'] !== 'dumb' && !io.env['CI']
  const chosen = form ?? (terminal ? 'live' : 'plain')
  const colour = colourWanted({ isTTY: io.stdout.isTTY === true, env: io.env })
  const settings = { colour, verbose, transcript, changed }
  switch (chosen) {
    case 'json':
      return (await import('../view/json-lines.ts')).jsonLinesView(io.stdout)
    case 'plain':
      return (await import('../view/plain.ts')).plainView(io.stdout, settings)
    case 'live':
      return (await import('../view/live.ts')).liveView(io.stdout, settings)
  }
}
