import type { Redactor } from '../journal/redact.ts'

/** One piece of what a command writes. */
export interface Piece {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  readonly host?: string
}

export interface HeldOutput {
  take(piece: Piece): void
  /** Tells what is held of one host; of all without one. */
  release(host?: string): void
}

/**
 * Output on its way to whoever looks on. It comes in pieces that end anywhere, in the middle of a secret too: what may
 * yet become one is held back until more of it comes, or until `release` says that no more will.
 */
export function heldOutput(redactor: Redactor, tell: (piece: Piece) => void): HeldOutput {
  const held = new Map<string, Piece>()
  return {
    take(piece) {
      const name = `${piece.stream} ${piece.host ?? ''}`
      const text = `${held.get(name)?.text ?? ''}${piece.text}`
      const ready = text.length - redactor.open(text)
      held.set(name, { ...piece, text: text.slice(ready) })
      if (ready > 0) tell({ ...piece, text: redactor.text(text.slice(0, ready)) })
    },
    release(host) {
      for (const [name, piece] of held) {
        if (host !== undefined && piece.host !== host) continue
        held.delete(name)
        if (piece.text !== '') tell({ ...piece, text: redactor.text(piece.text) })
      }
    },
  }
}
