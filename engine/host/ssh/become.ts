import type { Command } from '../../action/contract.ts'
import { showCommand } from '../command.ts'
import type { BecomeSettings, ConnectionSettings } from './settings.ts'

/** As whom a command runs, when that is another than who logs in. */
export interface Become {
  readonly user: string
  readonly method: 'sudo' | 'su'
  /** Given when it is asked for, and not else. */
  readonly password: string | undefined
}

/** What a step says, with what the inventory says of the host; nothing when whoever logs in will do. */
export function becomeOf(
  { become }: Command,
  settings: ConnectionSettings,
): Omit<BecomeSettings, 'always'> | undefined {
  const { always, user, method, password } = settings.become
  if (become === false || (become === undefined && !always)) return undefined
  const said = typeof become === 'object' ? become : {}
  const wanted = { user: said.user ?? user, method: said.method ?? method, password }
  return wanted.user === settings.user ? undefined : wanted
}

/** A command for people, with the one it runs as. */
export function showAs(command: Command, become: Pick<Become, 'user' | 'method'> | undefined): string {
  if (!become) return showCommand(command)
  return become.method === 'sudo'
    ? `sudo -u ${become.user} -- ${showCommand(command)}`
    : `su ${become.user}: ${showCommand(command)}`
}
