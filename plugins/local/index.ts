import type { Action } from '../../engine/action/contract.ts'
import { type Place, runAction, scriptAction } from '../command/action.ts'

const here: Place = {
  params: {},
  result: {},
  nameOf: () => 'this machine',
  exec: ({ local }, _params, command, signal) => local.exec(command, signal),
  describe: () => ({}),
}

const run = runAction(here, {
  name: 'local.run',
  summary: 'run a command on this machine',
  description: 'As `ssh.run`, on the machine where the run is: words, and no shell.',
  examples: [
    { command: 'date -u' },
    { command: ['git', 'rev-parse', 'HEAD'], directory: '/srv/runbooks', parse: 'lines' },
  ],
})

const script = scriptAction(here, {
  name: 'local.script',
  summary: 'run a script on this machine',
  description: 'As `ssh.script`, on the machine where the run is.',
  examples: [{ script: 'ping -c 1 "$1" | tail -n 1', args: ['192.0.2.7'], exit_codes: [0, 1] }],
})

export const actions: readonly Action[] = [run, script]
