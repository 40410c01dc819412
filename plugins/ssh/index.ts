import type { Action } from '../../engine/action/contract.ts'
import { runAction, scriptAction } from '../command/action.ts'
import { fetch, put } from './copy.ts'
import { file, fileRead, fileRestore } from './file.ts'
import { onHost } from './host.ts'
import { reboot } from './reboot.ts'
import { wait } from './wait.ts'

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

export const actions: readonly Action[] = [run, script, file, fileRead, fileRestore, put, fetch, reboot, wait]
