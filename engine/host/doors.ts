import type { Clock, Http, Local, Ssh } from '../action/contract.ts'
import type { Call } from '../run/event.ts'
import type { AskSecret } from './ssh/auth.ts'
import type { HostSettings } from './ssh/settings.ts'

/** Who is told what passes through a door, for one step. */
export interface Watch {
  readonly onCall: (call: Call) => void
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string, host?: string) => void
  /** A password that is about to be used, and must be shown nowhere. */
  readonly onSecret?: (name: string, value: string) => void
}

/** The ways into the world that a run has, opened when they are first used. */
export interface Doors {
  readonly clock: Clock & { busy?(): () => void }
  /** The folder of this machine in which commands run and paths begin. */
  readonly folder: string
  http(watch: Watch): Http
  ssh(watch: Watch): Promise<Ssh>
  local(watch: Watch): Local
  /** Whom to ask for passphrases and passwords; before anything is reached. Nobody is asked unless told. */
  askWith(ask: AskSecret): void
  /** Called, last first, when the run is over. */
  atEnd(close: () => Promise<void>): void
  close(): Promise<void>
}

export type { AskSecret, HostSettings }
