import { type Action, type Become, type Command, StepFailure } from '../../engine/action/contract.ts'
import { closedObject, text } from '../../engine/action/define.ts'
import type { JsonObject, Schema } from '../../engine/json.ts'
import { type Place, runAction, scriptAction } from '../command/action.ts'

/** The parameter `become`, which every action that does something on a host takes. */
export const become: Schema = {
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

export function becomeOf({ become: said }: JsonObject): Pick<Command, 'become'> {
  return said === undefined ? {} : { become: said as boolean | Become }
}

const onHost: Place = {
  params: {
    host: text('The host it runs on, as the inventory calls it; each of the `targets` of the step unless told.', {
      'x-runbook-target': true,
    }),
    become,
  },
  result: { host: text('The host it ran on.') },
  nameOf: hostOf,
  exec: ({ ssh }, params, command, signal) => ssh.exec(hostOf(params), { ...command, ...becomeOf(params) }, signal),
  describe: (params) => ({ host: hostOf(params) }),
}

function hostOf({ host }: JsonObject): string {
  if (typeof host === 'string' && host !== '') return host
  throw new StepFailure('no_host', 'the step does not say on which host it runs', {
    hint: 'add `targets` to the step, or `host` to its parameters',
  })
}

const run = runAction(onHost, {
  name: 'ssh.run',
  summary: 'run a command on a host',
  description: [
    'The command is split into words when the file is read, and each word is rendered and quoted on its own: no value can become shell syntax. For a pipe, a redirect or a variable there is `ssh.script`.',
    'It runs in a process group of its own, without a terminal; on a timeout or when the run is cancelled the whole group is ended.',
    'With `become` it runs as another user, by `sudo` or `su`; the password, if one is asked for, comes from the inventory and stands in no command line. One that is not let in fails with `become_refused`, and has run nothing.',
    'When the connection is lost in the middle the step is `unknown`: the command may have gone on.',
  ].join('\n\n'),
  examples: [
    { command: 'uptime -s' },
    { command: ['systemctl', 'is-active', 'nova-compute'], exit_codes: [0, 3], parse: 'lines' },
    { host: 'c1', command: 'ceph status --format json', parse: 'json' },
    { command: 'systemctl restart nova-compute', become: true },
    { command: 'psql -c checkpoint', become: { user: 'postgres', method: 'sudo' } },
  ],
})

const script = scriptAction(onHost, {
  name: 'ssh.script',
  summary: 'run a script on a host',
  description:
    'The script is a fixed text; values are handed over as environment or arguments, so that none can become a part of it. The script reads `stdin` as its own.',
  examples: [
    { script: 'df -P "$1" | tail -n 1', args: ['/var'], parse: 'lines' },
    {
      script: 'set -o pipefail; journalctl -u "$UNIT" | tail -n 20',
      env: { UNIT: 'nova-compute' },
      interpreter: ['bash'],
    },
  ],
})

export const actions: readonly Action[] = [run, script]
