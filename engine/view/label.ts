import type { Effect } from '../action/contract.ts'
import type { RunEnded, Verdict } from '../run/event.ts'
import type { Status } from '../run/outcome.ts'
import type { Style } from './colour.ts'

/** How a thing that has an outcome is shown: by a word, a sign and a colour, so that none of them is needed alone. */
export interface Label {
  readonly word: string
  readonly sign: string
  readonly style: Style
}

export const statusLabels: { readonly [status in Status | 'running' | 'previewed']: Label } = {
  succeeded: { word: 'ok', sign: '✓', style: 'good' },
  failed: { word: 'FAILED', sign: '✗', style: 'bad' },
  skipped: { word: 'skipped', sign: '-', style: 'dim' },
  unreachable: { word: 'UNREACHABLE', sign: '✗', style: 'bad' },
  timed_out: { word: 'TIMED OUT', sign: '✗', style: 'bad' },
  cancelled: { word: 'cancelled', sign: '✗', style: 'warn' },
  unknown: { word: 'UNKNOWN', sign: '?', style: 'doubt' },
  rolled_back: { word: 'rolled back', sign: '↶', style: 'warn' },
  running: { word: 'running', sign: '…', style: 'plain' },
  previewed: { word: 'would do', sign: '~', style: 'plain' },
}

export const previewLabels: { readonly [kind in 'would' | 'might' | 'look' | 'ask']: Label } = {
  would: { word: 'would do', sign: '~', style: 'plain' },
  might: { word: 'might do', sign: '~', style: 'plain' },
  look: { word: 'would look', sign: '~', style: 'dim' },
  ask: { word: 'would ask', sign: '?', style: 'plain' },
}

export const verdictLabels: { readonly [verdict in Verdict]: Label } = {
  pass: { word: 'pass', sign: '✓', style: 'good' },
  warn: { word: 'WARN', sign: '!', style: 'warn' },
  fail: { word: 'FAIL', sign: '✗', style: 'bad' },
  unknown: { word: 'UNKNOWN', sign: '?', style: 'doubt' },
  skipped: { word: 'skipped', sign: '-', style: 'dim' },
}

export const runLabels: { readonly [status in RunEnded['status'] | 'waiting' | 'unfinished']: Label } = {
  succeeded: { word: 'succeeded', sign: '✓', style: 'good' },
  failed: { word: 'FAILED', sign: '✗', style: 'bad' },
  cancelled: { word: 'cancelled', sign: '✗', style: 'warn' },
  refused: { word: 'REFUSED', sign: '✗', style: 'bad' },
  rolled_back: { word: 'FAILED, rolled back', sign: '↶', style: 'bad' },
  waiting: { word: 'waiting for a person', sign: '?', style: 'warn' },
  unfinished: { word: 'not finished', sign: '…', style: 'doubt' },
}

/** `destructive` stands out, `read` goes without saying. */
export function effectNote(effect: Effect | undefined): string {
  return effect === undefined || effect === 'read' ? '' : effect
}
