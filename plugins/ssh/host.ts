import {
  type ActionContext,
  type Become,
  type Command,
  type CommandResult,
  StepFailure,
} from '../../engine/action/contract.ts'
import { closedObject, text } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import type { Place } from '../command/action.ts'

const host = text('The host, as the inventory calls it; each of the `targets` of the step unless told.', {
  'x-runbook-target': true,
})

/** The parameter `become`, which every action that does something on a host takes. */
const become: Schema = {
  description:
    'As whom it runs: `true` for the user that the inventory names (`become_user`, else `root`), or another one; `false` for whoever logs in. The inventory decides unless told.',
  oneOf: [
    { type: 'boolean' },
    closedObject(
      {
        user: text('The user to become.', { minLength: 1 }),
        method: text('How: `sudo` or `su`.', { enum: ['sudo', 'su'] }),
      },
      ['user', 'method'],
    ),
  ],
}

function becomeOf({ become: said }: JsonObject): Pick<Command, 'become'> {
  return said === undefined ? {} : { become: said as boolean | Become }
}

export const onHost: Place = {
  params: {
    host,
    become,
  },
  result: { host: text('The host it ran on.') },
  nameOf: hostOf,
  exec: ({ ssh }, params, command, signal) => ssh.exec(hostOf(params), { ...command, ...becomeOf(params) }, signal),
  describe: (params) => ({ host: hostOf(params) }),
}

export function hostOf({ host }: JsonObject): string {
  if (typeof host === 'string' && host !== '') return host
  throw new StepFailure('no_host', 'the step does not say on which host it runs', {
    hint: 'add `targets` to the step, or `host` to its parameters',
  })
}

/** What every action that does something on a host takes. */
export const hostParams = { host, become }

/** A fixed text with its arguments, run by `sh` on the host of the step, as whom the step says. */
export function shell(
  ctx: ActionContext,
  params: JsonObject,
  script: string,
  { args = [], ...more }: { args?: readonly string[] } & Omit<Command, 'argv' | 'script' | 'become'>,
  signal: AbortSignal,
): Promise<CommandResult> {
  const command = { script: { text: script, interpreter: ['sh'], args }, ...more, ...becomeOf(params) }
  return ctx.ssh.exec(hostOf(params), command, signal)
}

/** The last thing a command said, for a message. */
export function lastWord({ stdout, stderr }: CommandResult): string {
  return (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? ''
}
