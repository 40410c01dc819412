import type { Ssh } from '../action/contract.ts'
import type { AskSecret, Doors, HostSettings } from './doors.ts'

export interface DoorOptions {
  readonly clock: Doors['clock']
  readonly env: { readonly [name: string]: string | undefined }
  readonly home: string
  readonly user: string
  /** The folder of this machine in which commands run and paths begin. */
  readonly folder: string
  /** How to reach a host of the inventory. */
  readonly host: (name: string) => HostSettings | undefined
}

/** The doors of a run. What a door stands on is loaded when it is first used: a run that never speaks SSH never loads it. */
export function openDoors({ clock, env, home, user, folder, host }: DoorOptions): Doors {
  const closing: (() => Promise<void>)[] = []
  let http: Promise<import('./http.ts').HttpDoor> | undefined
  let ssh: Promise<import('./ssh/door.ts').SshDoor> | undefined
  let ask: AskSecret | undefined
  const atEnd = (close: () => Promise<void>) => void closing.push(close)
  return {
    clock,
    folder,
    http:
      ({ onCall }) =>
      async (request, signal) => {
        http ??= import('./http.ts').then(({ httpDoor }) => {
          const door = httpDoor({ clock })
          atEnd(() => door.close())
          return door
        })
        return (await http).watched(onCall)(request, signal)
      },
    async ssh({ onCall, onOutput, onSecret }): Promise<Ssh> {
      ssh ??= import('./ssh/door.ts').then(({ sshDoor }) => {
        const door = sshDoor({ clock, env, home, user, hosts: host, ...(ask && { ask }) })
        atEnd(() => door.close())
        return door
      })
      return (await ssh).watchedBy({
        onCall,
        onSecret,
        onOutput: (name, stream, text) => onOutput(stream, text, name),
      })
    },
    local: ({ onCall, onOutput }) => ({
      async exec(command, signal) {
        const { localDoor } = await import('./local.ts')
        return localDoor({ clock, env, folder, onCall, onOutput }).exec(command, signal)
      },
    }),
    askWith(someone) {
      ask = someone
    },
    atEnd,
    async close() {
      for (const close of closing.toReversed()) await close().catch(() => undefined)
    },
  }
}
