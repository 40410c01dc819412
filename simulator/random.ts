import { createHash } from 'node:crypto'

/** Where the world's chance comes from: the same seed gives the same world. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number
  /** A whole number from `low` up to and including `high`. */
  between(low: number, high: number): number
  /** One of them. */
  pick<T>(items: readonly [T, ...T[]]): T
  /** An identifier nobody named: a new server, a new request. */
  uuid(): string
}

export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  let made = 0
  // mulberry32: small, fast, and good enough for a world that only has to look natural
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    uuid: () => {
      made += 1
      return uuidOf(`${seed}/${made}`)
    },
  }
}

/** The identifier that belongs to a name, the same in every run: `uuidOf('server/web-1')`. */
export function uuidOf(name: string): string {
  const hex = createHash('sha1').update(`rehearsal/${name}`).digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The same without dashes, as Keystone writes projects and users. */
export const hexIdOf = (name: string): string => uuidOf(name).replaceAll('-', '')
